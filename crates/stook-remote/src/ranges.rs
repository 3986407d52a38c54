//! Ranges of one value: neighbours in one request, and requests at once.
//!
//! Every answer says how long the value is and which version of it was read, so that neither is
//! asked for. Nothing is delivered before the first answer has shown that all ranges lie in the
//! value; an answer of another version than the first one's ends the reading.

use futures_util::StreamExt;
use object_store::{Error as Cause, GetRange, ObjectMeta};
use stook_core::store::{ByteRange, DeliverBytes, RangesRead};
use stook_core::{Error, Result};

use crate::read::{self, Body, Failure, Memory};
use crate::runtime;
use crate::store::{Remote, version_of};

/// Ranges that are read in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    start: u64,
    end: u64,
    /// Offset, length and position of each.
    ranges: Vec<(u64, u64, usize)>,
}

/// Reads `ranges` of the value of `key`, of its `version` if that is given.
pub(crate) fn read(
    remote: &Remote,
    key: &str,
    ranges: &[ByteRange],
    version: Option<u64>,
    deliver: &mut DeliverBytes<'_>,
) -> Result<RangesRead> {
    let mut reading = Reading { remote, key, ranges, version, known: None, deliver };
    let last = ranges.iter().filter_map(|range| match range {
        ByteRange::Last(len) => Some(*len),
        ByteRange::At { .. } => None,
    });
    let outcome = match last.max() {
        Some(len) if len > 0 => reading.end(len)?,
        _ => Outcome::Read,
    };
    match outcome {
        Outcome::Read => reading.runs(),
        other => Ok(other.into()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Read,
    Missing,
    Changed,
}

impl From<Outcome> for RangesRead {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Missing => Self::Missing,
            Outcome::Read | Outcome::Changed => Self::Changed,
        }
    }
}

/// Ranges on their way.
struct Reading<'a, 'd> {
    remote: &'a Remote,
    key: &'a str,
    ranges: &'a [ByteRange],
    /// What is asked for, or what the first answer was of.
    version: Option<u64>,
    /// The length of the value, once that is known.
    known: Option<u64>,
    deliver: &'a mut DeliverBytes<'d>,
}

impl Reading<'_, '_> {
    /// Looks at the first answer: whether it is of the right version, and all ranges lie in it;
    /// delivers those without bytes. Of further answers, only the version matters.
    fn admit(&mut self, meta: &ObjectMeta) -> Result<bool> {
        let found = version_of(meta);
        if self.version.is_some() && self.version != found {
            return Ok(false);
        }
        if let Some(len) = self.known {
            // Where no version is told, a length may still tell two values apart.
            return Ok(len == meta.size);
        }
        if let Some(range) = self.ranges.iter().find(|range| range.resolve(meta.size).is_none()) {
            return Err(self.outside(*range, meta.size));
        }
        (self.version, self.known) = (found, Some(meta.size));
        for (i, range) in self.ranges.iter().enumerate() {
            if let ByteRange::At { len: 0, .. } | ByteRange::Last(0) = range {
                (self.deliver)(i, Some(&[]))?;
            }
        }
        Ok(true)
    }

    fn outside(&self, range: ByteRange, len_bytes: u64) -> Error {
        let key = self.key;
        let what = format!("key `{key}`: {range:?} lies outside a value of {len_bytes} bytes");
        self.remote.located(Error::corrupt(what))
    }

    /// Reads the ranges that are counted from the end, the longest of which is of `len` bytes.
    fn end(&mut self, len: u64) -> Result<Outcome> {
        let (remote, key) = (self.remote.clone(), self.key.to_owned());
        let body = match runtime::run(async move { Ok(suffix(&remote, &key, len).await) })? {
            Ok(body) => body,
            Err(failure) => return self.failed(failure),
        };
        if !self.admit(&body.meta)? {
            return Ok(Outcome::Changed);
        }
        let mut buffer = Vec::new();
        let bytes = body.bytes(&mut buffer);
        for (i, range) in self.ranges.iter().enumerate() {
            let ByteRange::Last(part @ 1..) = *range else { continue };
            let part = usize::try_from(part).unwrap_or(usize::MAX);
            let start = bytes.len().checked_sub(part);
            let part = start.and_then(|start| bytes.get(start..));
            let part = part.ok_or_else(|| self.outside(*range, body.meta.size))?;
            (self.deliver)(i, Some(part))?;
        }
        Ok(Outcome::Read)
    }

    /// Reads the ranges that are counted from the start.
    fn runs(mut self) -> Result<RangesRead> {
        let runs = runs_of(self.ranges, self.remote);
        if runs.is_empty() && self.known.is_none() {
            let (remote, key) = (self.remote.clone(), self.key.to_owned());
            let head = runtime::run(async move { read::head(&remote, &key).await })?;
            return match head {
                None => Ok(RangesRead::Missing),
                Some(meta) if !self.admit(&meta)? => Ok(RangesRead::Changed),
                Some(_) => Ok(RangesRead::Read(self.version)),
            };
        }
        let options = self.remote.options();
        let in_flight = options.in_flight.min(runs.len()).max(1);
        let memory = Memory::new(options.held_len_bytes);
        let (remote, key) = (self.remote.clone(), self.key.to_owned());
        let gets = futures_util::stream::iter(runs).map(move |run| {
            let (remote, key, memory) = (remote.clone(), key.clone(), memory.clone());
            async move {
                let range = Some(GetRange::Bounded(run.start..run.end));
                let body = read::fetch(&remote, &key, range, Some(&memory), &|_| Ok(())).await;
                (run, body)
            }
        });
        let mut buffer = Vec::new();
        runtime::with_queue(gets.buffer_unordered(in_flight), in_flight, |queue| {
            while let Some(slot) = queue.next()? {
                let outcome = match &slot.item {
                    (run, Ok(body)) => self.run(run, body, &mut buffer)?,
                    _ => {
                        let (_, Err(failure)) = slot.item else { continue };
                        self.failed(failure)?
                    }
                };
                if outcome != Outcome::Read {
                    return Ok(outcome.into());
                }
            }
            Ok(RangesRead::Read(self.version))
        })
    }

