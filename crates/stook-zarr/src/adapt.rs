//! Arrays of other formats as Zarr can hold them, and what is lost on the way.

mod dtype;

use stook_core::codec::{Blosc, Endian, MemberOrder, PackBits, Stage, pack};
use stook_core::values::push_heap_item;
use stook_core::{Adapted, ArraySpec, ChunkGrid, CodecSpec, DType, Format, Loss, Result, Values};

use crate::codec;
use crate::dtype::full;
use crate::numcodecs;

/// Bytes of a chunk of an array that had none: large enough to be worth a file, small enough
/// that a machine's cores find work in a moderate array.
const CHUNK_LEN_BYTES: u64 = 2 << 20;

/// The bytes that an item of variable length is taken to have.
const GUESSED_ITEM_LEN: u64 = 64;

/// The codec of arrays that had no chunks, and of those whose codec Zarr lacks: zarr-python's
/// own default.
const DEFAULT_CODEC: CodecSpec = CodecSpec::Zstd { level: 0, checksum: false };

/// The nearest array to `spec` that version `format` can hold.
///
/// # Errors
/// `Unsupported` where there is none.
pub(crate) fn array(spec: &ArraySpec, format: Format) -> Result<Adapted<ArraySpec>> {
    let mut losses = Vec::new();
    let has_codec = spec.codecs.iter().any(|codec| keeps_objects(codec, &spec.dtype, format));
    let stored = match has_codec {
        true => spec.dtype.clone(),
        false => dtype::adapt("dtype", &spec.dtype, format, &mut losses)?,
    };
    let full = full_type(&spec.dtype, &stored)?;
    let dtype = match &full {
        Some(full) => {
            losses.clear();
            full.clone()
        }
        None => stored.clone(),
    };
    let fill_value = fill(spec, &dtype)?;
    let mut adapted = ArraySpec {
        dtype,
        fill_value,
        max_shape: None,
        contiguous: false,
        codecs: Vec::new(),
        ..spec.clone()
    };
    adapt_grid(spec, &mut adapted, format, &mut losses);
    adapted.codecs = codecs(spec, &stored, format, &mut losses);
    if full.is_some() {
        for codec in &mut adapted.codecs {
            if *codec == CodecSpec::ByteOrder(Endian::Big) {
                *codec = CodecSpec::ByteOrder(Endian::Little);
            }
        }
    }
    if spec.contiguous {
        adapted.codecs.push(DEFAULT_CODEC);
    }
    if format == Format::ZarrV2
        && adapted.dimension_names.as_ref().is_some_and(|names| names.contains(&None))
    {
        if names_any(&adapted) {
            losses.push(Loss::new("names of some axes", "nothing"));
        }
        adapted.dimension_names = None;
    }
    Ok(Adapted { value: adapted, losses })
}

/// The type that stands beside `stored`, where that does not say all of `dtype`.
fn full_type(dtype: &DType, stored: &DType) -> Result<Option<DType>> {
    if full::is_packed(dtype) {
        return Ok((dtype != stored).then(|| dtype.clone()));
    }
    let full = full::packed(dtype)?;
    let has_bytes = full.item_size() == stored.item_size();
    let says_more = full != *stored && has_bytes;
    Ok((says_more && full::extension(&full, false).is_ok()).then_some(full))
}

/// `spec` with the nearest type that version `format` has, of the same bytes.
///
/// # Errors
/// `Unsupported` where there is none.
pub(crate) fn stored(spec: &ArraySpec, format: Format) -> Result<ArraySpec> {
    let dtype = dtype::adapt("dtype", &spec.dtype, format, &mut Vec::new())?;
    if full::is_packed(&spec.dtype) {
        let fill_value = spec.fill_value.as_ref().map(packed).transpose()?;
        return Ok(ArraySpec { dtype, fill_value, ..spec.clone() });
    }
    if dtype.item_size() != spec.dtype.item_size() {
        let message = format!("{format} has no data type for {} with its padding", spec.dtype);
        return Err(stook_core::Error::unsupported(message));
    }
    let fill_value = fill(spec, &dtype)?;
    Ok(ArraySpec { dtype, fill_value, ..spec.clone() })
}

