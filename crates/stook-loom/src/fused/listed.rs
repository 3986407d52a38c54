//! Boxes of a matrix whose nonzero elements are listed.

use stook::{AxisSelection, Error, Result};

use crate::layer::positions;
use crate::matrix::{Compressed, Index as _, Number, with_indices};

/// Fills `items`, in C order, with the elements of `matrix` in some rows and columns, both sorted;
/// those of each row of the matrix are in order.
///
/// # Errors
/// `InvalidInput` for a selection out of bounds, or numbers of another type.
pub(super) fn read_box<T: Number>(
    matrix: &Compressed<'_>,
    [rows, columns]: [&AxisSelection; 2],
    items: &mut [T],
) -> Result<()> {
    let [n_rows, n_columns] = matrix.lens().map(|len| len as u64);
    let (rows, columns) = (positions(rows, n_rows)?, positions(columns, n_columns)?);
    let numbers = T::of(matrix.numbers());
    let numbers = numbers.ok_or_else(|| Error::invalid("listed numbers of another type"))?;
    items.fill(T::default());
    let (Some(&first), Some(&last)) = (columns.first(), columns.last()) else { return Ok(()) };
    let is_run = last - first + 1 == columns.len() as u64 && columns.is_sorted_by(|a, b| a < b);
    let line_len = columns.len();
    with_indices!(matrix.indices(), indices => {
        for (row, line) in rows.iter().zip(items.chunks_exact_mut(line_len)) {
            let row = usize::try_from(*row).unwrap_or(usize::MAX);
            let range = matrix.pointers().get(row)..matrix.pointers().get(row + 1);
            let listed = indices.get(range.clone()).unwrap_or_default();
            let start = listed.partition_point(|index| (index.position() as u64) < first);
            let listed = listed.get(start..).unwrap_or_default();
            let numbers = numbers.get(range).and_then(|all| all.get(start..)).unwrap_or_default();
            let elements = listed.iter().map(|index| index.position() as u64).zip(numbers);
            if is_run {
                for (column, number) in elements {
                    // Behind the last column the place is none of the line.
                    let place = usize::try_from(column - first).ok();
                    let Some(place) = place.and_then(|at| line.get_mut(at)) else { break };
                    *place = *number;
                }
            } else {
                pick(elements, &columns, line);
            }
        }
    });
    Ok(())
}

/// Puts elements, in the order of their columns, where those are in `columns`, perhaps twice.
fn pick<'n, T: Number>(
    elements: impl Iterator<Item = (u64, &'n T)>,
    columns: &[u64],
    line: &mut [T],
) {
    let mut at = 0;
    for (column, number) in elements {
        let rest = columns.get(at..).unwrap_or_default();
        at += rest.partition_point(|&wanted| wanted < column);
        let rest = columns.get(at..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let n = rest.iter().take_while(|&&wanted| wanted == column).count();
        line.iter_mut().skip(at).take(n).for_each(|place| *place = *number);
        at += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Indices, Numbers};

    #[test]
    fn boxes_are_those_of_the_dense_matrix() {
        let dense = [[0, 1, 0, 2, 0], [0, 0, 0, 0, 0], [3, 0, 4, 0, 5_i32]];
        let matrix = Compressed::csr(
            [3, 5],
            Indices::from(vec![0_i64, 2, 2, 5]),
            Indices::from(vec![1_i32, 3, 0, 2, 4]),
            Numbers::from(vec![1, 2, 3, 4, 5_i32]),
        )
        .unwrap();
        let lists = |list: &[i64]| AxisSelection::List(list.to_vec());
        let cases = [
            (AxisSelection::ALL, AxisSelection::ALL),
            (AxisSelection::range(1, 3), AxisSelection::range(1, 4)),
            (lists(&[0, 2, 2]), lists(&[0, 2, 2, 3])),
            (lists(&[2]), lists(&[4])),
            (lists(&[]), lists(&[])),
        ];
        for (rows, columns) in cases {
            let (r, c) = (positions(&rows, 3).unwrap(), positions(&columns, 5).unwrap());
            let expected: Vec<i32> = r
                .iter()
                .flat_map(|&i| c.iter().map(move |&j| dense[i as usize][j as usize]))
                .collect();
            let mut found = vec![7; expected.len()];
            read_box(&matrix, [&rows, &columns], &mut found).unwrap();
            assert_eq!(found, expected, "{rows:?} {columns:?}");
        }
        assert!(read_box(&matrix, [&AxisSelection::ALL; 2], &mut [0_f32; 15]).is_err());
    }
}
