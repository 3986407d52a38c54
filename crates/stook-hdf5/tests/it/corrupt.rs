//! Damaged files give an error or data, never a panic.
