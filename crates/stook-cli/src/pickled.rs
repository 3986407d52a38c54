//! Texts that PyTables and PyMoDAQ keep as pickles, a row of bytes each. They are read as data:
//! nothing is run (`stook::pickle`).

use stook::dtype::Charset;
use stook::pickle::Pickle;
use stook::values::push_heap_item;
use stook::{Array, AttributeValue, DType, Limits, Result, Values};

/// The attribute by which PyTables knows such an array, and its value.
const MARK: (&str, &str) = ("PSEUDOATOM", "object");

/// `values` of `array` as texts, where all of them are pickled texts; as they are otherwise.
///
/// # Errors
/// Those of reading an attribute.
pub(crate) fn as_texts(array: &Array, values: Values) -> Result<Values> {
    if *values.dtype() != DType::Bytes || !is_marked(array)? {
        return Ok(values);
    }
    let limits = Limits::default();
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    for at in 0..values.len() {
        let bytes = values.payload(at)?;
        // A row that was never written is empty.
        let text = match bytes {
            [] => Some(String::new()),
            bytes => text_of(bytes, &limits),
        };
        let Some(text) = text else { return Ok(values) };
        push_heap_item(&mut items, &mut heap, text.as_bytes());
    }
    Values::new(DType::String(Charset::Utf8), values.shape().to_vec(), items, heap)
}

fn text_of(bytes: &[u8], limits: &Limits) -> Option<String> {
    let pickle = Pickle::parse(bytes, limits).ok()?;
    pickle.get(pickle.root())?.as_text().map(str::to_owned)
}

fn is_marked(array: &Array) -> Result<bool> {
    let attributes = array.attributes()?;
    Ok(match attributes.get(MARK.0) {
        Some(AttributeValue::Values(values)) => {
            values.len() == 1 && values.text_at(0).is_ok_and(|text| text == MARK.1)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_nothing_is_run() {
        let limits = Limits::default();
        assert_eq!(text_of(b"\x80\x04\x8c\x06step 1\x94.", &limits).as_deref(), Some("step 1"));
        assert_eq!(text_of(b"cos\nsystem\n(S'true'\ntR.", &limits), None);
        assert_eq!(text_of(b"no pickle", &limits), None);
    }
}
