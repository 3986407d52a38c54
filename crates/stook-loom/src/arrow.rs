//! Attributes of an axis as a table of Arrow, for who asks questions of them in SQL or by frames.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, FixedSizeListArray, LargeStringArray, PrimitiveArray, RecordBatch,
    RecordBatchOptions, StringArray, types,
};
use arrow_schema::{ArrowError, Field, Schema};
use stook::{Error, Result, Values};

use crate::attribute_value::is_text;
use crate::attributes::AxisAttributes;
use crate::matrix::Numbers;

impl AxisAttributes {
    /// All attributes as a table: a column for each, by its name, and a row for each row or column of
    /// the matrix. Text is `Utf8` (`LargeUtf8` from 2 GiB on); an attribute with several values for
    /// each is a list of a fixed size, or lists of lists.
    ///
    /// # Errors
    /// `Unsupported` naming an attribute that is neither numbers nor text, `Corrupt`, `Io`.
    pub fn to_arrow(&self) -> Result<RecordBatch> {
        let len = self.axis().of(self.loom().shape()?);
        let n = usize::try_from(len).map_err(|_| Error::limit("the axis is too long"))?;
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (name, values) in self.all()? {
            let column = column_of(&values).map_err(|error| {
                error.within(format!("{} attribute `{name}`", self.axis().word()))
            })?;
            fields.push(Field::new(name, column.data_type().clone(), false));
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(n));
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(|e| of_arrow(&e))
    }
}

fn of_arrow(error: &ArrowError) -> Error {
    Error::invalid(format!("a table of Arrow: {error}"))
}

fn column_of(values: &Values) -> Result<ArrayRef> {
    let mut column = if is_text(values.dtype()) { texts(values)? } else { numbers(values)? };
    // From the last axis outwards.
    for &width in values.shape().iter().skip(1).rev() {
        let width = i32::try_from(width).map_err(|_| Error::limit("too many values an item"))?;
        let item = Arc::new(Field::new("item", column.data_type().clone(), false));
        if width == 0 {
            return Err(Error::unsupported("an axis without values"));
        }
        let lists = FixedSizeListArray::try_new(item, width, column, None);
        column = Arc::new(lists.map_err(|error| of_arrow(&error))?);
    }
    Ok(column)
}

fn texts(values: &Values) -> Result<ArrayRef> {
    let texts = (0..values.len()).map(|at| values.text_at(at)).collect::<Result<Vec<_>>>()?;
    let len: usize = texts.iter().map(String::len).sum();
    Ok(match i32::try_from(len) {
        Ok(_) => Arc::new(StringArray::from_iter_values(texts)),
        Err(_) => Arc::new(LargeStringArray::from_iter_values(texts)),
    })
}

fn numbers(values: &Values) -> Result<ArrayRef> {
    macro_rules! column {
        ($kind:ty, $numbers:expr) => {
            Arc::new(PrimitiveArray::<$kind>::from_iter_values($numbers.iter().copied()))
        };
    }
    Ok(match Numbers::of_values(values)? {
        Numbers::Int8(numbers) => column!(types::Int8Type, numbers),
        Numbers::Int16(numbers) => column!(types::Int16Type, numbers),
        Numbers::Int32(numbers) => column!(types::Int32Type, numbers),
        Numbers::Int64(numbers) => column!(types::Int64Type, numbers),
        Numbers::UInt8(numbers) => column!(types::UInt8Type, numbers),
        Numbers::UInt16(numbers) => column!(types::UInt16Type, numbers),
        Numbers::UInt32(numbers) => column!(types::UInt32Type, numbers),
        Numbers::UInt64(numbers) => column!(types::UInt64Type, numbers),
        Numbers::Float16(numbers) => column!(types::Float16Type, numbers),
        Numbers::Float32(numbers) => column!(types::Float32Type, numbers),
        Numbers::Float64(numbers) => column!(types::Float64Type, numbers),
    })
}
