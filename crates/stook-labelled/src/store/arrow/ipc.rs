//! Tables in Arrow's own files: the IPC file format.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::writer::FileWriter;
use arrow_ipc::{Block, Message, root_as_footer, root_as_message};
use arrow_schema::SchemaRef;
use stook_core::file::LocalFile;
use stook_core::{Error, Limits, Result};

use super::io::{Source, written};
use super::{Batches, cannot_write, of_arrow};

/// What a file begins and ends with.
const MAGIC: &[u8] = b"ARROW1";
/// Before the length of a message that has a length of four bytes.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Writes a table.
pub(super) fn write(file: &LocalFile, schema: &SchemaRef, batches: Batches<'_>) -> Result<()> {
    written(file, |sink| {
        let failed = |error| of_arrow(&error);
        let mut writer = FileWriter::try_new(sink, schema).map_err(failed)?;
        for batch in batches {
            writer.write(&batch?).map_err(failed)?;
        }
        writer.finish().map_err(failed)?;
        writer.into_inner().map_err(failed)?.flush().map_err(cannot_write)
    })
}

/// A file of Arrow, open.
pub(super) struct Table {
    source: Source,
    schema: SchemaRef,
    decoder: FileDecoder,
    batches: Vec<Block>,
    /// How many rows each batch has.
    lens: Vec<usize>,
    limits: Limits,
}

impl Table {
    pub(super) fn open(source: Source, limits: &Limits) -> Result<Self> {
        let end = source.len_bytes().saturating_sub(10);
        let tail = source.bytes(end, source.len_bytes() - end)?;
        let footer = tail.get(..4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_le_bytes);
        let footer = footer.and_then(|len| u64::try_from(len).ok());
        let footer = footer.filter(|_| tail.get(4..) == Some(MAGIC));
        let len = footer.ok_or_else(|| Error::corrupt("expected a file of Arrow"))?;
        limits.metadata(len)?;
        let start = end.checked_sub(len).ok_or_else(|| Error::corrupt("a footer too long"))?;
        let bytes = source.bytes(start, len)?;
        let broken = |error| Error::corrupt(format!("the footer is malformed: {error}"));
        let footer = root_as_footer(&bytes).map_err(broken)?;
        let schema = footer.schema().ok_or_else(|| Error::corrupt("expected a schema"))?;
        let schema = arrow_ipc::convert::try_fb_to_schema(schema);
        let schema = Arc::new(schema.map_err(|error| of_arrow(&error))?);
        let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
        for block in footer.dictionaries().iter().flatten() {
            let bytes = body(&source, block, limits)?;
            decoder.read_dictionary(block, &bytes).map_err(|error| of_arrow(&error))?;
        }
        let batches: Vec<Block> = footer.recordBatches().iter().flatten().copied().collect();
        let lens = batches.iter().map(|block| n_rows(&source, block));
        let lens = lens.collect::<Result<Vec<_>>>()?;
        Ok(Self { source, schema, decoder, batches, lens, limits: limits.clone() })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn n_rows(&self) -> u64 {
        self.lens.iter().fold(0, |sum: u64, &len| sum.saturating_add(len as u64))
    }

    /// Gives the rows `from..from + n`, piece by piece.
    pub(super) fn read(
        &self,
        from: usize,
        n: usize,
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let (mut first, to) = (0_usize, from.saturating_add(n));
        for (block, &len) in self.batches.iter().zip(&self.lens) {
            let last = first.saturating_add(len);
            let (start, stop) = (from.max(first), to.min(last));
            if start < stop {
                let bytes = body(&self.source, block, &self.limits)?;
                let batch = self.decoder.read_record_batch(block, &bytes);
                let batch = batch.map_err(|error| of_arrow(&error))?;
                let batch = batch.filter(|batch| batch.num_rows() == len);
                let batch = batch.ok_or_else(|| Error::corrupt("expected a batch of rows"))?;
                each(&batch.slice(start - first, stop - start))?;
            }
            first = last;
        }
        Ok(())
    }
}

fn size(bytes: i64) -> Result<u64> {
    u64::try_from(bytes).map_err(|_| Error::corrupt(format!("expected a size, found {bytes}")))
}

/// How many rows a batch says it has.
fn n_rows(source: &Source, block: &Block) -> Result<usize> {
    let bytes = source.bytes(size(block.offset())?, size(block.metaDataLength().into())?)?;
    let batch = message(&bytes)?.header_as_record_batch();
    let batch = batch.ok_or_else(|| Error::corrupt("expected a batch of rows"))?;
    usize::try_from(batch.length()).map_err(|_| Error::corrupt("a batch of a negative length"))
}

/// The message at the beginning of a block.
fn message(bytes: &[u8]) -> Result<Message<'_>> {
    let start = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    root_as_message(bytes.get(start..).unwrap_or_default())
        .map_err(|error| Error::corrupt(format!("a message is malformed: {error}")))
}

/// A block: its message and the buffers after it, which lie within it and are not too large.
fn body(source: &Source, block: &Block, limits: &Limits) -> Result<Buffer> {
    let (head, body) = (size(block.metaDataLength().into())?, size(block.bodyLength())?);
    let len = head.checked_add(body).ok_or_else(|| Error::corrupt("a block too long"))?;
    let bytes = source.bytes(size(block.offset())?, len)?;
    let (head_bytes, buffers) = bytes.split_at(usize::try_from(head).unwrap_or(0));
    let message = message(head_bytes)?;
    let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let Some(batch) = message.header_as_record_batch().or(dictionary) else {
        return Err(Error::corrupt("expected a batch of rows"));
    };
    for buffer in batch.buffers().iter().flatten() {
        let (start, len) = (size(buffer.offset())?, size(buffer.length())?);
        let end = start.checked_add(len).filter(|&end| end <= body);
        if end.is_none() {
            return Err(Error::corrupt(format!("a buffer of {len} bytes at {start} of {body}")));
        }
        if batch.compression().is_some() && len >= 8 {
            let start = usize::try_from(start).unwrap_or(0);
            let unpacked = buffers.get(start..start + 8).and_then(|bytes| bytes.try_into().ok());
            // −1 says that it is not compressed.
            let unpacked = unpacked.map_or(-1, i64::from_le_bytes).max(0);
            limits.chunk(size(unpacked)?)?;
        }
    }
    Ok(Buffer::from_vec(bytes))
}
