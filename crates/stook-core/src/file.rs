//! Positional file I/O, and a twin of it that injects faults.
