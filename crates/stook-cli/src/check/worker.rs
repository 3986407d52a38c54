//! The process that reads a file which is not trusted, and the one that watches it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use stook::check::{CheckEvent, CheckOptions, CheckReport, Finding, Severity, check};
use stook::{ErrorKind, File, Limits, NodePath, OpenOptions};

use super::limits;
use super::wire::Message;
use crate::cli::{CheckArgs, WorkerArgs};
use crate::error::Failure;
use crate::output::{counted, human_bytes};

/// Workers that may end before the rest of a file is given up.
const MOST_WORKERS: usize = 16;
/// Bytes of what a worker complains about that are kept, from the end.
const COMPLAINT_MOST: usize = 4096;
/// A line that is longer is none that a worker writes unless it has been taken over.
const LINE_MOST: usize = 1 << 20;
/// Progress is told, and time granted, no more often than this.
const EVERY: Duration = Duration::from_millis(100);

/// What the hidden command does: reads a file and tells what it finds.
pub(crate) fn work(args: &WorkerArgs) -> Result<(), Failure> {
    limits::set(args.limit_memory, args.cpu);
    let mut out = io::stdout().lock();
    let mut tell = |message: &Message| -> stook::Result<()> {
        let line = format!("{}\n", message.to_json());
        let told = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        told.map_err(|error| stook::Error::io("nobody listens", error))
    };
    // What is larger than all memory is an error here, and not the end.
    let mut limits = Limits::default();
    limits.chunk_len_bytes = limits.chunk_len_bytes.min(args.limit_memory / 4);
    limits.heap_len_bytes = limits.heap_len_bytes.min(args.limit_memory / 4);
    limits.metadata_len_bytes = limits.metadata_len_bytes.min(args.limit_memory / 4);
    let (limits_of_file, outside) = (limits.clone(), args.reach.outside());
    let options = OpenOptions { limits: limits_of_file, outside, ..OpenOptions::read() };
    let engine = args.means.engine();
    let engine = stook::Engine::new(engine.config().clone().limits(limits));
    let root = NodePath::root();
    let file = match File::open_with(&args.file, &options) {
        Ok(file) => file.with_engine(engine),
        Err(error) => {
            let node = error.location().node.clone().unwrap_or(root);
            tell(&Message::Finding(Finding::of_error(&node, &error)))?;
            return Ok(tell(&Message::Done(CheckReport::default()))?);
        }
    };
    let leave_out = args.leave_out.iter().map(|node| NodePath::parse(node));
    let leave_out = leave_out.collect::<stook::Result<Vec<_>>>()?;
    let mut last = Instant::now();
    let mut on_event = |event: &CheckEvent<'_>| match event {
        CheckEvent::Node(node) => {
            if last.elapsed() >= EVERY {
                last = Instant::now();
                limits::more_time(args.cpu);
            }
            tell(&Message::Node((*node).clone()))
        }
        CheckEvent::Finding(finding) => tell(&Message::Finding((*finding).clone())),
        CheckEvent::Bytes { done, total } if last.elapsed() >= EVERY => {
            last = Instant::now();
            limits::more_time(args.cpu);
            tell(&Message::Bytes(*done, *total))
        }
        _ => Ok(()),
    };
    let mut options = CheckOptions {
        memory_len_bytes: args.means.memory,
        leave_out,
        on_event: Some(&mut on_event),
        ..CheckOptions::default()
    };
    let mut report = check(&file, &mut options)?;
    report.findings.clear();
    Ok(tell(&Message::Done(report))?)
}

/// Has a file read by workers until one has come to the end of it.
pub(super) fn watch(path: &Path, args: &CheckArgs, bar: &ProgressBar) -> CheckReport {
    let mut ended: Vec<Finding> = Vec::new();
    loop {
        let leave_out: Vec<&NodePath> = ended.iter().map(|finding| &finding.node).collect();
        let seen = one_worker(path, args, &leave_out, bar);
        let mut report = CheckReport { findings: seen.findings, ..seen.report.unwrap_or_default() };
        let Some(end) = seen.end else {
            report.findings.extend(ended);
            report.findings.sort_by(|a, b| a.node.cmp(&b.node));
            return report;
        };
        let is_known = ended.iter().any(|known| known.node == end.node);
        ended.push(end);
        // Without a node to leave out, another worker would end in the same way.
        if seen.node.is_none() {
            report.findings.extend(ended);
            return report;
        }
        if is_known || ended.len() >= MOST_WORKERS {
            report.findings.extend(ended);
            let error = stook::Error::unsupported("the rest of the file was not read");
            report.findings.push(Finding::of_error(&NodePath::root(), &error));
            return report;
        }
    }
}

/// What was seen of a worker.
#[derive(Default)]
struct Seen {
    findings: Vec<Finding>,
    /// The node that it began last.
    node: Option<NodePath>,
    /// What it says it did, at the end.
    report: Option<CheckReport>,
    /// What ended it before.
    end: Option<Finding>,
}

