//! The calls of a literal that are data, made by code of ours.

use stook_core::{Error, Result};

use crate::value::{Date, Time, Value};

/// The arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) placed: Vec<Value>,
    pub(super) named: Vec<(String, Value)>,
}

/// numpy's scalar types, whose `repr` is a call of them.
const SCALARS: [&str; 22] = [
    "bool",
    "bool_",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "intp",
    "uintp",
    "longlong",
    "ulonglong",
    "float16",
    "float32",
    "float64",
    "longdouble",
    "complex64",
    "complex128",
    "str_",
    "bytes_",
];

/// The name of a scalar type of numpy.
fn scalar(name: &str) -> Option<&str> {
    let name = name.strip_prefix("np.").or_else(|| name.strip_prefix("numpy."))?;
    SCALARS.contains(&name).then_some(name)
}

/// Whether a call of `name` is data.
pub(super) fn is_known(name: &str) -> bool {
    let times = ["datetime", "date", "time", "timedelta", "timezone"];
    let is_time = name.strip_prefix("datetime.").is_some_and(|name| times.contains(&name));
    is_time || scalar(name).is_some() || name == "float" || name == "set"
}

/// What the call of `name` makes.
pub(super) fn call(name: &str, arguments: Arguments) -> Result<Value> {
    if let Some(scalar) = scalar(name) {
        return scalar_of(scalar, arguments);
    }
    match name {
        "datetime.datetime" => {
            let [year, month, day] = arguments.date(name)?;
            let time = arguments.time(name, 3)?;
            Ok(Value::DateTime(date(name, year, month, day)?, time))
        }
        "datetime.date" => {
            let [year, month, day] = arguments.date(name)?;
            arguments.expect_no_more(name, 3)?;
            Ok(Value::Date(date(name, year, month, day)?))
        }
        "datetime.time" => Ok(Value::Time(arguments.time(name, 0)?)),
        "datetime.timedelta" => arguments.span(name).map(Value::TimeDelta),
        "datetime.timezone" => match arguments.placed.first() {
            Some(Value::TimeDelta(span)) => Ok(Value::TimeDelta(*span)),
            _ => Err(wrong(name)),
        },
        "set" if arguments.placed.is_empty() => Ok(Value::Set(Vec::new())),
        "float" => match arguments.placed.first().and_then(Value::as_text) {
            Some("nan") => Ok(Value::Float(f64::NAN)),
            Some("inf") => Ok(Value::Float(f64::INFINITY)),
            Some("-inf") => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => Err(wrong(name)),
        },
        _ => Err(wrong(name)),
    }
}

#[cold]
fn wrong(name: &str) -> Error {
    Error::invalid(format!("literal: wrong arguments of `{name}`"))
}

fn scalar_of(name: &str, arguments: Arguments) -> Result<Value> {
    arguments.expect_no_more(name, 1)?;
    let name = if name == "bool_" { "bool" } else { name };
    let Some(value) = arguments.placed.into_iter().next() else { return Err(wrong(name)) };
    let fits = match name {
        "bool" => matches!(value, Value::Bool(_)),
        "str_" => matches!(value, Value::Text(_)),
        "bytes_" => matches!(value, Value::Bytes(_)),
        // numpy spells a long double as text.
        "longdouble" => matches!(value, Value::Text(_) | Value::Float(_) | Value::Int(_)),
        _ if name.starts_with("complex") => {
            matches!(value, Value::Complex(..) | Value::Float(_) | Value::Int(_))
        }
        _ if name.starts_with("float") => matches!(value, Value::Float(_) | Value::Int(_)),
        _ => matches!(value, Value::Int(_)),
    };
    if !fits {
        return Err(wrong(name));
    }
    Ok(Value::Scalar(name.to_owned(), Box::new(value)))
}

fn date(name: &str, year: i128, month: i128, day: i128) -> Result<Date> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let len = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_valid = (1..=9999).contains(&year) && (1..=12).contains(&month);
    match (u16::try_from(year), u8::try_from(month), u8::try_from(day)) {
        (Ok(year), Ok(month), Ok(day)) if is_valid && (1..=len).contains(&day) => {
            Ok(Date { year, month, day })
        }
        _ => Err(wrong(name)),
    }
}

impl Arguments {
    fn expect_no_more(&self, name: &str, n: usize) -> Result<()> {
        if self.placed.len() > n || !self.named.is_empty() { Err(wrong(name)) } else { Ok(()) }
    }

    fn int(&self, name: &str, at: usize) -> Result<Option<i128>> {
        match self.placed.get(at) {
            None => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(_) => Err(wrong(name)),
        }
    }

    fn date(&self, name: &str) -> Result<[i128; 3]> {
        let mut parts = [0; 3];
        for (at, part) in parts.iter_mut().enumerate() {
            *part = self.int(name, at)?.ok_or_else(|| wrong(name))?;
        }
        Ok(parts)
    }

    /// The time of day whose first part is the argument `at`.
    fn time(&self, name: &str, at: usize) -> Result<Time> {
        let part = |i: usize, max: i128| -> Result<u32> {
            let number = self.int(name, at + i)?.unwrap_or(0);
            let number = Some(number).filter(|number| (0..=max).contains(number));
            number.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| wrong(name))
        };
        let short = |i: usize, max: i128| -> Result<u8> {
            u8::try_from(part(i, max)?).map_err(|_| wrong(name))
        };
        let mut time = Time {
            hour: short(0, 23)?,
            minute: short(1, 59)?,
            second: short(2, 59)?,
            microsecond: part(3, 999_999)?,
            ..Time::default()
        };
        if self.placed.len() > at + 4 {
            return Err(wrong(name));
        }
        for (keyword, value) in &self.named {
            match (keyword.as_str(), value) {
                ("fold", Value::Int(0 | 1)) => time.is_second = *value == Value::Int(1),
                ("tzinfo", Value::TimeDelta(span)) => {
                    let seconds = i32::try_from(span / 1_000_000).map_err(|_| wrong(name))?;
                    if seconds.abs() >= 86_400 || span % 1_000_000 != 0 {
                        return Err(wrong(name));
                    }
                    time.zone = Some(seconds);
                }
                _ => return Err(wrong(name)),
            }
        }
        Ok(time)
    }

    /// A span in microseconds.
    fn span(&self, name: &str) -> Result<i128> {
        const UNITS: [(&str, i128); 3] =
            [("days", 86_400_000_000), ("seconds", 1_000_000), ("microseconds", 1)];
        let mut span = 0_i128;
        let placed = UNITS.iter().zip(&self.placed).map(|((_, unit), value)| (*unit, value));
        let named = self.named.iter().map(|(keyword, value)| {
            let unit = UNITS.iter().find(|(known, _)| known == keyword);
            (unit.map_or(0, |(_, unit)| *unit), value)
        });
        for (unit, value) in placed.chain(named) {
            let Value::Int(number) = value else { return Err(wrong(name)) };
            let part = number.checked_mul(unit).filter(|_| unit > 0).ok_or_else(|| wrong(name))?;
            span = span.checked_add(part).ok_or_else(|| wrong(name))?;
        }
        // A thousand million days, as Python has it.
        if self.placed.len() > UNITS.len() || span.abs() > 86_400_000_000 * 1_000_000_000 {
            return Err(wrong(name));
        }
        Ok(span)
    }
}
