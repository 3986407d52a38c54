//! When two dtypes hold the same values, and how items of one become items of the other.

use std::sync::Arc;

use stook_core::DType;
use stook_core::dtype::{ArrayType, Charset, Field, OpaqueType, StructType};

/// The dtype without what does not change the value of an item: names of enum members, tags,
/// character sets, paddings between members.
fn plain(dtype: &DType) -> DType {
    match dtype {
        DType::Enum(r#enum) => plain(&r#enum.base),
        DType::Bitfield(1) => DType::UInt8,
        DType::Bitfield(2) => DType::UInt16,
        DType::Bitfield(4) => DType::UInt32,
        DType::Bitfield(8) => DType::UInt64,
        DType::Reference | DType::String(_) => DType::String(Charset::Utf8),
        DType::FixedString(string) => DType::fixed_bytes(string.len_bytes),
        DType::Opaque(opaque) => {
            DType::Opaque(Arc::new(OpaqueType { size: opaque.size, tag: String::new() }))
        }
        DType::Sequence(inner) => DType::Sequence(Arc::new(plain(inner))),
        DType::Array(array) => {
            let (item, shape) = (plain(&array.item), array.shape.clone());
            DType::Array(Arc::new(ArrayType { item, shape }))
        }
        DType::Struct(r#struct) => {
            let mut offset = 0;
            let fields = r#struct.fields.iter().map(|field| {
                let dtype = plain(&field.dtype);
                let at = offset;
                offset += dtype.item_size();
                Field { name: field.name.clone(), dtype, offset: at }
            });
            let fields = fields.collect();
            DType::Struct(Arc::new(StructType { fields, size: offset }))
        }
        other => other.clone(),
    }
}

/// How items of one dtype become items of another that holds the same values, or their bytes
/// where it has no type for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recast {
    /// Offset in the one, offset in the other, bytes.
    moves: Vec<(usize, usize, usize)>,
    from_size: usize,
    to_size: usize,
}

impl Recast {
    /// From items of `from` to items of `to`; `None` if they hold other values.
    pub(crate) fn new(from: &DType, to: &DType) -> Option<Self> {
        let mut recast =
            Self { moves: Vec::new(), from_size: from.item_size(), to_size: to.item_size() };
        recast.push(from, to, 0, 0).then_some(recast)
    }

    /// Adds the moves from one type to the other; false if they hold other values.
    fn push(&mut self, from: &DType, to: &DType, from_at: usize, to_at: usize) -> bool {
        match (from, to) {
            (DType::Struct(a), DType::Struct(b)) => {
                a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(&b.fields).all(|(x, y)| {
                        x.name == y.name
                            && self.push(&x.dtype, &y.dtype, from_at + x.offset, to_at + y.offset)
                    })
            }
            (DType::Array(a), DType::Array(b)) => {
                let (x, y) = (a.item.item_size(), b.item.item_size());
                let n = from.item_size().checked_div(x).unwrap_or(0);
                a.shape == b.shape
                    && (0..n).all(|i| self.push(&a.item, &b.item, from_at + i * x, to_at + i * y))
            }
            _ => {
                // Payload of sequences is moved as it is, so that its items must lie alike.
                let is_raw = |dtype: &DType| matches!(dtype, DType::Opaque(_));
                let lies_alike = match (from, to) {
                    (DType::Sequence(a), DType::Sequence(b)) => {
                        Self::new(a, b).is_some_and(|recast| recast.is_identity())
                    }
                    _ => true,
                };
                let is_same = lies_alike && plain(from) == plain(to);
                let is_bytes = (is_raw(from) || is_raw(to)) && !from.has_heap() && !to.has_heap();
                let len = from.item_size();
                match self.moves.last_mut() {
                    Some((a, b, n)) if *a + *n == from_at && *b + *n == to_at => *n += len,
                    _ => self.moves.push((from_at, to_at, len)),
                }
                len == to.item_size() && (is_same || is_bytes)
            }
        }
    }

    /// Whether items are the same bytes in both.
    pub(crate) fn is_identity(&self) -> bool {
        self.from_size == self.to_size && self.moves.iter().all(|(a, b, _)| a == b)
    }

    /// Whether every byte of an item belongs to its value: there is no padding.
    pub(crate) fn is_dense(&self) -> bool {
        self.moves.iter().map(|(_, _, len)| len).sum::<usize>() == self.from_size
    }

    /// The items in the other form; heap items keep pointing where they did.
    pub(crate) fn apply(&self, items: &[u8]) -> Vec<u8> {
        if self.from_size == 0 {
            return Vec::new();
        }
        let n = items.len() / self.from_size;
        let mut out = vec![0; n * self.to_size];
        for (from, to) in
            items.chunks_exact(self.from_size).zip(out.chunks_exact_mut(self.to_size.max(1)))
        {
            for &(a, b, len) in &self.moves {
                if let (Some(from), Some(to)) = (from.get(a..a + len), to.get_mut(b..b + len)) {
                    to.copy_from_slice(from);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded() -> DType {
        let fields = vec![
            Field { name: "a".to_owned(), dtype: DType::UInt8, offset: 1 },
            Field { name: "b".to_owned(), dtype: DType::Bitfield(2), offset: 4 },
        ];
        DType::Struct(Arc::new(StructType { fields, size: 8 }))
    }

    #[test]
    fn structs_are_repacked() {
        let members = [("a".to_owned(), DType::UInt8), ("b".to_owned(), DType::UInt16)];
        let packed = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
        let recast = Recast::new(&padded(), &packed).unwrap();
        assert!(!recast.is_identity());
        assert_eq!(recast.apply(&[0, 1, 0, 0, 2, 3, 0, 0]), [1, 2, 3]);
        assert_eq!(
            Recast::new(&packed, &padded()).unwrap().apply(&[1, 2, 3]),
            [0, 1, 0, 0, 2, 3, 0, 0]
        );
    }

    #[test]
    fn payload_that_lies_otherwise_is_no_recast() {
        let at = |offset| {
            let fields = vec![Field { name: "a".to_owned(), dtype: DType::UInt8, offset }];
            let item = DType::Struct(Arc::new(StructType { fields, size: 2 }));
            let inner = DType::Sequence(Arc::new(item));
            (inner.clone(), DType::Sequence(Arc::new(inner)))
        };
        assert!(Recast::new(&at(0).0, &at(0).0).unwrap().is_identity());
        assert!(Recast::new(&at(0).0, &at(1).0).is_none());
        assert!(Recast::new(&at(0).1, &at(0).1).unwrap().is_identity());
        assert!(Recast::new(&at(0).1, &at(1).1).is_none());
    }

    #[test]
    fn other_values_are_no_recast() {
        let array = DType::Array(Arc::new(ArrayType { item: DType::Float32, shape: vec![2] }));
        assert!(Recast::new(&array, &DType::opaque(8)).unwrap().is_identity());
        assert!(Recast::new(&DType::string(), &DType::opaque(16)).is_none());
        assert!(Recast::new(&DType::Int32, &DType::Float32).is_none());
        assert!(Recast::new(&DType::Reference, &DType::string()).unwrap().is_identity());
    }
}
