//! Ctrl-C while something is written: the command stops at the next block, and what it had begun
//! is removed on the way out. A second Ctrl-C ends it at once.
//!
//! Commands that only read do without: a signal ends them as it ends any program.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use stook::{Error, ErrorKind, Result};

/// From here on, the first signal to end is kept for [`check`].
pub(crate) fn install() {
    let first = Arc::new(AtomicBool::new(false));
    for (signal, number) in [(SIGINT, 2_usize), (SIGTERM, 15)] {
        let status = 128 + signal;
        // Where a signal cannot be caught, it ends the command as if it were not asked for here.
        // The order matters: the second signal finds the flag that the first one set.
        let _ =
            signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(&first));
        let _ = signal_hook::flag::register(signal, Arc::clone(&first));
        let _ = signal_hook::flag::register_usize(signal, raised(), number);
    }
}

/// Whether [`check`] has stopped the command.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// The signal that came; 0 before one did.
fn raised() -> Arc<AtomicUsize> {
    static RAISED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();
    Arc::clone(RAISED.get_or_init(Arc::default))
}

/// Fails once a signal came: called between blocks, by whoever has something to remove.
///
/// # Errors
/// `Io`, after a signal.
pub(crate) fn check() -> Result<()> {
    match raised().load(Ordering::Relaxed) {
        0 => Ok(()),
        _ => {
            STOPPED.store(true, Ordering::Relaxed);
            Err(Error::new(ErrorKind::Io, "interrupted"))
        }
    }
}

/// The exit status of a command that [`check`] stopped, as a shell gives it to one that a signal
/// ends: 130 after Ctrl-C. `None` where it was not stopped.
pub(crate) fn status() -> Option<ExitCode> {
    let number = raised().load(Ordering::Relaxed);
    let is_stopped = STOPPED.load(Ordering::Relaxed);
    is_stopped.then(|| ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX)))
}
