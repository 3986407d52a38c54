//! The times at which parts of a file were changed last.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stook::{AttributeEdits, Error, File, NodePath, Result, Values};

use crate::attribute_value::values_of;

/// The name of the attribute that holds one.
pub(crate) const NAME: &str = "last_modified";

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The time now, in UTC, as looms have it: `20261123T045138.123456Z`.
#[must_use]
pub fn timestamp() -> String {
    format(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn format(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    let micros = since_1970.subsec_micros();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{micros:06}Z")
}

/// Year, month and day of the day that is `days` after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    // Eras of 400 years, that begin on 1 March.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Refuses a text that is no time of this form.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn check(text: &str) -> Result<()> {
    const FORM: &[u8] = b"00000000T000000.000000Z";
    let fits = |(found, form): (&u8, &u8)| match form {
        b'0' => found.is_ascii_digit(),
        other => found == other,
    };
    if text.len() == FORM.len() && text.as_bytes().iter().zip(FORM).all(fits) {
        return Ok(());
    }
    Err(Error::invalid(format!("expected a time such as `{}`, found `{text}`", timestamp())))
}

/// The stamp of `node`, where it has one.
pub(crate) fn read(file: &File, node: &NodePath) -> Result<Option<String>> {
    let stored = file.container().attribute(node, NAME)?;
    let values = stored.as_ref().and_then(values_of);
    Ok(values.and_then(|values| values.text_at(0).ok()))
}

/// Stamps `node`.
pub(crate) fn write(file: &File, node: &NodePath, stamp: &str) -> Result<()> {
    let container = file.container();
    let value = container.adapt_attribute(NAME, &Values::text(stamp).into())?.value;
    container.edit_attributes(node, &AttributeEdits::new().set(NAME, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_the_calendar() {
        let at = |seconds, micros: u32| format(Duration::new(seconds, micros * 1000));
        assert_eq!(at(0, 0), "19700101T000000.000000Z");
        assert_eq!(at(951_782_399, 7), "20000228T235959.000007Z");
        assert_eq!(at(951_782_400, 0), "20000229T000000.000000Z");
        assert_eq!(at(1_709_164_800, 0), "20240229T000000.000000Z");
        assert_eq!(at(4_102_444_799, 999_999), "20991231T235959.999999Z");
        assert!(check(&timestamp()).is_ok());
        assert!(check("2020-01-01").is_err() && check("").is_err());
    }
}
