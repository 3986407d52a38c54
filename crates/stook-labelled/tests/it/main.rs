//! What the crate promises, tested from outside.

use stook_labelled::{Array, AxisCollection};

#[test]
fn an_array_is_made_of_axes_and_values() {
    let axes = AxisCollection::parse("a=a0,a1;year=2000..2002").expect("axes");
    let data = stook_core::Values::zeroed(stook_core::DType::Int64, vec![2, 3]).expect("values");
    assert_eq!(Array::new(axes, data).expect("an array").shape(), [2, 3]);
}
