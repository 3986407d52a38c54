//! What every container must do.

use std::sync::Arc;

use stook_core::dtype::StructType;
use stook_core::{
    Array, ArraySpec, AttributeEdits, AttributeValue, AxisSelection, ChunkGrid, ChunkSource,
    CodecSpec, Container, DType, Durability, Error, ErrorKind, Extent, Mode, NodeKind, NodePath,
    Result, Selection, Values,
};

use crate::random::Random;
use crate::values::random_values;

/// What a format can do beyond groups and arrays of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether nodes have attributes.
    pub has_attributes: bool,
    /// Whether arrays can grow along their first axis.
    pub can_resize: bool,
    /// Whether there is variable-length text.
    pub has_strings: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { has_attributes: true, can_resize: true, has_strings: true }
    }
}

/// A container under test and how to open it again.
pub struct Subject {
    container: Arc<dyn Container>,
    reopen: Box<dyn Fn(Mode) -> Arc<dyn Container>>,
}

impl Subject {
    /// A new, empty container; `reopen` opens what it committed, when all handles to it are
    /// gone.
    pub fn new(
        container: Arc<dyn Container>,
        reopen: impl Fn(Mode) -> Arc<dyn Container> + 'static,
    ) -> Self {
        Self { container, reopen: Box::new(reopen) }
    }

    /// Commits, closes and opens again.
    fn reopen(self, mode: Mode) -> Self {
        self.container.commit(Durability::Flush).unwrap();
        let Self { container, reopen } = self;
        drop(container);
        Self { container: reopen(mode), reopen }
    }
}

/// Runs the suite; `create` gives a new, empty container, open for writing, each time.
///
/// # Panics
/// If the container does not do what it must.
pub fn container_suite(create: &dyn Fn() -> Subject, capabilities: Capabilities) {
    nodes_are_created_and_found(create());
    what_exists_or_cannot_be_held_is_refused(create());
    values_of_every_type_survive(create(), capabilities);
    chunks_and_codecs_survive(create());
    parts_are_written(create());
    attributes_are_edited(create(), capabilities);
    nodes_are_moved(create());
    nodes_are_removed(create());
    a_reader_changes_nothing(create());
    arrays_grow(create(), capabilities);
    names_of_any_kind_are_kept(create());
    threads_share_a_container(create());
}

fn path(text: &str) -> NodePath {
    NodePath::parse(text).unwrap()
}

/// The kind of an error that a container gave about `node`, which must name it and the file.
fn kind<T>(result: Result<T>, node: &str) -> ErrorKind {
    let error: Error = match result {
        Ok(_) => panic!("`{node}`: expected an error"),
        Err(error) => error,
    };
    assert!(error.location().file.is_some(), "`{node}`: the error names no file: {error}");
    assert!(error.location().node.is_some(), "`{node}`: the error names no node: {error}");
    error.kind()
}

fn names(container: &dyn Container, group: &str) -> Vec<String> {
    let children = container.children(&path(group)).unwrap();
    children.into_iter().map(|child| child.name).collect()
}

/// The nearest thing to `spec` that the container holds.
fn adapt(container: &dyn Container, spec: &ArraySpec) -> ArraySpec {
    container.adapt_array(spec).unwrap().value
}

fn int32(container: &dyn Container) -> ArraySpec {
    adapt(container, &ArraySpec::new(DType::Int32, [4, 6]))
}

fn create(container: &dyn Container, node: &str, spec: &ArraySpec) -> Array {
    let source = container.create_array(&path(node), spec).unwrap();
    Array::new(source, container.location(), path(node))
}

fn open(container: &dyn Container, node: &str) -> Array {
    Array::new(container.open_array(&path(node)).unwrap(), container.location(), path(node))
}

