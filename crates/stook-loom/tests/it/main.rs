//! Looms, made, changed, killed, foreign and of old versions.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod fused;
mod matrix;
