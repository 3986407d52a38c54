//! How work is spread over threads.

use std::sync::LazyLock;

use stook_core::engine::for_each;
use stook_core::{Engine, Result};

/// Fewer bytes than this are not worth a thread.
const MIN_THREAD_LEN_BYTES: usize = 512 << 10;

/// How many threads a call may use.
pub(crate) fn n_threads() -> usize {
    match Engine::global().config().threads {
        0 => *AVAILABLE,
        n => n,
    }
}

/// What the machine has: asked once, because it takes longer than a small array.
static AVAILABLE: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

/// Calls `work` for ranges that together are `0..n`, in parallel where the `len_bytes` that the
/// whole of it goes through are worth it. Each range takes some time and some memory to begin with.
pub(crate) fn for_each_range(
    n: usize,
    len_bytes: usize,
    work: &(dyn Fn(std::ops::Range<usize>) -> Result<()> + Sync),
) -> Result<()> {
    let threads = (len_bytes / MIN_THREAD_LEN_BYTES).clamp(1, n_threads()).min(n.max(1));
    // Some ranges a thread, because threads do not run equally fast; and a checkpoint each.
    let per_range = n.div_ceil(threads * 8).max(n / (len_bytes / (1 << 18)).max(1)).max(1);
    for_each(n.div_ceil(per_range), threads, &|at| {
        work(at * per_range..n.min((at + 1) * per_range))
    })
}