/// Creates an array of `spec`, writes random values to it, and returns them.
fn write_random(container: &dyn Container, node: &str, spec: &ArraySpec) -> Values {
    let seed = node.bytes().fold(1, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    let values = random_values(&spec.dtype, spec.shape(), &mut Random::new(seed));
    create(container, node, spec).write(&Selection::All, &values).unwrap();
    assert_holds(container, node, &values);
    values
}

fn assert_holds(container: &dyn Container, node: &str, values: &Values) {
    let found = open(container, node).read(&Selection::All).unwrap();
    assert!(found == *values, "`{node}` ({}) holds other values", values.dtype());
}

fn nodes_are_created_and_found(subject: Subject) {
    let container = subject.container.as_ref();
    assert_eq!(container.mode(), Mode::ReadWrite);
    assert_eq!(container.kind(&path("/")).unwrap(), Some(NodeKind::Group));
    assert!(container.children(&path("/")).unwrap().is_empty());
    container.create_group(&path("/g/h/i")).unwrap();
    container.create_group(&path("/b")).unwrap();
    let spec = int32(container);
    create(container, "/g/a", &spec);
    create(container, "/above/it/x", &spec);

    let subject = subject.reopen(Mode::Read);
    let container = subject.container.as_ref();
    assert_eq!(container.mode(), Mode::Read);
    assert_eq!(names(container, "/"), ["above", "b", "g"]);
    let children = container.children(&path("/g")).unwrap();
    let kinds: Vec<_> = children.iter().map(|child| (child.name.as_str(), child.kind)).collect();
    assert_eq!(kinds, [("a", Some(NodeKind::Array)), ("h", Some(NodeKind::Group))]);
    for (node, kind) in [
        ("/g/h/i", Some(NodeKind::Group)),
        ("/above/it", Some(NodeKind::Group)),
        ("/above/it/x", Some(NodeKind::Array)),
        ("/none", None),
        ("/g/a/below", None),
        ("/none/below", None),
    ] {
        assert_eq!(container.kind(&path(node)).unwrap(), kind, "`{node}`");
    }
    let found = container.open_array(&path("/g/a")).unwrap().spec();
    assert_eq!((&found.dtype, &found.extent), (&spec.dtype, &spec.extent));
    assert_eq!(kind(container.children(&path("/none")), "/none"), ErrorKind::NotFound);
    assert_eq!(kind(container.children(&path("/g/a")), "/g/a"), ErrorKind::InvalidInput);
    assert_eq!(kind(container.open_array(&path("/none")), "/none"), ErrorKind::NotFound);
    assert_eq!(kind(container.open_array(&path("/g")), "/g"), ErrorKind::InvalidInput);
    assert_eq!(kind(container.attributes(&path("/none")), "/none"), ErrorKind::NotFound);
}

fn what_exists_or_cannot_be_held_is_refused(subject: Subject) {
    let container = subject.container.as_ref();
    let spec = int32(container);
    container.create_group(&path("/g")).unwrap();
    let before = write_random(container, "/a", &spec);
    for node in ["/", "/g", "/a"] {
        assert_eq!(kind(container.create_group(&path(node)), node), ErrorKind::AlreadyExists);
        let created = container.create_array(&path(node), &spec);
        assert_eq!(kind(created, node), ErrorKind::AlreadyExists);
    }
    assert!(container.create_array(&path("/a/below"), &spec).is_err(), "an array holds no nodes");
    assert!(container.create_group(&path("/a/below")).is_err(), "an array holds no nodes");

    let mut unknown = spec.clone();
    let name = "no-such-codec".to_owned();
    unknown.codecs.push(CodecSpec::Unknown { name, configuration: serde_json::Value::Null });
    unknown.contiguous = false;
    let node = "/new/deep/x";
    let refused = container.create_array(&path(node), &unknown);
    assert_eq!(kind(refused, node), ErrorKind::Unsupported);
    assert_eq!(names(container, "/"), ["a", "g"], "a failure leaves nothing");
    assert_holds(container, "/a", &before);
    let subject = subject.reopen(Mode::Read);
    assert_eq!(names(subject.container.as_ref(), "/"), ["a", "g"]);
    assert_holds(subject.container.as_ref(), "/a", &before);
}

fn dtypes() -> Vec<DType> {
    let members = [
        ("id".to_owned(), DType::UInt16),
        ("x".to_owned(), DType::Float64),
        ("name".to_owned(), DType::fixed_bytes(5)),
    ];
    vec![
        DType::Bool,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::UInt8,
        DType::UInt16,
        DType::UInt32,
        DType::UInt64,
        DType::Float16,
        DType::Float32,
        DType::Float64,
        DType::Complex64,
        DType::Complex128,
        DType::fixed_bytes(7),
        DType::Unicode(3),
        DType::Struct(Arc::new(StructType::packed(members).unwrap())),
    ]
}

fn values_of_every_type_survive(subject: Subject, capabilities: Capabilities) {
    let container = subject.container.as_ref();
    let mut dtypes = dtypes();
    if capabilities.has_strings {
        dtypes.push(DType::string());
    }
    let mut written = Vec::new();
    for (i, dtype) in dtypes.into_iter().enumerate() {
        for (j, shape) in [vec![3, 5], vec![], vec![0, 4], vec![17]].into_iter().enumerate() {
            let spec = adapt(container, &ArraySpec::new(dtype.clone(), shape));
            let node = format!("/types/{i}/{j}");
            written.push((node.clone(), write_random(container, &node, &spec)));
        }
    }
    let subject = subject.reopen(Mode::Read);
    for (node, values) in &written {
        assert_holds(subject.container.as_ref(), node, values);
    }
}

fn chunks_and_codecs_survive(subject: Subject) {
    let container = subject.container.as_ref();
    let fill = Values::new(DType::Float32, vec![], vec![0, 0, 0, 64], vec![]).unwrap();
    let mut written = Vec::new();
    for (i, codecs) in
        [vec![], vec![CodecSpec::Shuffle { item_size: 4 }, CodecSpec::Zlib { level: 3 }]]
            .into_iter()
            .enumerate()
    {
        let mut spec = ArraySpec::new(DType::Float32, [20, 31]);
        spec.grid = ChunkGrid::regular([7, 8]).unwrap();
        spec.codecs = codecs;
        spec.fill_value = Some(fill.clone());
        let spec = adapt(container, &spec);
        let node = format!("/chunked/{i}");
        written.push((node.clone(), write_random(container, &node, &spec)));
        let empty = create(container, &format!("/empty/{i}"), &spec);
        let found = empty.read(&Selection::All).unwrap();
        let zero = Values::zeroed(DType::Float32, vec![]).unwrap();
        let expected = spec.fill_value.as_ref().unwrap_or(&zero);
        let is_fill = found.items().chunks_exact(4).all(|item| item == expected.items());
        assert!(is_fill, "what was never written reads as {expected:?}");
    }
    let subject = subject.reopen(Mode::Read);
    for (node, values) in &written {
        assert_holds(subject.container.as_ref(), node, values);
    }
}

fn parts_are_written(subject: Subject) {
    let container = subject.container.as_ref();
    let mut spec = ArraySpec::new(DType::Int16, [10, 12]);
    spec.grid = ChunkGrid::regular([4, 5]).unwrap();
    let spec = adapt(container, &spec);
    let array = create(container, "/a", &spec);
    let mut random = Random::new(3);
    let mut model = vec![0_i16; 120];
    array.write_elements(&Selection::All, &[10, 12], &model).unwrap();
    for _ in 0..40 {
        let (mut start, mut len) = ([0; 2], [0; 2]);
        for (axis, n) in [10, 12].into_iter().enumerate() {
            start[axis] = random.below(n);
            len[axis] = 1 + random.below(n - start[axis]);
        }
        let part: Vec<i16> =
            (0..len[0] * len[1]).map(|_| i16::try_from(random.below(1000)).unwrap()).collect();
        for (i, value) in part.iter().enumerate() {
            let (row, column) = (start[0] + i / len[1], start[1] + i % len[1]);
            model[row * 12 + column] = *value;
        }
        let range = |axis: usize| start[axis] as u64..(start[axis] + len[axis]) as u64;
        let shape = len.map(|len| len as u64);
        let selection = Selection::ranges([range(0), range(1)]);
        array.write_elements(&selection, &shape, &part).unwrap();
    }
    let column = Selection::from(vec![AxisSelection::range(0, 10), AxisSelection::Index(3)]);
    let subject = subject.reopen_after(array);
    let array = open(subject.container.as_ref(), "/a");
    assert_eq!(array.read_as::<i16>(&Selection::All).unwrap(), model);
    let expected: Vec<i16> = (0..10).map(|row| model[row * 12 + 3]).collect();
    assert_eq!(array.read_as::<i16>(&column).unwrap(), expected);
}

impl Subject {
    /// The same as [`reopen`](Self::reopen) for reading, with `array` closed as well.
    fn reopen_after(self, array: Array) -> Self {
        drop(array);
        self.reopen(Mode::Read)
    }
}

fn attributes_are_edited(subject: Subject, capabilities: Capabilities) {
    let container = subject.container.as_ref();
    container.create_group(&path("/g")).unwrap();
    create(container, "/a", &int32(container));
    let text = |text: &str| AttributeValue::Values(Values::text(text));
    if !capabilities.has_attributes {
        let edits = AttributeEdits::new().set("units", text("m"));
        let edited = container.edit_attributes(&path("/g"), &edits);
        assert_eq!(kind(edited, "/g"), ErrorKind::Unsupported);
        assert!(container.attributes(&path("/g")).unwrap().is_empty());
        assert!(container.adapt_attribute("units", &text("m")).is_err());
        return;
    }
    let adapt = |value: AttributeValue| container.adapt_attribute("x", &value).unwrap().value;
    let (metre, second) = (adapt(text("m")), adapt(text("é")));
    let numbers = random_values(&DType::Int32, &[3], &mut Random::new(1));
    let numbers = adapt(AttributeValue::Values(numbers));
    for node in ["/", "/g", "/a"] {
        let edits = AttributeEdits::new()
            .set("units", metre.clone())
            .set("numbers", numbers.clone())
            .set("with space é", second.clone())
            .set("gone", metre.clone());
        container.edit_attributes(&path(node), &edits).unwrap();
        let edits =
            AttributeEdits::new().remove("gone").remove("none").set("units", second.clone());
        container.edit_attributes(&path(node), &edits).unwrap();
    }
    let missing = container.edit_attributes(&path("/none"), &AttributeEdits::new().clear());
    assert_eq!(kind(missing, "/none"), ErrorKind::NotFound);
    let subject = subject.reopen(Mode::ReadWrite);
    let container = subject.container.as_ref();
    for node in ["/", "/g", "/a"] {
        let found = container.attributes(&path(node)).unwrap();
        assert_eq!(found.len(), 3, "`{node}`: {found:?}");
        assert_eq!(found.get("units"), Some(&second), "`{node}`");
        assert_eq!(found.get("numbers"), Some(&numbers), "`{node}`");
        assert_eq!(found.get("with space é"), Some(&second), "`{node}`");
        let edits = AttributeEdits::new().clear().set("new", metre.clone());
        container.edit_attributes(&path(node), &edits).unwrap();
    }
    let subject = subject.reopen(Mode::Read);
    for node in ["/", "/g", "/a"] {
        let found = subject.container.attributes(&path(node)).unwrap();
        assert_eq!((found.len(), found.get("new")), (1, Some(&metre)), "`{node}`");
    }
}

fn nodes_are_moved(subject: Subject) {
    let container = subject.container.as_ref();
    let spec = int32(container);
    let x = write_random(container, "/a/b/x", &spec);
    let y = write_random(container, "/y", &spec);
    container.create_group(&path("/a/empty")).unwrap();
    container.rename(&path("/a"), &path("/new/place")).unwrap();
    container.rename(&path("/y"), &path("/z")).unwrap();
    let rename = |from: &str, to: &str| kind(container.rename(&path(from), &path(to)), from);
    assert_eq!(rename("/none", "/other"), ErrorKind::NotFound);
    assert_eq!(rename("/z", "/new"), ErrorKind::AlreadyExists);
    assert_eq!(rename("/new", "/new/place/below"), ErrorKind::InvalidInput);
    assert_eq!(rename("/", "/other"), ErrorKind::InvalidInput);
    let subject = subject.reopen(Mode::Read);
    let container = subject.container.as_ref();
    assert_eq!(names(container, "/"), ["new", "z"]);
    assert_eq!(names(container, "/new/place"), ["b", "empty"]);
    assert_holds(container, "/new/place/b/x", &x);
    assert_holds(container, "/z", &y);
}

fn nodes_are_removed(subject: Subject) {
    let container = subject.container.as_ref();
    let spec = int32(container);
    write_random(container, "/a/b/x", &spec);
    write_random(container, "/a/y", &spec);
    let kept = write_random(container, "/ab", &spec);
    container.remove(&path("/a/y")).unwrap();
    assert_eq!(names(container, "/a"), ["b"]);
    container.remove(&path("/a")).unwrap();
    assert_eq!(kind(container.remove(&path("/a")), "/a"), ErrorKind::NotFound);
    assert_eq!(kind(container.remove(&path("/")), "/"), ErrorKind::InvalidInput);
    assert_eq!(kind(container.open_array(&path("/a/b/x")), "/a/b/x"), ErrorKind::NotFound);
    let again = write_random(container, "/a/y", &spec);
    let subject = subject.reopen(Mode::Read);
    let container = subject.container.as_ref();
    assert_eq!(names(container, "/"), ["a", "ab"]);
    assert_eq!(names(container, "/a"), ["y"]);
    assert_holds(container, "/a/y", &again);
    assert_holds(container, "/ab", &kept);
}

fn a_reader_changes_nothing(subject: Subject) {
    let container = subject.container.as_ref();
    let spec = int32(container);
    container.create_group(&path("/g")).unwrap();
    let values = write_random(container, "/a", &spec);
    let subject = subject.reopen(Mode::Read);
    let container = subject.container.as_ref();
    let edits = AttributeEdits::new().clear();
    for (result, what) in [
        (container.create_group(&path("/new")), "create_group"),
        (container.create_array(&path("/new"), &spec).map(|_| ()), "create_array"),
        (container.remove(&path("/a")), "remove"),
        (container.rename(&path("/a"), &path("/b")), "rename"),
        (container.edit_attributes(&path("/a"), &edits), "edit_attributes"),
        (open(container, "/a").write(&Selection::All, &values), "write"),
        (container.open_array(&path("/a")).unwrap().resize(&[5, 6]), "resize"),
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ReadOnly, "{what}");
    }
    for durability in [Durability::None, Durability::Flush, Durability::Fsync] {
        container.commit(durability).unwrap();
    }
    assert_eq!(names(container, "/"), ["a", "g"]);
    assert_holds(container, "/a", &values);
}

