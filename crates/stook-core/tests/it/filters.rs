//! Codecs of numbers on what numcodecs encoded and decoded, and on bytes that are neither.

#![expect(clippy::unwrap_used, reason = "what a fixture lacks is a bug of its generator")]

use std::sync::Arc;

use serde_json::Value;
use stook_core::codec::{
    CastValue, Codec, CodecSpec, Endian, HeapCodec, OutOfRange, PackBits, Pcodec, Rounding, Stage,
    Step, StoredNumber, Zfp,
};
use stook_core::values::Values;
use stook_core::{DType, Limits, Scratch, codec};
use stook_testkit::random::Random;

struct Case {
    spec: CodecSpec,
    stage: Stage,
    raw: Vec<u8>,
    encoded: Vec<u8>,
    decoded: Vec<u8>,
}

/// The cases of numcodecs' codec `id` on items of fixed size; see
/// `tests/fixtures/filters/generate.py`.
fn cases(id: &str) -> Vec<Case> {
    let cases = written(id).into_iter().filter(|case| case["raw"].is_string());
    let cases: Vec<Case> = cases.map(|written| case(&written)).collect();
    assert!(!cases.is_empty(), "no case of {id}");
    cases
}

fn written(id: &str) -> Vec<Value> {
    let all = include_str!("../fixtures/filters/cases.json");
    let mut all: Vec<Value> = serde_json::from_str(all).unwrap();
    all.retain(|case| case["codec"]["id"] == id);
    all
}

fn case(case: &Value) -> Case {
    let number = number(&case["dtype"]);
    let shape = shape(case);
    Case {
        spec: spec(&case["codec"]),
        stage: Stage { dtype: number.dtype, endian: number.endian, shape: Some(shape) },
        raw: bytes(&case["raw"]),
        encoded: bytes(&case["encoded"]),
        decoded: bytes(&case["decoded"]),
    }
}

