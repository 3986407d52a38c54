//! An object store in memory that speaks as much of S3 as the compared clients ask for.
//!
//! It keeps what is read from being what the server takes: values lie in memory, signatures are not
//! looked at, each connection has a thread. Objects below the bucket `late` are those of every
//! other bucket, but each answer waits as long as one of a data centre does.
//!
//!     s3 [--late-ms N] NAME=FOLDER...
//!
//! loads folders as prefixes of all buckets, and prints the port it listens on. `POST /-/remove/KEY`
//! removes a prefix, `POST /-/copy/FROM?to=TO` copies an object: what resets a writer's place.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use stook_bench::Result;

/// The bucket whose answers come late.
const LATE: &str = "late";

/// The one time of all objects.
const TIME: &str = "2026-01-01T00:00:00.000Z";
const HTTP_TIME: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// The most keys in one answer, as S3 has it.
const PAGE: usize = 1000;

#[derive(Default)]
struct Objects {
    by_key: RwLock<BTreeMap<String, Object>>,
    n_puts: Mutex<u64>,
}

#[derive(Clone)]
struct Object {
    bytes: Arc<[u8]>,
    tag: u64,
}

fn main() -> Result<()> {
    let mut late = Duration::from_millis(10);
    let objects = Arc::new(Objects::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--late-ms" {
            late = Duration::from_millis(arguments.next().ok_or("--late-ms N")?.parse()?);
            continue;
        }
        let (name, folder) = argument.split_once('=').ok_or("expected NAME=FOLDER")?;
        objects.load(name, Path::new(folder))?;
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    #[expect(clippy::print_stdout, reason = "the one thing that it tells")]
    {
        println!("{}", listener.local_addr()?.port());
    }
    for stream in listener.incoming() {
        let (stream, objects) = (stream?, Arc::clone(&objects));
        // A client that goes away ends its connection, and nothing else.
        std::thread::spawn(move || drop(serve(&stream, &objects, late)));
    }
    Ok(())
}

impl Objects {
    fn load(&self, prefix: &str, folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let key = format!("{prefix}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.load(&key, &entry.path())?;
            } else {
                self.put(key, std::fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<Object> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: String, bytes: Vec<u8>) -> u64 {
        let tag = {
            let mut n_puts = self.n_puts.lock().unwrap_or_else(PoisonError::into_inner);
            *n_puts += 1;
            *n_puts
        };
        let object = Object { bytes: bytes.into(), tag };
        self.by_key.write().unwrap_or_else(PoisonError::into_inner).insert(key, object);
        tag
    }

    fn remove(&self, keep: impl Fn(&str) -> bool) {
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        by_key.retain(|key, _| keep(key));
    }

    /// A page of a listing as XML.
    fn list(&self, query: &BTreeMap<String, String>) -> String {
        let text = |name: &str| query.get(name).map_or("", String::as_str);
        let (prefix, delimiter) = (text("prefix"), text("delimiter"));
        let after = if query.contains_key("continuation-token") {
            "continuation-token"
        } else {
            "start-after"
        };
        let page = query.get("max-keys").and_then(|n| n.parse().ok()).unwrap_or(PAGE).min(PAGE);
        let (mut contents, mut prefixes, mut n, mut last) = (String::new(), String::new(), 0, None);
        let (mut group, mut next) = (String::new(), None);
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        for (key, object) in by_key.range(prefix.to_owned()..) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let end = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
            let shown =
                end.map_or(key.as_str(), |end| &key[..prefix.len() + end + delimiter.len()]);
            if shown <= text(after) || (end.is_some() && shown == group) {
                continue;
            }
            if n == page {
                next = last;
                break;
            }
            (n, last) = (n + 1, Some(shown.to_owned()));
            if end.is_some() {
                shown.clone_into(&mut group);
                let _ = write!(
                    prefixes,
                    "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
                    escaped(shown)
                );
            } else {
                let _ = write!(
                    contents,
                    "<Contents><Key>{}</Key><LastModified>{TIME}</LastModified><ETag>&quot;{}&quot;</ETag>\
                     <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                    escaped(shown),
                    object.tag,
                    object.bytes.len()
                );
            }
        }
        let more = next.as_ref().map_or(String::new(), |key| {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(key))
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bench</Name>\
             <Prefix>{}</Prefix><Delimiter>{}</Delimiter><KeyCount>{n}</KeyCount><MaxKeys>{page}</MaxKeys>\
             <IsTruncated>{}</IsTruncated>{more}{contents}{prefixes}</ListBucketResult>",
            escaped(prefix),
            escaped(delimiter),
            next.is_some()
        )
    }
}

struct Request {
    method: String,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: String,
    body: Body,
}

enum Body {
    Nothing,
    /// Bytes of an object: from, to.
    Object(Object, usize, usize),
    Text(String),
    /// The length of an object whose bytes are not asked for.
    LengthOnly(usize),
}

impl Answer {
    fn new(status: &'static str) -> Self {
        Self { status, headers: String::new(), body: Body::Nothing }
    }