fn arrays_grow(subject: Subject, capabilities: Capabilities) {
    let container = subject.container.as_ref();
    let mut spec = ArraySpec::new(DType::Int32, [4, 6]);
    spec.grid = ChunkGrid::regular([3, 6]).unwrap();
    spec.max_shape = Some(vec![None, Some(6)]);
    let spec = adapt(container, &spec);
    let values = write_random(container, "/a", &spec);
    let source: Arc<dyn ChunkSource> = container.open_array(&path("/a")).unwrap();
    let array = Array::new(Arc::clone(&source), container.location(), path("/a"));
    if !capabilities.can_resize {
        assert_eq!(array.resize(&[9, 6]).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_holds(container, "/a", &values);
        return;
    }
    assert_eq!(array.resize(&[9]).unwrap_err().kind(), ErrorKind::InvalidInput, "another rank");
    array.resize(&[9, 6]).unwrap();
    assert_eq!(source.spec().extent, Extent::Shape(vec![9, 6]));
    array.append(&values, 0).unwrap();
    drop((source, array));
    let subject = subject.reopen(Mode::ReadWrite);
    let array = open(subject.container.as_ref(), "/a");
    assert_eq!(array.shape(), [13, 6]);
    let found = array.read(&Selection::All).unwrap();
    let (old, rest) = found.items().split_at(96);
    assert!(old == values.items() && rest[120..] == *values.items());
    assert!(rest[..120].iter().all(|&byte| byte == 0), "what is new is empty");
    array.resize(&[2, 6]).unwrap();
    array.resize(&[4, 6]).unwrap();
    let found = array.read(&Selection::All).unwrap();
    let (old, cut) = found.items().split_at(48);
    assert_eq!(old, &values.items()[..48]);
    assert!(cut.iter().all(|&byte| byte == 0), "what was cut does not come back");
}

fn names_of_any_kind_are_kept(subject: Subject) {
    let container = subject.container.as_ref();
    let names = [" ", "-", "0", "A b", "a.b", "c", "x%2F", "~", "é中😀"];
    let spec = int32(container);
    for name in names {
        let group = path("/").join(name).unwrap();
        container.create_group(&group).unwrap();
        write_random(container, group.join(name).unwrap().as_str(), &spec);
    }
    let subject = subject.reopen(Mode::Read);
    let container = subject.container.as_ref();
    assert_eq!(self::names(container, "/"), names);
    for name in names {
        assert_eq!(self::names(container, &format!("/{name}")), [name]);
    }
}

fn threads_share_a_container(subject: Subject) {
    let container = subject.container.as_ref();
    let mut spec = ArraySpec::new(DType::Int32, [16, 10]);
    spec.grid = ChunkGrid::regular([4, 5]).unwrap();
    let spec = adapt(container, &spec);
    let array = create(container, "/a", &spec);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (array, spec) = (array.clone(), &spec);
            scope.spawn(move || {
                container.create_group(&path(&format!("/g/{thread}"))).unwrap();
                write_random(container, &format!("/g/{thread}/x"), spec);
                // Rows of one chunk are written by several threads.
                for row in (0..16).filter(|row| row % 4 == thread) {
                    let value = i32::try_from(row).unwrap();
                    let selection = Selection::ranges([row..row + 1, 0..10]);
                    array.write_elements(&selection, &[1, 10], &[value; 10]).unwrap();
                }
            });
        }
    });
    let subject = subject.reopen_after(array);
    let found = open(subject.container.as_ref(), "/a").read_as::<i32>(&Selection::All).unwrap();
    let expected: Vec<i32> = (0..160).map(|i| i / 10).collect();
    assert_eq!(found, expected);
    assert_eq!(names(subject.container.as_ref(), "/g"), ["0", "1", "2", "3"]);
}
