//! Names: of a session, and of what is saved in it.
//!
//! A name becomes part of a path, so it is checked when it is made: nothing that leads to another
//! folder is a name.

use std::fmt;
use std::str::FromStr;

use stook_core::calendar::{date_of, days_of};
use stook_core::{Error, Result};

/// The day of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionDate {
    year: u16,
    month: u8,
    day: u8,
}

impl SessionDate {
    /// A day of the calendar, in the years 1 to 9999.
    ///
    /// # Errors
    /// `InvalidInput` if there is no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self> {
        let is_leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let n_days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(is_leap),
            1..=12 => 31,
            _ => 0,
        };
        if (1..=9999).contains(&year) && (1..=n_days).contains(&day) {
            return Ok(Self { year, month, day });
        }
        Err(Error::invalid(format!("there is no day {year}-{month}-{day}")))
    }

    /// The day, in UTC, that `seconds` after the beginning of 1970 lie in.
    ///
    /// # Errors
    /// `InvalidInput` for what is no number, or outside of the years 1 to 9999.
    pub fn from_epoch_seconds(seconds: f64) -> Result<Self> {
        const DAY: f64 = 86_400.0;
        /// No day that can be told is as far from 1970.
        const MAX_DAYS: f64 = 4e6;
        let day = (seconds / DAY).floor();
        if day.is_nan() || day.abs() > MAX_DAYS {
            return Err(Error::invalid(format!("{seconds} seconds since 1970 are no date")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was found to be small")]
        let (year, month, day) = date_of(day as i128);
        let year = u16::try_from(year);
        let year =
            year.map_err(|_| Error::invalid(format!("{seconds} s since 1970 are no date")))?;
        Self::new(year, month, day)
    }

    /// How many days after 1970-01-01 it is.
    #[must_use]
    pub fn epoch_days(self) -> i32 {
        let days = days_of(self.year.into(), self.month, self.day);
        i32::try_from(days).expect("years are at most 9999")
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1 on.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1 on.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }
}

impl FromStr for SessionDate {
    type Err = Error;

    /// Reads `2024-02-29` and `2024-2-9`: a year of four digits, month and day of one or two.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let text = text.escape_debug();
            Error::invalid(format!("`{text}` is no date of the form year-month-day"))
        };
        let mut parts = text.split('-');
        let mut number = |n_digits: std::ops::RangeInclusive<usize>| -> Result<u16> {
            let part = parts.next().ok_or_else(wrong)?;
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || !n_digits.contains(&part.len()) {
                return Err(wrong());
            }
            part.parse().map_err(|_| wrong())
        };
        let (year, month, day) = (number(4..=4)?, number(1..=2)?, number(1..=2)?);
        if parts.next().is_some() {
            return Err(wrong());
        }
        let small = |number: u16| u8::try_from(number).map_err(|_| wrong());
        Self::new(year, small(month)?, small(day)?).map_err(|_| wrong())
    }
}

impl fmt::Display for SessionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What tells a session from others: mouse, day, and an id where there are several in a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName {
    mouse: String,
    date: SessionDate,
    id: Option<String>,
}

impl SessionName {
    /// A session of `mouse` on `date`. An empty `id` is none.
    ///
    /// # Errors
    /// `InvalidInput` for a mouse or an id that cannot be the name of a folder.
    pub fn new(mouse: &str, date: SessionDate, id: Option<&str>) -> Result<Self> {
        check_part("mouse", mouse)?;
        let id = id.filter(|id| !id.is_empty());
        id.map_or(Ok(()), |id| check_part("session id", id))?;
        Ok(Self { mouse: mouse.to_owned(), date, id: id.map(str::to_owned) })
    }

    /// The mouse.
    #[must_use]
    pub fn mouse(&self) -> &str {
        &self.mouse
    }

    /// The day.
    #[must_use]
    pub fn date(&self) -> SessionDate {
        self.date
    }

    /// The id, where there is one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Mouse, date and id with `separator` between them.
    #[must_use]
    pub fn joined(&self, separator: &str) -> String {
        let date = self.date.to_string();
        let parts = [Some(self.mouse.as_str()), Some(&date), self.id()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(separator)
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.joined("/"))
    }
}

/// The name of something saved: words with dots between them, such as `mpci.roiActivityF`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OneName(String);

