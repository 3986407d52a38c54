//! Days as dates.

/// Year, month and day, from 1 on, of the day that is `days` after 1970-01-01, by the Gregorian
/// calendar without a beginning; the year before 1 is 0.
#[must_use]
pub fn date_of(days: i128) -> (i128, u8, u8) {
    const DAYS_OF_400_YEARS: i128 = 146_097;
    // Years are counted from 1 March of the year 0, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(DAYS_OF_400_YEARS), days.rem_euclid(DAYS_OF_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let is_after_december = month >= 10;
    let month = if is_after_december { month - 9 } else { month + 3 };
    let year = era * 400 + year + i128::from(is_after_december);
    // Both are small.
    (year, u8::try_from(month).unwrap_or(0), u8::try_from(day_of_month).unwrap_or(0))
}

/// The days from 1970-01-01 to a date, by the Gregorian calendar without a beginning; a month or day
/// that is too large is one of a later year or month.
#[must_use]
pub fn days_of(year: i64, month: u8, day: u8) -> i64 {
    // Years are counted from 1 March of the year 0, so that a leap day is the last of its year.
    let months = i64::from(month) + 9;
    let year = year.saturating_sub(1).saturating_add(months / 12).clamp(-1 << 40, 1 << 40);
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * (months % 12) + 2) / 5 + i64::from(day) - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(-1), (1969, 12, 31));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        assert_eq!(date_of(11_017), (2000, 3, 1));
        assert_eq!(date_of(-719_528), (0, 1, 1));
        assert_eq!(date_of(-719_529), (-1, 12, 31));
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = date_of(days.into());
            assert_eq!(days_of(i64::try_from(year).unwrap(), month, day), days);
        }
    }
}