    fn error(status: &'static str, code: &str) -> Self {
        let text = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
        );
        Self { body: Body::Text(text), ..Self::new(status) }
    }

    fn text(text: String) -> Self {
        Self { body: Body::Text(text), ..Self::new("200 OK") }
    }
}

fn serve(stream: &TcpStream, objects: &Objects, late: Duration) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut out = stream;
    let mut head = Vec::with_capacity(1 << 12);
    while let Some(request) = receive(&mut reader, out)? {
        let answer = answer(&request, objects);
        if request.bucket == LATE {
            std::thread::sleep(late);
        }
        let (len_bytes, bytes): (usize, &[u8]) = match &answer.body {
            Body::Nothing => (0, &[]),
            Body::Object(object, from, to) => (to - from, &object.bytes[*from..*to]),
            Body::Text(text) => (text.len(), text.as_bytes()),
            Body::LengthOnly(len_bytes) => (*len_bytes, &[]),
        };
        head.clear();
        write!(head, "HTTP/1.1 {}\r\nContent-Length: {len_bytes}\r\n", answer.status)?;
        if matches!(answer.body, Body::Text(_)) {
            head.extend_from_slice(b"Content-Type: application/xml\r\n");
        }
        write!(head, "{}\r\n", answer.headers)?;
        if request.method != "HEAD" && bytes.len() < 1 << 16 {
            head.extend_from_slice(bytes);
            out.write_all(&head)?;
        } else {
            out.write_all(&head)?;
            if request.method != "HEAD" {
                out.write_all(bytes)?;
            }
        }
    }
    Ok(())
}

/// The next request; nothing where the client has closed the connection.
fn receive(reader: &mut BufReader<&TcpStream>, mut out: &TcpStream) -> Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut parts = line.split(' ');
    let method = parts.next().unwrap_or_default().to_owned();
    let target = parts.next().ok_or("no target")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decoded(path.trim_start_matches('/'));
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    let query = query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(&value.replace('+', " ")))
    });
    let query = query.collect();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("the head of a request broke off".into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if headers.get("expect").is_some_and(|value| value.starts_with("100")) {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if let Some(len_bytes) = headers.get("content-length") {
        body.resize(len_bytes.parse()?, 0);
        reader.read_exact(&mut body)?;
    } else if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        body = unchunked(reader)?;
    }
    if headers.get("x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-")) {
        body = unchunked(&mut body.as_slice())?;
    }
    Ok(Some(Request { method, bucket, key, query, headers, body }))
}

/// A body in chunks, each with its length in front, with what AWS adds to that.
fn unchunked(reader: &mut dyn std::io::BufRead) -> Result<Vec<u8>> {
    let (mut body, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let length = line.split(';').next().unwrap_or_default().trim();
        let len_bytes = usize::from_str_radix(length, 16)?;
        let at = body.len();
        body.resize(at + len_bytes, 0);
        reader.read_exact(&mut body[at..])?;
        // The end of the chunk; behind the last one the trailers.
        line.clear();
        while reader.read_line(&mut line)? > 0 && line.trim_end() != "" {
            line.clear();
        }
        if len_bytes == 0 {
            return Ok(body);
        }
    }
}

