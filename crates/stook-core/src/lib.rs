//! The model, engine, codecs and byte stores under every stook format
