//! The limits that a worker sets itself before it reads anything.

/// Ends this process when it has worked for so many seconds more, or asks for more memory, or
/// loses the one that started it. Where the system has no such limits, the parent's patience is
/// the only one.
#[cfg(unix)]
pub(super) fn set(memory_len_bytes: u64, cpu_seconds: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // For good: code that a file has taken over cannot raise a hard limit again.
    let lower = |resource: Resource, to: u64| {
        let to = getrlimit(resource).maximum.map_or(to, |maximum| maximum.min(to));
        // What the parent set already is lower still; lowering is always allowed.
        let _ = setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) });
    };
    // Mapped files are no memory of ours, so the address space is not what is limited.
    #[cfg(target_os = "linux")]
    lower(Resource::Data, memory_len_bytes);
    #[cfg(not(target_os = "linux"))]
    let _ = memory_len_bytes;
    lower(Resource::Core, 0);
    more_time(cpu_seconds);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

/// Allows so many more seconds of work: called whenever there has been progress. That is why the
/// hard limit of this one stays; the parent's patience bounds what does not progress.
#[cfg(unix)]
pub(super) fn more_time(cpu_seconds: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};

    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let known = getrlimit(Resource::Cpu);
    let limit = Rlimit { current: Some(used.saturating_add(cpu_seconds)), maximum: known.maximum };
    let _ = setrlimit(Resource::Cpu, limit);
}

#[cfg(not(unix))]
pub(super) fn set(_memory_len_bytes: u64, _cpu_seconds: u64) {}

#[cfg(not(unix))]
pub(super) fn more_time(_cpu_seconds: u64) {}
