//! Conditions on sessions, as parts of a statement with the values apart.

use std::collections::BTreeSet;

use serde_json::Value;
use stook_core::{Error, Result};

use crate::name::SessionDate;

/// SQLite binds no more values than 32,766.
const MAX_VALUES: usize = 30_000;

/// How a field compares to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operator {
    /// It is equal.
    Equal,
    /// It has a value, and that is another.
    NotEqual,
    /// It is less: numbers compare to numbers, text to text.
    Less,
    /// It is less or equal.
    LessOrEqual,
    /// It is greater.
    Greater,
    /// It is greater or equal.
    GreaterOrEqual,
    /// It is equal to one of a list.
    In,
    /// It is text like a pattern: `%` stands for any text, `_` for one character; ASCII letters are
    /// equal to their capitals.
    Like,
    /// It is text that has the value within.
    Contains,
    /// It has no value.
    IsNull,
    /// It has one.
    IsNotNull,
}

/// Names of operators, and what they are in SQL.
const OPERATORS: [(Operator, &[&str]); 11] = [
    (Operator::Equal, &["=", "==", "eq"]),
    (Operator::NotEqual, &["!=", "<>", "ne"]),
    (Operator::LessOrEqual, &["<=", "le"]),
    (Operator::GreaterOrEqual, &[">=", "ge"]),
    (Operator::Less, &["<", "lt"]),
    (Operator::Greater, &[">", "gt"]),
    (Operator::Like, &["like"]),
    (Operator::Contains, &["~", "contains"]),
    (Operator::In, &["in"]),
    (Operator::IsNull, &["is null", "isnull"]),
    (Operator::IsNotNull, &["is not null", "notnull"]),
];

impl Operator {
    /// The operator that is called so, in any case of letters.
    ///
    /// # Errors
    /// `InvalidInput` naming those there are.
    pub fn parse(name: &str) -> Result<Self> {
        let wanted = name.to_ascii_lowercase();
        let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = OPERATORS.iter().find(|(_, names)| names.contains(&wanted.as_str()));
        found.map(|(operator, _)| *operator).ok_or_else(|| {
            let known: Vec<_> = OPERATORS.iter().filter_map(|(_, names)| names.first()).collect();
            let known = known.into_iter().copied().collect::<Vec<_>>().join(", ");
            let name = name.escape_debug();
            Error::invalid(format!("`{name}` is no operator; expected one of: {known}"))
        })
    }

    fn needs_no_value(self) -> bool {
        matches!(self, Self::IsNull | Self::IsNotNull)
    }

    /// The operator in SQL, of those that take one value.
    fn as_sql(self) -> &'static str {
        match self {
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Like => "LIKE",
            _ => "=",
        }
    }
}

/// What a session must meet: a field, an operator and a value.
///
/// Fields are `mouse` (or `mouse_name`), `date`, `session_id`, `path`; `tag` and `dataset`, of which a
/// session has any number and one must meet it; `n_datasets` and `len_bytes`; and those that people
/// gave sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    field: String,
    operator: Operator,
    value: Value,
}

impl Condition {
    /// That `field` compares to `value` so; a list for [`Operator::In`]. Equal to null is to have no
    /// value.
    pub fn new(field: &str, operator: Operator, value: impl Into<Value>) -> Self {
        let value = value.into();
        let operator = match (operator, &value) {
            (Operator::Equal, Value::Null) => Operator::IsNull,
            (Operator::NotEqual, Value::Null) => Operator::IsNotNull,
            (operator, _) => operator,
        };
        Self { field: field.to_owned(), operator, value }
    }

    /// Reads `field=value`, `date >= 2024-02-01`, `note ~ text`, `mouse in A,B`, `tag is null`. What
    /// is spelt as a number, `true` or `false` is that where the field is no text by itself, and text
    /// in quotation marks is text.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let text = text.escape_debug();
            let hint = "such as mouse=ATL027, 'date>=2024-02-01', 'note ~ good', 'tag is null'";
            Error::invalid(format!("`{text}` is no condition")).with_hint(hint)
        };
        let text = text.trim();
        let end = text.find(|c: char| !is_name_char(c)).ok_or_else(wrong)?;
        let (field, rest) = text.split_at_checked(end).ok_or_else(wrong)?;
        let rest = rest.trim_start();
        if field.is_empty() {
            return Err(wrong());
        }
        let lower = rest.to_ascii_lowercase();
        // The longer of two names that begin alike comes first.
        let mut names: Vec<_> = OPERATORS
            .iter()
            .flat_map(|(operator, names)| names.iter().map(|name| (*operator, *name)))
            .collect();
        names.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
        for (operator, name) in names {
            let is_word = name.starts_with(char::is_alphabetic);
            let Some(value) = lower.strip_prefix(name) else { continue };
            if is_word && value.starts_with(is_name_char) {
                continue;
            }
            let value = rest.get(rest.len() - value.len()..).unwrap_or_default().trim();
            if operator.needs_no_value() {
                return if value.is_empty() {
                    Ok(Self::new(field, operator, Value::Null))
                } else {
                    Err(wrong())
                };
            }
            let is_text = Column::of(field).is_text();
            let value = match operator {
                Operator::In => {
                    value.split(',').map(|one| read_value(one.trim(), is_text)).collect()
                }
                _ => read_value(value, is_text),
            };
            return Ok(Self::new(field, operator, value));
        }
        Err(wrong())
    }
}

