//! A codec on buffers, as numcodecs has it.

use std::sync::{Arc, Mutex, PoisonError};

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use serde_json::{Value, json};
use stook::codec::{Endian, StoredNumber};
use stook::dtype::HEAP_ITEM_LEN;
use stook::{BufferCodec, CodecSpec, DType, Error, Values};

use crate::attributes::{json_of, json_to_python};
use crate::codecs::one;
use crate::dtype::{from_numpy, from_python, to_numpy};
use crate::enter::{enter, invalid, raise};
use crate::memory::{numpy, shortened, uninitialized_bytes};
use crate::values;

/// So many item types are kept ready.
const KEPT: usize = 4;

/// A codec for items of a type.
struct Ready {
    of: DType,
    codec: BufferCodec,
    /// The dtype of what it decodes to, where numbers come out of it, and of what it decodes to
    /// without a change.
    decoded: Option<Py<PyAny>>,
    undecoded: Option<(usize, Py<PyAny>)>,
}

/// A codec that encodes and decodes buffers.
#[pyclass(frozen, subclass, module = "stook._stook")]
pub(crate) struct Codec {
    config: Value,
    dtype: Option<DType>,
    ready: Mutex<Vec<Arc<Ready>>>,
}

#[pymethods]
impl Codec {
    #[new]
    #[pyo3(signature = (config, dtype=None))]
    fn new(config: &Bound<'_, PyAny>, dtype: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let dtype = dtype.map(from_python).transpose()?;
        let codec = Self { config: json_of(config)?, dtype, ready: Mutex::default() };
        // What is wrong is said here, and not at the first buffer, unless that depends on it.
        let spec = one(&codec.config, codec.dtype.as_ref().unwrap_or(&DType::UInt8));
        let spec = spec.map_err(|error| raise(config.py(), &error))?;
        if codec.dtype.is_some() || !depends_on_items(&spec) {
            codec.ready(config.py(), &DType::UInt8)?;
        }
        Ok(codec)
    }

    /// The configuration as it was given.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_to_python(py, &self.config)
    }

    /// The dtype of the items, if it was given.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.dtype.as_ref().map(|dtype| to_numpy(py, dtype)).transpose()
    }

    /// The encoding of a buffer.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        buf: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let array = buf.cast::<PyUntypedArray>();
        let found = match (&self.dtype, array) {
            (Some(dtype), _) => dtype.clone(),
            (None, Ok(array)) => type_of_items(array)?,
            (None, Err(_)) => DType::UInt8,
        };
        let ready = self.ready(py, &found)?;
        let codec = &ready.codec;
        let encoded = if codec.has_heap() {
            let of = if found.has_heap() { found } else { DType::string() };
            let array = numpy(py, "asarray")?.call1((buf, "O"))?;
            let items = values::from_array(&of, &array)?;
            enter(py, || codec.encode(items.items(), items.heap()))?
        } else {
            let bytes = Bytes::of(buf)?;
            // Where the length is known, straight to where it stays.
            if let Some(len) = codec.encoded_len(bytes.len) {
                let (encoded, memory) = uninitialized_bytes(py, len)?;
                enter(py, || codec.encode_to(bytes.as_slice(), memory))?;
                return Ok(encoded);
            }
            if let Some(room) = codec.encode_room(bytes.len) {
                let (encoded, memory) = uninitialized_bytes(py, room)?;
                let len = enter(py, || codec.encode_within(bytes.as_slice(), memory))?;
                return shortened(encoded, len);
            }
            enter(py, || codec.encode(bytes.as_slice(), &[]))?
        };
        Ok(PyBytes::new(py, &encoded))
    }

    /// What a buffer decodes to: new bytes, an array of the items where the codec says what they
    /// are, or `out`. The array lies in `buf` where decoding changes nothing, or only cuts.
    #[pyo3(signature = (buf, out=None))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        buf: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let encoded = Bytes::of(buf)?;
        let ready = self.ready_to_decode(py, encoded.as_slice())?;
        let codec = &ready.codec;
        if codec.has_heap() {
            return decode_objects(py, codec, ready.of.clone(), encoded.as_slice(), out);
        }
        if let Some(out) = out {
            let mut target = Bytes::writable(out)?;
            let expected = target.len;
            let n = if target.overlaps(&encoded) {
                let encoded = encoded.as_slice().to_vec();
                enter(py, || codec.decode_into(&encoded, target.as_mut_slice()))?
            } else {
                enter(py, || codec.decode_into(encoded.as_slice(), target.as_mut_slice()))?
            };
            if n != expected {
                let message = format!("out: expected {n} bytes, found {expected}");
                return Err(invalid(py, message));
            }
            return Ok(out.clone());
        }
        let is_in_order =
            buf.cast::<PyUntypedArray>().map_or(true, |array| array.is_c_contiguous());
        if let Some((item_size, dtype)) = &ready.undecoded
            && encoded.len > 0
            && encoded.len.is_multiple_of(*item_size)
            && is_in_order
        {
            return numpy(py, "frombuffer")?.call1((buf, dtype));
        }
        if is_in_order
            && let Some(part) = enter(py, || codec.decoded_part(encoded.as_slice()))?
            && !part.is_empty()
        {
            return numpy(py, "frombuffer")?.call1((buf, "u1", part.len(), part.start));
        }
        let stated = codec.decoded_len(encoded.as_slice()).map_err(|error| raise(py, &error))?;
        let bytes = match stated {
            Some(len) => {
                let (bytes, memory) = uninitialized_bytes(py, len)?;
                let n = enter(py, || codec.decode_into(encoded.as_slice(), memory))?;
                if n == len {
                    bytes
                } else {
                    PyBytes::new(py, bytes.as_bytes().get(..n).unwrap_or_default())
                }
            }
            None => PyBytes::new(py, &enter(py, || codec.decode(encoded.as_slice()))?),
        };
        match &ready.decoded {
            Some(dtype) => numpy(py, "frombuffer")?.call1((bytes, dtype)),
            None => Ok(bytes.into_any()),
        }
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.config == other.config && self.dtype == other.dtype
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, codec) = (slf.py(), slf.get());
        let arguments = (codec.config(py)?, codec.dtype(py)?).into_pyobject(py)?;
        (slf.get_type(), arguments).into_pyobject(py)
    }
}

