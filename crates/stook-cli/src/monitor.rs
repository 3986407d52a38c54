//! `stook monitor`: how fast arrays grow, and what comes.

mod channel;

use std::io::Write;
use std::time::Instant;

use serde_json::json;
use stook::{Error, File, Node, Result};

use crate::cli::MonitorArgs;
use crate::error::Failure;
use crate::live::{Live, growing};
use crate::output::{Ink, Output, cut, table};
use channel::Channel;

pub(crate) fn run(args: &MonitorArgs, out: &mut Output) -> Result<(), Failure> {
    let mut live = Live::new(&args.file, &args.reach, &args.watch, &args.means);
    let mut channels: Vec<Channel> = Vec::new();
    let file = live.open()?;
    look(&file, args, &mut channels)?;
    drop(file);
    if channels.is_empty() {
        let error = Error::invalid("there is no array that grows");
        return Err(error.at_file(&args.file).into());
    }
    let mut n_drawn = 0;
    loop {
        let elapsed = live.elapsed().as_secs_f64();
        match out.terminal {
            Some((columns, lines)) if !args.json => {
                n_drawn = redraw(&channels, (columns, lines), n_drawn, out)?;
            }
            _ if args.json => {
                let each: Vec<_> = channels.iter().map(Channel::json).collect();
                writeln!(out, "{}", json!({ "elapsed": elapsed, "channels": each }))?;
            }
            _ => out.line(&plain(&channels, elapsed))?,
        }
        out.flush()?;
        let n_rows = channels.iter().map(|channel| channel.n_rows).min().unwrap_or(0);
        if !live.wait(n_rows) {
            return Ok(());
        }
        live.look(|file| look(file, args, &mut channels))?;
    }
}

/// Looks at all arrays that grow; new ones become channels.
fn look(file: &File, args: &MonitorArgs, channels: &mut Vec<Channel>) -> Result<()> {
    let now = Instant::now();
    for name in &args.nodes {
        let node = crate::find::node(file, name)?;
        let paths = match &node {
            Node::Group(group) => growing(file, group.path())?,
            _ => vec![node.path().clone()],
        };
        for path in paths {
            let array = file.array(path.as_str())?;
            let at = match channels.iter().position(|channel| channel.path == path) {
                Some(at) => at,
                None => {
                    channels.push(Channel::new(path));
                    channels.len() - 1
                }
            };
            if let Some(channel) = channels.get_mut(at) {
                channel.look(&array, now)?;
            }
        }
    }
    Ok(())
}

/// A line for a program: all channels as they are now.
fn plain(channels: &[Channel], elapsed: f64) -> String {
    let each: Vec<String> = channels
        .iter()
        .map(|channel| {
            let last = channel.last.as_deref().unwrap_or("-");
            format!("{} {} rows {} {last}", channel.path, channel.n_rows, rate(channel.rate()))
        })
        .collect();
    format!("{elapsed:.1}s  {}", each.join("  "))
}

/// Writes a line a channel over the lines that were drawn before; returns how many there are.
fn redraw(
    channels: &[Channel],
    (columns, lines): (usize, usize),
    n_drawn: usize,
    out: &mut Output,
) -> std::io::Result<usize> {
    if n_drawn > 0 {
        write!(out, "\x1b[{n_drawn}A")?;
    }
    let drawn = drawing(channels, columns, lines.saturating_sub(1));
    for (at, line) in drawn.iter().enumerate() {
        let line =
            if at == 0 { out.paint.ink(Ink::Faint, line).into_owned() } else { line.clone() };
        write!(out, "\x1b[2K{line}\r\n")?;
    }
    Ok(drawn.len())
}

/// What a terminal shows.
fn drawing(channels: &[Channel], columns: usize, lines: usize) -> Vec<String> {
    let mut rows = vec![["array", "rows", "rate", "last", ""].map(str::to_owned).to_vec()];
    let n_shown = channels.len().min(lines.saturating_sub(2).max(1));
    for channel in channels.iter().take(n_shown) {
        rows.push(vec![
            channel.path.to_string(),
            channel.n_rows.to_string(),
            rate(channel.rate()),
            cut(channel.last.as_deref().unwrap_or("-"), 24).into_owned(),
            channel.sparkline(),
        ]);
    }
    let mut drawn: Vec<String> =
        table(&rows).iter().map(|line| cut(line, columns).into_owned()).collect();
    if n_shown < channels.len() {
        drawn.push(format!("… and {} more", channels.len() - n_shown));
    }
    drawn
}

fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "-".to_owned(),
        Some(rate) if rate >= 100.0 => format!("{rate:.0}/s"),
        Some(rate) => format!("{rate:.1}/s"),
    }
}

#[cfg(test)]
mod tests {
    use stook::NodePath;

    use super::*;

    fn channel(path: &str, n_rows: u64, values: &[f64]) -> Channel {
        let mut channel = Channel::new(NodePath::parse(path).unwrap());
        channel.n_rows = n_rows;
        channel.values.extend(values);
        channel.last = values.last().map(|&x| crate::numbers::brief(x));
        channel
    }

    #[test]
    fn a_terminal_shows_a_line_a_channel() {
        let channels =
            [channel("/scan/values", 1200, &[0.0, 1.0, 2.0, 3.0]), channel("/log", 7, &[])];
        insta::assert_snapshot!(drawing(&channels, 80, 24).join("\n"), @r"
        array         rows  rate  last
        /scan/values  1200  -     3     ▁▃▆█
        /log          7     -     -
        ");
        insta::assert_snapshot!(drawing(&channels, 20, 3).join("\n"), @r"
        array         rows …
        /scan/values  1200 …
        … and 1 more
        ");
    }

    #[test]
    fn a_program_gets_a_line_a_tick() {
        let channels = [channel("/a", 3, &[1.5]), channel("/b", 0, &[])];
        insta::assert_snapshot!(plain(&channels, 2.04), @"2.0s  /a 3 rows - 1.5  /b 0 rows - -");
    }

    #[test]
    fn redrawing_goes_back_to_the_first_line() {
        let channels = [channel("/a", 3, &[1.5])];
        let shown = Output::capture((40, 10), |out| {
            let n = redraw(&channels, (40, 10), 0, out).unwrap();
            redraw(&channels, (40, 10), n, out).unwrap();
        });
        assert_eq!(shown.matches("\x1b[2A").count(), 1);
        assert_eq!(shown.matches("\x1b[2K").count(), 4);
    }
}