impl OneName {
    /// The name of `parts` with dots between them. A part may have dots of its own.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is empty, leads to another folder, begins or ends with a dot or
    /// has two beside each other, or cannot be the name of a file.
    pub fn new<S: AsRef<str>>(parts: &[S]) -> Result<Self> {
        let name = parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(".");
        check_part("onedata name", &name)?;
        if name.split('.').any(str::is_empty) {
            let what = "has an empty word (two dots, or one at an end)";
            return Err(Error::invalid(format!("onedata name `{name}` {what}")));
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OneName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::new(&[name])
    }
}

impl fmt::Display for OneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks that `part` names a file or folder in its folder, on every system.
fn check_part(what: &str, part: &str) -> Result<()> {
    let is_forbidden = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    let reason = match part {
        "" => "is empty",
        "." | ".." => "leads to another folder",
        _ if part.contains(is_forbidden) => {
            "has a character that no name of a file may have (a separator, a colon, a control)"
        }
        _ => return Ok(()),
    };
    Err(Error::invalid(format!("{what} `{}` {reason}", part.escape_debug())))
}

#[cfg(test)]
mod tests {
    use stook_core::ErrorKind;

    use super::*;

    #[test]
    fn dates_are_read_as_strptime_reads_them() {
        for (text, date) in [
            ("2024-02-29", "2024-02-29"),
            ("2024-2-9", "2024-02-09"),
            ("0001-01-01", "0001-01-01"),
            ("9999-12-31", "9999-12-31"),
        ] {
            assert_eq!(text.parse::<SessionDate>().unwrap().to_string(), date);
        }
        for text in [
            "",
            "2023-02-29",
            "24-02-03",
            "2024-13-01",
            "2024-00-01",
            "2024-01-32",
            "2024-01-00",
            "2024-02-29T00:00:00",
            "2024-02-29 ",
            " 2024-02-29",
            "2024/02/29",
            "2024-02",
            "2024-+1-01",
            "2024-02-29-",
            "20240229",
            "0000-01-01",
            "٢٠٢٤-02-29",
        ] {
            let error = text.parse::<SessionDate>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
    }

    #[test]
    fn seconds_since_1970_are_days() {
        for (seconds, date) in [
            (0.0, "1970-01-01"),
            (-0.5, "1969-12-31"),
            (86_399.9, "1970-01-01"),
            (951_782_400.0, "2000-02-29"),
            (1_709_164_800.0, "2024-02-29"),
            (-62_135_596_800.0, "0001-01-01"),
            (253_402_300_799.0, "9999-12-31"),
        ] {
            assert_eq!(SessionDate::from_epoch_seconds(seconds).unwrap().to_string(), date);
        }
        for seconds in
            [f64::NAN, f64::INFINITY, 1e300, -1e300, 253_402_300_800.0, -62_135_596_801.0]
        {
            assert!(SessionDate::from_epoch_seconds(seconds).is_err(), "{seconds}");
        }
    }

    #[test]
    fn a_session_is_called_by_its_parts() {
        let date = "2024-2-9".parse().unwrap();
        let name = SessionName::new("ATL027", date, Some("701")).unwrap();
        assert_eq!(
            (name.to_string(), name.joined("_")),
            ("ATL027/2024-02-09/701".into(), "ATL027_2024-02-09_701".into())
        );
        assert_eq!(
            SessionName::new("ATL027", date, Some("")).unwrap().to_string(),
            "ATL027/2024-02-09"
        );
        for wrong in ["", ".", "..", "a/b", "a\\b", "/a", "a\0", "C:"] {
            assert!(SessionName::new(wrong, date, None).is_err(), "{wrong}");
            assert_eq!(SessionName::new("a", date, Some(wrong)).is_err(), !wrong.is_empty());
        }
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        assert_eq!(OneName::new(&["mpci", "roiActivityF"]).unwrap().as_str(), "mpci.roiActivityF");
        assert_eq!(OneName::new(&["mpci.times"]).unwrap().as_str(), "mpci.times");
        assert_eq!(OneName::new(&["mäuse", "zeit 1"]).unwrap().as_str(), "mäuse.zeit 1");
        for wrong in [
            "", ".", "..", "../x", "a/../b", "/etc/x", "a\\b", "a\0b", "a..b", ".a", "a.", "c:x",
            "a\nb",
        ] {
            let error = OneName::new(&[wrong]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong}");
        }
        assert!(OneName::new::<&str>(&[]).is_err());
        assert!(OneName::new(&["a", ""]).is_err());
    }
}
