//! One label: what stands at a position of an axis.
//!
//! Numbers compare and hash by value whatever their type, as in Python, and points in time by the
//! instant. NaN is equal to itself, so that it can be found.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stook_core::calendar::date_of;
use stook_core::dtype::{TimeBase, TimeUnit};

use crate::labels::LabelKind;

/// A label of an axis.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Label {
    /// Python's `None`.
    None,
    /// A truth value; equal to 0 or 1.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number over `i64::MAX`; smaller ones are [`Label::Int`].
    UInt(u64),
    /// A number.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A day, counted from 1970-01-01.
    Date(i64),
    /// A point in time: ticks of the unit since 1970-01-01; `i64::MIN` is NaT.
    DateTime(i64, TimeUnit),
    /// A span of time; `i64::MIN` is NaT.
    TimeDelta(i64, TimeUnit),
}

/// A label that is looked at where it lies.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LabelRef<'a> {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number over `i64::MAX`.
    UInt(u64),
    /// A number.
    Float(f64),
    /// Text.
    Str(&'a str),
    /// Text as native-endian UCS-4 without padding.
    Ucs4(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A day, counted from 1970-01-01.
    Date(i64),
    /// A point in time.
    DateTime(i64, TimeUnit),
    /// A span of time.
    TimeDelta(i64, TimeUnit),
}

impl Label {
    /// The same label, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> LabelRef<'_> {
        match self {
            Self::None => LabelRef::None,
            Self::Bool(value) => LabelRef::Bool(*value),
            Self::Int(value) => LabelRef::Int(*value),
            Self::UInt(value) => LabelRef::UInt(*value),
            Self::Float(value) => LabelRef::Float(*value),
            Self::Str(text) => LabelRef::Str(text),
            Self::Bytes(bytes) => LabelRef::Bytes(bytes),
            Self::Date(days) => LabelRef::Date(*days),
            Self::DateTime(ticks, unit) => LabelRef::DateTime(*ticks, *unit),
            Self::TimeDelta(ticks, unit) => LabelRef::TimeDelta(*ticks, *unit),
        }
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The whole number, if it is one; a truth value is none.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }
}

macro_rules! label_from {
    ($($rust:ty => |$value:ident| $label:expr),* $(,)?) => {$(
        impl From<$rust> for Label {
            fn from($value: $rust) -> Self {
                $label
            }
        }
    )*};
}

label_from! {
    bool => |value| Self::Bool(value),
    i32 => |value| Self::Int(i64::from(value)),
    i64 => |value| Self::Int(value),
    u64 => |value| i64::try_from(value).map_or(Self::UInt(value), Self::Int),
    f64 => |value| Self::Float(value),
    &str => |text| Self::Str(text.into()),
    String => |text| Self::Str(text.into()),
    Arc<str> => |text| Self::Str(text),
    &[u8] => |bytes| Self::Bytes(bytes.into()),
}

