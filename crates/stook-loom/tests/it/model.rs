//! Random changes and selections, compared with a matrix in memory.

use proptest::prelude::*;
use stook::{AxisSelection, Selection, Values};
use stook_loom::{Addition, Axis, Loom, numbers};

use crate::support::texts;

/// A loom in memory: rows of elements, and a name for each row and column.
#[derive(Clone, Debug, Default)]
struct Model {
    rows: Vec<Vec<i32>>,
    names: [Vec<String>; 2],
}

#[derive(Clone, Debug)]
enum Step {
    Permute(bool, u64),
    Keep(bool, Vec<prop::sample::Index>),
    Add(bool, u8),
    Write(prop::sample::Index, prop::sample::Index, i32),
    Read(Vec<prop::sample::Index>, Vec<prop::sample::Index>),
}

fn step() -> impl Strategy<Value = Step> {
    let picks = || prop::collection::vec(any::<prop::sample::Index>(), 1..70);
    prop_oneof![
        (any::<bool>(), any::<u64>()).prop_map(|(axis, seed)| Step::Permute(axis, seed)),
        (any::<bool>(), picks()).prop_map(|(axis, kept)| Step::Keep(axis, kept)),
        (any::<bool>(), 1_u8..70).prop_map(|(axis, n)| Step::Add(axis, n)),
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<i32>())
            .prop_map(|(row, column, value)| Step::Write(row, column, value)),
        (picks(), picks()).prop_map(|(rows, columns)| Step::Read(rows, columns)),
    ]
}

impl Model {
    fn shape(&self) -> [usize; 2] {
        [self.names[0].len(), self.names[1].len()]
    }

    fn values(&self, rows: &[usize], columns: &[usize]) -> Values {
        let all = rows.iter().flat_map(|&row| columns.iter().map(move |&c| self.rows[row][c]));
        let shape = vec![rows.len() as u64, columns.len() as u64];
        numbers(shape, &all.collect::<Vec<i32>>()).unwrap()
    }

    fn pick(&mut self, axis: usize, picks: &[usize]) {
        self.names[axis] = picks.iter().map(|&at| self.names[axis][at].clone()).collect();
        if axis == 0 {
            self.rows = picks.iter().map(|&at| self.rows[at].clone()).collect();
        } else {
            for row in &mut self.rows {
                *row = picks.iter().map(|&at| row[at]).collect();
            }
        }
    }

    /// Adds `n` rows or columns, and gives them as a matrix.
    fn add(&mut self, axis: usize, n: usize) -> (Values, Values) {
        let [n_rows, n_columns] = self.shape();
        let names: Vec<String> =
            (0..n).map(|k| format!("{axis}:{}:{k}", n_rows + n_columns)).collect();
        self.names[axis].extend(names.iter().cloned());
        let value = |row: usize, column: usize| (row * 31 + column * 7) as i32 % 5 - 2;
        if axis == 0 {
            let new = (0..n).map(|k| (0..n_columns).map(|c| value(n_rows + k, c)).collect());
            self.rows.extend(new);
            let rows: Vec<usize> = (n_rows..n_rows + n).collect();
            (self.values(&rows, &(0..n_columns).collect::<Vec<_>>()), texts(&names))
        } else {
            for (at, row) in self.rows.iter_mut().enumerate() {
                row.extend((0..n).map(|k| value(at, n_columns + k)));
            }
            let columns: Vec<usize> = (n_columns..n_columns + n).collect();
            (self.values(&(0..n_rows).collect::<Vec<_>>(), &columns), texts(&names))
        }
    }
}

fn positions(picks: &[usize]) -> AxisSelection {
    AxisSelection::List(picks.iter().map(|&at| at as i64).collect())
}

fn axis(is_rows: bool) -> Axis {
    if is_rows { Axis::Rows } else { Axis::Columns }
}

fn run(name: &str, steps: Vec<Step>) -> stook::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut model = Model::default();
    model.names[0] = (0..3).map(|at| format!("r{at}")).collect();
    model.rows = vec![Vec::new(); 3];
    let (first, cells) = model.add(1, 5);
    let loom = Loom::builder(&path)
        .layer("", &first)
        .attribute(Axis::Rows, "N", texts(&model.names[0]))
        .attribute(Axis::Columns, "N", cells)
        .create()?;
    for step in steps {
        let shape = model.shape();
        match step {
            Step::Permute(is_rows, seed) => {
                let axis = axis(is_rows);
                let mut order: Vec<usize> = (0..shape[axis.number()]).collect();
                order.sort_by_key(|&at| (at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
                loom.permute(axis, &order.iter().map(|&at| at as u64).collect::<Vec<_>>())?;
                model.pick(axis.number(), &order);
            }
            Step::Keep(is_rows, kept) => {
                let axis = axis(is_rows);
                let kept: Vec<usize> =
                    kept.iter().map(|at| at.index(shape[axis.number()])).collect();
                loom.keep(axis, &positions(&kept))?;
                model.pick(axis.number(), &kept);
            }
            Step::Add(is_rows, n) => {
                let axis = axis(is_rows);
                let (matrix, names) = model.add(axis.number(), n.into());
                loom.add(axis, Addition::new().layer("", &matrix).attribute("N", names))?;
            }
            Step::Write(row, column, value) => {
                let (row, column) = (row.index(shape[0]), column.index(shape[1]));
                let at =
                    vec![AxisSelection::Index(row as i64), AxisSelection::Index(column as i64)];
                loom.layer("")?.write(&Selection::Axes(at), &numbers(vec![], &[value])?)?;
                model.rows[row][column] = value;
            }
            Step::Read(rows, columns) => {
                let rows: Vec<usize> = rows.iter().map(|at| at.index(shape[0])).collect();
                let columns: Vec<usize> = columns.iter().map(|at| at.index(shape[1])).collect();
                let picked = Selection::Axes(vec![positions(&rows), positions(&columns)]);
                assert_eq!(loom.layer("")?.read(&picked)?, model.values(&rows, &columns));
            }
        }
    }
    loom.close()?;
    let loom = Loom::open(&path)?;
    let [n_rows, n_columns] = model.shape();
    let (rows, columns): (Vec<_>, Vec<_>) = ((0..n_rows).collect(), (0..n_columns).collect());
    assert_eq!(loom.layer("")?.read(&Selection::All)?, model.values(&rows, &columns));
    for axis in Axis::BOTH {
        assert_eq!(loom.attributes(axis).get("N")?, texts(&model.names[axis.number()]));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn hdf5_is_as_the_model(steps in prop::collection::vec(step(), 1..10)) {
        run("x.loom", steps).unwrap();
    }

    #[test]
    fn zarr_is_as_the_model(steps in prop::collection::vec(step(), 1..8)) {
        run("x.zarr", steps).unwrap();
    }
}