impl Codec {
    /// The codec for what `encoded` holds, where no dtype was given.
    fn ready_to_decode(&self, py: Python<'_>, encoded: &[u8]) -> PyResult<Arc<Ready>> {
        const NUMBERS: [DType; 10] = [
            DType::Float64,
            DType::Float32,
            DType::Int64,
            DType::Int32,
            DType::UInt64,
            DType::UInt32,
            DType::Int16,
            DType::UInt16,
            DType::Int8,
            DType::UInt8,
        ];
        if let Some(dtype) = &self.dtype {
            return self.ready(py, dtype);
        }
        let spec = one(&self.config, &DType::UInt8).map_err(|error| raise(py, &error))?;
        match spec {
            CodecSpec::PackBits(_) => self.ready(py, &DType::Bool),
            // Of these the encoding says the type of its numbers, and refuses any other.
            CodecSpec::Pcodec(_) | CodecSpec::Zfp(_) => {
                let mut failure = None;
                for dtype in &NUMBERS {
                    match self.ready(py, dtype) {
                        Ok(ready) if ready.codec.decode(encoded).is_ok() => return Ok(ready),
                        Ok(ready) => failure = Some(Ok(ready)),
                        Err(error) => failure = failure.or(Some(Err(error))),
                    }
                }
                failure.unwrap_or_else(|| self.ready(py, &DType::UInt8))
            }
            // It decodes to what it encoded, whatever that is.
            CodecSpec::BitRound { .. } => {
                let of_any = Ready::new(py, &self.config, &DType::Float32)?;
                Ok(Arc::new(Ready { of: DType::UInt8, decoded: None, undecoded: None, ..of_any }))
            }
            _ => self.ready(py, &DType::UInt8),
        }
    }

    /// The codec for items of `dtype`, or of the dtype that was given for all.
    fn ready(&self, py: Python<'_>, dtype: &DType) -> PyResult<Arc<Ready>> {
        let dtype = self.dtype.as_ref().unwrap_or(dtype);
        let mut all = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.iter().find(|ready| ready.of == *dtype) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(Ready::new(py, &self.config, dtype)?);
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(Arc::clone(&made));
        Ok(made)
    }
}

impl Ready {
    fn new(py: Python<'_>, config: &Value, of: &DType) -> PyResult<Self> {
        let failed = |error: Error| raise(py, &error);
        let spec = one(config, of).map_err(failed)?;
        let items = if is_of_text(&spec) && !of.has_heap() { &DType::string() } else { of };
        let codec = BufferCodec::new(&spec, items).map_err(failed)?;
        let known = (*of != DType::UInt8).then_some(of);
        let decoded = decoded_dtype(py, &spec, known)?.map(Bound::unbind);
        let undecoded = undecoded_dtype(&spec, of)
            .and_then(|dtype| Some((dtype.item_size(), decoded.as_ref()?.clone_ref(py))));
        Ok(Self { of: of.clone(), codec, decoded, undecoded })
    }
}

