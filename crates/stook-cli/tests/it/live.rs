//! Files that grow while the command watches: the writer is another process than the command.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use stook::{Array, DType, File};

use crate::Folder;

/// The command while it runs, and the lines that it has printed.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn new(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = folder.command(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn lines(&mut self, n: usize) -> Vec<String> {
        (0..n).map(|_| self.line()).collect()
    }

    fn ends(mut self) {
        assert_eq!(self.lines.next().map(Result::unwrap), None);
        assert!(self.child.wait().unwrap().success());
    }
}

fn growing(folder: &Folder, name: &str) -> (File, Array) {
    let file = File::create(folder.path(name)).unwrap();
    let array = file.root_group().unwrap().array("run/x").dtype(DType::Int32).shape([0, 2]);
    let array = array.chunks([8, 2]).max_shape([None, Some(2)]).create().unwrap();
    file.commit().unwrap();
    (file, array)
}

fn append(file: &File, array: &Array, from: i32, n: i32) {
    let items: Vec<i32> = (from..from + n).flat_map(|i| [i, -i]).collect();
    let before = array.shape()[0];
    let after = before + u64::try_from(n).unwrap();
    array.resize(&[after, 2]).unwrap();
    let rows = stook::Selection::ranges([before..after, 0..2]);
    array.write_elements(&rows, &[after - before, 2], &items).unwrap();
    file.commit().unwrap();
}

#[test]
fn rows_are_printed_as_a_writer_flushes_them() {
    for name in ["x.h5", "x.zarr"] {
        let folder = Folder::new();
        let (file, array) = growing(&folder, name);
        append(&file, &array, 0, 3);
        let options = ["tail", name, "run/x", "-n", "2", "--every", "0.02", "--until", "20"];
        let mut tail = Running::new(&folder, &options);
        assert_eq!(tail.lines(2), ["1  -1", "2  -2"]);
        append(&file, &array, 3, 1);
        assert_eq!(tail.line(), "3  -3");
        append(&file, &array, 4, 16);
        let rest: Vec<String> = (4..20).map(|i| format!("{i}  -{i}")).collect();
        assert_eq!(tail.lines(16), rest);
        tail.ends();
    }
}

