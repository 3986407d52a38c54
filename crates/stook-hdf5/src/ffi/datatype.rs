//! Datatypes: asking what they are, and making them.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};

use hdf5_metno_sys::h5::H5free_memory;
use hdf5_metno_sys::h5i::hid_t;
use hdf5_metno_sys::h5p::H5P_DEFAULT;
use hdf5_metno_sys::h5t::*;

use super::plist::link_creation;
use super::space::MAX_RANK;
use super::{Failure, File, Id, Result, c_string, call, check, lock};

/// The class of a datatype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Integer,
    Float,
    Time,
    String,
    Bitfield,
    Opaque,
    Compound,
    Reference,
    Enum,
    VariableLength,
    Array,
    Complex,
    Unknown,
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
    /// VAX, or something else that is neither.
    Other,
    /// A type without byte order.
    None,
}

/// How a string shorter than its field is filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringPadding {
    NullTerminated,
    Null,
    Space,
}

/// Where the bits of a float lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FloatLayout {
    /// Bytes.
    pub(crate) size: usize,
    /// Bits that mean something, and where they begin.
    pub(crate) precision: usize,
    pub(crate) offset: usize,
    /// Position of the sign bit; position and width of exponent and mantissa.
    pub(crate) sign_at: usize,
    pub(crate) exponent_at: usize,
    pub(crate) exponent_len: usize,
    pub(crate) mantissa_at: usize,
    pub(crate) mantissa_len: usize,
    /// What is subtracted from the exponent.
    pub(crate) bias: usize,
    /// Whether the mantissa has a leading one that is not stored.
    pub(crate) has_implied_bit: bool,
}

impl FloatLayout {
    const fn ieee(size: usize, exponent_len: usize, mantissa_len: usize) -> Self {
        Self {
            size,
            precision: size * 8,
            offset: 0,
            sign_at: size * 8 - 1,
            exponent_at: mantissa_len,
            exponent_len,
            mantissa_at: 0,
            mantissa_len,
            bias: (1 << (exponent_len - 1)) - 1,
            has_implied_bit: true,
        }
    }

    pub(crate) const F16: Self = Self::ieee(2, 5, 10);
    pub(crate) const BF16: Self = Self::ieee(2, 8, 7);
    pub(crate) const F32: Self = Self::ieee(4, 8, 23);
    pub(crate) const F64: Self = Self::ieee(8, 11, 52);
    pub(crate) const F8_E4M3: Self = Self::ieee(1, 4, 3);
    pub(crate) const F8_E5M2: Self = Self::ieee(1, 5, 2);
    /// x87 extended precision in 16 bytes.
    pub(crate) const X87: Self = Self {
        size: 16,
        precision: 80,
        offset: 0,
        sign_at: 79,
        exponent_at: 64,
        exponent_len: 15,
        mantissa_at: 0,
        mantissa_len: 64,
        bias: 16383,
        has_implied_bit: false,
    };
}

/// A member of a compound datatype.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) offset: usize,
    pub(crate) datatype: Datatype,
}

/// A datatype.
#[derive(Debug)]
pub(crate) struct Datatype {
    id: Id,
}

/// A call that returns a plain number with no way to say failure, under the lock.
macro_rules! ask {
    ($function:ident($($argument:expr),*)) => {{
        let _lock = lock();
        // SAFETY: the lock is held, the ids are valid and there are no pointers.
        unsafe { $function($($argument),*) }
    }};
}

impl Datatype {
    pub(super) fn owned(id: Id) -> Self {
        Self { id }
    }

    pub(super) fn id(&self) -> &Id {
        &self.id
    }

    /// A copy of one of the library's own types; it has ids only once it runs.
    fn copy_of(id: impl FnOnce() -> hid_t) -> Result<Self> {
        let _lock = lock();
        Ok(Self { id: Id::owned(call!("copy datatype", H5Tcopy(id()))?) })
    }

    /// Gives this type, which has none, a name in `file`, and creates the groups above it.
    pub(crate) fn commit(&self, file: &File, path: &CStr) -> Result<()> {
        let (file, lcpl) = (file.id().raw(), link_creation(path)?);
        call!(
            "named type",
            H5Tcommit2(file, path.as_ptr(), self.id.raw(), lcpl, H5P_DEFAULT, H5P_DEFAULT)
        )?;
        Ok(())
    }

