//! Elements as a NumPy array file: a header, and the items as they are.

use std::io::Write;

use super::source::Source;
use crate::error::Failure;
use crate::output::Output;

pub(super) fn write(source: &Source<'_>, out: &mut Output) -> Result<(), Failure> {
    if out.terminal.is_some() {
        Err(stook::Error::invalid("an npy file is nothing for a terminal to show")
            .with_hint("send it to a file: add `> name.npy`"))?;
    }
    let header = stook::npy_header(&source.dtype, source.shape()).map_err(|error| {
        error.with_hint("choose `--format csv` or `--format json` for this dtype")
    })?;
    out.write_all(&header)?;
    source.for_each_block::<Failure>(&mut |values| Ok(out.write_all(values.items())?))
}
