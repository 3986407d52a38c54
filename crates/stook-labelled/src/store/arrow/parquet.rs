//! Tables in files of Parquet.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use stook_core::file::LocalFile;
use stook_core::{Error, ErrorKind, Limits, Result};

use super::io::{Source, written};
use super::{BATCH_LEN, Batches, cannot_write};

/// Writes a table.
pub(super) fn write(file: &LocalFile, schema: &SchemaRef, batches: Batches<'_>) -> Result<()> {
    let level = ZstdLevel::try_new(1).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by("stook".to_owned())
        .build();
    written(file, |sink| {
        let mut writer =
            ArrowWriter::try_new(sink, Arc::clone(schema), Some(properties)).map_err(failed)?;
        for batch in batches {
            writer.write(&batch?).map_err(failed)?;
        }
        writer.into_inner().map_err(failed)?.flush().map_err(cannot_write)
    })
}

/// A file of Parquet, open.
pub(super) struct Table {
    source: Source,
    metadata: ArrowReaderMetadata,
}

impl Table {
    pub(super) fn open(source: Source, limits: &Limits) -> Result<Self> {
        // The last eight bytes: the length of the footer, and a magic number.
        let len = source.len_bytes().saturating_sub(8);
        let tail = source.bytes(len, source.len_bytes() - len)?;
        let footer = tail.get(..4).and_then(|bytes| bytes.try_into().ok());
        limits.metadata(footer.map_or(0, u32::from_le_bytes).into())?;
        let metadata = ArrowReaderMetadata::load(&source, ArrowReaderOptions::default());
        Ok(Self { source, metadata: metadata.map_err(failed)? })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    pub(super) fn n_rows(&self) -> u64 {
        let groups = self.metadata.metadata().row_groups();
        let rows = groups.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0));
        rows.fold(0, u64::saturating_add)
    }

    /// Gives the rows `from..from + n`, piece by piece.
    pub(super) fn read(
        &self,
        from: usize,
        n: usize,
        each: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.source.clone(),
            self.metadata.clone(),
        );
        let reader = builder.with_batch_size(BATCH_LEN).with_offset(from).with_limit(n).build();
        for batch in reader.map_err(failed)? {
            each(&batch.map_err(|error| super::of_arrow(&error))?)?;
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn failed(error: ParquetError) -> Error {
    if let ParquetError::External(source) = &error
        && let Some(source) = source.downcast_ref::<Error>()
    {
        return Error::new(source.kind(), source.message());
    }
    let kind = match &error {
        ParquetError::NYI(_) => ErrorKind::Unsupported,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, format!("Parquet: {error}"))
}