    /// The class.
    pub(crate) fn class(&self) -> Class {
        match ask!(H5Tget_class(self.id.raw())) {
            H5T_INTEGER => Class::Integer,
            H5T_FLOAT => Class::Float,
            H5T_TIME => Class::Time,
            H5T_STRING => Class::String,
            H5T_BITFIELD => Class::Bitfield,
            H5T_OPAQUE => Class::Opaque,
            H5T_COMPOUND => Class::Compound,
            H5T_REFERENCE => Class::Reference,
            H5T_ENUM => Class::Enum,
            H5T_VLEN => Class::VariableLength,
            H5T_ARRAY => Class::Array,
            H5T_COMPLEX => Class::Complex,
            _ => Class::Unknown,
        }
    }

    /// Bytes of one item as the library holds it; 0 on failure.
    pub(crate) fn size(&self) -> usize {
        ask!(H5Tget_size(self.id.raw()))
    }

    /// The byte order of a number.
    pub(crate) fn order(&self) -> Order {
        match ask!(H5Tget_order(self.id.raw())) {
            H5T_ORDER_LE => Order::Little,
            H5T_ORDER_BE => Order::Big,
            H5T_ORDER_NONE => Order::None,
            _ => Order::Other,
        }
    }

    /// Whether an integer has a sign.
    pub(crate) fn is_signed(&self) -> bool {
        ask!(H5Tget_sign(self.id.raw())) == H5T_SGN_2
    }

    /// Bits that mean something, and where they begin.
    pub(crate) fn precision(&self) -> (usize, usize) {
        let offset = ask!(H5Tget_offset(self.id.raw()));
        (ask!(H5Tget_precision(self.id.raw())), usize::try_from(offset).unwrap_or(usize::MAX))
    }

    /// Where the bits of a float lie.
    pub(crate) fn float_layout(&self) -> Result<FloatLayout> {
        let _lock = lock();
        let id = self.id.raw();
        let (mut sign_at, mut exponent_at, mut exponent_len) = (0, 0, 0);
        let (mut mantissa_at, mut mantissa_len) = (0, 0);
        call!(
            "float fields",
            H5Tget_fields(
                id,
                &raw mut sign_at,
                &raw mut exponent_at,
                &raw mut exponent_len,
                &raw mut mantissa_at,
                &raw mut mantissa_len
            )
        )?;
        let (precision, offset) = self.precision();
        Ok(FloatLayout {
            size: self.size(),
            precision,
            offset,
            sign_at,
            exponent_at,
            exponent_len,
            mantissa_at,
            mantissa_len,
            bias: ask!(H5Tget_ebias(id)),
            has_implied_bit: ask!(H5Tget_norm(id)) == H5T_NORM_IMPLIED,
        })
    }

    /// Whether a string has UTF-8 by declaration.
    pub(crate) fn is_utf8(&self) -> bool {
        ask!(H5Tget_cset(self.id.raw())) == H5T_CSET_UTF8
    }

    /// Whether a string varies in length.
    pub(crate) fn is_variable_string(&self) -> Result<bool> {
        Ok(call!("string", H5Tis_variable_str(self.id.raw()))? > 0)
    }

    /// How a string is filled up.
    pub(crate) fn string_padding(&self) -> Result<StringPadding> {
        match ask!(H5Tget_strpad(self.id.raw())) {
            H5T_STR_NULLTERM => Ok(StringPadding::NullTerminated),
            H5T_STR_NULLPAD => Ok(StringPadding::Null),
            H5T_STR_SPACEPAD => Ok(StringPadding::Space),
            _ => Err(Failure::new("string", "the padding is of no known kind")),
        }
    }