impl From<LabelRef<'_>> for Label {
    fn from(label: LabelRef<'_>) -> Self {
        match label {
            LabelRef::None => Self::None,
            LabelRef::Bool(value) => Self::Bool(value),
            LabelRef::Int(value) => Self::Int(value),
            LabelRef::UInt(value) => Self::UInt(value),
            LabelRef::Float(value) => Self::Float(value),
            LabelRef::Str(text) => Self::Str(text.into()),
            LabelRef::Ucs4(_) => Self::Str(label.to_string().into()),
            LabelRef::Bytes(bytes) => Self::Bytes(bytes.into()),
            LabelRef::Date(days) => Self::Date(days),
            LabelRef::DateTime(ticks, unit) => Self::DateTime(ticks, unit),
            LabelRef::TimeDelta(ticks, unit) => Self::TimeDelta(ticks, unit),
        }
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Label {}

impl Hash for Label {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

/// As Python's `str`.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// The characters of native-endian UCS-4; what is no character becomes U+FFFD.
pub(crate) fn ucs4_chars(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    bytes.chunks_exact(4).map(|c| {
        #[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
        let code = u32::from_ne_bytes([c[0], c[1], c[2], c[3]]);
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    })
}

/// What labels of one value have in common, whatever their types.
#[derive(PartialEq)]
enum Canon<'a> {
    None,
    Int(i128),
    /// A number that is not whole, by its bits.
    Float(u64),
    Bytes(&'a [u8]),
    Instant(i128),
    /// Months, or ticks without a unit.
    Calendar(i64, TimeBase),
    NotATime,
    Span(i128),
}

impl<'a> LabelRef<'a> {
    /// Whether it is text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Str(_) | Self::Ucs4(_))
    }

    /// The order of two labels of one kind; those of others are equal.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a.cmp(b),
            (Self::Ucs4(a), Self::Ucs4(b)) => ucs4_chars(a).cmp(ucs4_chars(b)),
            (Self::Str(a), Self::Ucs4(b)) => a.chars().cmp(ucs4_chars(b)),
            (Self::Ucs4(a), Self::Str(b)) => ucs4_chars(a).cmp(b.chars()),
            (a, b) => match (a.canon(), b.canon()) {
                (Canon::Int(a), Canon::Int(b))
                | (Canon::Instant(a), Canon::Instant(b))
                | (Canon::Span(a), Canon::Span(b)) => a.cmp(&b),
                (Canon::Bytes(a), Canon::Bytes(b)) => a.cmp(b),
                (Canon::Calendar(a, _), Canon::Calendar(b, _)) => a.cmp(&b),
                _ => number(a).zip(number(b)).map_or(Ordering::Equal, |(a, b)| a.total_cmp(&b)),
            },
        }
    }

    /// What it is; of a day, a point in time.
    pub(crate) fn kind(self) -> LabelKind {
        match self {
            Self::None => LabelKind::Mixed,
            Self::Bool(_) => LabelKind::Bool,
            Self::Int(_) | Self::UInt(_) => LabelKind::Int,
            Self::Float(_) => LabelKind::Float,
            Self::Str(_) | Self::Ucs4(_) => LabelKind::Text,
            Self::Bytes(_) => LabelKind::Bytes,
            Self::Date(_) | Self::DateTime(..) => LabelKind::DateTime,
            Self::TimeDelta(..) => LabelKind::TimeDelta,
        }
    }

    fn canon(self) -> Canon<'a> {
        match self {
            // Text is compared by itself.
            Self::None | Self::Str(_) | Self::Ucs4(_) => Canon::None,
            Self::Bool(value) => Canon::Int(i128::from(value)),
            Self::Int(value) => Canon::Int(i128::from(value)),
            Self::UInt(value) => Canon::Int(i128::from(value)),
            Self::Float(value) => canon_float(value),
            Self::Bytes(bytes) => Canon::Bytes(bytes),
            Self::Date(days) => Canon::Instant(i128::from(days) * ATTOSECONDS_OF_A_DAY),
            Self::DateTime(i64::MIN, _) | Self::TimeDelta(i64::MIN, _) => Canon::NotATime,
            Self::DateTime(ticks, unit) => match instant(ticks, unit) {
                Some(instant) => Canon::Instant(instant),
                None => Canon::Calendar(ticks, unit.base),
            },
            Self::TimeDelta(ticks, unit) => match (span(ticks, unit), months(ticks, unit)) {
                (Some(span), _) => Canon::Span(span),
                (None, Some(months)) => Canon::Calendar(months, TimeBase::Month),
                (None, None) => Canon::Calendar(ticks, unit.base),
            },
        }
    }
}

/// A number as a float.
fn number(label: LabelRef<'_>) -> Option<f64> {
    match label {
        LabelRef::Bool(value) => Some(f64::from(u8::from(value))),
        LabelRef::Int(value) => Some(value as f64),
        LabelRef::UInt(value) => Some(value as f64),
        LabelRef::Float(value) => Some(value),
        _ => None,
    }
}

fn canon_float(value: f64) -> Canon<'static> {
    let is_whole = value.fract() == 0.0 && value.abs() < 1e30;
    if value.is_nan() {
        Canon::Float(f64::NAN.to_bits())
    } else if is_whole {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e30")]
        Canon::Int(value as i128)
    } else {
        Canon::Float(value.to_bits())
    }
}

impl PartialEq for LabelRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Ucs4(a), Self::Ucs4(b)) => a == b,
            (Self::Str(a), Self::Ucs4(b)) | (Self::Ucs4(b), Self::Str(a)) => {
                b.len() / 4 <= a.len() && a.chars().eq(ucs4_chars(b))
            }
            (Self::Int(a), Self::Int(b)) => a == b,
            (a, b) if a.is_text() || b.is_text() => false,
            (a, b) => a.canon() == b.canon(),
        }
    }
}

impl Eq for LabelRef<'_> {}