#[test]
fn json_has_a_line_a_row() {
    let folder = Folder::new();
    let (file, array) = growing(&folder, "x.h5");
    append(&file, &array, 0, 3);
    let run = folder.run(&["tail", "x.h5", "run/x", "--json", "--no-follow", "-n", "2"]).expect(0);
    insta::assert_snapshot!(run.out, @r#"
    {"row":1,"value":[1,-1]}
    {"row":2,"value":[2,-2]}
    "#);
    let run = folder.run(&["tail", "x.h5", "run/x", "--index", "--until", "3"]).expect(0);
    insta::assert_snapshot!(run.out, @r"
    0  0  0
    1  1  -1
    2  2  -2
    ");
}

#[test]
fn rows_of_images_are_told_in_short() {
    let folder = Folder::with_small();
    let run = folder.run(&["tail", "small.zarr", "run/cube", "--no-follow"]).expect(0);
    insta::assert_snapshot!(run.out, @"
    2 × 2  -2.5 … 1, mean -0.466667
    2 × 2  0 … inf, mean inf
    ");
    let run = folder.fails(&["tail", "small.zarr", "answer"]);
    insta::assert_snapshot!(run.err, @"error: `small.zarr`: node `/answer`: a scalar has no rows");
    let run = folder.fails(&["tail", "small.zarr", "run/imag"]);
    assert!(run.err.contains("hint: in `/run` there is: cube, image, names"), "{run}");
}

#[test]
fn rates_come_a_line_a_tick() {
    let folder = Folder::new();
    let (file, array) = growing(&folder, "x.h5");
    append(&file, &array, 0, 3);
    let options = ["monitor", "x.h5", "--every", "0.02", "--until", "10", "--json"];
    let mut monitor = Running::new(&folder, &options);
    let first = monitor.line();
    assert!(
        first.starts_with(r#"{"elapsed":"#)
            && first
                .contains(r#""last":"mean 0","path":"/run/x","rate":null,"rows":3,"value":0.0"#)
            || first
                .contains(r#"{"path":"/run/x","rows":3,"rate":null,"last":"mean 0","value":0.0}"#),
        "{first}"
    );
    append(&file, &array, 3, 7);
    let last = std::iter::from_fn(|| monitor.lines.next()).map(Result::unwrap).last().unwrap();
    assert!(last.contains(r#""rows":10"#) && !last.contains(r#""rate":null"#), "{last}");
    monitor.ends();
    let run = folder.run(&["monitor", "x.h5", "--until", "1"]).expect(0);
    assert!(run.out.ends_with("s  /run/x 10 rows - mean 0\n"), "{run}");
}

#[test]
fn what_does_not_grow_is_not_monitored() {
    let folder = Folder::new();
    let file = File::create(folder.path("x.h5")).unwrap();
    file.root_group().unwrap().array("x").shape([3]).create().unwrap();
    file.commit().unwrap();
    let run = folder.fails(&["monitor", "x.h5"]);
    insta::assert_snapshot!(run.err, @"error: `x.h5`: there is no array that grows");
    let run = folder.run(&["monitor", "x.h5", "x", "--until", "1"]).expect(0);
    assert!(run.out.ends_with("s  /x 3 rows - 0.0\n"), "{run}");
}

const WRITER: &str = "
import sys, h5py, numpy as np
libver = 'latest' if sys.argv[2] == 'swmr' else None
with h5py.File(sys.argv[1], 'w', libver=libver) as f:
    d = f.create_dataset('x', (0,), 'i8', maxshape=(None,), chunks=(16,))
    if sys.argv[2] == 'swmr':
        f.swmr_mode = True
    f.flush()
    print('ready', flush=True)
    for line in sys.stdin:
        n = int(line)
        before = len(d)
        d.resize((n,))
        d[before:] = np.arange(before, n)
        f.flush()
        print('done', flush=True)
";

#[test]
fn a_writer_of_h5py_with_swmr_is_followed() {
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    for way in ["swmr", "plain"] {
        let folder = Folder::new();
        let mut writer = Command::new(&python);
        writer.args(["-c", WRITER]).arg(folder.path("x.h5")).arg(way);
        let mut writer = writer.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut ask = writer.stdin.take().unwrap();
        assert_eq!(said.next().unwrap().unwrap(), "ready");
        let options = ["tail", "x.h5", "x", "--every", "0.02", "--until", "40"];
        let mut tail = Running::new(&folder, &options);
        let mut n_before = 0;
        for n in [3, 20, 40] {
            writeln!(ask, "{n}").unwrap();
            assert_eq!(said.next().unwrap().unwrap(), "done");
            let expected: Vec<String> = (n_before..n).map(|i: usize| i.to_string()).collect();
            assert_eq!(tail.lines(n - n_before), expected);
            n_before = n;
        }
        tail.ends();
        drop(ask);
        assert!(writer.wait().unwrap().success());
    }
}

#[test]
fn what_to_follow_is_found_or_told() {
    let folder = Folder::new();
    let (file, array) = growing(&folder, "x.h5");
    append(&file, &array, 0, 3);
    file.root_group().unwrap().array("fixed").dtype(DType::Int8).shape([2]).create().unwrap();
    file.commit().unwrap();
    let run = folder.run(&["tail", "x.h5", "--no-follow", "-n", "1"]).expect(0);
    assert_eq!(run.out, "2  -2\n");
    // It is not waited for.
    insta::assert_snapshot!(folder.run(&["tail", "x.h5", "/fixed"]), @"
    0
    0
    note: `/fixed` has a fixed shape, and does not grow
    exit 0
    ");
    insta::assert_snapshot!(folder.fails(&["tail", "x.h5", "/run"]), @"
    error: `x.h5`: node `/run`: expected an array, found a group
    hint: these grow: /run/x
    exit 1
    ");
    let more = file.root_group().unwrap().array("y").dtype(DType::Int8).shape([0]);
    more.chunks([4]).max_shape([None]).create().unwrap();
    file.commit().unwrap();
    insta::assert_snapshot!(folder.fails(&["tail", "x.h5"]), @"
    error: `x.h5`: an array is to be named, unless there is one that grows
    hint: these grow: /run/x, /y
    exit 1
    ");
}

#[test]
fn pickled_texts_of_logs_are_told_as_they_are() {
    let folder = Folder::new();
    let file = File::create(folder.path("x.h5")).unwrap();
    let log = file.root_group().unwrap().array("log").dtype(DType::Bytes).shape([2]);
    let log = log.chunks([4]).max_shape([None]).create().unwrap();
    log.set_attribute("PSEUDOATOM", stook::Values::text("object")).unwrap();
    let (mut items, mut heap) = (Vec::new(), Vec::new());
    for text in [&b"\x80\x04\x8c\x06step 1\x94."[..], b"\x80\x04\x8c\x06step 2\x94."] {
        stook::values::push_heap_item(&mut items, &mut heap, text);
    }
    let values = stook::Values::new(DType::Bytes, vec![2], items, heap).unwrap();
    log.write(&stook::Selection::All, &values).unwrap();
    file.commit().unwrap();
    let run = folder.run(&["tail", "x.h5", "/log", "--no-follow"]).expect(0);
    assert_eq!(run.out, "step 1\nstep 2\n");
    let run = folder.run(&["monitor", "x.h5", "--json", "--until", "0"]).expect(0);
    assert!(run.out.contains(r#""last":"step 2""#), "{run}");
}
