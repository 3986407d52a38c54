//! The tables of a tree as ONE-api reads them in its local mode: `sessions.pqt` and `datasets.pqt`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use sha2::{Digest, Sha256};
use stook_core::calendar::date_of;
use stook_core::file::write_atomic;
use stook_core::{Durability, Error, Result};

use super::AlfName;
use crate::catalogue::{Catalogue, DatasetRecord, SessionRecord, is_number};

const SESSIONS: &str = "message schema {
    required binary id (UTF8);
    required binary lab (UTF8);
    required binary subject (UTF8);
    required int32 date (DATE);
    required int32 number (UINT_16);
    required binary task_protocol (UTF8);
    required binary projects (UTF8);
}";

const DATASETS: &str = "message schema {
    required binary eid (UTF8);
    required binary id (UTF8);
    required binary rel_path (UTF8);
    required int64 file_size (UINT_64);
    optional binary hash (UTF8);
    required boolean exists;
}";

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The table of sessions.
    pub sessions: PathBuf,
    /// The table of datasets.
    pub datasets: PathBuf,
    /// How many sessions are in it.
    pub n_sessions: u64,
    /// How many datasets are in it.
    pub n_datasets: u64,
    /// What ONE-api has no place for: sessions whose folder is not `subject/date/number`, the number
    /// of three digits, and files whose name is none of ALF.
    pub left_out: Vec<String>,
}

/// Writes the tables of what the catalogue knows to `folder`: the root of the tree, for
/// `One(mode="local", cache_dir=root)`. A table is replaced whole.
///
/// Identifiers are made of paths, and so are the same in each export. ONE-api takes the quality of all
/// datasets for not set: it would ask for a column of categories of Arrow.
///
/// # Errors
/// Those of [`Catalogue::sessions`], `ReadOnly`, `Io`.
pub fn export_tables(catalogue: &Catalogue, folder: &Path) -> Result<Exported> {
    let mut exported = Exported {
        sessions: folder.join("sessions.pqt"),
        datasets: folder.join("datasets.pqt"),
        ..Exported::default()
    };
    let mut rows = Vec::new();
    for session in catalogue.sessions(&[])? {
        let name = &session.name;
        let id = name.id().filter(|id| id.len() == 3 && is_number(id));
        let number = id.and_then(|id| id.parse::<i32>().ok());
        let (Some(number), true) = (number, session.path == name.to_string()) else {
            exported.left_out.push(session.path);
            continue;
        };
        let mut datasets = catalogue.datasets(&session)?;
        datasets.retain(|data| {
            let file = data.path.rsplit_once('/').map_or(data.path.as_str(), |(_, file)| file);
            let is_alf = AlfName::parse(file).is_some();
            if !is_alf {
                exported.left_out.push(format!("{}/{}", session.path, data.path));
            }
            is_alf
        });
        exported.n_datasets += datasets.len() as u64;
        rows.push(Entry { id: identifier(&session.path), number, session, datasets });
    }
    // ONE-api looks identifiers up in tables that are sorted by them.
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    exported.n_sessions = rows.len() as u64;
    let origin = catalogue.root();
    let tables = sessions_table(&rows, origin)
        .and_then(|sessions| Ok((sessions, datasets_table(&rows, origin)?)));
    let (sessions, datasets) = tables.map_err(|error| {
        Error::io("cannot make the table", std::io::Error::other(error)).at_file(folder)
    })?;
    write_atomic(&exported.datasets, &datasets, Durability::Flush)?;
    write_atomic(&exported.sessions, &sessions, Durability::Flush)?;
    Ok(exported)
}

struct Entry {
    id: String,
    number: i32,
    session: SessionRecord,
    datasets: Vec<DatasetRecord>,
}

/// An identifier of the form that UUIDs have, made of a path. It says that it is of version 3, which is
/// made of a name: ONE-api takes no others but random ones.
fn identifier(path: &str) -> String {
    let digest = Sha256::digest(format!("stook:{path}").as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|at| digest.get(at).copied().unwrap_or(0));
    bytes[6] = (bytes[6] & 0x0f) | 0x30;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}

