//! Points and spans of time from one unit to another.

use stook_core::calendar::{date_of, days_of};
use stook_core::dtype::{TimeBase, TimeUnit};
use stook_core::{DType, Error, Result, Values};

/// One second.
pub(crate) const SECOND: TimeUnit = TimeUnit { base: TimeBase::Second, count: 1 };
/// One microsecond.
pub(crate) const MICROSECOND: TimeUnit = TimeUnit { base: TimeBase::Microsecond, count: 1 };
/// One nanosecond.
pub(crate) const NANOSECOND: TimeUnit = TimeUnit { base: TimeBase::Nanosecond, count: 1 };

/// The unit of a time type.
pub(crate) fn unit_of(dtype: &DType) -> Option<TimeUnit> {
    if let DType::DateTime(unit) | DType::TimeDelta(unit) = dtype { Some(*unit) } else { None }
}

/// The ticks of time values.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
pub(crate) fn ticks(values: &Values) -> impl ExactSizeIterator<Item = i64> + '_ {
    let (chunks, _) = values.items().as_chunks::<8>();
    chunks.iter().map(|bytes| i64::from_ne_bytes(*bytes))
}

/// The same moments, or spans, counted in `unit`.
///
/// # Errors
/// `Unsupported` if that loses anything or overflows.
pub(crate) fn in_unit(values: &Values, unit: TimeUnit) -> Result<Values> {
    let (from, is_moment) = match values.dtype() {
        DType::DateTime(from) => (*from, true),
        DType::TimeDelta(from) => (*from, false),
        other => return Err(Error::invalid(format!("expected a type of time, found {other}"))),
    };
    let convert = |ticks: i64| {
        if ticks == i64::MIN || from == unit {
            return Some(ticks);
        }
        from_nanos(to_nanos(ticks, from, is_moment)?, unit, is_moment)
    };
    let converted = ticks(values).map(|ticks| {
        convert(ticks).ok_or_else(|| {
            let (from, to) = (from.base.name(), unit.base.name());
            Error::unsupported(format!("{ticks} of unit {from} cannot be counted in {to}"))
        })
    });
    let converted: Vec<i64> = converted.collect::<Result<_>>()?;
    let dtype = if is_moment { DType::DateTime(unit) } else { DType::TimeDelta(unit) };
    let items = stook_core::element::as_bytes(&converted).to_vec();
    Values::new(dtype, values.shape().to_vec(), items, Vec::new())
}

const NANOS_OF_A_DAY: i128 = 86_400_000_000_000;

fn nanos(base: TimeBase) -> Option<i128> {
    Some(match base {
        TimeBase::Week => 7 * NANOS_OF_A_DAY,
        TimeBase::Day => NANOS_OF_A_DAY,
        TimeBase::Hour => 3_600_000_000_000,
        TimeBase::Minute => 60_000_000_000,
        TimeBase::Second => 1_000_000_000,
        TimeBase::Millisecond => 1_000_000,
        TimeBase::Microsecond => 1_000,
        TimeBase::Nanosecond => 1,
        _ => return None,
    })
}

fn months(base: TimeBase) -> Option<i64> {
    match base {
        TimeBase::Year => Some(12),
        TimeBase::Month => Some(1),
        _ => None,
    }
}

fn to_nanos(ticks: i64, unit: TimeUnit, is_moment: bool) -> Option<i128> {
    let count = i64::from(unit.count);
    if let Some(months) = months(unit.base).filter(|_| is_moment) {
        let months = ticks.checked_mul(months)?.checked_mul(count)?;
        let year = 1970_i64.checked_add(months.div_euclid(12))?;
        let month = u8::try_from(months.rem_euclid(12) + 1).ok()?;
        return Some(i128::from(days_of(year, month, 1)) * NANOS_OF_A_DAY);
    }
    i128::from(ticks).checked_mul(count.into())?.checked_mul(nanos(unit.base)?)
}

fn from_nanos(value: i128, unit: TimeUnit, is_moment: bool) -> Option<i64> {
    let count = i128::from(unit.count.max(1));
    if let Some(months) = months(unit.base).filter(|_| is_moment) {
        let (year, month, day) = date_of(value.div_euclid(NANOS_OF_A_DAY));
        let found = (year - 1970) * 12 + i128::from(month) - 1;
        let one = i128::from(months) * count;
        let is_exact = day == 1 && value.rem_euclid(NANOS_OF_A_DAY) == 0 && found % one == 0;
        return i64::try_from(found / one).ok().filter(|_| is_exact);
    }
    let one = nanos(unit.base)?.checked_mul(count)?;
    i64::try_from(value / one).ok().filter(|_| value % one == 0)
}

/// The ticks of a moment that is written as numpy does, down to nanoseconds; NaT if it is nothing.
pub(crate) fn parse(text: &str, unit: TimeUnit) -> Option<i64> {
    if text.is_empty() || text == "NaT" {
        return Some(i64::MIN);
    }
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (day, clock) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = day.split('-');
    let year: i64 = parts.next()?.parse().ok()?;
    let mut part = || parts.next().map_or(Some(1), |text| text.parse::<u8>().ok());
    let (month, day) = (part()?, part()?);
    let mut nanos = i128::from(days_of(sign * year, month, day)) * NANOS_OF_A_DAY;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut one = 3_600_000_000_000;
    for part in clock.split(':').filter(|part| !part.is_empty()) {
        nanos += i128::from(part.parse::<u32>().ok()?) * one;
        one /= 60;
    }
    if !fraction.is_empty() {
        let digits = format!("{fraction:0<9}");
        let (kept, rest) = digits.split_at_checked(9)?;
        rest.bytes().all(|byte| byte == b'0').then_some(())?;
        nanos += kept.parse::<i128>().ok()?;
    }
    from_nanos(nanos, unit, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_changed_without_loss_or_not_at_all() {
        let unit = |base| TimeUnit { base, count: 1 };
        let of = |base, ticks: &[i64]| {
            let items = stook_core::element::as_bytes(ticks).to_vec();
            let shape = vec![ticks.len() as u64];
            Values::new(DType::DateTime(unit(base)), shape, items, Vec::new()).unwrap()
        };
        for (base, values) in [
            (TimeBase::Day, vec![0, -1, 18_262, i64::MIN]),
            (TimeBase::Month, vec![0, -1, 602, i64::MIN]),
            (TimeBase::Year, vec![0, -1, 50]),
            (TimeBase::Millisecond, vec![0, -1000, 86_400_000]),
        ] {
            let there = in_unit(&of(base, &values), SECOND).unwrap();
            let back = in_unit(&there, unit(base)).unwrap();
            assert_eq!(ticks(&back).collect::<Vec<_>>(), values, "{base:?}");
        }
        assert_eq!(parse("1970-01-02T00:00:01.5", unit(TimeBase::Millisecond)), Some(86_401_500));
        assert_eq!(parse("1971", unit(TimeBase::Month)), Some(12));
        assert_eq!(parse("1970-01-01T00:00:01", unit(TimeBase::Day)), None);
        assert!(in_unit(&of(TimeBase::Millisecond, &[1]), SECOND).is_err());
        assert!(in_unit(&of(TimeBase::Second, &[i64::MAX]), NANOSECOND).is_err());
    }
}
