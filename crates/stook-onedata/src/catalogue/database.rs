//! The SQLite file of a catalogue: its tables, and the statements on them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{
    Connection, OpenFlags, Row, ToSql, Transaction, TransactionBehavior, params_from_iter,
};
use serde_json::Value;
use stook_core::file::place::{canonical, kind_of};
use stook_core::file::{FileIo, LocalFile};
use stook_core::{Error, ErrorKind, Result};

use super::quality::Quality;
use super::query::Clause;
use super::record::{DatasetKind, DatasetRecord, SessionRecord};
use super::{Catalogue, QUALITY, missing, place_of};
use crate::name::SessionName;

/// Tells a catalogue from other SQLite files: `stok`.
const APPLICATION_ID: i32 = 0x7374_6f6b;
/// What these tables are.
const VERSION: i32 = 1;
/// How long a statement waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tables, as they stand in the file.
const TABLES: [&str; 6] = [
    "CREATE TABLE session (key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, mouse TEXT NOT NULL, \
     date TEXT NOT NULL, session_id TEXT, n_datasets INTEGER NOT NULL, len_bytes INTEGER NOT NULL)",
    "CREATE INDEX session_name ON session (mouse, date, session_id)",
    "CREATE TABLE dataset (session INTEGER NOT NULL REFERENCES session (key) ON DELETE CASCADE, \
     path TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, dtype TEXT, shape TEXT, \
     len_bytes INTEGER NOT NULL, modified INTEGER NOT NULL, is_settled INTEGER NOT NULL, hash TEXT, \
     problem TEXT, PRIMARY KEY (session, path)) WITHOUT ROWID",
    "CREATE INDEX dataset_name ON dataset (name)",
    "CREATE TABLE tag (path TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (path, tag)) WITHOUT ROWID",
    "CREATE TABLE field (path TEXT NOT NULL, name TEXT NOT NULL, value ANY NOT NULL, \
     is_bool INTEGER NOT NULL, PRIMARY KEY (path, name)) STRICT, WITHOUT ROWID",
];

const DATASET_COLUMNS: &str =
    "path, name, kind, dtype, shape, len_bytes, modified, is_settled, hash, problem";

/// What is known of the tree: datasets by the path of their session.
pub(super) type Known = BTreeMap<String, Vec<DatasetRecord>>;

