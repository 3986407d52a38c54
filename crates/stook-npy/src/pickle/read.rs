//! The reader: opcodes to objects.
//!
//! Invariants: an opcode takes at least a byte of input and makes at most one object; what all
//! objects take is counted against the limit before they are made. Nothing recurses.

use std::collections::HashMap;
use std::sync::Arc;

use stook_core::file::FileIo;
use stook_core::{Error, Limits, Result};

use super::class::{Class, Object};
use super::global::Global;
use super::input::Input;
use super::node::{Callable, Named, Node, NodeId, Pickle};
use super::opcode as op;
use super::payload::MIN_STORED_LEN_BYTES;
use super::reduce;

/// What an object is counted with, beside its payload.
const NODE_LEN: usize = size_of::<Node>() + 16;
/// The versions of the protocol that are read.
const PROTOCOLS: std::ops::RangeInclusive<u8> = 2..=5;

pub(super) struct Machine<'a> {
    input: Input<'a>,
    nodes: Vec<Node>,
    stack: Vec<NodeId>,
    /// The height of the stack at each mark.
    marks: Vec<usize>,
    memo: HashMap<u64, NodeId>,
    /// Bytes that may still be used.
    budget: u64,
    limits: &'a Limits,
    /// What is data beside what [`Global`] knows.
    classes: &'a [Class],
    /// Whether protocols 0 and 1 are read.
    reads_text: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &'a Limits, classes: &'a [Class]) -> Self {
        Self::of(Input::memory(bytes), limits, classes)
    }

    pub(super) fn of_file(
        file: &Arc<dyn FileIo>,
        limits: &'a Limits,
        classes: &'a [Class],
    ) -> Result<Self> {
        Ok(Self::of(Input::file(file)?, limits, classes))
    }

    fn of(input: Input<'a>, limits: &'a Limits, classes: &'a [Class]) -> Self {
        Self {
            input,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            budget: limits.chunk_len_bytes,
            limits,
            classes,
            reads_text: false,
        }
    }

    /// Reads protocols 0 and 1, too.
    pub(super) fn reading_text(self) -> Self {
        Self { reads_text: true, ..self }
    }

    pub(super) fn run(mut self) -> Result<Pickle> {
        if self.input.first()? == Some(op::PROTO) {
            self.byte()?;
            let version = self.byte()?;
            if !PROTOCOLS.contains(&version) {
                return Err(Error::unsupported(format!("pickle: protocol {version} is not known")));
            }
        } else if !self.reads_text {
            return Err(Error::corrupt("pickle: expected one of protocol 2 or later"));
        }
        loop {
            let at = self.input.at();
            let code = self.byte()?;
            if code == op::STOP {
                let root = self.pop()?;
                return Ok(Pickle { nodes: self.nodes, root });
            }
            self.charge(size_of::<NodeId>())?;
            self.step(code).map_err(|error| located(error, code, at))?;
        }
    }

    fn step(&mut self, code: u8) -> Result<()> {
        match code {
            op::MARK => self.marks.push(self.stack.len()),
            op::POP if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            op::POP => drop(self.pop()?),
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
            }
            op::FRAME => {
                let len = self.u64()?;
                if len > self.input.rest() {
                    let found = self.input.rest();
                    return Err(Error::corrupt(format!("expected {len} bytes, found {found}")));
                }
            }
            op::BINGET | op::LONG_BINGET => {
                let key = if code == op::BINGET { self.byte()?.into() } else { self.u32()?.into() };
                self.fetch(key)?;
            }
            op::BINPUT | op::LONG_BINPUT => {
                let key = if code == op::BINPUT { self.byte()?.into() } else { self.u32()?.into() };
                self.memoize(key)?;
            }
            op::MEMOIZE => self.memoize(self.memo.len() as u64)?,
            _ => {
                let is_done = self.scalar(code)?
                    || self.collection(code)?
                    || (self.reads_text && self.text_opcode(code)?);
                if !is_done {
                    return self.call(code);
                }
            }
        }
        Ok(())
    }

    /// Opcodes that push a value of their own.
    fn scalar(&mut self, code: u8) -> Result<bool> {
        let node = match code {
            op::NONE => Node::None,
            op::NEWTRUE => Node::Bool(true),
            op::NEWFALSE => Node::Bool(false),
            op::BININT1 => Node::Int(self.byte()?.into()),
            op::BININT2 => Node::Int(u16::from_le_bytes(self.array()?).into()),
            op::BININT => Node::Int(i32::from_le_bytes(self.array()?).into()),
            op::LONG1 | op::LONG4 => {
                let len = if code == op::LONG1 { self.byte()?.into() } else { self.signed_len()? };
                self.long(len)?
            }
            op::BINFLOAT => Node::Float(f64::from_be_bytes(self.array()?)),
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let len = self.len(code, [op::SHORT_BINUNICODE, op::BINUNICODE])?;
                Node::Text(text(self.payload(len)?)?)
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 => {
                let len = self.len(code, [op::SHORT_BINBYTES, op::BINBYTES])?;
                self.bytes(len)?
            }
            op::SHORT_BINSTRING | op::BINSTRING => {
                let is_short = code == op::SHORT_BINSTRING;
                let len = if is_short { self.byte()?.into() } else { self.signed_len()? };
                Node::ByteText(self.payload(len)?)
            }
            op::BYTEARRAY8 => {
                let len = self.u64()?;
                Node::ByteArray(self.payload(len)?)
            }
            op::EMPTY_LIST => Node::List(Vec::new()),
            op::EMPTY_TUPLE => Node::Tuple(Vec::new()),
            op::EMPTY_DICT => Node::Dict(Vec::new()),
            op::EMPTY_SET => Node::Set(Vec::new()),
            _ => return Ok(false),
        };
        self.push(node)?;
        Ok(true)
    }

    /// Opcodes that gather what lies on the stack.
    fn collection(&mut self, code: u8) -> Result<bool> {
        let node = match code {
            op::TUPLE1 => Node::Tuple(self.pop_n(1)?),
            op::TUPLE2 => Node::Tuple(self.pop_n(2)?),
            op::TUPLE3 => Node::Tuple(self.pop_n(3)?),
            op::TUPLE => Node::Tuple(self.pop_mark()?),
            op::LIST => Node::List(self.pop_mark()?),
            op::DICT => Node::Dict(pairs(&self.pop_mark()?)?),
            op::FROZENSET => Node::FrozenSet(self.pop_mark()?),
            op::APPEND => {
                let items = self.pop_n(1)?;
                return self.extend(&items).map(|()| true);
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.pop_mark()?;
                return self.extend(&items).map(|()| true);
            }
            op::SETITEM => {
                let items = self.pop_n(2)?;
                return self.set_items(&items).map(|()| true);
            }
            op::SETITEMS => {
                let items = self.pop_mark()?;
                return self.set_items(&items).map(|()| true);
            }
            _ => return Ok(false),
        };
        self.push(node)?;
        Ok(true)
    }

    /// Opcodes that name or make something.
    fn call(&mut self, code: u8) -> Result<()> {
        match code {
            op::GLOBAL => {
                let module = text(self.line()?)?;
                let name = text(self.line()?)?;
                let named = self.find(&module, &name)?;
                self.push(Node::Callable(Callable(named)))
            }
            op::STACK_GLOBAL => {
                let parts = self.pop_n(2)?;
                let mut parts = parts.iter().map(|id| self.node(*id).as_text());
                let (Some(Some(module)), Some(Some(name))) = (parts.next(), parts.next()) else {
                    return Err(Error::corrupt("expected a module and a name"));
                };
                let named = self.find(module, name)?;
                self.push(Node::Callable(Callable(named)))
            }
            op::REDUCE => {
                let parts = self.pop_n(2)?;
                let [callable, arguments] = parts.as_slice() else {
                    return Err(underflow());
                };
                let Node::Callable(Callable(Named::Global(global))) = *self.node(*callable) else {
                    let found = self.node(*callable).type_name();
                    return Err(Error::unsupported(format!("it calls a {found}")));
                };
                let Node::Tuple(arguments) = self.node(*arguments) else {
                    return Err(Error::corrupt("expected a tuple of arguments"));
                };
                let node = reduce::reduce(global, &arguments.clone(), self)?;
                self.push(node)
            }
            op::NEWOBJ if self.makes_object()? => {
                let parts = self.pop_n(2)?;
                let [class, arguments] = parts.as_slice() else { return Err(underflow()) };
                let object = self.object(*class, *arguments)?;
                self.push(Node::Object(Box::new(object)))
            }
            op::BUILD => {
                let state = self.pop()?;
                let target = self.top()?;
                if let Some(Node::Object(object)) = self.node_mut(target) {
                    object.state = Some(state);
                    return Ok(());
                }
                let node = reduce::build(target, state, self)?;
                self.set(target, node);
                Ok(())
            }
            _ => Err(match op::name_of(code) {
                Some(name) => {
                    Error::unsupported(format!("opcode {name} makes what is not plain data"))
                }
                None => Error::corrupt("this is no opcode"),
            }),
        }
    }

    fn find(&self, module: &str, name: &str) -> Result<Named> {
        let is_it = |class: &&Class| class.module == module && class.name == name;
        match self.classes.iter().find(is_it) {
            Some(class) => Ok(Named::Class(*class)),
            None => match Global::find(module, name)? {
                // It makes objects of classes, and here are none.
                Global::Reconstructor if self.classes.is_empty() => {
                    Err(Global::refused(module, name))
                }
                global => Ok(Named::Global(global)),
            },
        }
    }

    /// Whether what lies below the top is a class whose objects are data.
    fn makes_object(&self) -> Result<bool> {
        let class = self.stack.len().checked_sub(2).and_then(|at| self.stack.get(at));
        let class = self.node(*class.ok_or_else(underflow)?);
        Ok(matches!(class, Node::Callable(Callable(Named::Class(_)))))
    }

    fn object(&mut self, class: NodeId, arguments: NodeId) -> Result<Object> {
        let Node::Callable(Callable(Named::Class(class))) = *self.node(class) else {
            return Err(Error::corrupt("expected a class"));
        };
        let Node::Tuple(arguments) = self.node(arguments) else {
            return Err(Error::corrupt("expected a tuple of arguments"));
        };
        let arguments = arguments.clone();
        self.charge(size_of::<Object>().saturating_add(size_of_val(arguments.as_slice())))?;
        Ok(Object { arguments, ..Object::new(class) })
    }

    fn extend(&mut self, items: &[NodeId]) -> Result<()> {
        let target = self.top()?;
        let found = self.node(target).type_name();
        match self.node_mut(target) {
            Some(Node::List(list) | Node::Set(list)) => {
                list.extend_from_slice(items);
                Ok(())
            }
            _ => Err(Error::corrupt(format!("expected a list or a set, found a {found}"))),
        }
    }

    fn set_items(&mut self, items: &[NodeId]) -> Result<()> {
        let items = pairs(items)?;
        let target = self.top()?;
        let found = self.node(target).type_name();
        match self.node_mut(target) {
            Some(Node::Dict(dict) | Node::OrderedDict(dict)) => {
                dict.extend_from_slice(&items);
                Ok(())
            }
            Some(Node::Object(object)) => {
                object.items.extend_from_slice(&items);
                Ok(())
            }
            _ => Err(Error::corrupt(format!("expected a dictionary, found a {found}"))),
        }
    }

    pub(super) fn memoize(&mut self, key: u64) -> Result<()> {
        let top = self.top()?;
        self.charge(32)?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn long(&mut self, len: u64) -> Result<Node> {
        let bytes = self.payload(len)?;
        let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
        let mut whole = [sign; 16];
        Ok(match whole.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(&bytes);
                Node::Int(i128::from_le_bytes(whole))
            }
            None => Node::BigInt(bytes),
        })
    }

    // What the objects are counted with, and where they are.

    /// Takes `len` bytes from what may be used.
    pub(super) fn charge(&mut self, len: usize) -> Result<()> {
        self.budget = self.budget.checked_sub(len as u64).ok_or_else(|| {
            let most = self.limits.chunk_len_bytes;
            Error::limit(format!("pickle: its objects exceed the limit of {most} bytes"))
        })?;
        Ok(())
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        usize::try_from(id.0).ok().and_then(|at| self.nodes.get(at)).unwrap_or(&Node::None)
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(id.0).ok()?)
    }

    fn set(&mut self, id: NodeId, node: Node) {
        if let Some(place) = self.node_mut(id) {
            *place = node;
        }
    }

    /// The object that is in the memo under `key`, on the stack again.
    pub(super) fn fetch(&mut self, key: u64) -> Result<()> {
        let missing = || Error::corrupt(format!("there is no object {key} to get"));
        let id = *self.memo.get(&key).ok_or_else(missing)?;
        self.stack.push(id);
        Ok(())
    }

    pub(super) fn push(&mut self, node: Node) -> Result<()> {
        self.charge(NODE_LEN)?;
        let id = u32::try_from(self.nodes.len());
        let id = id.map_err(|_| Error::limit("pickle: more than 4294967295 objects"))?;
        self.nodes.push(node);
        self.stack.push(NodeId(id));
        Ok(())
    }

    /// The lowest that the stack may be emptied to.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<NodeId> {
        let is_there = self.stack.len() > self.floor();
        self.stack.last().copied().filter(|_| is_there).ok_or_else(underflow)
    }

    fn pop(&mut self) -> Result<NodeId> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_n(&mut self, n: usize) -> Result<Vec<NodeId>> {
        let start = self.stack.len().checked_sub(n).filter(|&start| start >= self.floor());
        Ok(self.stack.split_off(start.ok_or_else(underflow)?))
    }

    fn pop_mark(&mut self) -> Result<Vec<NodeId>> {
        let mark = self.marks.pop().ok_or_else(|| Error::corrupt("expected a mark"))?;
        if mark > self.stack.len() {
            return Err(underflow());
        }
        Ok(self.stack.split_off(mark))
    }

    // The input.

    /// The next `len` bytes, counted as the payload of an object.
    fn payload(&mut self, len: u64) -> Result<Vec<u8>> {
        let len = self.payload_len(len)?;
        self.input.take(len)
    }

    fn payload_len(&mut self, len: u64) -> Result<usize> {
        let found = self.input.rest();
        let len = usize::try_from(len).ok().filter(|&len| len as u64 <= found);
        let len = len.ok_or_else(|| Error::corrupt(format!("it ends after {found} more bytes")))?;
        self.charge(len)?;
        Ok(len)
    }

    /// Bytes: where they are, if they are many and in a file.
    fn bytes(&mut self, len: u64) -> Result<Node> {
        let len = self.payload_len(len)?;
        let stored = if len as u64 >= MIN_STORED_LEN_BYTES { self.input.stored(len) } else { None };
        match stored {
            Some(stored) => Ok(Node::StoredBytes(stored)),
            None => self.input.take(len).map(Node::Bytes),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.input.array()
    }

    fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn signed_len(&mut self) -> Result<u64> {
        let len = i32::from_le_bytes(self.array()?);
        u64::try_from(len).map_err(|_| Error::corrupt(format!("{len} is no length")))
    }

    /// A length of 1, 4 or 8 bytes: `code` is the first or second of `narrow`, or another.
    fn len(&mut self, code: u8, narrow: [u8; 2]) -> Result<u64> {
        match narrow.iter().position(|&known| known == code) {
            Some(0) => self.byte().map(u64::from),
            Some(_) => self.u32().map(u64::from),
            None => self.u64(),
        }
    }

    pub(super) fn line(&mut self) -> Result<Vec<u8>> {
        self.input.line()
    }
}

fn pairs(items: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Error::corrupt("a key without a value"));
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

pub(super) fn text(bytes: Vec<u8>) -> Result<String> {
    // Python lets lone surrogates through; they have no text.
    String::from_utf8(bytes)
        .map_err(|error| Error::corrupt("text is not UTF-8").with_source(error.utf8_error()))
}

fn underflow() -> Error {
    Error::corrupt("nothing is left on the stack")
}

/// Says at which opcode it happened, once.
fn located(error: Error, code: u8, at: u64) -> Error {
    if error.message().starts_with("pickle: ") {
        return error;
    }
    let name = op::name_of(code).map_or_else(|| format!("0x{code:02x}"), str::to_owned);
    error.within(format_args!("pickle: {name} at byte {at}"))
}