fn shape(case: &Value) -> Vec<u64> {
    case["shape"].as_array().unwrap().iter().map(|len| len.as_u64().unwrap()).collect()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn number(text: &Value) -> StoredNumber {
    let text = text.as_str().unwrap();
    let endian = if text.starts_with('>') { Endian::Big } else { Endian::Little };
    StoredNumber { dtype: text.parse().unwrap(), endian }
}

/// The codec that numcodecs' configuration means.
fn spec(config: &Value) -> CodecSpec {
    let factor = |name: &str| config[name].as_number().unwrap().clone();
    let (decoded, encoded) = (|| number(&config["dtype"]), || number(&config["astype"]));
    match config["id"].as_str().unwrap() {
        "delta" => CodecSpec::Delta { decoded: decoded(), encoded: encoded() },
        "fixedscaleoffset" => CodecSpec::FixedScaleOffset {
            offset: factor("offset"),
            scale: factor("scale"),
            decoded: decoded(),
            encoded: encoded(),
        },
        "quantize" => CodecSpec::Quantize {
            digits: i32::try_from(config["digits"].as_i64().unwrap()).unwrap(),
            decoded: decoded(),
            encoded: encoded(),
        },
        "bitround" => CodecSpec::BitRound {
            keep_bits: u32::try_from(config["keepbits"].as_u64().unwrap()).unwrap(),
        },
        "astype" => CodecSpec::AsType {
            decoded: number(&config["decode_dtype"]),
            encoded: number(&config["encode_dtype"]),
        },
        "json2" => CodecSpec::Json { configuration: config.clone() },
        "msgpack2" => CodecSpec::MessagePack { configuration: config.clone() },
        "packbits" => CodecSpec::PackBits(PackBits::default()),
        "categorize" => {
            CodecSpec::Categorize { labels: texts(&config["labels"]), encoded: encoded() }
        }
        "pcodec" => {
            let mut settings = config.as_object().unwrap().clone();
            settings.retain(|name, _| name != "id" && name != "level");
            let level = u32::try_from(config["level"].as_u64().unwrap()).unwrap();
            CodecSpec::Pcodec(Pcodec { level, settings })
        }
        "zfpy" => CodecSpec::Zfp(Zfp {
            mode: u32::try_from(config["mode"].as_u64().unwrap()).unwrap(),
            tolerance: config["tolerance"].as_f64().unwrap(),
            rate: config["rate"].as_f64().unwrap(),
            precision: i32::try_from(config["precision"].as_i64().unwrap()).unwrap(),
        }),
        other => panic!("no spec for {other}"),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn build(spec: &CodecSpec, stage: &Stage) -> Arc<dyn Codec> {
    match codec::build(spec, stage).expect("the configuration is valid").0 {
        Step::Codec(codec) => codec,
        other => panic!("{spec:?} is no codec of bytes: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encode(codec: &dyn Codec, raw: &[u8]) -> Vec<u8> {
    let mut out = b"kept".to_vec();
    codec.encode_into(raw, &mut out, &mut Scratch::new()).expect("it is encoded");
    out.strip_prefix(b"kept").expect("the encoding is appended").to_vec()
}

fn decode(codec: &dyn Codec, encoded: &[u8], room: usize) -> Vec<u8> {
    let mut out = vec![0xEE; room];
    let n = codec.decode_into(encoded, &mut out, &mut Scratch::new()).expect("it is decoded");
    out.truncate(n);
    out
}

/// Both ways as numcodecs, and any bytes without a panic.
fn check(id: &str) {
    cases(id).into_iter().for_each(check_case);
}

fn check_case(Case { spec, stage, raw, encoded, decoded }: Case) {
    let codec = build(&spec, &stage);
    let what = format!("{spec:?} of {stage:?}: {}", hex(&raw));
    assert_eq!(hex(&encode(&*codec, &raw)), hex(&encoded), "encoding {what}");
    for room in [decoded.len(), decoded.len() + 100] {
        assert_eq!(hex(&decode(&*codec, &encoded, room)), hex(&decoded), "decoding {what}");
    }
    assert!(encoded.len() <= codec.encoded_bound(raw.len()), "{what}");
    if codec.has_fixed_len() {
        assert_eq!(encoded.len(), codec.encoded_bound(raw.len()), "{what}");
    }
    if let Some(len) = codec.decoded_len(&encoded) {
        assert_eq!(len, decoded.len() as u64, "{what}");
    }
    check_hostile(&*codec, &encoded, decoded.len());
}

/// Truncated, flipped, too long and random bytes give an error or data that has room.
fn check_hostile(codec: &dyn Codec, encoded: &[u8], room: usize) {
    let (mut out, mut scratch, mut random) = (vec![0; room], Scratch::new(), Random::new(7));
    let mut any = |bytes: &[u8], room: usize| {
        if let Ok(n) = codec.decode_into(bytes, &mut out[..room], &mut scratch) {
            assert!(n <= room);
        }
    };
    (0..encoded.len()).for_each(|len| any(&encoded[..len], room));
    for bit in 0..encoded.len() * 8 {
        let mut flipped = encoded.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        any(&flipped, room);
    }
    any(encoded, room.saturating_sub(1));
    any(&[encoded, encoded].concat(), room);
    (0..40).for_each(|_| any(&random.bytes(300), room));
}

#[test]
fn filters_of_numbers_do_as_numcodecs() {
    ["delta", "fixedscaleoffset", "quantize", "bitround", "astype"].iter().for_each(|id| check(id));
}

/// What is longer than a block is one run of numbers.
#[test]
fn delta_goes_on_from_block_to_block() {
    let stage = Stage::new(DType::Int32, None);
    let stored = |dtype, endian| StoredNumber { dtype, endian };
    let decoded = stored(DType::Int32, Endian::Little);
    for encoded in [decoded.clone(), stored(DType::Int8, Endian::Big)] {
        let codec = build(&CodecSpec::Delta { decoded: decoded.clone(), encoded }, &stage);
        let raw: Vec<u8> = (0..5000_u32).flat_map(|i| (i / 3).to_le_bytes()).collect();
        let encoded = encode(&*codec, &raw);
        let size = encoded.len() / 5000;
        assert!(encoded[size..].chunks(size).all(|item| item.iter().all(|&byte| byte < 2)));
        assert!(decode(&*codec, &encoded, raw.len()) == raw);
    }
}

#[test]
fn packed_and_compressed_numbers_are_those_of_numcodecs() {
    ["packbits", "categorize", "pcodec", "zfpy"].iter().for_each(|id| check(id));
}

#[test]
fn objects_are_encoded_and_decoded_as_numcodecs_does() {
    ["categorize", "json2", "msgpack2"].iter().for_each(|id| check_objects(id));
    ["json2", "msgpack2"].iter().for_each(|id| check(id));
}

/// Texts of variable length.
fn check_objects(id: &str) {
    let cases = written(id).into_iter().filter(|case| case["raw"].is_array());
    for case in cases {
        let (raw, decoded) = (texts(&case["raw"]), texts(&case["decoded"]));
        let values = Values::from_strings(vec![raw.len() as u64], &raw).unwrap();
        let expected = Values::from_strings(vec![decoded.len() as u64], &decoded).unwrap();
        let stage = Stage::new(DType::string(), Some(shape(&case)));
        let codec = match codec::build(&spec(&case["codec"]), &stage).unwrap().0 {
            Step::Heap(codec) => codec,
            other => panic!("{other:?} is no codec of objects"),
        };
        let mut encoded = b"kept".to_vec();
        codec.encode_into(values.items(), values.heap(), &mut encoded).unwrap();
        assert_eq!(hex(&encoded[4..]), hex(&bytes(&case["encoded"])), "{case}");
        let (items, heap) = decode_objects(&*codec, &encoded[4..], raw.len()).unwrap();
        let found = Values::new(DType::string(), vec![raw.len() as u64], items, heap).unwrap();
        assert_eq!(found, expected, "{case}");
        for len in 4..encoded.len() {
            let _ = decode_objects(&*codec, &encoded[4..len], raw.len());
        }
        assert!(decode_objects(&*codec, &encoded[4..], raw.len() + 1).is_err());
    }
}

fn decode_objects(
    codec: &dyn HeapCodec,
    encoded: &[u8],
    n: usize,
) -> stook_core::Result<(Vec<u8>, Vec<u8>)> {
    let (mut items, mut heap) = (vec![0; n * 16], b"before".to_vec());
    codec.decode_into(encoded, &mut items, &mut heap, &Limits::default())?;
    Ok((items, heap))
}

/// The cases of HDF5's filter `id`; see `tests/fixtures/filters/generate_hdf5.py`.
fn hdf5_cases(id: &str) -> Vec<Case> {
    let all: Value =
        serde_json::from_str(include_str!("../fixtures/filters/hdf5_cases.json")).unwrap();
    let cases = all.as_array().unwrap().iter().filter(|case| case["codec"]["id"] == id);
    let cases = cases.map(|case| {
        let values = case["codec"]["values"].as_array().unwrap().iter();
        let values = values.map(|value| u32::try_from(value.as_u64().unwrap()).unwrap()).collect();
        Case {
            spec: match id {
                "nbit" => CodecSpec::NBit { values },
                "scaleoffset" => CodecSpec::ScaleOffsetHdf5 { values },
                _ => CodecSpec::ZfpHdf5 { values },
            },
            stage: Stage::bytes(),
            raw: bytes(&case["raw"]),
            encoded: bytes(&case["encoded"]),
            decoded: bytes(&case["decoded"]),
        }
    });
    cases.collect()
}

#[test]
fn filters_of_hdf5_do_as_the_library() {
    for id in ["nbit", "scaleoffset", "zfp"] {
        let cases = hdf5_cases(id);
        assert!(!cases.is_empty(), "no case of {id}");
        cases.into_iter().for_each(check_case);
    }
}

/// The cases of `cast_value`; see `tests/fixtures/filters/generate_cast.py`.
#[test]
fn values_are_cast_as_cast_value_rs_casts_them() {
    let all = include_str!("../fixtures/filters/cast_cases.json");
    let all: Vec<Vec<Value>> = serde_json::from_str(all).unwrap();
    for case in all {
        let [from, to, rounding, out_of_range, pairs, raw, cast] = case.try_into().unwrap();
        let what = format!("{from} to {to}, {rounding}, {out_of_range}, {pairs}: {raw}");
        let (from, to) = (number(&from).dtype, number(&to).dtype);
        let scalar = |dtype: &DType, hex: &Value| {
            Values::new(dtype.clone(), Vec::new(), bytes(hex), Vec::new()).unwrap()
        };
        let pairs = pairs.as_array().unwrap().iter();
        let config = CastValue {
            dtype: to.clone(),
            rounding: match rounding.as_str().unwrap() {
                "towards-zero" => Rounding::TowardsZero,
                "towards-positive" => Rounding::TowardsPositive,
                "towards-negative" => Rounding::TowardsNegative,
                "nearest-away" => Rounding::NearestAway,
                _ => Rounding::NearestEven,
            },
            out_of_range: match out_of_range.as_str() {
                Some("clamp") => Some(OutOfRange::Clamp),
                Some(_) => Some(OutOfRange::Wrap),
                None => None,
            },
            encode: pairs.map(|pair| (scalar(&from, &pair[0]), scalar(&to, &pair[1]))).collect(),
            decode: Vec::new(),
        };
        let codec = build(&CodecSpec::CastValue(config), &Stage::new(from, None));
        let mut out = Vec::new();
        let done = codec.encode_into(&bytes(&raw), &mut out, &mut Scratch::new());
        match cast.as_str() {
            Some(_) => {
                done.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(hex(&out), hex(&bytes(&cast)), "{what}");
            }
            None => assert!(done.is_err(), "{what}: {}", hex(&out)),
        }
        check_hostile(&*codec, &bytes(&raw), raw.as_str().unwrap().len());
    }
}
