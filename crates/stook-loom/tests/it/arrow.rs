//! Attributes as tables of Arrow.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use stook_loom::{Axis, numbers};

use crate::support::{scratch, small};

#[test]
fn attributes_are_columns_of_a_table() {
    let (_folder, path) = scratch();
    let loom = small(&path);
    let pairs = numbers(vec![4, 2], &[1_f32, 2., 3., 4., 5., 6., 7., 8.]).unwrap();
    loom.attributes(Axis::Columns).set("Place", &pairs).unwrap();
    let table = loom.attributes(Axis::Columns).to_arrow().unwrap();
    let schema = table.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!((table.num_rows(), names), (4, vec!["Age", "CellID", "Place"]));
    let ages = table.column_by_name("Age").unwrap().as_primitive::<Int64Type>();
    assert_eq!(ages.values(), &[1, 2, 3, 4]);
    let ids = table.column_by_name("CellID").unwrap().as_string::<i32>();
    assert_eq!(ids.iter().flatten().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let places = table.column_by_name("Place").unwrap().as_fixed_size_list();
    assert_eq!(places.value(3).as_primitive::<Float32Type>().values(), &[7., 8.]);
    let genes = loom.attributes(Axis::Rows).to_arrow().unwrap();
    let names = genes.column_by_name("Gene").unwrap().as_string::<i32>();
    assert_eq!(names.value(2), "βé");
    loom.attributes(Axis::Rows).remove("Gene").unwrap();
    let none = loom.attributes(Axis::Rows).to_arrow().unwrap();
    assert_eq!((none.num_rows(), none.num_columns()), (3, 0));
    assert!(loom.close().unwrap() && loom.attributes(Axis::Rows).to_arrow().is_err());
}