fn read_value(text: &str, is_text: bool) -> Value {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = quoted {
        return text.into();
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) if !is_text => value,
        _ => text.into(),
    }
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Checks the name of a field that people give.
pub(super) fn check_field_name(name: &str) -> Result<()> {
    let is_name = name.starts_with(char::is_alphabetic) && name.chars().all(is_name_char);
    if !is_name {
        let name = name.escape_debug();
        let expected = "letters, digits, `_`, `.` and `-`, a letter first";
        return Err(Error::invalid(format!("`{name}` is no name of a field: {expected}")));
    }
    match Column::of(name) {
        Column::Field => Ok(()),
        _ => Err(Error::invalid(format!("`{name}` is told by the tree and cannot be set"))),
    }
}

/// What a field is in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// A column of the sessions with text.
    Text(&'static str),
    Date,
    /// A number that is computed for each session.
    Number(&'static str),
    /// A column of another table, of which a session has several lines.
    Many(&'static str, &'static str),
    Field,
}

/// The fields that the tree tells, and tags.
const BUILT_IN: [&str; 9] = [
    "mouse",
    "mouse_name",
    "date",
    "session_id",
    "path",
    "tag",
    "dataset",
    "n_datasets",
    "len_bytes",
];

impl Column {
    fn of(field: &str) -> Self {
        match field {
            "mouse" | "mouse_name" => Self::Text("s.mouse"),
            "date" => Self::Date,
            "session_id" => Self::Text("s.session_id"),
            "path" => Self::Text("s.path"),
            "n_datasets" => Self::Number("s.n_datasets"),
            "len_bytes" => Self::Number("s.len_bytes"),
            "tag" => Self::Many("tag t WHERE t.path = s.path", "t.tag"),
            "dataset" => Self::Many("dataset d WHERE d.session = s.key", "d.name"),
            _ => Self::Field,
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Text(_) | Self::Date | Self::Many(..))
    }
}

/// A condition in SQL, with a question mark for each of its values.
#[derive(Debug, Default)]
pub(super) struct Clause {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// The clause that all `conditions` make. `known` are the names of fields that sessions have.
pub(super) fn clause(conditions: &[Condition], known: &BTreeSet<String>) -> Result<Clause> {
    let mut clause = Clause::default();
    for condition in conditions {
        let within = |error: Error| error.within(format_args!("field `{}`", condition.field));
        let column = Column::of(&condition.field);
        if column == Column::Field && !known.contains(&condition.field) {
            let names = BUILT_IN.into_iter().chain(known.iter().map(String::as_str));
            let names = names.collect::<Vec<_>>().join(", ");
            let field = condition.field.escape_debug();
            return Err(Error::invalid(format!(
                "no session has a field `{field}`; known: {names}"
            )));
        }
        clause.sql.push_str(if clause.sql.is_empty() { "(" } else { " AND (" });
        clause.add(column, condition).map_err(within)?;
        clause.sql.push(')');
        if clause.values.len() > MAX_VALUES {
            return Err(Error::invalid(format!("more than {MAX_VALUES} values to compare with")));
        }
    }
    Ok(clause)
}

impl Clause {
    fn add(&mut self, column: Column, condition: &Condition) -> Result<()> {
        let operator = condition.operator;
        match column {
            Column::Text(name) | Column::Number(name) if operator.needs_no_value() => {
                self.sql.push_str(name);
                self.sql.push_str(null_test(operator));
                Ok(())
            }
            Column::Date if operator.needs_no_value() => {
                self.sql.push_str("s.date");
                self.sql.push_str(null_test(operator));
                Ok(())
            }
            Column::Text(name) => self.compare(name, operator, &texts(&condition.value)?),
            Column::Number(name) => self.compare(name, operator, &condition.value),
            Column::Date => {
                let value = if matches!(operator, Operator::Like | Operator::Contains) {
                    condition.value.clone()
                } else {
                    dates(&condition.value)?
                };
                self.compare("s.date", operator, &value)
            }
            Column::Many(from, name) => {
                let is_negated = matches!(operator, Operator::NotEqual | Operator::IsNull);
                let not = if is_negated { "NOT " } else { "" };
                self.sql.push_str(&format!("{not}EXISTS (SELECT 1 FROM {from}"));
                if !operator.needs_no_value() {
                    let operator =
                        if operator == Operator::NotEqual { Operator::Equal } else { operator };
                    self.sql.push_str(" AND ");
                    self.compare(name, operator, &texts(&condition.value)?)?;
                }
                self.sql.push(')');
                Ok(())
            }
            Column::Field => {
                let not = if operator == Operator::IsNull { "NOT " } else { "" };
                let from = "field f WHERE f.path = s.path AND f.name = ?";
                self.sql.push_str(&format!("{not}EXISTS (SELECT 1 FROM {from}"));
                self.values.push(condition.field.as_str().into());
                if !operator.needs_no_value() {
                    self.sql.push_str(" AND ");
                    self.compare("f.value", operator, &condition.value)?;
                }
                self.sql.push(')');
                Ok(())
            }
        }
    }

    fn compare(&mut self, name: &str, operator: Operator, value: &Value) -> Result<()> {
        let unfit =
            |expected: &str| Err(Error::invalid(format!("expected {expected}, found {value}")));
        match (operator, value) {
            (Operator::In, Value::Array(values)) => {
                if values.iter().any(|value| !is_scalar(value)) {
                    return unfit("a list of texts, numbers or truth values");
                }
                let marks = vec!["?"; values.len()].join(", ");
                self.sql.push_str(&format!("{name} IN ({marks})"));
                self.values.extend(values.iter().cloned());
                return Ok(());
            }
            (Operator::In, _) => return unfit("a list"),
            (Operator::Contains, Value::String(_)) => {
                self.sql.push_str(&format!("typeof({name}) = 'text' AND instr({name}, ?) > 0"));
            }
            (Operator::Like, Value::String(_)) => {
                self.sql.push_str(&format!("typeof({name}) = 'text' AND {name} LIKE ?"));
            }
            (Operator::Contains | Operator::Like, _) => return unfit("text"),
            (_, value) if !is_scalar(value) => return unfit("text, a number or a truth value"),
            (Operator::Equal | Operator::NotEqual, _) => {
                self.sql.push_str(&format!("{name} {} ?", operator.as_sql()));
            }
            (_, Value::String(_)) => {
                let operator = operator.as_sql();
                self.sql.push_str(&format!("typeof({name}) = 'text' AND {name} {operator} ?"));
            }
            (_, _) => {
                let operator = operator.as_sql();
                let is_number = format!("typeof({name}) IN ('integer', 'real')");
                self.sql.push_str(&format!("{is_number} AND {name} {operator} ?"));
            }
        }
        self.values.push(value.clone());
        Ok(())
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

fn null_test(operator: Operator) -> &'static str {
    if operator == Operator::IsNull { " IS NULL" } else { " IS NOT NULL" }
}

/// Numbers as the text that they are written as: an id of digits is text.
fn texts(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Number(number) => number.to_string().into(),
        Value::Array(values) => values.iter().map(texts).collect::<Result<Vec<_>>>()?.into(),
        other => other.clone(),
    })
}

/// Dates as they are stored.
fn dates(value: &Value) -> Result<Value> {
    match value {
        Value::String(text) => Ok(text.parse::<SessionDate>()?.to_string().into()),
        Value::Array(values) => Ok(values.iter().map(dates).collect::<Result<Vec<_>>>()?.into()),
        other => Err(Error::invalid(format!("expected a date, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_read_as_people_write_them() {
        for (text, field, operator, value) in [
            ("mouse=ATL027", "mouse", Operator::Equal, json!("ATL027")),
            ("date >= 2024-2-1", "date", Operator::GreaterOrEqual, json!("2024-2-1")),
            ("session_id=701", "session_id", Operator::Equal, json!("701")),
            ("depth<=250.5", "depth", Operator::LessOrEqual, json!(250.5)),
            ("depth=\"250\"", "depth", Operator::Equal, json!("250")),
            ("is_good = true", "is_good", Operator::Equal, json!(true)),
            ("note ~ a = b", "note", Operator::Contains, json!("a = b")),
            ("note LIKE A%", "note", Operator::Like, json!("A%")),
            ("mouse in A, B", "mouse", Operator::In, json!(["A", "B"])),
            ("depth in 1,2", "depth", Operator::In, json!([1, 2])),
            ("tag is null", "tag", Operator::IsNull, json!(null)),
            ("note IS NOT NULL", "note", Operator::IsNotNull, json!(null)),
            ("depth=null", "depth", Operator::IsNull, json!(null)),
            ("note <> x", "note", Operator::NotEqual, json!("x")),
        ] {
            let expected = Condition { field: field.to_owned(), operator, value };
            assert_eq!(Condition::parse(text).unwrap(), expected, "{text}");
        }
        for text in ["", "mouse", "=x", "mouse index", "a is nullable", "tag is null x"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_apart_from_the_statement() {
        let known = BTreeSet::from(["note".to_owned()]);
        let evil = "'; DROP TABLE session; --";
        for operator in ["=", "<", "like", "~"] {
            let condition = Condition::new("note", Operator::parse(operator).unwrap(), evil);
            let clause = clause(&[condition], &known).unwrap();
            assert!(!clause.sql.contains("DROP"), "{}", clause.sql);
            assert_eq!(clause.values, [json!("note"), json!(evil)]);
        }
        let condition = Condition::new("x'; DROP", Operator::Equal, 1);
        assert!(clause(&[condition], &known).is_err());
        assert!(clause(&[Condition::new("date", Operator::Less, "soon")], &known).is_err());
        assert!(clause(&[Condition::new("mouse", Operator::In, "a")], &known).is_err());
        assert!(clause(&[Condition::new("note", Operator::Like, 1)], &known).is_err());
    }
}