    fn run(&mut self, run: &Run, body: &Body, buffer: &mut Vec<u8>) -> Result<Outcome> {
        if !self.admit(&body.meta)? {
            return Ok(Outcome::Changed);
        }
        let bytes = body.bytes(buffer);
        for &(offset, len, i) in &run.ranges {
            let part = || {
                let start = usize::try_from(offset - run.start).ok()?;
                bytes.get(start..start.checked_add(usize::try_from(len).ok()?)?)
            };
            let part = part().ok_or_else(|| {
                let range = ByteRange::At { offset, len };
                self.outside(range, body.meta.size)
            })?;
            (self.deliver)(i, Some(part))?;
        }
        Ok(Outcome::Read)
    }

    /// What a failure means: nothing there, a range outside of the value, or a failure.
    fn failed(&self, failure: Failure) -> Result<Outcome> {
        let cause = match failure {
            Failure::Service(cause @ Cause::NotFound { .. }) => {
                let outcome =
                    if self.known.is_none() { Outcome::Missing } else { Outcome::Changed };
                return self.remote.missing(cause, outcome);
            }
            Failure::Service(cause) => cause,
            ours @ Failure::Ours(_) => return Err(ours.into_error(self.remote, self.key)),
        };
        let text = cause.to_string();
        if text.contains("416") || text.contains("range") || text.contains("Range") {
            let (remote, key) = (self.remote.clone(), self.key.to_owned());
            let head = runtime::run(async move { read::head(&remote, &key).await })?;
            if let Some(meta) = head
                && let Some(range) = self.ranges.iter().find(|r| r.resolve(meta.size).is_none())
            {
                return Err(self.outside(*range, meta.size).with_source(cause));
            }
            if text.contains("non-partial response") {
                let what = format!("key `{}`: the server sends no parts of values", self.key);
                let error = Error::unsupported(what).with_source(cause);
                return Err(self.remote.located(error));
            }
        }
        Err(self.remote.failed(cause, "read a part of it", self.key))
    }
}

/// The last `len` bytes of the value of `key`, or all of it.
async fn suffix(remote: &Remote, key: &str, len: u64) -> Result<Body, Failure> {
    let range = Some(GetRange::Suffix(len));
    match read::fetch(remote, key, range, None, &|_| Ok(())).await {
        // Azure counts from the start only.
        Err(Failure::Service(Cause::NotSupported { .. })) => {
            let path = remote.path(key).map_err(Failure::Ours)?;
            let meta = object_store::ObjectStoreExt::head(&remote.client, &path).await;
            let size = meta.map_err(Failure::Service)?.size;
            let range = Some(GetRange::Bounded(size.saturating_sub(len)..size));
            read::fetch(remote, key, range, None, &|_| Ok(())).await
        }
        other => other,
    }
}

/// The requests for the ranges that are counted from the start and have bytes.
fn runs_of(ranges: &[ByteRange], remote: &Remote) -> Vec<Run> {
    let options = remote.options();
    join(ranges, options.gap_len_bytes, options.joined_len_bytes)
}

fn join(ranges: &[ByteRange], gap: u64, joined: u64) -> Vec<Run> {
    let at = ranges.iter().enumerate().filter_map(|(i, range)| match *range {
        ByteRange::At { offset, len: len @ 1.. } => Some((offset, len, i)),
        _ => None,
    });
    let mut at: Vec<_> = at.collect();
    at.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for (offset, len, i) in at {
        // A range that overflows lies outside of every value: the answer's length shows that.
        let end = offset.saturating_add(len);
        if let Some(run) = runs.last_mut() {
            let is_near = offset <= run.end.saturating_add(gap);
            let is_short = end.max(run.end) - run.start <= joined;
            if end <= run.end || (is_near && is_short) {
                run.end = run.end.max(end);
                run.ranges.push((offset, len, i));
                continue;
            }
        }
        runs.push(Run { start: offset, end, ranges: vec![(offset, len, i)] });
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64, len: u64) -> ByteRange {
        ByteRange::At { offset, len }
    }

    #[test]
    fn neighbours_share_a_request_up_to_a_length() {
        let ranges = [at(100, 10), at(0, 10), at(15, 5), ByteRange::Last(4), at(5, 0), at(112, 90)];
        let bounds = |gap, joined| {
            let runs = join(&ranges, gap, joined);
            runs.iter().map(|run| (run.start, run.end)).collect::<Vec<_>>()
        };
        assert_eq!(bounds(5, 1000), [(0, 20), (100, 202)]);
        assert_eq!(bounds(4, 1000), [(0, 10), (15, 20), (100, 202)]);
        assert_eq!(bounds(1000, 1000), [(0, 202)]);
        assert_eq!(bounds(1000, 50), [(0, 20), (100, 110), (112, 202)]);
        assert_eq!(join(&[at(u64::MAX, 2)], 9, 9)[0].end, u64::MAX);
    }
}