fn answer(request: &Request, objects: &Objects) -> Answer {
    let key = request.key.as_str();
    let has = |name: &str| request.query.contains_key(name);
    match request.method.as_str() {
        _ if request.bucket == "-" => administer(request, objects),
        "GET" if key.is_empty() => Answer::text(objects.list(&request.query)),
        "GET" | "HEAD" => get(request, objects),
        "PUT" => put(request, objects),
        "DELETE" => {
            objects.remove(|other| other != key);
            Answer::new("204 No Content")
        }
        "POST" if has("delete") => {
            let text = String::from_utf8_lossy(&request.body);
            let keys: Vec<&str> = text
                .split("<Key>")
                .skip(1)
                .filter_map(|part| part.split("</Key>").next())
                .collect();
            objects.remove(|other| !keys.contains(&other));
            let deleted: String =
                keys.iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
            Answer::text(format!("<?xml version=\"1.0\"?><DeleteResult>{deleted}</DeleteResult>"))
        }
        _ => Answer::error("501 Not Implemented", "NotImplemented"),
    }
}

fn administer(request: &Request, objects: &Objects) -> Answer {
    if let Some(prefix) = request.key.strip_prefix("remove/") {
        objects.remove(|key| !key.starts_with(prefix));
        return Answer::new("200 OK");
    }
    let from = request.key.strip_prefix("copy/").and_then(|key| objects.get(key));
    match (from, request.query.get("to")) {
        (Some(object), Some(to)) => {
            objects.put(to.clone(), object.bytes.to_vec());
            Answer::new("200 OK")
        }
        _ => Answer::error("404 Not Found", "NoSuchKey"),
    }
}

fn get(request: &Request, objects: &Objects) -> Answer {
    let Some(object) = objects.get(&request.key) else {
        return Answer::error("404 Not Found", "NoSuchKey");
    };
    let len_bytes = object.bytes.len();
    let mut answer = Answer::new("200 OK");
    answer.headers = format!(
        "ETag: \"{}\"\r\nLast-Modified: {HTTP_TIME}\r\nAccept-Ranges: bytes\r\n\
         Content-Type: application/octet-stream\r\n",
        object.tag
    );
    let range = request.headers.get("range").and_then(|value| value.strip_prefix("bytes="));
    let (from, to) = match range.and_then(|range| range.split_once('-')) {
        None => (0, len_bytes),
        Some(("", n)) => (len_bytes.saturating_sub(n.parse().unwrap_or(0)), len_bytes),
        Some((from, to)) => {
            let to = to.parse().map_or(len_bytes, |to: usize| to.saturating_add(1).min(len_bytes));
            (from.parse().unwrap_or(0), to)
        }
    };
    if range.is_some() {
        if from >= to {
            return Answer::error("416 Range Not Satisfiable", "InvalidRange");
        }
        answer.status = "206 Partial Content";
        let _ = write!(answer.headers, "Content-Range: bytes {from}-{}/{len_bytes}\r\n", to - 1);
    }
    answer.body = if request.method == "HEAD" {
        Body::LengthOnly(to - from)
    } else {
        Body::Object(object, from, to)
    };
    answer
}

fn put(request: &Request, objects: &Objects) -> Answer {
    let found = objects.get(&request.key);
    let tag = found.map(|object| format!("\"{}\"", object.tag));
    let is_refused = request.headers.get("if-none-match").is_some_and(|_| tag.is_some())
        || request.headers.get("if-match").is_some_and(|wanted| tag.as_ref() != Some(wanted));
    if is_refused {
        return Answer::error("412 Precondition Failed", "PreconditionFailed");
    }
    let tag = objects.put(request.key.clone(), request.body.clone());
    Answer { headers: format!("ETag: \"{tag}\"\r\n"), ..Answer::new("200 OK") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Without `%xx`.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