/// A column of a table.
enum Column {
    Texts(Vec<String>),
    /// Texts that may be missing; here all are.
    Nulls(usize),
    Numbers(Vec<i32>),
    Lengths(Vec<i64>),
    Truths(Vec<bool>),
}

fn sessions_table(rows: &[Entry], origin: &Path) -> std::result::Result<Vec<u8>, ParquetError> {
    let texts = |of: &dyn Fn(&Entry) -> String| Column::Texts(rows.iter().map(of).collect());
    let columns = [
        texts(&|row| row.id.clone()),
        texts(&|_| String::new()),
        texts(&|row| row.session.name.mouse().to_owned()),
        Column::Numbers(rows.iter().map(|row| row.session.name.date().epoch_days()).collect()),
        Column::Numbers(rows.iter().map(|row| row.number).collect()),
        texts(&|_| String::new()),
        texts(&|_| String::new()),
    ];
    table(SESSIONS, &columns, origin)
}

fn datasets_table(rows: &[Entry], origin: &Path) -> std::result::Result<Vec<u8>, ParquetError> {
    let mut all = Vec::new();
    for row in rows {
        let id = |data: &DatasetRecord| identifier(&format!("{}/{}", row.session.path, data.path));
        let mut own: Vec<_> = row.datasets.iter().map(|data| (id(data), row, data)).collect();
        own.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        all.append(&mut own);
    }
    let lengths = all.iter().map(|(_, _, data)| i64::try_from(data.len_bytes).unwrap_or(i64::MAX));
    let columns = [
        Column::Texts(all.iter().map(|(_, row, _)| row.id.clone()).collect()),
        Column::Texts(all.iter().map(|(id, ..)| id.clone()).collect()),
        Column::Texts(all.iter().map(|(_, _, data)| data.path.clone()).collect()),
        Column::Lengths(lengths.collect()),
        // ONE-api compares with an MD5 sum what is there.
        Column::Nulls(all.len()),
        Column::Truths(vec![true; all.len()]),
    ];
    table(DATASETS, &columns, origin)
}

/// A Parquet file of one group of rows.
fn table(
    schema: &str,
    columns: &[Column],
    origin: &Path,
) -> std::result::Result<Vec<u8>, ParquetError> {
    let metadata = serde_json::json!({
        "date_created": now(), "origin": origin.display().to_string(), "min_api_version": "1.13.0",
    });
    let about = KeyValue::new("one_metadata".to_owned(), metadata.to_string());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![about])).build();
    let schema = Arc::new(parse_message_type(schema)?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(mut writer) = group.next_column()? else { break };
        match (writer.untyped(), column) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Column::Texts(texts)) => {
                let texts: Vec<ByteArray> = texts.iter().map(|text| text.as_str().into()).collect();
                // Of an optional column, all are there.
                writer.write_batch(&texts, None, None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Column::Nulls(n)) => {
                writer.write_batch(&[], Some(&vec![0; *n]), None)?;
            }
            (ColumnWriter::Int32ColumnWriter(writer), Column::Numbers(numbers)) => {
                writer.write_batch(numbers, None, None)?;
            }
            (ColumnWriter::Int64ColumnWriter(writer), Column::Lengths(lengths)) => {
                writer.write_batch(lengths, None, None)?;
            }
            (ColumnWriter::BoolColumnWriter(writer), Column::Truths(truths)) => {
                writer.write_batch(truths, None, None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        writer.close()?;
    }
    group.close()?;
    file.into_inner()
}

/// The time in UTC, to the minute.
fn now() -> String {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = seconds.map_or(0, |since| since.as_secs());
    let (year, month, day) = date_of(i128::from(seconds / 86_400));
    let minutes = seconds % 86_400 / 60;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_look_like_uuids_and_stay_the_same() {
        let id = identifier("ATL027/2024-02-09/701");
        assert_eq!(id, identifier("ATL027/2024-02-09/701"));
        assert_ne!(id, identifier("ATL027/2024-02-09/702"));
        let lens: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lens, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'3');
    }
}