/// A fill value in its packed form.
fn packed(fill: &Values) -> Result<Values> {
    let (mut bytes, mut item) = (Vec::new(), Vec::new());
    pack(fill.dtype(), fill.items(), fill.heap(), &mut bytes)?;
    let mut heap = Vec::new();
    push_heap_item(&mut item, &mut heap, &bytes);
    Values::new(DType::Bytes, Vec::new(), item, heap)
}

fn names_any(spec: &ArraySpec) -> bool {
    spec.dimension_names.as_ref().is_some_and(|names| names.iter().any(Option::is_some))
}

/// The fill value as an item of `dtype`; version 3 cannot leave it open, so that it becomes zero.
fn fill(spec: &ArraySpec, dtype: &DType) -> Result<Option<Values>> {
    match &spec.fill_value {
        None => Ok(None),
        Some(fill) if fill.dtype() == dtype => Ok(Some(fill.clone())),
        Some(fill) => {
            let item = fill.item(0).unwrap_or_default();
            let mut items = Vec::with_capacity(dtype.item_size());
            dtype::repack(fill.dtype(), item, &mut items);
            let heap = fill.heap().to_vec();
            Values::new(dtype.clone(), Vec::new(), items, heap).map(Some)
        }
    }
}

fn adapt_grid(spec: &ArraySpec, adapted: &mut ArraySpec, format: Format, losses: &mut Vec<Loss>) {
    if spec.contiguous {
        adapted.grid = ChunkGrid::Regular(chunks_of(spec));
        adapted.shards = None;
        return;
    }
    if format == Format::ZarrV2 && spec.shards.is_some() {
        losses.push(Loss::new("shards", "a key for each chunk"));
        adapted.shards = None;
    }
    if format == Format::ZarrV2 && spec.grid.regular_shape().is_none() {
        losses.push(Loss::new("chunks of several lengths", "chunks of one shape"));
        adapted.grid = ChunkGrid::Regular(chunks_of(spec));
        adapted.shards = None;
    }
}

/// Chunks of whole rows as far as they are small enough, of about [`CHUNK_LEN_BYTES`].
fn chunks_of(spec: &ArraySpec) -> Vec<u64> {
    let mut chunks: Vec<u64> = spec.shape().iter().map(|&len| len.max(1)).collect();
    let item = match spec.dtype.has_heap() {
        true => GUESSED_ITEM_LEN,
        false => spec.dtype.item_size().max(1) as u64,
    };
    let mut inner = chunks.iter().fold(item, |len, &chunk| len.saturating_mul(chunk));
    for chunk in &mut chunks {
        if inner <= CHUNK_LEN_BYTES {
            break;
        }
        inner /= *chunk;
        *chunk = (CHUNK_LEN_BYTES / inner.max(1)).clamp(1, *chunk);
        inner = inner.saturating_mul(*chunk);
    }
    chunks
}

/// The codecs of `spec` that there are, or those nearest to them, for items of `dtype`.
fn codecs(
    spec: &ArraySpec,
    dtype: &DType,
    format: Format,
    losses: &mut Vec<Loss>,
) -> Vec<CodecSpec> {
    let mut out = Vec::with_capacity(spec.codecs.len() + 2);
    let keeps_heap_codec = spec.codecs.iter().any(|codec| keeps_objects(codec, dtype, format));
    match dtype {
        _ if keeps_heap_codec => {}
        DType::String(_) => out.push(CodecSpec::VlenUtf8),
        _ if dtype.has_heap() => out.push(CodecSpec::VlenBytes),
        _ => {}
    }
    // A filter is set up for what the one before it makes: all stay, or none.
    let mut filters = spec.codecs.iter().filter(|codec| codec.is_filter());
    let keeps_filters =
        filters.all(|codec| is_there(codec, spec, format)) && is_readable(spec, format);
    for codec in &spec.codecs {
        let adapted = match codec {
            _ if codec.is_filter() => keeps_filters.then(|| codec.clone()),
            _ if keeps_objects(codec, dtype, format) => Some(codec.clone()),
            _ => codec_for(codec, spec, dtype, format),
        };
        // One compressor takes the place of all that are not there.
        let adapted = adapted.filter(|codec| *codec != DEFAULT_CODEC || !out.contains(codec));
        let is_same = adapted.as_ref() == Some(codec);
        if !is_same && !is_implied(codec, dtype) {
            let becomes = adapted.as_ref().map_or("nothing", CodecSpec::name);
            losses.push(Loss::new(format!("codec {}", codec.name()), becomes));
        }
        // A transposition goes before the codec that makes bytes.
        match adapted {
            Some(step @ CodecSpec::Transpose { .. }) => out.insert(0, step),
            adapted => out.extend(adapted),
        }
    }
    out
}

