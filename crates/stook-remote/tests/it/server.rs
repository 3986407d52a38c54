//! A small HTTP server for tests: values of its own, or a way to another server; with faults, and
//! an account of what was asked.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Method, target and range in one line.
    pub(crate) fn line(&self) -> String {
        let range = self.headers.get("range").map(|range| format!(" {range}"));
        format!("{} {}{}", self.method, self.target, range.unwrap_or_default())
    }
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, and no more.
    Status(u16),
    /// Nothing is ever said.
    Stall,
    /// The connection ends after so many bytes of the body, of which the whole was promised.
    CutBody(usize),
    /// It ends before the answer begins.
    Close,
    /// So many bytes of the body come, then nothing.
    StallBody(usize),
    /// This header instead of that of the answer.
    Header(&'static str, String),
    /// After so long.
    Late(Duration),
    /// Nothing that tells which version it is.
    NoTag,
}

/// Which fault meets a request: that of its number among those that match.
pub(crate) type Script = dyn FnMut(&Request) -> Option<Fault> + Send;

type Values = BTreeMap<String, Vec<u8>>;

enum Source {
    /// By path, without the leading slash.
    Values(Mutex<Values>),
    Upstream(SocketAddr),
}

struct Inner {
    source: Source,
    script: Mutex<Box<Script>>,
    log: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    /// Whether parts of values are sent.
    has_ranges: bool,
}

/// A server that runs as long as the test process.
#[derive(Clone)]
pub(crate) struct Server {
    inner: Arc<Inner>,
    address: SocketAddr,
}

impl Server {
    /// A server of `values`.
    pub(crate) fn of(values: Values) -> Self {
        Self::start(Source::Values(Mutex::new(values)), true)
    }

    /// A server of `values` that sends them whole only.
    pub(crate) fn without_ranges(values: Values) -> Self {
        Self::start(Source::Values(Mutex::new(values)), false)
    }

    /// A way to the server at `upstream`.
    pub(crate) fn before(upstream: SocketAddr) -> Self {
        Self::start(Source::Upstream(upstream), true)
    }

    fn start(source: Source, has_ranges: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            source,
            script: Mutex::new(Box::new(|_| None)),
            log: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            has_ranges,
        });
        let server = Self { inner, address };
        let handle = server.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let handle = handle.clone();
                std::thread::spawn(move || handle.serve(connection.unwrap()));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Meets requests with faults from now on.
    pub(crate) fn fail(&self, script: impl FnMut(&Request) -> Option<Fault> + Send + 'static) {
        *self.inner.script.lock().unwrap() = Box::new(script);
    }

    /// Meets the first requests that contain `text` with these faults, one each.
    pub(crate) fn fail_at(&self, text: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let mut faults: Vec<Fault> = faults.into_iter().collect();
        faults.reverse();
        self.fail(move |request| request.line().contains(text).then(|| faults.pop()).flatten());
    }

    /// What was asked since it was asked last.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.log.lock().unwrap())
    }

    /// How many requests there were at one time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.most_at_once.load(Ordering::SeqCst)
    }

    /// Replaces a value.
    pub(crate) fn put(&self, path: &str, value: &[u8]) {
        let Source::Values(values) = &self.inner.source else { panic!("it has no values") };
        values.lock().unwrap().insert(path.to_owned(), value.to_vec());
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some(request) = read_request(&mut reader) {
            let at_once = self.inner.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.inner.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            self.inner.log.lock().unwrap().push(request.line());
            let fault = (self.inner.script.lock().unwrap())(&request);
            let is_kept = self.answer(&request, fault, &mut stream);
            self.inner.at_once.fetch_sub(1, Ordering::SeqCst);
            if is_kept.is_none() {
                return;
            }
        }
    }

    /// Answers, unless the connection is to end.
    fn answer(&self, request: &Request, fault: Option<Fault>, to: &mut TcpStream) -> Option<()> {
        match &fault {
            Some(Fault::Stall) => {
                std::thread::sleep(Duration::from_secs(60));
                return None;
            }
            Some(Fault::Close) => return None,
            Some(Fault::Status(status)) => {
                let head = format!("HTTP/1.1 {status} Fault\r\ncontent-length: 0\r\n\r\n");
                return to.write_all(head.as_bytes()).ok();
            }
            Some(Fault::Late(time)) => std::thread::sleep(*time),
            _ => {}
        }
        let (mut head, body) = match &self.inner.source {
            Source::Values(values) => self.own(request, &values.lock().unwrap()),
            Source::Upstream(address) => forward(request, *address)?,
        };
        let sent = match fault {
            Some(Fault::CutBody(n) | Fault::StallBody(n)) => body.len().min(n),
            _ => body.len(),
        };
        if let Some(Fault::NoTag) = &fault {
            head = head.replace("etag", "x-none");
        }
        if let Some(Fault::Header(name, value)) = &fault {
            let lines = head.split("\r\n").filter(|line| !line.starts_with(&format!("{name}:")));
            head = lines.collect::<Vec<_>>().join("\r\n");
            head += &format!("\r\n{name}: {value}");
        }
        to.write_all(format!("{head}\r\n\r\n").as_bytes()).ok()?;
        to.write_all(&body[..sent]).ok()?;
        to.flush().ok()?;
        match fault {
            Some(Fault::StallBody(_)) => {
                std::thread::sleep(Duration::from_secs(60));
                None
            }
            Some(Fault::CutBody(_) | Fault::Header(..)) => None,
            _ if matches!(self.inner.source, Source::Upstream(_)) => None,
            _ => Some(()),
        }
    }

    fn own(&self, request: &Request, values: &Values) -> (String, Vec<u8>) {
        let Some(value) = values.get(request.target.trim_start_matches('/')) else {
            return ("HTTP/1.1 404 Not Found\r\ncontent-length: 0".to_owned(), Vec::new());
        };
        let tag = format!("etag: \"{}\"", value.iter().map(|&byte| u64::from(byte)).sum::<u64>());
        let range = request.headers.get("range").filter(|_| self.inner.has_ranges);
        let Some(range) = range else {
            let head = format!("HTTP/1.1 200 OK\r\n{tag}\r\ncontent-length: {}", value.len());
            let is_head = request.method == "HEAD";
            return (head, if is_head { Vec::new() } else { value.clone() });
        };
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let len = value.len();
        let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) => (from, to.min(len.saturating_sub(1))),
            (Ok(from), Err(_)) => (from, len - 1),
            (Err(_), Ok(last)) => (len.saturating_sub(last), len - 1),
            _ => panic!("{range}"),
        };
        if from >= len {
            let head =
                format!("HTTP/1.1 416 Range\r\ncontent-range: bytes */{len}\r\ncontent-length: 0");
            return (head, Vec::new());
        }
        let part = value[from..=to].to_vec();
        let head = format!(
            "HTTP/1.1 206 Part\r\n{tag}\r\ncontent-range: bytes {from}-{to}/{len}\r\n\
             content-length: {}",
            part.len()
        );
        (head, part)
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&n| n > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&n| n > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let len = headers.get("content-length").map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, target, headers, body })
}

/// Head (without the empty line) and body of what `upstream` answers.
fn forward(request: &Request, upstream: SocketAddr) -> Option<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(upstream).unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != "connection") {
        text += &format!("{name}: {value}\r\n");
    }
    text += "connection: close\r\n\r\n";
    stream.write_all(text.as_bytes()).ok()?;
    stream.write_all(&request.body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    Some((head, answer[at + 4..].to_vec()))
}
