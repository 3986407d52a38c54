//! Zarr's element types, in the spelling of each version, and the order of their bytes.

pub(crate) mod full;
pub(crate) mod v2;
pub(crate) mod v3;

use stook_core::codec::{Endian, MemberOrder, swap_parts};
use stook_core::dtype::Field;
use stook_core::{CodecSpec, DType};

/// A type as a document gives it: v2 puts the byte order of each member into the type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredType {
    /// The type in memory.
    pub(crate) dtype: DType,
    /// The parts that are stored big-endian, by their offset in the item.
    pub(crate) big: Vec<(usize, DType)>,
    /// Whether a part is stored little-endian.
    pub(crate) has_little: bool,
}

impl StoredType {
    /// A type of one part.
    pub(crate) fn simple(dtype: DType, endian: Endian) -> Self {
        let has_order = dtype.has_byte_order();
        let is_big = has_order && endian == Endian::Big;
        let big = if is_big { vec![(0, dtype.clone())] } else { Vec::new() };
        Self { dtype, big, has_little: has_order && !is_big }
    }

    /// The steps that bring items into the order of the file.
    pub(crate) fn codecs(&self) -> Vec<CodecSpec> {
        if self.big.is_empty() {
            let little = self.has_little.then_some(CodecSpec::ByteOrder(Endian::Little));
            return little.into_iter().collect();
        }
        if !self.has_little {
            return vec![CodecSpec::ByteOrder(Endian::Big)];
        }
        let fields = MemberOrder::new(self.dtype.item_size(), self.big.clone());
        vec![CodecSpec::ByteOrder(Endian::Little), fields.into_spec()]
    }

    /// Brings one item from the order of the file into the machine's, or back.
    pub(crate) fn swap_item(&self, item: &mut [u8]) {
        if Endian::NATIVE == Endian::Big {
            swap_parts(&[(0, self.dtype.clone())], item);
        }
        swap_parts(&self.big, item);
    }
}

/// Whether members follow one another without gaps, so that their types say where they lie.
pub(crate) fn is_packed(fields: &[Field], size: usize) -> bool {
    let end = fields.iter().try_fold(0, |at, field| {
        (field.offset == at).then(|| at.saturating_add(field.dtype.item_size()))
    });
    end == Some(size)
}
