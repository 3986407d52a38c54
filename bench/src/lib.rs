//! The worker's side of the benchmarks' protocol: a JSON task a line in, a JSON answer a line out.
//!
//! `python/bench/worker.py` is the same for Python libraries; both measure alike. A task is set
//! up once (`prepare`), checked by the digest of one result (`check`), then timed in rounds
//! (`measure`) that the runner interleaves with those of other libraries.

mod protocol;
mod remote;
mod task;
mod timing;

pub use protocol::serve;
pub use task::{Data, Kind, Prepared, Result, Selected, Task};
