//! The command `stook`.

fn main() {}