/// Whether items are texts unless something else was said.
fn is_of_text(spec: &CodecSpec) -> bool {
    matches!(
        spec,
        CodecSpec::VlenUtf8
            | CodecSpec::VlenBytes
            | CodecSpec::Json { .. }
            | CodecSpec::MessagePack { .. }
    )
}

/// Whether a codec takes items of some types only.
fn depends_on_items(spec: &CodecSpec) -> bool {
    matches!(
        spec,
        CodecSpec::BitRound { .. }
            | CodecSpec::CastValue(_)
            | CodecSpec::Categorize { .. }
            | CodecSpec::PackBits(_)
            | CodecSpec::Pcodec(_)
            | CodecSpec::ScaleOffset { .. }
            | CodecSpec::VlenArray { .. }
            | CodecSpec::Zfp(_)
    )
}

/// The type of an array's items; of objects, text.
fn type_of_items(array: &Bound<'_, PyUntypedArray>) -> PyResult<DType> {
    let descr = array.dtype();
    if descr.getattr("kind")?.extract::<char>()? == 'O' && descr.getattr("metadata")?.is_none() {
        return Ok(DType::string());
    }
    from_numpy(&descr)
}

/// The dtype of what a codec decodes to, where numbers come out of it.
fn decoded_dtype<'py>(
    py: Python<'py>,
    spec: &CodecSpec,
    given: Option<&DType>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let number = |number: &StoredNumber| {
        let order = if number.endian == Endian::Big { ">" } else { "<" };
        to_numpy(py, &number.dtype)?.call_method1("newbyteorder", (order,)).map(Some)
    };
    match spec {
        CodecSpec::Delta { decoded, .. }
        | CodecSpec::FixedScaleOffset { decoded, .. }
        | CodecSpec::Quantize { decoded, .. }
        | CodecSpec::AsType { decoded, .. } => number(decoded),
        CodecSpec::PackBits(_) => to_numpy(py, &DType::Bool).map(Some),
        CodecSpec::BitRound { .. }
        | CodecSpec::Shuffle { .. }
        | CodecSpec::Pcodec(_)
        | CodecSpec::Zfp(_) => given.map(|dtype| to_numpy(py, dtype)).transpose(),
        _ => Ok(None),
    }
}

/// The type of the items of a codec that changes nothing as it decodes: an array refers to what
/// it is given instead of copying it.
fn undecoded_dtype<'a>(spec: &'a CodecSpec, given: &'a DType) -> Option<&'a DType> {
    match spec {
        CodecSpec::BitRound { .. } if *given != DType::UInt8 => Some(given),
        CodecSpec::Quantize { decoded, encoded, .. } if decoded == encoded => Some(&decoded.dtype),
        _ => None,
    }
}

/// Objects: how many there are is said by their encoding, or by `out`.
fn decode_objects<'py>(
    py: Python<'py>,
    codec: &BufferCodec,
    given: DType,
    encoded: &[u8],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = if given.has_heap() { given } else { DType::string() };
    let shape: Vec<u64> = match out {
        Some(out) => out.getattr("shape")?.extract()?,
        None => vec![codec.n_items(encoded).unwrap_or(0) as u64],
    };
    let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    // Each item takes some bytes of the encoding.
    let n = n.and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= encoded.len());
    let Some(n) = n else {
        let message = format!("expected items of shape {shape:?}, found {} bytes", encoded.len());
        return Err(raise(py, &Error::corrupt(message)));
    };
    let found = enter(py, || {
        let (mut items, mut heap) = (vec![0; n * HEAP_ITEM_LEN], Vec::new());
        codec.decode_heap(encoded, &mut items, &mut heap)?;
        Values::new(dtype, shape, items, heap)
    })?;
    let found = values::to_array(py, &found)?;
    let Some(out) = out else { return Ok(found) };
    numpy(py, "copyto")?.call1((out, found))?;
    Ok(out.clone())
}

/// The bytes of an object that lends its memory in one piece.
pub(crate) struct Bytes {
    at: *mut u8,
    len: usize,
    _keeper: Keeper,
}

