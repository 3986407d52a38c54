//! numpy's times as text: dates as in ISO 8601, spans as a count and its unit.

use stook::calendar::date_of;
use stook::dtype::{TimeBase, TimeUnit};

/// A point in time, to the precision of its unit: `2024-10-04T12:30:00.250`.
pub(crate) fn date_time(count: i64, unit: TimeUnit) -> String {
    if count == i64::MIN {
        return "NaT".to_owned();
    }
    let count = i128::from(count) * i128::from(unit.count);
    // Parts of a second that a unit is, and the digits that it needs.
    let (per_second, digits) = match unit.base {
        TimeBase::Generic => return count.to_string(),
        TimeBase::Year => return format!("{:04}", 1970 + count),
        TimeBase::Month => {
            return format!("{:04}-{:02}", 1970 + count.div_euclid(12), count.rem_euclid(12) + 1);
        }
        TimeBase::Week => return date(count * 7),
        TimeBase::Day => return date(count),
        TimeBase::Hour => {
            return format!("{}T{:02}", date(count.div_euclid(24)), count.rem_euclid(24));
        }
        TimeBase::Minute => {
            let (day, minute) = (count.div_euclid(1440), count.rem_euclid(1440));
            return format!("{}T{:02}:{:02}", date(day), minute / 60, minute % 60);
        }
        TimeBase::Second => (1, 0),
        TimeBase::Millisecond => (1_000, 3),
        TimeBase::Microsecond => (1_000_000, 6),
        TimeBase::Nanosecond => (1_000_000_000, 9),
        TimeBase::Picosecond => (1_000_000_000_000, 12),
        TimeBase::Femtosecond => (1_000_000_000_000_000, 15),
        TimeBase::Attosecond => (1_000_000_000_000_000_000_i128, 18),
    };
    let (second, part) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let (day, second) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    let part = if digits == 0 { String::new() } else { format!(".{part:0digits$}") };
    format!("{}T{clock}{part}", date(day))
}

/// A span of time: `250 ms`.
pub(crate) fn span(count: i64, unit: TimeUnit) -> String {
    match (count, unit.base) {
        (i64::MIN, _) => "NaT".to_owned(),
        (_, TimeBase::Generic) => (i128::from(count) * i128::from(unit.count)).to_string(),
        (_, base) => format!("{} {}", i128::from(count) * i128::from(unit.count), base.name()),
    }
}

/// The date `days` after 1970-01-01.
fn date(days: i128) -> String {
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(base: TimeBase) -> TimeUnit {
        TimeUnit { base, count: 1 }
    }

    #[test]
    fn dates_are_those_of_numpy() {
        let days = [0, -1, 59, 11_016, 20_000, -719_528, 2_932_896]
            .map(|day| date_time(day, unit(TimeBase::Day)));
        let expected = [
            "1970-01-01",
            "1969-12-31",
            "1970-03-01",
            "2000-02-29",
            "2024-10-04",
            "0000-01-01",
            "9999-12-31",
        ];
        assert_eq!(days, expected);
        assert_eq!(date_time(657, unit(TimeBase::Month)), "2024-10");
        assert_eq!(date_time(-1, unit(TimeBase::Minute)), "1969-12-31T23:59");
        assert_eq!(
            date_time(1_728_045_000_250, unit(TimeBase::Millisecond)),
            "2024-10-04T12:30:00.250"
        );
        assert_eq!(date_time(i64::MIN, unit(TimeBase::Day)), "NaT");
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span(5, TimeUnit { base: TimeBase::Millisecond, count: 10 }), "50 ms");
        assert_eq!(span(i64::MIN, unit(TimeBase::Day)), "NaT");
    }
}