impl Hash for LabelRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Self::Str(text) => text.chars().for_each(|c| state.write_u32(u32::from(c))),
            Self::Ucs4(bytes) => ucs4_chars(bytes).for_each(|c| state.write_u32(u32::from(c))),
            Self::Int(value) => state.write_i128(i128::from(value)),
            other => match other.canon() {
                Canon::None => state.write_u8(1),
                Canon::Int(value) | Canon::Instant(value) | Canon::Span(value) => {
                    state.write_i128(value);
                }
                Canon::Float(bits) => state.write_u64(bits),
                Canon::Bytes(bytes) => state.write(bytes),
                Canon::Calendar(ticks, _) => state.write_i64(ticks),
                Canon::NotATime => state.write_u8(2),
            },
        }
    }
}

const ATTOSECONDS: i128 = 1_000_000_000_000_000_000;
const ATTOSECONDS_OF_A_DAY: i128 = 86_400 * ATTOSECONDS;

/// The attoseconds of one of `base`, if they do not vary.
fn attoseconds(base: TimeBase) -> Option<i128> {
    Some(match base {
        TimeBase::Week => 7 * ATTOSECONDS_OF_A_DAY,
        TimeBase::Day => ATTOSECONDS_OF_A_DAY,
        TimeBase::Hour => 3600 * ATTOSECONDS,
        TimeBase::Minute => 60 * ATTOSECONDS,
        TimeBase::Second => ATTOSECONDS,
        TimeBase::Millisecond => ATTOSECONDS / 1_000,
        TimeBase::Microsecond => ATTOSECONDS / 1_000_000,
        TimeBase::Nanosecond => ATTOSECONDS / 1_000_000_000,
        TimeBase::Picosecond => ATTOSECONDS / 1_000_000_000_000,
        TimeBase::Femtosecond => 1_000,
        TimeBase::Attosecond => 1,
        TimeBase::Generic | TimeBase::Year | TimeBase::Month => return None,
    })
}

fn span(ticks: i64, unit: TimeUnit) -> Option<i128> {
    i128::from(ticks).checked_mul(attoseconds(unit.base)?)?.checked_mul(i128::from(unit.count))
}

fn months(ticks: i64, unit: TimeUnit) -> Option<i64> {
    let of_one = match unit.base {
        TimeBase::Year => 12,
        TimeBase::Month => 1,
        _ => return None,
    };
    ticks.checked_mul(of_one)?.checked_mul(i64::from(unit.count))
}

/// Attoseconds since 1970-01-01, of the first instant of a month or year.
fn instant(ticks: i64, unit: TimeUnit) -> Option<i128> {
    if let Some(months) = months(ticks, unit) {
        return days_of_month(months).checked_mul(ATTOSECONDS_OF_A_DAY);
    }
    span(ticks, unit)
}

/// The days from 1970-01-01 to the first day of the month that is `months` after January 1970.
fn days_of_month(months: i64) -> i128 {
    // Years are counted from 1 March of the year 0.
    let months = i128::from(months) + 1970 * 12 - 2;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 - 719_468
}

impl fmt::Display for LabelRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => value.fmt(f),
            Self::UInt(value) => value.fmt(f),
            Self::Float(value) => fmt_float(f, value),
            Self::Str(text) => f.write_str(text),
            Self::Ucs4(bytes) => ucs4_chars(bytes).try_for_each(|c| fmt::Write::write_char(f, c)),
            Self::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
            Self::Date(days) => fmt_day(f, i128::from(days)),
            Self::DateTime(i64::MIN, _) | Self::TimeDelta(i64::MIN, _) => f.write_str("NaT"),
            Self::DateTime(ticks, unit) => fmt_datetime(f, ticks, unit),
            Self::TimeDelta(ticks, unit) => {
                let plural = if ticks == 1 { "" } else { "s" };
                let n = i128::from(ticks) * i128::from(unit.count);
                write!(f, "{n} {}{plural}", long_name(unit.base))
            }
        }
    }
}

/// As Python's `repr` of a float.
fn fmt_float(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    let size = value.abs();
    if value.is_nan() {
        f.write_str("nan")
    } else if value.is_infinite() {
        f.write_str(if value > 0.0 { "inf" } else { "-inf" })
    } else if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        write!(f, "{digits}e{sign}{exponent:0>2}")
    } else {
        write!(f, "{value:?}")
    }
}

