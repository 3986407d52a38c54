//! The quality of a session or a dataset, as ONE names it.

use std::fmt;
use std::str::FromStr;

use stook_core::{Error, Result};

/// How good something is, the best known first. What nobody judged comes before all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quality {
    /// Nobody said.
    #[default]
    NotSet,
    /// As good as it can be.
    Pass,
    /// With small flaws, which most analyses do not mind.
    Warning,
    /// Not as it was expected to be.
    Fail,
    /// Not to be used.
    Critical,
}

impl Quality {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::NotSet, Self::Pass, Self::Warning, Self::Fail, Self::Critical];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSet => "NOT_SET",
            Self::Pass => "PASS",
            Self::Warning => "WARNING",
            Self::Fail => "FAIL",
            Self::Critical => "CRITICAL",
        }
    }

    /// The number that ONE's enumeration has for it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::NotSet => 0,
            Self::Pass => 10,
            Self::Warning => 30,
            Self::Fail => 40,
            Self::Critical => 50,
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Quality {
    type Err = Error;

    /// A name in letters of any case, or a number of ONE's.
    fn from_str(text: &str) -> Result<Self> {
        let is_it = |quality: &Self| {
            text.eq_ignore_ascii_case(quality.as_str()) || text == quality.number().to_string()
        };
        Self::ALL.into_iter().find(is_it).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(format!("the quality `{}` is none of {known}", text.escape_debug()))
        })
    }
}

/// Which qualities of datasets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualityFilter {
    /// None that is worse.
    pub at_most: Quality,
    /// Whether those that nobody judged are left out.
    pub is_set: bool,
}

impl Default for QualityFilter {
    /// As ONE lists datasets: all but the critical ones.
    fn default() -> Self {
        Self { at_most: Quality::Fail, is_set: false }
    }
}

impl QualityFilter {
    /// Whether a quality is wanted.
    #[must_use]
    pub fn matches(&self, quality: Quality) -> bool {
        quality <= self.at_most && !(self.is_set && quality == Quality::NotSet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_are_named_and_numbered_as_in_one() {
        for quality in Quality::ALL {
            assert_eq!(quality.as_str().to_lowercase().parse::<Quality>().unwrap(), quality);
            assert_eq!(quality.number().to_string().parse::<Quality>().unwrap(), quality);
        }
        let error = "fine".parse::<Quality>().unwrap_err();
        assert!(error.message().contains("NOT_SET, PASS, WARNING, FAIL, CRITICAL"), "{error}");
    }

    #[test]
    fn all_but_the_critical_are_wanted_unless_told() {
        let wanted =
            |filter: QualityFilter| Quality::ALL.map(|quality| u8::from(filter.matches(quality)));
        assert_eq!(wanted(QualityFilter::default()), [1, 1, 1, 1, 0]);
        let filter = QualityFilter { at_most: Quality::Warning, is_set: true };
        assert_eq!(wanted(filter), [0, 1, 1, 0, 0]);
    }
}
