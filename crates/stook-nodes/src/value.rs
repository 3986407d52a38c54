//! What an attribute holds: Python's plain values, times and numpy's numbers, as data.

/// A date of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Date {
    /// 1 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Time {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
    /// How far its zone is ahead of UTC, in seconds; `None` where it has no zone.
    pub zone: Option<i32>,
    /// Whether it is the second of two equal times when clocks are set back.
    pub is_second: bool,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A number.
    Float(f64),
    /// A complex number: real, imaginary.
    Complex(f64, f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A list.
    List(Vec<Value>),
    /// A set.
    Set(Vec<Value>),
    /// A dictionary, in its order.
    Dict(Vec<(Value, Value)>),
    /// A date with a time of day.
    DateTime(Date, Time),
    /// A date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A span of time, in microseconds.
    TimeDelta(i128),
    /// A number of numpy's: the name of its type (`float64`) and its value.
    Scalar(String, Box<Value>),
    /// Something that another program stored in its own way, as its format has it.
    Other(stook::AttributeValue),
}

impl Value {
    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The module and name of its type in Python, under which it is stored.
    #[must_use]
    pub fn type_name(&self) -> (&'static str, &str) {
        match self {
            Self::None => ("builtins", "NoneType"),
            Self::Bool(_) => ("builtins", "bool"),
            Self::Int(_) => ("builtins", "int"),
            Self::Float(_) => ("builtins", "float"),
            Self::Complex(..) => ("builtins", "complex"),
            Self::Text(_) => ("builtins", "str"),
            Self::Bytes(_) => ("builtins", "bytes"),
            Self::Tuple(_) => ("builtins", "tuple"),
            Self::List(_) => ("builtins", "list"),
            Self::Set(_) => ("builtins", "set"),
            Self::Dict(_) => ("builtins", "dict"),
            Self::DateTime(..) => ("datetime", "datetime"),
            Self::Date(_) => ("datetime", "date"),
            Self::Time(_) => ("datetime", "time"),
            Self::TimeDelta(_) => ("datetime", "timedelta"),
            Self::Scalar(name, _) => ("numpy", name),
            Self::Other(_) => ("builtins", "object"),
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool, i32 => Int, i64 => Int, u8 => Int, u32 => Int, u64 => Int, f64 => Float,
    &str => Text, String => Text, Vec<u8> => Bytes, Date => Date, Time => Time,
}

impl From<&[u64]> for Value {
    /// A shape: a tuple.
    fn from(shape: &[u64]) -> Self {
        Self::Tuple(shape.iter().map(|&len| len.into()).collect())
    }
}