/// An open catalogue.
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the catalogue at `path` for reading. It is opened for writing where that is allowed, so
    /// that what a killed writer left can be taken back.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::checked(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens it to change it.
    pub(super) fn open_to_write(path: &Path) -> Result<Self> {
        let database = Self::open(path)?;
        if database.connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(false) {
            return Err(Error::read_only("the catalogue cannot be written to").at_file(path));
        }
        Ok(database)
    }

    fn checked(path: &Path, flags: OpenFlags) -> Result<Self> {
        match Found::at(path)? {
            Found::Nothing | Found::Empty => Err(missing(path)),
            Found::Catalogue => {
                let database = Self::connect(path, flags)?;
                database.check_tables()?;
                Ok(database)
            }
        }
    }

    /// Opens it, or makes it.
    pub(super) fn require(path: &Path) -> Result<Self> {
        if Found::at(path)? == Found::Catalogue {
            return Self::open(path);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut database = Self::connect(path, flags)?;
        database.change(|transaction| {
            let n_tables: i64 =
                transaction
                    .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            // Another process may have been quicker.
            if n_tables == 0 {
                for table in TABLES {
                    transaction.execute(table, [])?;
                }
                transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            Ok(())
        })?;
        database.check_tables()?;
        Ok(database)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self> {
        // The folder may be a link; the file is none, so that nobody is led to another.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = canonical(folder.unwrap_or(Path::new(".")))?;
        let name = path.file_name();
        let (Some(folder), Some(name)) = (folder, name) else { return Err(missing(path)) };
        let real = folder.join(name);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&real, flags).or_else(|error| {
            let code = error.sqlite_error_code();
            let is_read_only = code == Some(rusqlite::ErrorCode::CannotOpen)
                || code == Some(rusqlite::ErrorCode::PermissionDenied)
                || code == Some(rusqlite::ErrorCode::ReadOnly);
            if !is_read_only || flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
                return Err(error);
            }
            let flags =
                (flags - OpenFlags::SQLITE_OPEN_READ_WRITE) | OpenFlags::SQLITE_OPEN_READ_ONLY;
            Connection::open_with_flags(&real, flags)
        });
        let connection = connection.map_err(|error| failed(error, path))?;
        let prepare = || -> rusqlite::Result<()> {
            connection.busy_timeout(PATIENCE)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
            connection.pragma_update(None, "cell_size_check", true)
        };
        prepare().map_err(|error| failed(error, path))?;
        Ok(Self { connection, path: path.to_path_buf() })
    }

    /// Whether the tables are those of a catalogue, and there is nothing else.
    fn check_tables(&self) -> Result<()> {
        let tables =
            self.all("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", [], |row| {
                row.get::<_, String>(0)
            })?;
        let found: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
        if found == BTreeSet::from(TABLES) {
            return Ok(());
        }
        Err(Error::corrupt("the tables are not those of a catalogue").at_file(&self.path))
    }

    /// Runs `work` in a transaction that is there whole or not at all.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let path = &self.path;
        let run = || {
            let behavior = TransactionBehavior::Immediate;
            let transaction = self.connection.transaction_with_behavior(behavior)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run().map_err(|error| failed(error, path))
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let run = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map(values, read)?.collect()
        };
        run().map_err(|error| failed(error, &self.path))
    }

    /// The names of the fields that people gave.
    pub(super) fn field_names(&self) -> Result<BTreeSet<String>> {
        let names = self.all("SELECT DISTINCT name FROM field", [], |row| row.get(0))?;
        Ok(names.into_iter().collect())
    }

    pub(super) fn sessions(&self, clause: &Clause) -> Result<Vec<SessionRecord>> {
        let filter = match clause.sql.as_str() {
            "" => String::new(),
            sql => format!("WHERE {sql}"),
        };
        let values = || params_from_iter(clause.values.iter().map(Bound));
        let columns = "s.path, s.mouse, s.date, s.session_id, s.n_datasets, s.len_bytes";
        let order = "ORDER BY s.mouse, s.date, s.session_id, s.path";
        let sql = format!("SELECT {columns} FROM session s {filter} {order}");
        let rows = self.all(&sql, values(), |row| {
            let name: (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((row.get::<_, String>(0)?, name, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
        })?;
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let sql = format!(
            "SELECT g.path, g.tag FROM tag g JOIN session s ON s.path = g.path {filter} ORDER BY g.tag"
        );
        for (path, tag) in self.all(&sql, values(), |row| Ok((row.get(0)?, row.get(1)?)))? {
            tags.entry(path).or_default().push(tag);
        }
        let mut fields: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let columns = "o.path, o.name, o.value, o.is_bool";
        let sql =
            format!("SELECT {columns} FROM field o JOIN session s ON s.path = o.path {filter}");
        let rows_of_fields = self.all(&sql, values(), |row| {
            let place: (String, String) = (row.get(0)?, row.get(1)?);
            Ok((place, field_value(row.get_ref(2)?, row.get(3)?)))
        })?;
        for ((path, name), value) in rows_of_fields {
            fields.entry(path).or_default().insert(name, value);
        }
        let record = |(path, (mouse, date, id), n, len): (String, _, i64, i64)| {
            let (mouse, date, id): (String, String, Option<String>) = (mouse, date, id);
            let name = date.parse().and_then(|date| SessionName::new(&mouse, date, id.as_deref()));
            let name = name.map_err(|error| self.wrong(error.message()))?;
            let (n_datasets, len_bytes) = (unsigned(n), unsigned(len));
            let tags = tags.remove(&path).unwrap_or_default();
            let fields = fields.remove(&path).unwrap_or_default();
            Ok(SessionRecord { name, path, n_datasets, len_bytes, tags, fields })
        };
        rows.into_iter().map(record).collect()
    }

    pub(super) fn datasets(&self, session: &str) -> Result<Vec<DatasetRecord>> {
        let sql = format!(
            "SELECT {DATASET_COLUMNS} FROM dataset WHERE session = \
             (SELECT key FROM session WHERE path = ?) ORDER BY path"
        );
        let rows = self.all(&sql, [session], |row| dataset(row, 0))?;
        let mut found = rows
            .into_iter()
            .map(|row| row.ok_or_else(|| self.wrong("a dataset is malformed")))
            .collect::<Result<Vec<_>>>()?;
        let told = self.qualities(session)?;
        for data in &mut found {
            data.quality = told.get(&place_of(session, &data.path)).copied().unwrap_or_default();
        }
        Ok(found)
    }

    /// The qualities that people gave to what lies below a session's folder, by path.
    fn qualities(&self, session: &str) -> Result<BTreeMap<String, Quality>> {
        // What begins with the path and a slash; a zero is what follows a slash.
        let (first, end) = (place_of(session, ""), format!("{session}0"));
        let sql = "SELECT path, value FROM field WHERE name = ? AND path > ? AND path < ?";
        let told = self.all(sql, [QUALITY, &first, &end], |row| {
            let value = field_value(row.get_ref(1)?, false);
            Ok((row.get(0)?, value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()))
        })?;
        Ok(told.into_iter().collect())
    }

    /// All that is known of the tree.
    pub(super) fn known(&self) -> Result<Known> {
        let mut known = Known::new();
        for path in self.all("SELECT path FROM session", [], |row| row.get::<_, String>(0))? {
            known.insert(path, Vec::new());
        }
        let columns: Vec<_> = DATASET_COLUMNS.split(", ").map(|name| format!("d.{name}")).collect();
        let sql = format!(
            "SELECT s.path, {} FROM dataset d JOIN session s ON s.key = d.session ORDER BY d.path",
            columns.join(", ")
        );
        for (path, row) in
            self.all(&sql, [], |row| Ok((row.get::<_, String>(0)?, dataset(row, 1)?)))?
        {
            // What cannot be read is not known, and is looked at again.
            known.entry(path).or_default().extend(row);
        }
        Ok(known)
    }

    /// Makes the tables tell of `sessions` and nothing else, in one transaction; returns how many
    /// there were before that are no more.
    pub(super) fn replace(&mut self, sessions: &BTreeMap<String, Scanned>) -> Result<u64> {
        // What another process wrote since is compared with, not what was known before the scan.
        let known = self.known()?;
        self.change(|transaction| {
            let mut n_gone = 0;
            for path in known.keys().filter(|path| !sessions.contains_key(*path)) {
                n_gone += 1;
                transaction.execute("DELETE FROM session WHERE path = ?", [path])?;
            }
            let mut session = transaction.prepare(
                "INSERT INTO session (path, mouse, date, session_id, n_datasets, len_bytes) \
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET mouse = excluded.mouse, \
                 date = excluded.date, session_id = excluded.session_id, \
                 n_datasets = excluded.n_datasets, len_bytes = excluded.len_bytes RETURNING key",
            )?;
            let mut clear = transaction.prepare("DELETE FROM dataset WHERE session = ?")?;
            let mut add = transaction.prepare(&format!(
                "INSERT INTO dataset (session, {DATASET_COLUMNS}) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            ))?;
            for (path, scanned) in sessions {
                if known.get(path) == Some(&scanned.datasets) {
                    continue;
                }
                let (name, datasets) = (&scanned.name, &scanned.datasets);
                let len = datasets.iter().fold(0_u64, |sum, data| sum.saturating_add(data.len_bytes));
                let (date, n) = (name.date().to_string(), signed(datasets.len() as u64));
                let key: i64 = session.query_row(
                    (path, name.mouse(), date, name.id(), n, signed(len)),
                    |row| row.get(0),
                )?;
                clear.execute([key])?;
                for data in datasets {
                    let shape = data.shape.as_ref().map(|shape| Value::from(shape.clone()).to_string());
                    add.execute(rusqlite::params![
                        key,
                        data.path,
                        data.name,
                        data.kind.as_str(),
                        data.dtype,
                        shape,
                        signed(data.len_bytes),
                        signed(data.modified),
                        data.is_settled,
                        data.hash,
                        data.problem
                    ])?;
                }
            }
            Ok(n_gone)
        })
    }

    pub(super) fn add_tag(&mut self, path: &str, tag: &str) -> Result<bool> {
        let sql = "INSERT OR IGNORE INTO tag (path, tag) VALUES (?, ?)";
        self.change(|transaction| Ok(transaction.execute(sql, [path, tag])? > 0))
    }

    pub(super) fn remove_tag(&mut self, path: &str, tag: &str) -> Result<bool> {
        let sql = "DELETE FROM tag WHERE path = ? AND tag = ?";
        self.change(|transaction| Ok(transaction.execute(sql, [path, tag])? > 0))
    }

    pub(super) fn set_field(&mut self, path: &str, name: &str, value: &Value) -> Result<()> {
        self.change(|transaction| {
            if value.is_null() {
                let sql = "DELETE FROM field WHERE path = ? AND name = ?";
                return transaction.execute(sql, [path, name]).map(drop);
            }
            let sql =
                "INSERT OR REPLACE INTO field (path, name, value, is_bool) VALUES (?, ?, ?, ?)";
            transaction.execute(sql, (path, name, Bound(value), value.is_boolean())).map(drop)
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let found = self.all("PRAGMA integrity_check(20)", [], |row| row.get::<_, String>(0))?;
        if found == ["ok"] { Ok(()) } else { Err(self.wrong(&found.join("; "))) }
    }

    fn wrong(&self, what: &str) -> Error {
        corrupt(what).at_file(&self.path)
    }
}

/// A session as it was found in the tree.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    pub(super) name: SessionName,
    pub(super) datasets: Vec<DatasetRecord>,
}

/// What is at the place of a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A file that was begun.
    Empty,
    Catalogue,
}

impl Found {
    /// Looks at the head of the file, without SQLite: what is no catalogue must not be touched.
    fn at(path: &Path) -> Result<Self> {
        const MAGIC: &[u8] = b"SQLite format 3\0";
        const VERSION_AT: usize = 60;
        const APPLICATION_AT: usize = 68;
        if kind_of(path)?.is_none() {
            return Ok(Self::Nothing);
        }
        let mut head = [0; 100];
        let n = LocalFile::open(path)?.read_at(0, &mut head)?;
        if n == 0 {
            return Ok(Self::Empty);
        }
        let number = |at: usize| {
            let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, i32::from_be_bytes)
        };
        if n < head.len() || !head.starts_with(MAGIC) {
            let error = Error::unsupported("expected a catalogue, found no SQLite file");
            return Err(error.at_file(path));
        }
        if number(APPLICATION_AT) != APPLICATION_ID {
            let what = "expected a catalogue, found an SQLite file of another program";
            return Err(Error::unsupported(what).at_file(path));
        }
        match number(VERSION_AT) {
            VERSION => Ok(Self::Catalogue),
            found => {
                let what = format!("a catalogue of version {found}; known is {VERSION}");
                Err(Error::unsupported(what).at_file(path))
            }
        }
    }
}

/// A value of JSON as one of SQLite.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Value::Null | Value::Array(_) | Value::Object(_) => SqlValue::Null,
            Value::Bool(value) => SqlValue::Integer((*value).into()),
            Value::Number(number) => match number.as_i64() {
                Some(number) => SqlValue::Integer(number),
                None => SqlValue::Real(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => SqlValue::Text(text.clone()),
        }))
    }
}

