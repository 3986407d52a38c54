//! Suites that every stook container, codec and store runs