/// Whether version `format` has `codec` to make bytes of objects of type `dtype`.
fn keeps_objects(codec: &CodecSpec, dtype: &DType, format: Format) -> bool {
    let is_for = match codec {
        CodecSpec::Json { .. } | CodecSpec::MessagePack { .. } | CodecSpec::Categorize { .. } => {
            matches!(dtype, DType::String(_))
        }
        CodecSpec::VlenArray { .. } => matches!(dtype, DType::Sequence(_)),
        _ => false,
    };
    is_for && format == Format::ZarrV2
}

/// Whether the loss of `codec` is none: it says what the type says already.
fn is_implied(codec: &CodecSpec, dtype: &DType) -> bool {
    match codec {
        CodecSpec::VlenUtf8
        | CodecSpec::VlenBytes
        | CodecSpec::VlenArray { .. }
        | CodecSpec::Json { .. }
        | CodecSpec::MessagePack { .. } => true,
        CodecSpec::ByteOrder(_) => dtype.has_heap(),
        _ => is_member_order(codec),
    }
}

fn is_member_order(codec: &CodecSpec) -> bool {
    matches!(codec, CodecSpec::Custom(custom) if custom.0.name() == MemberOrder::NAME)
}

/// Whether zarr-python reads what the filters make: in version 3 it takes the bytes of an array
/// of single bytes for such, whatever filters made of them.
fn is_readable(spec: &ArraySpec, format: Format) -> bool {
    let first = Stage::new(spec.dtype.clone(), None);
    let filters = spec.codecs.iter().filter(|codec| codec.is_filter());
    let last = filters.fold(first, |stage, codec| codec::after(codec, &stage));
    let becomes_wider = last.dtype.has_byte_order() && !spec.dtype.has_byte_order();
    format == Format::ZarrV2 || !becomes_wider
}

/// Whether version `format` has the filter `codec`, as zarr-python knows it.
fn is_there(codec: &CodecSpec, spec: &ArraySpec, format: Format) -> bool {
    let is_v2 = format == Format::ZarrV2;
    match codec {
        CodecSpec::Transpose { order } => {
            !is_v2 || order.iter().copied().eq((0..spec.shape().len()).rev())
        }
        CodecSpec::ScaleOffset { .. } | CodecSpec::CastValue(_) => !is_v2,
        CodecSpec::PackBits(bits) => !is_v2 || *bits == PackBits::default(),
        CodecSpec::Categorize { .. } => is_v2,
        // zarr-python takes what it makes for the array's own type.
        CodecSpec::Quantize { decoded, encoded, .. } => is_v2 || decoded.dtype == encoded.dtype,
        other => other.is_filter(),
    }
}

