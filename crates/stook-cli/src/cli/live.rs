//! What commands that watch a file while it is written are asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Means, Reach};

const TAIL_EXAMPLES: &str = "\
Examples:
  stook tail run.h5 /scan/values          the last ten rows, and each new one
  stook tail run.h5                       of the one array that grows
  stook tail run.h5 /scan/values -n 100 --no-follow
  stook tail run.h5 /log --json | jq .value
  stook tail run.zarr /trace --until 1000   until there are a thousand rows
  stook tail run.zarr /trace --until 30s    for half a minute

A row is what lies at one position of the first axis. Of rows with more than one axis, only their
smallest, greatest and mean value are told, with `--json` all elements. Texts of logs that PyTables
and PyMoDAQ pickle are told as they are. An array that cannot grow is not waited for.";

#[derive(Debug, Args)]
#[command(after_help = TAIL_EXAMPLES)]
pub(crate) struct TailArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// The array, such as /scan/values; the one that grows where there is one only
    pub(crate) node: Option<String>,
    /// Begin with this many rows that are there
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    pub(crate) rows: u64,
    /// Go on with rows that are added, which is the default
    #[arg(long, overrides_with = "no_follow")]
    pub(crate) follow: bool,
    /// End after the rows that are there
    #[arg(long)]
    pub(crate) no_follow: bool,
    /// Begin each line with the position of its row
    #[arg(long)]
    pub(crate) index: bool,
    /// Print JSON, a line a row: {"row": 7, "value": ...}
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) watch: Watch,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

const MONITOR_EXAMPLES: &str = "\
Examples:
  stook monitor run.h5                    all arrays that grow
  stook monitor run.h5 /scan /log/temperature
  stook monitor run.h5 --every 5 > rates.txt
  stook monitor run.zarr --json | jq '.channels[].rate'

A terminal shows a line for each array, which is redrawn: its rows, how many come a second, its last
value, and the course of the last ones. Where rows have several elements, their mean is the value.";

#[derive(Debug, Args)]
#[command(after_help = MONITOR_EXAMPLES)]
pub(crate) struct MonitorArgs {
    /// The file or folder
    pub(crate) file: PathBuf,
    /// Arrays, and groups with all arrays below them that can grow
    #[arg(default_value = "/", hide_default_value = true)]
    pub(crate) nodes: Vec<String>,
    /// Print JSON, a line each time
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) watch: Watch,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) means: Means,
}

/// How often to look, and for how long.
#[derive(Clone, Debug, Args)]
pub(crate) struct Watch {
    /// How often to look, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    pub(crate) every: Duration,
    /// End when there are so many rows, or after a time such as 30s, 5m or 2h
    #[arg(long, value_name = "ROWS|TIME", value_parser = until)]
    pub(crate) until: Option<Until>,
}

/// When to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// When every array has so many rows.
    Rows(u64),
    /// After this time.
    Time(Duration),
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.trim().trim_end_matches('s').parse::<f64>().ok();
    let duration = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "expected a number of seconds such as 0.5".to_owned())
}

fn until(text: &str) -> Result<Until, String> {
    let text = text.trim();
    if let Ok(rows) = text.parse() {
        return Ok(Until::Rows(rows));
    }
    let unit = text.chars().last().unwrap_or(' ');
    let factor = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        _ => return Err("expected a number of rows, or a time such as 30s, 5m or 2h".to_owned()),
    };
    let number = text.trim_end_matches(unit).trim().parse::<f64>().ok();
    let time = number.and_then(|number| Duration::try_from_secs_f64(number * factor).ok());
    time.map(Until::Time).ok_or_else(|| format!("expected a time such as 30s, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_rows_or_times() {
        assert_eq!(until("1000"), Ok(Until::Rows(1000)));
        assert_eq!(until("30s"), Ok(Until::Time(Duration::from_secs(30))));
        assert_eq!(until("1.5m"), Ok(Until::Time(Duration::from_secs(90))));
        for text in ["", "s", "-1", "-1s", "3 days", "NaNs"] {
            assert!(until(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "soon", "inf"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
