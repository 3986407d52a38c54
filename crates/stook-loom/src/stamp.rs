//! The times at which parts of a file were changed last.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stook::calendar::date_of;
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
    let (year, month, day) = date_of((seconds / DAY).into());
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    let micros = since_1970.subsec_micros();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{micros:06}Z")
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
