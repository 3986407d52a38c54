//! Arrays in words: dtype, shape, chunks, codecs; and as JSON.

use serde_json::{Map, Value, json};
use stook::codec::{BloscCompressor, BloscShuffle, Endian};
use stook::{ArraySpec, Attributes, ChunkGrid, CodecSpec, DType, Extent, Result};

/// The dtype, short enough for a line of a tree.
pub(crate) fn dtype_brief(dtype: &DType) -> String {
    match dtype {
        DType::Enum(r#enum) if is_bool(&r#enum.members) => "enum bool".to_owned(),
        DType::Enum(r#enum) => format!("enum of {}", r#enum.members.len()),
        DType::Struct(_) => "struct".to_owned(),
        other => other.to_string(),
    }
}

/// The names of a struct's members: `{index, n_counts}`.
pub(crate) fn members_brief(dtype: &DType) -> Option<String> {
    let DType::Struct(r#struct) = dtype else { return None };
    let names: Vec<&str> = r#struct.fields.iter().map(|field| field.name.as_str()).collect();
    Some(format!("{{{}}}", names.join(", ")))
}

/// h5py and PyTables store bool as an enum of these names.
fn is_bool(members: &[(String, i128)]) -> bool {
    let is = |name: &str, value: i128| {
        members.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && *v == value)
    };
    members.len() == 2 && is("FALSE", 0) && is("TRUE", 1)
}

/// The shape: `700 × 765`.
pub(crate) fn shape(spec: &ArraySpec) -> String {
    match &spec.extent {
        Extent::Null => "null".to_owned(),
        Extent::Shape(shape) if shape.is_empty() => "scalar".to_owned(),
        Extent::Shape(shape) => lengths(shape),
    }
}

fn lengths(shape: &[u64]) -> String {
    let lengths: Vec<String> = shape.iter().map(ToString::to_string).collect();
    lengths.join(" × ")
}

/// The names of the axes, where there are any: `(time, y, ·)`.
pub(crate) fn dimensions(spec: &ArraySpec) -> Option<String> {
    let names = spec.dimension_names.as_ref()?;
    let named = names.iter().any(Option::is_some);
    let names: Vec<&str> = names.iter().map(|name| name.as_deref().unwrap_or("·")).collect();
    named.then(|| format!("({})", names.join(", ")))
}

/// The shape of chunks or shards.
pub(crate) fn grid(grid: &ChunkGrid) -> String {
    match grid {
        ChunkGrid::Regular(shape) if shape.is_empty() => "one".to_owned(),
        ChunkGrid::Regular(shape) => lengths(shape),
        ChunkGrid::Rectilinear(axes) => {
            let axes: Vec<String> =
                axes.iter().map(|axis| list(&axis.lengths().collect::<Vec<_>>())).collect();
            axes.join(" × ")
        }
        _ => "of another kind".to_owned(),
    }
}

fn list(lengths: &[u64]) -> String {
    let shown: Vec<String> = lengths.iter().take(6).map(ToString::to_string).collect();
    format!("({}{})", shown.join("+"), if lengths.len() > 6 { "+…" } else { "" })
}

/// How the elements are stored, short enough for a line of a tree: `gzip 4, chunks 88 × 96`.
pub(crate) fn storage_brief(spec: &ArraySpec) -> String {
    let mut parts = Vec::new();
    let codecs = codecs(spec);
    if !codecs.is_empty() {
        parts.push(codecs.join(" + "));
    }
    let is_one_chunk = spec.grid.counts(spec.shape()).iter().all(|&n| n <= 1);
    if !spec.contiguous && !is_one_chunk {
        parts.push(format!("chunks {}", grid(&spec.grid)));
    }
    if let Some(shards) = &spec.shards {
        parts.push(format!("shards {}", grid(shards)));
    }
    parts.join(", ")
}

/// The codecs, first applied first; what is as everywhere is passed over.
pub(crate) fn codecs(spec: &ArraySpec) -> Vec<String> {
    spec.codecs.iter().filter_map(codec).collect()
}

fn codec(codec: &CodecSpec) -> Option<String> {
    Some(match codec {
        CodecSpec::ByteOrder(Endian::Little) | CodecSpec::VlenUtf8 | CodecSpec::VlenBytes => {
            return None;
        }
        CodecSpec::ByteOrder(Endian::Big) => "big-endian".to_owned(),
        CodecSpec::Transpose { order } => format!("transpose {order:?}"),
        CodecSpec::Gzip { level } | CodecSpec::Zlib { level } => {
            format!("{} {level}", codec.name())
        }
        CodecSpec::Zstd { level, .. } => format!("zstd {level}"),
        CodecSpec::Blosc(blosc) => {
            let compressor = match blosc.compressor {
                BloscCompressor::BloscLz => "blosclz",
                BloscCompressor::Lz4 => "lz4",
                BloscCompressor::Lz4Hc => "lz4hc",
                BloscCompressor::Snappy => "snappy",
                BloscCompressor::Zlib => "zlib",
                BloscCompressor::Zstd => "zstd",
            };
            let shuffle = match blosc.shuffle {
                BloscShuffle::None => "",
                BloscShuffle::Byte => " shuffle",
                BloscShuffle::Bit => " bitshuffle",
            };
            format!("blosc {compressor} {}{shuffle}", blosc.level)
        }
        other => other.name().to_owned(),
    })
}

/// An array's description as JSON.
pub(crate) fn spec_json(spec: &ArraySpec) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    let shape = match &spec.extent {
        Extent::Null => Value::Null,
        Extent::Shape(shape) => json!(shape),
    };
    fields.insert("dtype".to_owned(), json!(spec.dtype.to_string()));
    fields.insert("shape".to_owned(), shape);
    if let Some(max_shape) = &spec.max_shape {
        fields.insert("max_shape".to_owned(), json!(max_shape));
    }
    if let Some(names) = &spec.dimension_names {
        fields.insert("dimension_names".to_owned(), json!(names));
    }
    let chunks = if spec.contiguous { Value::Null } else { grid_json(&spec.grid) };
    fields.insert("chunks".to_owned(), chunks);
    if let Some(shards) = &spec.shards {
        fields.insert("shards".to_owned(), grid_json(shards));
    }
    fields.insert("codecs".to_owned(), json!(codecs(spec)));
    if let Some(fill) = &spec.fill_value {
        fields.insert("fill_value".to_owned(), stook::json::of_values(fill)?);
    }
    fields.insert("size".to_owned(), json!(spec.n_bytes()));
    Ok(fields)
}

fn grid_json(grid: &ChunkGrid) -> Value {
    match grid {
        ChunkGrid::Regular(shape) => json!(shape),
        ChunkGrid::Rectilinear(axes) => {
            axes.iter().map(|axis| axis.lengths().collect::<Vec<_>>()).map(Value::from).collect()
        }
        _ => Value::Null,
    }
}

/// Attributes as JSON.
pub(crate) fn attributes_json(attributes: &Attributes) -> Result<Value> {
    let pairs = attributes
        .iter()
        .map(|(name, value)| Ok((name.to_owned(), stook::json::of_attribute(value)?)));
    Ok(Value::Object(pairs.collect::<Result<Map<_, _>>>()?))
}

/// An attribute's value on one line: texts without quotes.
pub(crate) fn attribute_brief(value: &stook::AttributeValue) -> Result<String> {
    Ok(match stook::json::of_attribute(value)? {
        Value::String(text) => one_line(&text),
        other => other.to_string(),
    })
}

/// `text` with its control characters as escapes.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}