fn long_name(base: TimeBase) -> &'static str {
    match base {
        TimeBase::Generic => "generic time unit",
        TimeBase::Year => "year",
        TimeBase::Month => "month",
        TimeBase::Week => "week",
        TimeBase::Day => "day",
        TimeBase::Hour => "hour",
        TimeBase::Minute => "minute",
        TimeBase::Second => "second",
        TimeBase::Millisecond => "millisecond",
        TimeBase::Microsecond => "microsecond",
        TimeBase::Nanosecond => "nanosecond",
        TimeBase::Picosecond => "picosecond",
        TimeBase::Femtosecond => "femtosecond",
        TimeBase::Attosecond => "attosecond",
    }
}

fn fmt_day(f: &mut fmt::Formatter<'_>, days: i128) -> fmt::Result {
    let (year, month, day) = date_of(days);
    write!(f, "{year:04}-{month:02}-{day:02}")
}

/// ISO 8601 with the digits that the unit has, as numpy writes it.
fn fmt_datetime(f: &mut fmt::Formatter<'_>, ticks: i64, unit: TimeUnit) -> fmt::Result {
    let Some(instant) = instant(ticks, unit) else { return write!(f, "{ticks}") };
    let (days, rest) =
        (instant.div_euclid(ATTOSECONDS_OF_A_DAY), instant.rem_euclid(ATTOSECONDS_OF_A_DAY));
    let (year, month, _) = date_of(days);
    match unit.base {
        TimeBase::Year => return write!(f, "{year:04}"),
        TimeBase::Month => return write!(f, "{year:04}-{month:02}"),
        _ => fmt_day(f, days)?,
    }
    let (seconds, fraction) = (rest / ATTOSECONDS, rest % ATTOSECONDS);
    let n_digits = match unit.base {
        TimeBase::Week | TimeBase::Day => return Ok(()),
        TimeBase::Hour => return write!(f, "T{:02}", seconds / 3600),
        TimeBase::Minute => {
            return write!(f, "T{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
        }
        TimeBase::Millisecond => 3,
        TimeBase::Microsecond => 6,
        TimeBase::Nanosecond => 9,
        TimeBase::Picosecond => 12,
        TimeBase::Femtosecond => 15,
        TimeBase::Attosecond => 18,
        _ => 0,
    };
    write!(f, "T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    if n_digits > 0 {
        let digits = format!("{fraction:018}");
        write!(f, ".{}", digits.get(..n_digits).unwrap_or(&digits))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn unit(base: TimeBase) -> TimeUnit {
        TimeUnit { base, count: 1 }
    }

    #[test]
    fn numbers_are_equal_by_value() {
        let set = HashSet::from([Label::from(1_i64), Label::from(f64::NAN), Label::from("1")]);
        for label in [Label::Bool(true), Label::Float(1.0), Label::Float(-f64::NAN)] {
            assert!(set.contains(&label), "{label:?}");
        }
        for label in [Label::Float(1.5), Label::from(&b"1"[..]), Label::None, Label::Int(0)] {
            assert!(!set.contains(&label), "{label:?}");
        }
        assert_ne!(Label::from(""), Label::None);
        assert_eq!(Label::from(u64::MAX), Label::UInt(u64::MAX));
    }

    #[test]
    fn instants_are_equal_whatever_their_unit() {
        let day = Label::DateTime(11_017, unit(TimeBase::Day));
        let month = Label::DateTime(30 * 12 + 2, unit(TimeBase::Month));
        let second = Label::DateTime(11_017 * 86_400, unit(TimeBase::Second));
        assert_eq!(HashSet::from([day.clone(), month, second, Label::Date(11_017)]).len(), 1);
        assert_ne!(day, Label::TimeDelta(11_017, unit(TimeBase::Day)));
        assert_ne!(day, Label::Int(11_017));
    }

    #[test]
    fn they_are_written_as_in_python() {
        let shown = [
            (Label::Float(1.0), "1.0"),
            (Label::Float(1e16), "1e+16"),
            (Label::Float(1.5e-7), "1.5e-07"),
            (Label::Float(0.1), "0.1"),
            (Label::Bool(true), "True"),
            (Label::Date(0), "1970-01-01"),
            (Label::DateTime(-1, unit(TimeBase::Month)), "1969-12"),
            (Label::DateTime(1_500, unit(TimeBase::Millisecond)), "1970-01-01T00:00:01.500"),
            (Label::DateTime(-1, unit(TimeBase::Second)), "1969-12-31T23:59:59"),
            (Label::TimeDelta(2, unit(TimeBase::Day)), "2 days"),
            (Label::DateTime(i64::MIN, unit(TimeBase::Day)), "NaT"),
        ];
        for (label, text) in shown {
            assert_eq!(label.to_string(), text);
        }
    }
}
