//! The bench's S3 server, told what no client of S3 would tell.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use crate::task::Result;

/// Where the clients find the server.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Asks for what resets a writer's place; see `bin/s3.rs`.
pub(crate) fn administer(what: &str) -> Result<()> {
    let endpoint = std::env::var(ENDPOINT)?;
    let address = endpoint.strip_prefix("http://").ok_or("the server speaks HTTP")?;
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "POST /-/{what} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n")?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    if status.contains(" 200 ") { Ok(()) } else { Err(format!("{what}: {status}").into()) }
}