enum Keeper {
    Array(#[expect(dead_code, reason = "keeps the memory")] Py<PyUntypedArray>),
    Buffer(#[expect(dead_code, reason = "keeps the memory")] PyUntypedBuffer),
}

// SAFETY: what is behind the pointer stays there while the keeper lives; who writes to it
// meanwhile changes bytes, as with all functions that release the GIL.
#[expect(unsafe_code, reason = "memory is lent as pointer and length")]
unsafe impl Send for Bytes {}
#[expect(unsafe_code, reason = "memory is lent as pointer and length")]
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Bytes {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        // Some dtypes of numpy (times, those of ml_dtypes) have memory, but no buffer.
        let array = match object.cast::<PyUntypedArray>() {
            Ok(array) => array.clone(),
            Err(_) => {
                if let Ok(buffer) = PyUntypedBuffer::get(object) {
                    return Self::of_buffer(py, buffer);
                }
                numpy(py, "asarray")?.call1((object,))?.cast_into()?
            }
        };
        if array.dtype().has_object() {
            return Err(invalid(py, "a buffer of objects has no bytes"));
        }
        let array = if array.is_contiguous() {
            array
        } else {
            numpy(py, "ascontiguousarray")?.call1((array,))?.cast_into()?
        };
        let len = array.len() * array.dtype().itemsize();
        // SAFETY: the pointer is that of a live array object.
        #[expect(unsafe_code, reason = "numpy has no safe way to the address of untyped memory")]
        let at = unsafe { (*array.as_array_ptr()).fields.data.cast() };
        Ok(Self { at, len, _keeper: Keeper::Array(array.unbind()) })
    }

    fn of_buffer(py: Python<'_>, buffer: PyUntypedBuffer) -> PyResult<Self> {
        if !buffer.is_c_contiguous() && !buffer.is_fortran_contiguous() {
            return Err(invalid(py, "the buffer does not lie in one piece"));
        }
        let (at, len) = (buffer.buf_ptr().cast(), buffer.len_bytes());
        Ok(Self { at, len, _keeper: Keeper::Buffer(buffer) })
    }

    fn writable(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(array) = object.cast::<PyUntypedArray>() {
            let is_writable = array.getattr("flags")?.getattr("writeable")?.extract::<bool>()?;
            if !is_writable || !array.is_contiguous() {
                return Err(invalid(py, "out: expected a writable array that lies in one piece"));
            }
            return Self::of(object);
        }
        let buffer = PyUntypedBuffer::get(object)?;
        if buffer.readonly() {
            return Err(invalid(py, "out: the buffer is not writable"));
        }
        Self::of_buffer(py, buffer)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (start, other_start) = (self.at.addr(), other.at.addr());
        start < other_start + other.len && other_start < start + self.len
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the keeper's memory has so many bytes.
        #[expect(unsafe_code, reason = "memory is lent as pointer and length")]
        unsafe {
            std::slice::from_raw_parts(self.at, self.len)
        }
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the keeper's memory has so many bytes and is writable.
        #[expect(unsafe_code, reason = "memory is lent as pointer and length")]
        unsafe {
            std::slice::from_raw_parts_mut(self.at, self.len)
        }
    }
}

/// The ids of numcodecs that there is a codec for.
#[pyfunction]
pub(crate) fn codec_ids() -> Vec<&'static str> {
    let plain = json!({});
    let number = json!({"dtype": "<f8"});
    let scaled = json!({"dtype": "<f8", "offset": 0, "scale": 1});
    let quantized = json!({"dtype": "<f8", "digits": 3});
    let converted = json!({"encode_dtype": "<f4", "decode_dtype": "<f8"});
    let sequences = json!({"dtype": "<i4"});
    let labels = json!({"dtype": "|O", "labels": ["a"]});
    let rounded = json!({"keepbits": 10});
    let zfp = json!({"mode": 4, "tolerance": 0.01});
    let candidates = [
        ("adler32", &plain),
        ("astype", &converted),
        ("bitround", &rounded),
        ("blosc", &plain),
        ("blosc2", &plain),
        ("bz2", &plain),
        ("categorize", &labels),
        ("crc32", &plain),
        ("crc32c", &plain),
        ("delta", &number),
        ("fixedscaleoffset", &scaled),
        ("fletcher32", &plain),
        ("gzip", &plain),
        ("jenkins_lookup3", &plain),
        ("json2", &plain),
        ("lz4", &plain),
        ("lzf", &plain),
        ("lzma", &plain),
        ("msgpack2", &plain),
        ("packbits", &plain),
        ("pcodec", &plain),
        ("quantize", &quantized),
        ("shuffle", &plain),
        ("vlen-array", &sequences),
        ("vlen-bytes", &plain),
        ("vlen-utf8", &plain),
        ("zfpy", &zfp),
        ("zlib", &plain),
        ("zstd", &plain),
    ];
    let is_there = |id: &str, settings: &Value| {
        let mut config = settings.clone();
        config["id"] = json!(id);
        let number = DType::Float64;
        let sequence = DType::Sequence(Arc::new(DType::Int32));
        let types = [number, DType::UInt8, DType::Bool, DType::string(), DType::Bytes, sequence];
        types.iter().any(|dtype| {
            one(&config, dtype).and_then(|spec| BufferCodec::new(&spec, dtype)).is_ok()
        })
    };
    let there = candidates.iter().filter(|(id, settings)| is_there(id, settings));
    there.map(|(id, _)| *id).collect()
}
