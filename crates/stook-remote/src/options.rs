//! What a store may be told, beside what its service wants to know.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use object_store::{BackoffConfig, RetryConfig};
use stook_core::{Error, Result};

/// How requests are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Requests under way at once.
    pub(crate) in_flight: usize,
    /// Bytes of values that arrived and were not yet taken.
    pub(crate) held_len_bytes: usize,
    /// Up to so many bytes between two ranges are read and thrown away.
    pub(crate) gap_len_bytes: u64,
    /// Ranges are joined up to so many bytes.
    pub(crate) joined_len_bytes: u64,
    /// A longer value is stored in parts of this length.
    pub(crate) part_len_bytes: usize,
    /// How often a request is made again.
    pub(crate) max_retries: usize,
    /// From the first try on, when no other one begins.
    pub(crate) retry_timeout: Duration,
    /// Waiting longer for the next bytes is a failure.
    pub(crate) read_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            in_flight: 64,
            held_len_bytes: 256 << 20,
            gap_len_bytes: 64 << 10,
            joined_len_bytes: 16 << 20,
            part_len_bytes: 16 << 20,
            max_retries: 10,
            retry_timeout: Duration::from_secs(120),
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// The least length of a part but the last, by S3's rules.
const MIN_PART_LEN: usize = 5 << 20;

impl Options {
    /// Takes the option `name`; false if it is none of these.
    ///
    /// # Errors
    /// `InvalidInput` for a value that makes no sense.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        let number = |least: usize| {
            let found = value.parse().ok().filter(|&number: &usize| number >= least);
            found.ok_or_else(|| {
                Error::invalid(format!(
                    "option `{name}`: expected a number of at least {least}, found `{value}`"
                ))
            })
        };
        let seconds = || {
            let text = value.strip_suffix('s').unwrap_or(value).trim();
            let found = text.parse().ok().and_then(|s: f64| Duration::try_from_secs_f64(s).ok());
            found.filter(|time| !time.is_zero()).ok_or_else(|| {
                Error::invalid(format!("option `{name}`: expected seconds, found `{value}`"))
            })
        };
        match name {
            "in_flight" => self.in_flight = number(1)?.min(4096),
            "held_len_bytes" => self.held_len_bytes = number(1)?,
            "gap_len_bytes" => self.gap_len_bytes = number(0)? as u64,
            "joined_len_bytes" => self.joined_len_bytes = number(1)? as u64,
            "part_len_bytes" => self.part_len_bytes = number(MIN_PART_LEN)?,
            "max_retries" => self.max_retries = number(0)?,
            "retry_timeout" => self.retry_timeout = seconds()?,
            "read_timeout" => self.read_timeout = seconds()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// How the services' clients try again.
    pub(crate) fn retry(&self) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: self.max_retries,
            retry_timeout: self.retry_timeout,
        }
    }

    /// How long to wait before try `n` (from 1 on) of something that broke off.
    pub(crate) fn pause(&self, n: usize) -> Duration {
        let doubled = 1_u64 << n.min(7);
        Duration::from_millis(50 * doubled).min(self.retry_timeout)
    }
}

/// How long to wait before try `n` (from 1 on) of a change that others were faster with: at random,
/// so that they do not meet again.
pub(crate) fn conflict_pause(n: u32) -> Duration {
    let most = 10_u64 << n.min(7);
    Duration::from_millis(RandomState::new().build_hasher().finish() % most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_by_name_and_refused_by_value() {
        let mut options = Options::default();
        for (name, value) in [("in_flight", "8"), ("retry_timeout", "2.5s"), ("max_retries", "0")] {
            assert!(options.set(name, value).unwrap());
        }
        assert_eq!((options.in_flight, options.max_retries), (8, 0));
        assert_eq!(options.retry_timeout, Duration::from_millis(2500));
        assert!(!options.set("aws_region", "x").unwrap());
        for (name, value) in [("in_flight", "0"), ("part_len_bytes", "100"), ("read_timeout", "-1")]
        {
            let error = options.set(name, value).unwrap_err();
            assert!(error.message().contains(name) && error.message().contains(value), "{error}");
        }
    }
}
