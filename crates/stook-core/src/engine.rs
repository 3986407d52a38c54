//! The engine.
/// Settings.
#[derive(Debug)]
pub struct EngineConfig;
/// Pipeline.
#[derive(Debug)]
pub struct Pipeline;