fn one_worker(path: &Path, args: &CheckArgs, leave_out: &[&NodePath], bar: &ProgressBar) -> Seen {
    let mut seen = Seen::default();
    let mut child = match start(path, args, leave_out) {
        Ok(child) => child,
        Err(error) => {
            let error =
                stook::Error::io("the process that reads the file cannot be started", error);
            seen.end = Some(Finding::of_error(&NodePath::root(), &error));
            return seen;
        }
    };
    let lines = lines_of(&mut child);
    let complaints = complaints_of(&mut child);
    let timeout = Duration::from_secs(args.timeout);
    let ended = loop {
        let heard = match lines.recv_timeout(timeout) {
            Ok(Heard::Message(message)) => message,
            Ok(Heard::Endless) => {
                break Some(format!("it wrote a line of more than {LINE_MOST} bytes"));
            }
            Err(RecvTimeoutError::Timeout) => {
                let patience = counted(args.timeout, "second");
                break Some(format!("it made no progress for {patience}"));
            }
            Err(RecvTimeoutError::Disconnected) => break None,
        };
        match heard {
            Message::Node(node) => {
                bar.set_message(node.to_string());
                seen.node = Some(node);
            }
            Message::Bytes(done, total) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Message::Finding(finding) => seen.findings.push(finding),
            Message::Done(report) => seen.report = Some(report),
        }
    };
    if ended.is_some() {
        // One that has just ended by itself cannot be killed, and need not be.
        let _ = child.kill();
    }
    let status = child.wait();
    let complaint = complaints.join().unwrap_or_default();
    if ended.is_some() || seen.report.is_none() {
        let why = match (ended, status) {
            (Some(why), _) => format!("the reader was ended: {why}"),
            (None, Ok(status)) => ended_by(status, args, &complaint),
            (None, Err(error)) => format!("the reader was lost: {error}"),
        };
        let node = seen.node.clone().unwrap_or_else(NodePath::root);
        seen.end = Some(Finding {
            severity: Severity::Error,
            node,
            chunk: None,
            kind: ErrorKind::LimitExceeded,
            message: why,
        });
    }
    seen
}

fn start(path: &Path, args: &CheckArgs, leave_out: &[&NodePath]) -> io::Result<Child> {
    let threads = match args.means.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("check-worker");
    command.arg("--cpu").arg(args.timeout.saturating_mul(threads as u64).to_string());
    command.arg("--limit-memory").arg(args.limit_memory.to_string());
    command.arg("--memory").arg(args.means.memory.to_string());
    command.arg("--threads").arg(args.means.threads.to_string());
    if let Some(folder) = &args.reach.outside {
        command.arg("--outside").arg(folder);
    }
    for node in leave_out {
        command.arg("--leave-out").arg(node.as_str());
    }
    command.arg("--").arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What comes from a worker.
enum Heard {
    Message(Message),
    /// A line longer than [`LINE_MOST`], of which no more was read.
    Endless,
}

/// The messages of a worker, as they come.
fn lines_of(child: &mut Child) -> Receiver<Heard> {
    let (sender, receiver) = sync_channel(64);
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            hear(BufReader::new(stdout), &|heard| sender.send(heard).is_ok())
        });
    }
    receiver
}

/// Hands on each message, until there are no more or `tell` returns false.
fn hear(mut from: impl BufRead, tell: &dyn Fn(Heard) -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut from).take(LINE_MOST as u64 + 1).read_until(b'\n', &mut line);
        if !read.is_ok_and(|n| n > 0) {
            return;
        }
        if line.len() > LINE_MOST {
            tell(Heard::Endless);
            return;
        }
        let message = std::str::from_utf8(&line).ok().and_then(Message::from_json);
        if let Some(message) = message
            && !tell(Heard::Message(message))
        {
            return;
        }
    }
}

/// The end of what a worker writes to its standard error.
fn complaints_of(child: &mut Child) -> std::thread::JoinHandle<String> {
    let stderr = child.stderr.take();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0; 1024];
        let Some(mut stderr) = stderr else { return String::new() };
        while let Ok(n) = stderr.read(&mut buffer) {
            if n == 0 {
                break;
            }
            kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
            let surplus = kept.len().saturating_sub(COMPLAINT_MOST);
            kept.drain(..surplus);
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

/// How a worker ended, in words.
fn ended_by(status: ExitStatus, args: &CheckArgs, complaint: &str) -> String {
    let complaint = complaint.lines().rfind(|line| !line.trim().is_empty());
    let complaint = complaint.map_or(String::new(), |line| format!(": {}", line.trim()));
    match signal_of(status) {
        Some((name, true)) => {
            format!("the reader was ended by the limit of processor time ({name}){complaint}")
        }
        Some((name, false)) => {
            let limit = human_bytes(args.limit_memory);
            let note = if complaint.contains("memory allocation") {
                format!(", over the limit of {limit}")
            } else {
                String::new()
            };
            format!("the reader was ended by {name}{complaint}{note}")
        }
        None => format!("the reader gave up ({status}){complaint}"),
    }
}

/// The signal that ended a process, and whether it is that of too much work.
#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<(String, bool)> {
    use std::os::unix::process::ExitStatusExt;

    use signal_hook::consts::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGXCPU};
    const NAMES: [(i32, &str); 7] = [
        (SIGABRT, "SIGABRT"),
        (SIGBUS, "SIGBUS"),
        (SIGFPE, "SIGFPE"),
        (SIGILL, "SIGILL"),
        (SIGKILL, "SIGKILL"),
        (SIGSEGV, "SIGSEGV"),
        (SIGXCPU, "SIGXCPU"),
    ];
    let signal = status.signal()?;
    let name = NAMES.into_iter().find(|(number, _)| *number == signal);
    let name = name.map_or_else(|| format!("signal {signal}"), |(_, name)| name.to_owned());
    Some((name, signal == SIGXCPU))
}

#[cfg(not(unix))]
fn signal_of(_status: ExitStatus) -> Option<(String, bool)> {
    None
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn a_line_without_end_is_not_kept() {
        let heard = RefCell::new(Vec::new());
        let tell = |one| {
            heard.borrow_mut().push(match one {
                Heard::Message(message) => Some(message),
                Heard::Endless => None,
            });
            true
        };
        let node = Message::Node(NodePath::root());
        let lines = format!("{}\nnonsense\n", node.to_json());
        hear(BufReader::new(lines.as_bytes().chain(io::repeat(b'{'))), &tell);
        assert_eq!(heard.into_inner(), [Some(node), None]);
    }
}