fn codec_for(
    codec: &CodecSpec,
    spec: &ArraySpec,
    dtype: &DType,
    format: Format,
) -> Option<CodecSpec> {
    let is_v2 = format == Format::ZarrV2;
    match codec {
        CodecSpec::VlenUtf8
        | CodecSpec::VlenBytes
        | CodecSpec::VlenArray { .. }
        | CodecSpec::Json { .. }
        | CodecSpec::MessagePack { .. } => None,
        CodecSpec::ByteOrder(_) | CodecSpec::Shuffle { .. } if dtype.has_heap() => None,
        CodecSpec::ByteOrder(Endian::Big) if !is_v2 && matches!(dtype, DType::Struct(_)) => {
            Some(CodecSpec::ByteOrder(Endian::Little))
        }
        CodecSpec::Shuffle { item_size } if *item_size == spec.dtype.item_size() => {
            Some(CodecSpec::Shuffle { item_size: dtype.item_size() })
        }
        CodecSpec::Zlib { level } if !is_v2 => Some(CodecSpec::Gzip { level: *level }),
        CodecSpec::Lz4Hdf5 { .. } => Some(CodecSpec::Lz4 { acceleration: 1 }),
        CodecSpec::Blosc2(blosc) => Some(CodecSpec::Blosc(Blosc {
            compressor: blosc.compressor,
            level: blosc.level,
            shuffle: blosc.shuffle,
            item_size: blosc.item_size,
            block_len_bytes: 0,
        })),
        codec if is_member_order(codec) => None,
        CodecSpec::ByteOrder(_) | CodecSpec::Crc32c => Some(codec.clone()),
        // What numcodecs has, both versions have but for what zarr-python leaves out.
        CodecSpec::Custom(_) if !is_v2 => Some(DEFAULT_CODEC),
        codec if numcodecs::settings(codec, &Stage::bytes()).is_some() => Some(codec.clone()),
        _ => Some(DEFAULT_CODEC),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use std::sync::Arc;
    use stook_core::Extent;
    use stook_core::codec::{CastValue, Rounding, StoredNumber, Szip};
    use stook_core::dtype::{ArrayType, EnumType, Field, StructType};

    use super::*;
    use crate::layout;

    #[test]
    fn contiguous_arrays_get_chunks_of_rows() {
        let chunks = |shape: &[u64], dtype| {
            let spec = ArraySpec { contiguous: true, ..ArraySpec::new(dtype, shape) };
            let adapted = array(&spec, Format::ZarrV3).unwrap();
            assert!(adapted.losses.is_empty());
            assert_eq!(adapted.value.codecs.last(), Some(&DEFAULT_CODEC));
            assert!(layout::print(&adapted.value, Format::ZarrV3).is_ok());
            adapted.value.grid.regular_shape().unwrap().to_vec()
        };
        assert_eq!(chunks(&[1000, 1000], DType::Float64), [262, 1000]);
        assert_eq!(chunks(&[2, 3, 1 << 30], DType::UInt8), [1, 1, 2 << 20]);
        assert_eq!(chunks(&[0, 7], DType::UInt8), [1, 7]);
        assert!(chunks(&[], DType::UInt8).is_empty());
        assert_eq!(chunks(&[1 << 20], DType::string()), [1 << 15]);
    }

    #[test]
    fn what_hdf5_has_and_zarr_lacks_is_replaced_and_told() {
        let base = EnumType { base: DType::Int16, members: vec![("a".to_owned(), 1)] };
        let fields = vec![
            Field { name: "e".to_owned(), dtype: DType::Enum(Arc::new(base)), offset: 2 },
            Field { name: "b".to_owned(), dtype: DType::Bitfield(4), offset: 8 },
        ];
        let padded = DType::Struct(Arc::new(StructType { fields, size: 16 }));
        let items = (0..16).collect();
        let mut spec = ArraySpec::new(padded.clone(), vec![10]);
        spec.fill_value = Some(Values::new(padded, vec![], items, vec![]).unwrap());
        spec.codecs = vec![
            CodecSpec::Shuffle { item_size: 16 },
            CodecSpec::Zlib { level: 4 },
            CodecSpec::Fletcher32,
        ];
        let adapted = array(&spec, Format::ZarrV3).unwrap();
        assert_eq!(adapted.value.dtype.to_string(), "{e: enum[int16: a=1], b: bitfield32}");
        let printed = layout::print(&adapted.value, Format::ZarrV3).unwrap().array;
        let fields = &printed["data_type"]["configuration"]["fields"];
        assert_eq!(*fields, serde_json::json!([["e", "int16"], ["b", "uint32"]]));
        let limits = stook_core::Limits::default();
        let read = layout::parse_v3(&stook_core::NodePath::root(), &printed, &limits).unwrap();
        assert_eq!(read.spec.dtype, adapted.value.dtype);
        assert_eq!(adapted.value.fill_value.as_ref().unwrap().items(), [2, 3, 8, 9, 10, 11]);
        assert_eq!(adapted.value.codecs[0], CodecSpec::Shuffle { item_size: 6 });
        assert_eq!(adapted.value.codecs[1], CodecSpec::Gzip { level: 4 });
        let told: Vec<_> = adapted.losses.iter().map(|loss| loss.what.as_str()).collect();
        assert!(told.contains(&"codec zlib"), "{told:?}");
        assert_eq!(array(&adapted.value, Format::ZarrV3).unwrap().losses, []);
        let v2 = array(&spec, Format::ZarrV2).unwrap();
        assert_eq!(v2.value.dtype, adapted.value.dtype);
        assert_eq!(v2.value.codecs[1], CodecSpec::Zlib { level: 4 });
        let printed = layout::print(&v2.value, Format::ZarrV2).unwrap().array;
        assert_eq!(printed["dtype"], serde_json::json!([["e", "<i2"], ["b", "<u4"]]));
        assert_eq!(printed["_stook"]["dtype"]["name"], "packed_struct");
    }

    /// Prints `spec` and parses it again.
    fn again(spec: &ArraySpec, format: Format) -> ArraySpec {
        let adapted = array(spec, format).unwrap();
        assert_eq!(adapted.losses, [], "{spec:?}");
        let printed = layout::print(&adapted.value, format).unwrap().array;
        let (root, limits) = (stook_core::NodePath::root(), stook_core::Limits::default());
        let parsed = match format {
            Format::ZarrV2 => layout::parse_v2(&root, &printed, &Map::new(), &limits),
            _ => layout::parse_v3(&root, &printed, &limits),
        };
        parsed.unwrap().spec
    }

    #[test]
    fn what_has_no_name_in_zarr_is_known_again() {
        let sequence = DType::Sequence(Arc::new(DType::Int16));
        let field = |name: &str, dtype, offset| Field { name: name.to_owned(), dtype, offset };
        let fields = vec![field("t", DType::string(), 0), field("s", sequence.clone(), 24)];
        let text = DType::Struct(Arc::new(StructType { fields, size: 48 }));
        let array_type = ArrayType { item: DType::Float32, shape: vec![2] };
        let pair = DType::Array(Arc::new(array_type));
        let dtypes =
            [text.clone(), sequence, pair, DType::LongDouble, DType::BFloat16, DType::Bitfield(3)];
        for (dtype, format) in
            dtypes.iter().flat_map(|dtype| [(dtype, Format::ZarrV2), (dtype, Format::ZarrV3)])
        {
            let spec = ArraySpec::new(dtype.clone(), vec![4]);
            assert_eq!(again(&spec, format).dtype, *dtype);
            let null = ArraySpec { extent: Extent::Null, ..ArraySpec::new(dtype.clone(), []) };
            let null = again(&null, format);
            assert_eq!((null.extent, null.dtype), (Extent::Null, dtype.clone()));
        }
        let mut big = ArraySpec { extent: Extent::Null, ..ArraySpec::new(DType::Float64, []) };
        big.codecs = vec![CodecSpec::ByteOrder(Endian::Big)];
        assert_eq!(again(&big, Format::ZarrV3).extent, Extent::Null);
        let (mut items, mut heap) = (vec![0; 48], Vec::new());
        let mut item = Vec::new();
        push_heap_item(&mut item, &mut heap, "né".as_bytes());
        items[..16].copy_from_slice(&item);
        let fill = Values::new(text.clone(), Vec::new(), items, heap).unwrap();
        let spec = ArraySpec { fill_value: Some(fill.clone()), ..ArraySpec::new(text, vec![4]) };
        for format in [Format::ZarrV2, Format::ZarrV3] {
            assert_eq!(again(&spec, format).fill_value.as_ref(), Some(&fill));
        }
    }

    #[test]
    fn strings_get_the_codec_that_stores_them() {
        let mut spec = ArraySpec::new(DType::Reference, vec![4]);
        spec.codecs = vec![CodecSpec::Shuffle { item_size: 16 }, CodecSpec::Lzf];
        let adapted = array(&spec, Format::ZarrV2).unwrap();
        assert_eq!(adapted.value.dtype, DType::Reference);
        assert_eq!(adapted.value.codecs, [CodecSpec::VlenUtf8, DEFAULT_CODEC]);
        assert_eq!(adapted.losses.len(), 2);
    }

    #[test]
    fn a_type_stays_behind_codecs_of_bytes() {
        let base64 = serde_json::json!({"id": "base64"});
        let base64 = numcodecs::parse(&base64, &Stage::bytes()).unwrap();
        let codecs = vec![base64, DEFAULT_CODEC];
        let spec = ArraySpec { codecs, ..ArraySpec::new(DType::Bitfield(2), vec![4]) };
        assert_eq!(again(&spec, Format::ZarrV2).dtype, DType::Bitfield(2));
    }

    #[test]
    fn a_type_beyond_the_limits_is_refused() {
        let spec = ArraySpec::new(DType::Sequence(Arc::new(DType::Int16)), vec![4]);
        let adapted = array(&spec, Format::ZarrV3).unwrap().value;
        let mut doc = layout::print(&adapted, Format::ZarrV3).unwrap().array;
        let sequence = doc["stook"]["dtype"].clone();
        let huge = serde_json::json!({"item": sequence, "shape": [1_u64 << 40]});
        doc["stook"]["dtype"] = serde_json::json!({"name": "array", "configuration": huge});
        let limits = stook_core::Limits::default();
        let error = layout::parse_v3(&stook_core::NodePath::root(), &doc, &limits).unwrap_err();
        assert_eq!(error.kind(), stook_core::ErrorKind::LimitExceeded);
        assert!(error.message().contains("chunk"), "{}", error.message());
    }

    #[test]
    fn filters_stay_together_or_go_together() {
        let number = |dtype| StoredNumber { dtype, endian: Endian::Little };
        let mut spec = ArraySpec::new(DType::Float64, vec![4]);
        let delta =
            CodecSpec::Delta { decoded: number(DType::Int16), encoded: number(DType::Int16) };
        let as_type =
            CodecSpec::AsType { decoded: number(DType::Float64), encoded: number(DType::Int16) };
        let order = CodecSpec::ByteOrder(Endian::Little);
        let bzip2 = CodecSpec::Bzip2 { level: 1 };
        spec.codecs = vec![order.clone(), as_type, delta.clone(), bzip2.clone()];
        for format in [Format::ZarrV2, Format::ZarrV3] {
            let adapted = array(&spec, format).unwrap();
            assert_eq!((adapted.value.codecs, adapted.losses.len()), (spec.codecs.clone(), 0));
        }
        let dtype = DType::Int16;
        let (rounding, out_of_range) = (Rounding::default(), None);
        let (encode, decode) = (Vec::new(), Vec::new());
        let cast = CastValue { dtype, rounding, out_of_range, encode, decode };
        let szip =
            Szip { options: 0, pixels_per_block: 8, bits_per_pixel: 8, pixels_per_scanline: 8 };
        let szip = CodecSpec::Szip(szip);
        spec.codecs = vec![CodecSpec::CastValue(cast), delta, order.clone(), szip.clone(), szip];
        let adapted = array(&spec, Format::ZarrV2).unwrap();
        assert_eq!(adapted.value.codecs, [order, DEFAULT_CODEC]);
        assert_eq!(adapted.losses.len(), 4);
        assert_eq!(array(&spec, Format::ZarrV3).unwrap().value.codecs.len(), 4);
    }
}