    /// The tag of opaque bytes.
    pub(crate) fn tag(&self) -> Result<String> {
        let _lock = lock();
        // SAFETY: the id is valid; the text is the library's to be freed with its own allocator.
        let text = unsafe { take_text(H5Tget_tag(self.id.raw()), "tag")? };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The type that an enumeration, sequence, array or complex number is made of.
    pub(crate) fn base(&self) -> Result<Self> {
        Ok(Self { id: Id::owned(call!("base type", H5Tget_super(self.id.raw()))?) })
    }

    /// The shape of an array type.
    pub(crate) fn array_shape(&self) -> Result<Vec<u64>> {
        let _lock = lock();
        let mut shape = [0_u64; MAX_RANK];
        let rank = call!("array type", H5Tget_array_ndims(self.id.raw()))?;
        let rank = usize::try_from(rank).ok().filter(|&rank| rank <= MAX_RANK);
        let rank = rank.ok_or_else(|| Failure::new("array type", "more than 32 axes"))?;
        // The buffer holds the most axes there can be.
        call!("array type", H5Tget_array_dims2(self.id.raw(), shape.as_mut_ptr()))?;
        Ok(shape.get(..rank).unwrap_or(&[]).to_vec())
    }

    /// How many members a compound or enumeration has.
    fn n_members(&self) -> Result<c_uint> {
        let n = call!("members", H5Tget_nmembers(self.id.raw()))?;
        Ok(c_uint::try_from(n).unwrap_or(0))
    }

    fn member_name(&self, at: c_uint) -> Result<Vec<u8>> {
        let _lock = lock();
        // SAFETY: as in `tag`.
        unsafe { take_text(H5Tget_member_name(self.id.raw(), at), "member name") }
    }

    /// The members of a compound.
    pub(crate) fn members(&self) -> Result<Vec<Member>> {
        let _lock = lock();
        (0..self.n_members()?)
            .map(|at| {
                let datatype = call!("member", H5Tget_member_type(self.id.raw(), at))?;
                Ok(Member {
                    name: self.member_name(at)?,
                    offset: ask!(H5Tget_member_offset(self.id.raw(), at)),
                    datatype: Self { id: Id::owned(datatype) },
                })
            })
            .collect()
    }

    /// The names and values of an enumeration, values as the bytes of the base type as stored.
    pub(crate) fn enumerators(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let _lock = lock();
        let size = self.size();
        (0..self.n_members()?)
            .map(|at| {
                let mut value = vec![0_u8; size];
                // The library writes one item of this type.
                let to = value.as_mut_ptr().cast();
                call!("member value", H5Tget_member_value(self.id.raw(), at, to))?;
                Ok((self.member_name(at)?, value))
            })
            .collect()
    }

    /// Whether this refers to objects (and not to regions or attributes).
    pub(crate) fn is_object_reference(&self) -> Result<bool> {
        Ok(call!("compare datatypes", H5Tequal(self.id.raw(), *H5T_STD_REF_OBJ))? > 0)
    }

    /// Whether this is the old reference to a region of a dataset.
    pub(crate) fn is_region_reference(&self) -> Result<bool> {
        Ok(call!("compare datatypes", H5Tequal(self.id.raw(), *H5T_STD_REF_DSETREG))? > 0)
    }

    /// An integer of 1, 2, 4 or 8 bytes.
    pub(crate) fn integer(size: usize, is_signed: bool, is_big: bool) -> Result<Self> {
        let datatype = Self::copy_of(|| *H5T_STD_I8LE)?;
        let id = datatype.id.raw();
        call!("integer", H5Tset_size(id, size))?;
        call!("integer", H5Tset_precision(id, size * 8))?;
        let order = if is_big { H5T_ORDER_BE } else { H5T_ORDER_LE };
        call!("integer", H5Tset_order(id, order))?;
        let sign = if is_signed { H5T_SGN_2 } else { H5T_SGN_NONE };
        call!("integer", H5Tset_sign(id, sign))?;
        Ok(datatype)
    }

    /// A float of `layout`.
    pub(crate) fn float(layout: &FloatLayout, is_big: bool) -> Result<Self> {
        match *layout {
            FloatLayout::F32 if is_big => return Self::copy_of(|| *H5T_IEEE_F32BE),
            FloatLayout::F32 => return Self::copy_of(|| *H5T_IEEE_F32LE),
            FloatLayout::F64 if is_big => return Self::copy_of(|| *H5T_IEEE_F64BE),
            FloatLayout::F64 => return Self::copy_of(|| *H5T_IEEE_F64LE),
            FloatLayout::X87 => return Self::copy_of(|| *H5T_NATIVE_LDOUBLE),
            _ => {}
        }
        // The fields must fit at each step: set them in the largest type, then shrink it.
        let datatype = Self::copy_of(|| *H5T_IEEE_F64LE)?;
        let id = datatype.id.raw();
        let f = layout;
        call!(
            "float",
            H5Tset_fields(
                id,
                f.sign_at,
                f.exponent_at,
                f.exponent_len,
                f.mantissa_at,
                f.mantissa_len
            )
        )?;
        call!("float", H5Tset_offset(id, f.offset))?;
        call!("float", H5Tset_precision(id, f.precision))?;
        call!("float", H5Tset_size(id, f.size))?;
        call!("float", H5Tset_ebias(id, f.bias))?;
        let order = if is_big { H5T_ORDER_BE } else { H5T_ORDER_LE };
        call!("float", H5Tset_order(id, order))?;
        Ok(datatype)
    }

    /// Text in a field of `len_bytes`, or of variable length.
    pub(crate) fn string(
        len_bytes: Option<usize>,
        is_utf8: bool,
        padding: StringPadding,
    ) -> Result<Self> {
        let datatype = Self::copy_of(|| *H5T_C_S1)?;
        let id = datatype.id.raw();
        call!("string", H5Tset_size(id, len_bytes.unwrap_or(H5T_VARIABLE)))?;
        let charset = if is_utf8 { H5T_CSET_UTF8 } else { H5T_CSET_ASCII };
        call!("string", H5Tset_cset(id, charset))?;
        let padding = match padding {
            StringPadding::NullTerminated => H5T_STR_NULLTERM,
            StringPadding::Null => H5T_STR_NULLPAD,
            StringPadding::Space => H5T_STR_SPACEPAD,
        };
        call!("string", H5Tset_strpad(id, padding))?;
        Ok(datatype)
    }

    /// A bit field of 1, 2, 4 or 8 bytes.
    pub(crate) fn bitfield(size: usize, is_big: bool) -> Result<Self> {
        let kind = match (size, is_big) {
            (1, _) => || *H5T_STD_B8LE,
            (2, false) => || *H5T_STD_B16LE,
            (2, true) => || *H5T_STD_B16BE,
            (4, false) => || *H5T_STD_B32LE,
            (4, true) => || *H5T_STD_B32BE,
            (8, false) => || *H5T_STD_B64LE,
            (8, true) => || *H5T_STD_B64BE,
            _ => {
                return Err(Failure::new("bit field", format!("no bit field has {size} bytes")));
            }
        };
        Self::copy_of(kind)
    }

    /// A reference to an object.
    pub(crate) fn object_reference() -> Result<Self> {
        Self::copy_of(|| *H5T_STD_REF_OBJ)
    }

    /// The old reference to a region of a dataset.
    pub(crate) fn region_reference() -> Result<Self> {
        Self::copy_of(|| *H5T_STD_REF_DSETREG)
    }

    /// Uninterpreted bytes with a tag.
    pub(crate) fn opaque(size: usize, tag: &str) -> Result<Self> {
        let id = call!("opaque type", H5Tcreate(H5T_OPAQUE, size))?;
        let datatype = Self { id: Id::owned(id) };
        let tag = c_string(tag)?;
        call!("tag", H5Tset_tag(id, tag.as_ptr()))?;
        Ok(datatype)
    }

    /// A compound of `size` bytes whose members are to be inserted.
    pub(crate) fn compound(size: usize) -> Result<Self> {
        Ok(Self { id: Id::owned(call!("compound", H5Tcreate(H5T_COMPOUND, size))?) })
    }

    /// Adds a member to a compound.
    pub(crate) fn insert(&self, name: &str, offset: usize, member: &Self) -> Result<()> {
        let name = c_string(name)?;
        call!("member", H5Tinsert(self.id.raw(), name.as_ptr(), offset, member.id.raw())).map(drop)
    }

    /// An enumeration over this integer type; each value has the bytes of that type.
    pub(crate) fn enumeration(&self, members: &[(CString, Vec<u8>)]) -> Result<Self> {
        let _lock = lock();
        let id = Id::owned(call!("enumeration", H5Tenum_create(self.id.raw()))?);
        let size = self.size();
        for (name, value) in members {
            if value.len() != size {
                return Err(Failure::new("enumeration", "a value of another size than its type"));
            }
            // The library reads one item of the base type.
            let from = value.as_ptr().cast::<c_void>();
            call!("enumeration", H5Tenum_insert(id.raw(), name.as_ptr(), from))?;
        }
        Ok(Self { id })
    }

    /// A variable-length sequence of this type.
    pub(crate) fn sequence(&self) -> Result<Self> {
        Ok(Self { id: Id::owned(call!("sequence", H5Tvlen_create(self.id.raw()))?) })
    }

    /// An array of this type.
    pub(crate) fn array(&self, shape: &[u64]) -> Result<Self> {
        let rank = c_uint::try_from(shape.len()).unwrap_or(c_uint::MAX);
        // The library reads `rank` numbers, and refuses more than 32 before it does.
        let id = call!("array type", H5Tarray_create2(self.id.raw(), rank, shape.as_ptr()))?;
        Ok(Self { id: Id::owned(id) })
    }
}

/// A text of the library's, copied and freed.
///
/// # Safety
/// `text` is null or a NUL-terminated text that the library allocated and hands over.
unsafe fn take_text(text: *mut c_char, what: &'static str) -> Result<Vec<u8>> {
    if text.is_null() {
        return check(-1 as c_int, what).map(|_| Vec::new());
    }
    // SAFETY: as the caller promises.
    unsafe {
        let copy = CStr::from_ptr(text).to_bytes().to_vec();
        H5free_memory(text.cast());
        Ok(copy)
    }
}
