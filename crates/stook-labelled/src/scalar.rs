//! Values that are no array: what a session and metadata hold beside labelled objects.

use std::fmt;
use std::sync::Arc;

use stook_core::Values;
use stook_core::calendar::{date_of, days_of};

use crate::label::Label;

/// A day of the Gregorian calendar, as Python's `datetime.date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// The day that is `days` after 1970-01-01; `None` out of the years 1 to 9999.
    #[must_use]
    pub fn from_days(days: i64) -> Option<Self> {
        let (year, month, day) = date_of(days.into());
        let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        Some(Self { year, month, day })
    }

    /// The days since 1970-01-01.
    #[must_use]
    pub fn to_days(self) -> i64 {
        days_of(self.year.into(), self.month, self.day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A time of day in microseconds since midnight, as Python's `datetime.time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros > 0 { write!(f, ".{micros:06}") } else { Ok(()) }
    }
}

/// A value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Scalar {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number.
    Float(f64),
    /// A complex number: real, imaginary.
    Complex(f64, f64),
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A day.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A point in time without a zone.
    DateTime(Date, Time),
    /// A span of time in microseconds.
    TimeDelta(i128),
    /// A scalar of numpy: values without axes.
    Typed(Arc<Values>),
}

impl Scalar {
    /// What it is, as Python names its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Text(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(..) => "datetime",
            Self::TimeDelta(_) => "timedelta",
            Self::Typed(_) => "numpy scalar",
        }
    }

    /// The value that `text` of a table is taken for: a whole number, a number, a truth value, a
    /// day, a point in time, else text.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        if let Ok(value) = text.parse::<i64>() {
            return Self::Int(value.into());
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || "+-.niNI".contains(c))
            && let Ok(value) = text.parse::<f64>()
        {
            return Self::Float(value);
        }
        match text {
            "True" | "TRUE" => return Self::Bool(true),
            "False" | "FALSE" => return Self::Bool(false),
            _ => {}
        }
        parse_moment(text).unwrap_or_else(|| Self::Text(text.into()))
    }
}

/// `2020-01-31` or `2020-01-31 12:00:00.000001`.
fn parse_moment(text: &str) -> Option<Scalar> {
    let date = |text: &str| {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
            return None;
        }
        let date =
            Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        (Date::from_days(date.to_days()) == Some(date)).then_some(date)
    };
    match text.split_once([' ', 'T']) {
        None => date(text).map(Scalar::Date),
        Some((day, time)) => Some(Scalar::DateTime(date(day)?, parse_time(time)?)),
    }
}

/// `12:00:00` or `12:00:00.000001`.
pub(crate) fn parse_time(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut seconds = 0;
    let mut n_parts = 0;
    for (part, most) in whole.split(':').zip([24, 60, 60, 0]) {
        let value: u64 = Some(part).filter(|part| part.len() == 2)?.parse().ok()?;
        seconds = seconds * 60 + Some(value).filter(|&value| value < most)?;
        n_parts += 1;
    }
    if n_parts != 3 || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: u64 = format!("{fraction:0<6}").parse().ok()?;
    Some(Time(seconds * 1_000_000 + micros))
}

/// By type and value; NaN is equal to itself.
impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) | (Self::TimeDelta(a), Self::TimeDelta(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => same(*a, *b),
            (Self::Complex(a, b), Self::Complex(c, d)) => same(*a, *c) && same(*b, *d),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::DateTime(a, b), Self::DateTime(c, d)) => (a, b) == (c, d),
            (Self::Typed(a), Self::Typed(b)) => a == b,
            _ => false,
        }
    }
}

/// As Python's `str`.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(value) => Label::Bool(*value).fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => Label::Float(*value).fmt(f),
            Self::Complex(re, im) => {
                let sign = if im.is_sign_negative() { "" } else { "+" };
                write!(f, "({}{sign}{}j)", Label::Float(*re), Label::Float(*im))
            }
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
            Self::Date(date) => date.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::DateTime(date, time) => write!(f, "{date} {time}"),
            Self::TimeDelta(micros) => write!(f, "{micros} µs"),
            Self::Typed(values) => match crate::Labels::from_values(flat(values)) {
                Ok(labels) => labels.get(0).unwrap_or(Label::None).fmt(f),
                Err(_) => write!(f, "{values:?}"),
            },
        }
    }
}

/// The same item as the only one of an axis.
fn flat(values: &Values) -> Values {
    values.clone().reshaped(vec![1]).unwrap_or_else(|_| values.clone())
}

macro_rules! scalar_from {
    ($($rust:ty => |$value:ident| $scalar:expr),* $(,)?) => {$(
        impl From<$rust> for Scalar {
            fn from($value: $rust) -> Self {
                $scalar
            }
        }
    )*};
}

scalar_from! {
    bool => |value| Self::Bool(value),
    i32 => |value| Self::Int(value.into()),
    i64 => |value| Self::Int(value.into()),
    f64 => |value| Self::Float(value),
    &str => |text| Self::Text(text.into()),
    String => |text| Self::Text(text.into()),
    Date => |date| Self::Date(date),
    Time => |time| Self::Time(time),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_table_is_taken_for_what_it_says() {
        let date = Date { year: 2020, month: 2, day: 29 };
        let guesses = [
            ("3", Scalar::Int(3)),
            ("1.5", Scalar::Float(1.5)),
            ("inf", Scalar::Float(f64::INFINITY)),
            ("True", Scalar::Bool(true)),
            ("2020-02-29", Scalar::Date(date)),
            ("2020-02-29 01:02:03.5", Scalar::DateTime(date, Time(3_723_500_000))),
            ("2020-02-30", Scalar::from("2020-02-30")),
            ("nothing", Scalar::from("nothing")),
            ("", Scalar::from("")),
        ];
        for (text, expected) in guesses {
            assert_eq!(Scalar::guess(text), expected, "{text}");
        }
    }

    #[test]
    fn they_are_shown_as_in_python() {
        let date = Date { year: 2020, month: 1, day: 2 };
        for (scalar, text) in [
            (Scalar::Float(1e16), "1e+16"),
            (Scalar::DateTime(date, Time(1)), "2020-01-02 00:00:00.000001"),
            (Scalar::Complex(1.0, -2.0), "(1.0-2.0j)"),
            (Scalar::Bytes(b"a\0"[..].into()), "b'a\\x00'"),
        ] {
            assert_eq!(scalar.to_string(), text);
        }
    }
}
