//! Clocks: wall, processor time of all threads, and the most memory that was in use.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::task::{Prepared, Result};

/// A sample is the mean of as many calls as take this long.
const SAMPLE: Duration = Duration::from_millis(20);

/// Seconds per call.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

/// Samples calls for about `seconds`, at least one.
pub(crate) fn sample(prepared: &mut Prepared, seconds: f64) -> Result<Vec<Sample>> {
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut n_calls = 1;
    while samples.is_empty() || began.elapsed().as_secs_f64() < seconds {
        if let Some(reset) = &mut prepared.reset {
            reset()?;
        }
        let (mut last, cpu, start) = (None, cpu_seconds(), Instant::now());
        for _ in 0..n_calls {
            last = Some((prepared.run)()?);
        }
        let (wall, cpu) = (start.elapsed(), cpu_seconds() - cpu);
        drop(last);
        let n = f64::from(n_calls);
        samples.push(Sample { wall: wall.as_secs_f64() / n, cpu: cpu / n });
        if prepared.reset.is_none() && n_calls == 1 && wall < SAMPLE {
            // The first call tells how many make a sample; a single one is no sample then.
            let calls = SAMPLE.as_secs_f64() / wall.as_secs_f64().max(1e-7);
            n_calls = (calls.ceil() as u32).clamp(1, 100_000);
            if n_calls > 1 {
                samples.clear();
            }
        }
    }
    Ok(samples)
}

fn usage() -> libc::rusage {
    let mut usage = std::mem::MaybeUninit::zeroed();
    // SAFETY: the pointer is valid and zeros are a valid `rusage`.
    unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    }
}

fn cpu_seconds() -> f64 {
    let usage = usage();
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// The most memory that this process had in use, in bytes.
///
/// Linux's `ru_maxrss` begins with what the process that started this one had in use, so that its
/// own mark comes first.
pub(crate) fn peak_len_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let mark = mark.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    mark.map_or_else(|| u64::try_from(usage().ru_maxrss).unwrap_or(0) * unit, |kib| kib * 1024)
}
