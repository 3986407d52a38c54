//! Sparse matrices in arrays of their own, as 10x Genomics and AnnData store them.

use stook::{Array, DType, Error, Group, Result, Selection};

use super::store::{TileWriter, WriteOptions, Zeros};
use super::{Compressed, Indices, Matrix, Numbers, Variant, whole_numbers, with_number_type};
use crate::Axis;
use crate::source::MatrixSource;

/// Elements that are read at once.
const BLOCK_N_ELEMENTS: u64 = 1 << 20;
/// Lines of a block at most.
const BLOCK_N_LINES: usize = 1 << 10;

/// A sparse matrix in arrays of its own: `data`, `indices`, `indptr`.
#[derive(Debug)]
pub(crate) struct StoredSparse {
    data: Array,
    indices: Array,
    pointers: Vec<u64>,
    /// As it is stored.
    major: Axis,
    lens: [usize; 2],
    is_transposed: bool,
}

impl StoredSparse {
    /// The matrix in `group`, listed along `major`.
    ///
    /// # Errors
    /// `Corrupt` where its arrays do not fit, `LimitExceeded`, `Io`.
    pub(crate) fn open(group: &Group, major: Axis, shape: &[u64]) -> Result<Self> {
        let located = |error: Error| error.at_node(group.path()).at_file(group.file().path());
        let lens = shape.iter().map(|&len| usize::try_from(len).ok()).collect::<Option<Vec<_>>>();
        let Some(&[n_rows, n_columns]) = lens.as_deref() else {
            return Err(located(Error::corrupt(format!("expected two lengths, found {shape:?}"))));
        };
        let pointers = whole_numbers(&group.open_array("indptr")?.read(&Selection::All)?);
        let pointers = pointers.map_err(located)?;
        let (data, indices) = (group.open_array("data")?, group.open_array("indices")?);
        let n = pointers.last().copied().unwrap_or(0);
        let n_lines = major.of([n_rows, n_columns]);
        let is_whole = n_lines.checked_add(1) == Some(pointers.len())
            && pointers.is_sorted()
            && pointers.first() == Some(&0)
            && data.shape() == [n]
            && indices.shape() == [n];
        if !is_whole {
            return Err(located(Error::corrupt(format!(
                "a sparse matrix of {n_lines} {}s: found {} pointers to {n} elements, {:?} \
                 elements and {:?} indices",
                major.word(),
                pointers.len(),
                data.shape(),
                indices.shape()
            ))));
        }
        let lens = [n_rows, n_columns];
        Ok(Self { data, indices, pointers, major, lens, is_transposed: false })
    }

    /// The same with rows for columns.
    pub(crate) fn transposed(mut self) -> Self {
        self.is_transposed = !self.is_transposed;
        self
    }

    /// The axis along which it is listed.
    pub(crate) fn major(&self) -> Axis {
        self.major
    }

    /// As it is stored.
    pub(crate) fn lens(&self) -> [usize; 2] {
        self.lens
    }

    fn n_lines(&self) -> usize {
        self.pointers.len().saturating_sub(1)
    }

    /// Lines from `first` to before `end`, as they are given.
    pub(crate) fn block(&self, first: usize, end: usize) -> Result<Compressed<'static>> {
        let at = |line: usize| self.pointers.get(line).copied().unwrap_or(0);
        let range = at(first)..at(end);
        let selection = Selection::ranges([range.clone()]);
        let numbers: Numbers<'static> = with_number_type!(&self.data.dtype(), T => {
            self.data.read_as::<T>(&selection).map(T::into_numbers)
        })?;
        let places = whole_numbers(&self.indices.read(&selection)?)?;
        let pointers: Vec<u64> = (first..=end).map(|line| at(line) - range.start).collect();
        let (n, across) = (end - first, self.major.other().of(self.lens));
        let is_rows = (self.major == Axis::Rows) != self.is_transposed;
        let block = if is_rows {
            Compressed::csr([n, across], pointers, Indices::from(places), numbers)
        } else {
            Compressed::csc([across, n], pointers, Indices::from(places), numbers)
        };
        block.map_err(|error| {
            let error = Error::corrupt(error.message().to_owned());
            error.at_node(self.indices.path()).at_file(self.indices.file().path())
        })
    }

    /// All lines.
    pub(crate) fn whole(&self) -> Result<Compressed<'static>> {
        let numbers: Numbers<'static> = with_number_type!(&self.data.dtype(), T => {
            self.data.read_as::<T>(&Selection::All).map(T::into_numbers)
        })?;
        let indices: Indices<'static> = match self.indices.dtype() {
            DType::Int32 => self.indices.read_as::<i32>(&Selection::All)?.into(),
            _ => whole_numbers(&self.indices.read(&Selection::All)?)?.into(),
        };
        let pointers = Indices::from(self.pointers.clone());
        let parts = (pointers, indices, numbers);
        let whole = match self.major {
            Axis::Rows => Compressed::csr(self.lens, parts.0, parts.1, parts.2),
            Axis::Columns => Compressed::csc(self.lens, parts.0, parts.1, parts.2),
        };
        whole.map_err(|error| {
            let error = Error::corrupt(error.message().to_owned());
            error.at_node(self.indices.path()).at_file(self.indices.file().path())
        })
    }

    /// Calls `visit` with blocks of lines.
    pub(crate) fn for_each_block(
        &self,
        visit: &mut dyn FnMut(Compressed<'static>) -> Result<()>,
    ) -> Result<()> {
        let n = self.n_lines();
        let mut first = 0;
        while first < n {
            let start = self.pointers.get(first).copied().unwrap_or(0);
            let fits = |end: &usize| {
                self.pointers.get(*end).is_some_and(|&end| end - start <= BLOCK_N_ELEMENTS)
            };
            let most = (first + BLOCK_N_LINES).min(n);
            let end = (first + 1..=most).take_while(fits).last().unwrap_or(first + 1);
            visit(self.block(first, end)?)?;
            first = end;
        }
        Ok(())
    }

    /// Whether elements are listed in order, none twice and none of them zero: then the elements
    /// alone tell how it is stored.
    pub(crate) fn is_canonical(&self) -> Result<bool> {
        let mut is = true;
        self.for_each_block(&mut |block| {
            is &= block.is_canonical();
            Ok(())
        })?;
        Ok(is)
    }

    /// The types of `data`, `indices` and `indptr`.
    pub(crate) fn dtypes(&self, group: &Group) -> Result<[DType; 3]> {
        Ok([self.data.dtype(), self.indices.dtype(), group.open_array("indptr")?.dtype()])
    }
}

impl MatrixSource for StoredSparse {
    fn shape(&self) -> [u64; 2] {
        let [rows, columns] = self.lens.map(|len| len as u64);
        if self.is_transposed { [columns, rows] } else { [rows, columns] }
    }

    fn dtype(&self) -> DType {
        self.data.dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let across = self.major.other().of(self.lens);
        let axis = if self.is_transposed { self.major.other() } else { self.major };
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let mut writer = TileWriter::new(target, axis, at, across, options);
        self.for_each_block(&mut |block| writer.push(&Matrix::from(block)))?;
        writer.finish().map(drop)
    }
}
