//! Text of any kind is a key, labels, an axis, or an error.

use proptest::prelude::*;
use stook_labelled::{AxisCollection, Key, syntax};

/// Text out of the characters that mean something, and some that do not.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just(".."),
            Just(","),
            Just(":"),
            Just(";"),
            Just("["),
            Just("]"),
            Just(".i["),
            Just(">>"),
            Just("="),
            Just(" "),
            Just(" step "),
            Just("-"),
            Just("a"),
            Just("b"),
            Just("0"),
            Just("9"),
            Just("99999999999999999999"),
            Just("é"),
            Just("\u{0}"),
        ],
        0..8,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in text()) {
        let _ = syntax::parse_axis(&text);
        let _ = syntax::parse_labels(&text);
        let _ = syntax::parse_keys(&text);
        let _ = AxisCollection::parse(&text);
        let axes = AxisCollection::parse("a=a0,b;b=0..9").expect("axes");
        if let Ok(selection) = axes.select(&[Key::from(&*text)]) {
            for (take, axis) in selection.takes().iter().zip(&axes) {
                prop_assert!(take.iter().all(|at| at < axis.len()));
            }
        }
        let _ = axes.aggregate(&[stook_labelled::plan::Over::Text(text)], None);
    }
}
