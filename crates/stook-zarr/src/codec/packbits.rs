//! Version 3's own `packbits`, from items to bytes.

use serde_json::{Map, Value, json};
use stook_core::Result;
use stook_core::codec::{BitOrder, PackBits, PaddingByte};

use crate::named::Named;

const PADDINGS: [(PaddingByte, &str); 3] = [
    (PaddingByte::None, "none"),
    (PaddingByte::First, "first_byte"),
    (PaddingByte::Last, "last_byte"),
];

/// # Errors
/// `Corrupt` where a setting is malformed.
pub(super) fn parse(named: &Named<'_>) -> Result<PackBits> {
    let padding = match named.get("padding_encoding") {
        None => PaddingByte::None,
        Some(value) => {
            let found = PADDINGS.iter().find(|(_, name)| value.as_str() == Some(name));
            let expected = "`none`, `first_byte` or `last_byte`";
            found.ok_or_else(|| named.malformed("padding_encoding", expected))?.0
        }
    };
    let bit = |key: &str| {
        let bit = named.number(key)?.map(u32::try_from).transpose();
        bit.map_err(|_| named.malformed(key, "the number of a bit"))
    };
    let (first_bit, last_bit) = (bit("first_bit")?, bit("last_bit")?);
    Ok(PackBits { order: BitOrder::LowestFirst, padding, first_bit, last_bit })
}

pub(super) fn print(bits: &PackBits) -> Value {
    let padding = PADDINGS.iter().find(|(padding, _)| *padding == bits.padding);
    let padding = padding.filter(|(padding, _)| *padding != PaddingByte::None);
    let mut settings = Map::new();
    settings.extend(padding.map(|(_, name)| ("padding_encoding".to_owned(), json!(name))));
    for (key, bit) in [("first_bit", bits.first_bit), ("last_bit", bits.last_bit)] {
        settings.extend(bit.map(|bit| (key.to_owned(), json!(bit))));
    }
    Value::Object(settings)
}