fn field_value(value: ValueRef<'_>, is_bool: bool) -> Value {
    match value {
        ValueRef::Integer(number) if is_bool => Value::Bool(number != 0),
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    }
}

/// The dataset in the columns of a row from `at` on; `None` for one that no catalogue has.
fn dataset(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<DatasetRecord>> {
    let (kind, shape): (String, Option<String>) = (row.get(at + 2)?, row.get(at + 4)?);
    let shape = shape.map(|text| serde_json::from_str::<Vec<u64>>(&text)).transpose();
    let (Some(kind), Ok(shape)) = (DatasetKind::parse(&kind), shape) else { return Ok(None) };
    Ok(Some(DatasetRecord {
        path: row.get(at)?,
        name: row.get(at + 1)?,
        kind,
        dtype: row.get(at + 3)?,
        shape,
        len_bytes: unsigned(row.get(at + 5)?),
        modified: unsigned(row.get(at + 6)?),
        is_settled: row.get(at + 7)?,
        hash: row.get(at + 8)?,
        problem: row.get(at + 9)?,
        quality: Quality::default(),
    }))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn located(error: Error, catalogue: &Catalogue) -> Error {
    error.at_file(&catalogue.path)
}

fn corrupt(what: &str) -> Error {
    let hint = "move the file away and index the tree again; tags and fields are only in it";
    Error::corrupt(format!("the catalogue is damaged: {what}")).with_hint(hint)
}

/// What went wrong in SQLite, by whose fault it is.
fn failed(error: rusqlite::Error, path: &Path) -> Error {
    use rusqlite::ErrorCode;
    let code = error.sqlite_error_code();
    let made = match (&error, code) {
        (_, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) => {
            corrupt(&error.to_string())
        }
        (_, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => {
            Error::new(ErrorKind::Locked, "another process is writing to the catalogue")
        }
        (_, Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen)) => {
            Error::read_only("the catalogue cannot be opened or written to")
        }
        (_, Some(ErrorCode::OutOfMemory | ErrorCode::TooBig)) => {
            Error::limit("the catalogue: a value or statement too large")
        }
        (_, Some(_)) => Error::io(
            "cannot read or write the catalogue",
            std::io::Error::other(error.to_string()),
        ),
        // A column holds what no catalogue has there.
        (_, None) => corrupt(&error.to_string()),
    };
    made.with_source(error).at_file(path)
}
