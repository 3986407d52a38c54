//! Object stores as byte stores: the shared suite, a real S3 server, and faults on the way.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests look at files themselves")]

mod arrays;
mod faults;
mod processes;
mod requests;
mod s3;
mod server;
mod suite;
