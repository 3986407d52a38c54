//! The tables of a tree as ONE-api reads them in its local mode: `sessions.pqt` and `datasets.pqt`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;
use sha2::{Digest, Sha256};
use stook_core::calendar::date_of;
use stook_core::file::write_atomic;
use stook_core::{Durability, Error, Result};

use super::{AlfName, categories};
use crate::catalogue::{Catalogue, DatasetRecord, Quality, SessionRecord, is_number};

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
    required binary qc (UTF8);
}";

/// What Arrow takes the columns of [`DATASETS`] for, as pyarrow serialises a schema: `qc` is a dictionary of
/// ordered texts, which pandas takes for categories, and ONE-api compares. Where there is such a schema,
/// pyarrow looks for `one_metadata` in it alone: between head and tail there is room for that.
const ARROW_HEAD: &str = "\
    /////wgEAAAQAAAAAAAKAA4ABgAFAAgACgAAAAABBAAQAAAAAAAKAAwAAAAEAAgACgAAADwCAAAEAAAAAQAAAAwAAAAIAAwA\
    BAAIAAgAAAAMAgAABAAAAP4BAAAg";
const ARROW_TAIL: &str = "\
    ICAAAAwAAABvbmVfbWV0YWRhdGEAAAAABwAAAHQBAAA8AQAADAEAANQAAACoAAAAbAAAABQAAAAQABgACAAAAAcADAAQABQA\
    EAAAAAAAAAUUAAAARAAAACAAAAAEAAAAAAAAAAIAAABxYwAAAAAKAAwAAAAIAAcACgAAAAAAAAEMAAAACAAMAAgABwAIAAAA\
    AAAAAQgAAADo/v//HP///wAAAAYQAAAAGAAAAAQAAAAAAAAABgAAAGV4aXN0cwAAEP///xAAFAAIAAYABwAMAAAAEAAQAAAA\
    AAABBRAAAAAYAAAABAAAAAAAAAAEAAAAaGFzaAAAAABI////fP///wAAAAIQAAAAIAAAAAQAAAAAAAAACQAAAGZpbGVfc2l6\
    ZQAGAAgABAAGAAAAQAAAALD///8AAAAFEAAAABwAAAAEAAAAAAAAAAgAAAByZWxfcGF0aAAAAACo////3P///wAAAAUQAAAA\
    FAAAAAQAAAAAAAAAAgAAAGlkAADM////EAAUAAgAAAAHAAwAAAAQABAAAAAAAAAFEAAAABgAAAAEAAAAAAAAAAMAAABlaWQA\
    BAAEAAQAAAA=";
/// The bytes between them, a whole number of threes.
const ARROW_ROOM: usize = 507;

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
/// Identifiers are made of paths, and so are the same in each export. The quality of datasets is a column
/// of categories, as ONE-api has it.
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
    Qualities(Vec<Quality>),
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
    table(SESSIONS, &about(origin), None, &columns)
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
        Column::Qualities(all.iter().map(|(_, _, data)| data.quality).collect()),
    ];
    table(DATASETS, &about(origin), Some(arrow_schema(&about(origin))), &columns)
}

/// A Parquet file of one group of rows.
fn table(
    schema: &str,
    metadata: &str,
    arrow: Option<String>,
    columns: &[Column],
) -> std::result::Result<Vec<u8>, ParquetError> {
    let mut about = vec![KeyValue::new("one_metadata".to_owned(), metadata.to_owned())];
    about.extend(arrow.map(|arrow| KeyValue::new("ARROW:schema".to_owned(), arrow)));
    let properties = WriterProperties::builder().set_key_value_metadata(Some(about)).build();
    let schema = Arc::new(parse_message_type(schema)?);
    let abouts = SchemaDescriptor::new(Arc::clone(&schema)).columns().to_vec();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for (column, about) in columns.iter().zip(abouts) {
        if let Column::Qualities(qualities) = column {
            let ranks: Vec<u8> = qualities.iter().map(|quality| *quality as u8).collect();
            let names = Quality::ALL.map(Quality::as_str);
            let (bytes, close) = categories::column(about, &names, &ranks)?;
            group.append_column(&Bytes::from(bytes), close)?;
            continue;
        }
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

/// What ONE-api wants to know of a table, as JSON.
fn about(origin: &Path) -> String {
    let told = |origin: String| {
        let (created, least) = (now(), "1.13.0");
        serde_json::json!({"date_created": created, "origin": origin, "min_api_version": least})
            .to_string()
    };
    let whole = told(origin.display().to_string());
    if whole.len() <= ARROW_ROOM {
        return whole;
    }
    // It is told to people; where the room is too small, as much of its end as fits.
    let origin: Vec<char> = origin.display().to_string().chars().collect();
    let mut start = 0;
    loop {
        start += 1 + (origin.len() - start) / 8;
        let cut = told(origin.get(start..).unwrap_or_default().iter().collect());
        if cut.len() <= ARROW_ROOM || start >= origin.len() {
            return cut;
        }
    }
}

/// The schema with `metadata` in its room.
fn arrow_schema(metadata: &str) -> String {
    let mut room = metadata.as_bytes().to_vec();
    room.resize(ARROW_ROOM, b' ');
    format!("{ARROW_HEAD}{}{ARROW_TAIL}", STANDARD.encode(room))
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

    #[test]
    fn the_schema_has_room_for_what_is_told() {
        for len in [1, 300, 600, 5000] {
            let origin = format!("/{}", "é".repeat(len));
            let metadata = about(Path::new(&origin));
            assert!(metadata.len() <= ARROW_ROOM);
            let told: serde_json::Value = serde_json::from_str(&metadata).unwrap();
            let told = told["origin"].as_str().unwrap();
            assert!(!told.is_empty() && origin.ends_with(told));
            let schema = STANDARD.decode(arrow_schema(&metadata)).unwrap();
            let at = schema.windows(metadata.len()).position(|found| found == metadata.as_bytes());
            // A text is behind its length, of 32 bits; one more space makes a whole number of threes.
            let at = at.unwrap() & !3;
            assert_eq!(schema[at - 4..at], 510_u32.to_le_bytes());
        }
    }
}
