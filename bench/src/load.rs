//! Load that `wrk` cannot make: each request exactly once, and a new TLS connection for every request.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use futures_util::future::try_join_all;
use rustls::{ClientConfig, HandshakeKind};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::{requests::Requests, tls, wrk::Seen};

/// Sends each request once over keep-alive connections. The bodies of the answers, in the order of the requests.
pub(crate) async fn each_once(
    address: &str,
    requests: &[Vec<u8>],
    connections: usize,
) -> anyhow::Result<(Vec<Vec<u8>>, Seen)> {
    let next = Cell::new(0);
    let bodies = RefCell::new(vec![Vec::new(); requests.len()]);
    let clock = Stopwatch::default();
    let connection = async || {
        let mut stream = connect(address).await?;
        let mut buffer = Vec::new();
        loop {
            let number = next.replace(next.get() + 1);
            let Some(request) = requests.get(number) else {
                return anyhow::Ok(());
            };
            let sent = Instant::now();
            let body = exchange(&mut stream, request, &mut buffer).await?;
            clock.lap(sent);
            bodies.borrow_mut()[number] = body;
        }
    };
    try_join_all((0..connections).map(|_| connection())).await?;
    Ok((bodies.into_inner(), clock.seen()?))
}

/// The whole answer to one request, head and body.
pub(crate) async fn answer(address: &str, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    exchange(&mut connect(address).await?, request, &mut buffer).await?;
    Ok(buffer)
}

/// The whole answer to one request over TLS.
pub(crate) async fn answer_over_tls(
    address: &str,
    request: &[u8],
    config: &Arc<ClientConfig>,
) -> anyhow::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connect(address).await?;
    let mut stream = connector.connect("localhost".try_into()?, stream).await?;
    exchange(&mut stream, request, &mut buffer).await?;
    Ok(buffer)
}

/// Sends requests for some time, each over a connection of its own. With `resume` each client resumes its own sessions: a
/// shared store of sessions keeps only a few tickets, which are not enough when all clients connect at the same moment. Also
/// returns the share of resumed handshakes.
pub(crate) async fn fresh_connections(
    address: &str,
    requests: &Requests,
    connections: u32,
    seconds: u32,
    resume: bool,
) -> anyhow::Result<(Seen, f64)> {
    let (next, resumed) = (Cell::new(0), Cell::new(0u64));
    let clock = Stopwatch::default();
    let end = Instant::now() + Duration::from_secs(seconds.into());
    let client = async || {
        let connector = TlsConnector::from(tls::client_config(resume)?);
        let mut buffer = Vec::new();
        while Instant::now() < end {
            let request = requests.text(next.replace(next.get() + 1));
            let sent = Instant::now();
            let name = "localhost".try_into()?;
            let mut stream = connector.connect(name, connect(address).await?).await?;
            exchange(&mut stream, &request, &mut buffer).await?;
            clock.lap(sent);
            if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
                resumed.set(resumed.get() + 1);
            }
            stream.shutdown().await?;
        }
        anyhow::Ok(())
    };
    try_join_all((0..connections).map(|_| client())).await?;
    let seen = clock.seen()?;
    Ok((seen, resumed.get() as f64 / seen.requests as f64))
}

async fn connect(address: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One request and its answer, which must be a success. Its body; `buffer` is room to read in.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> anyhow::Result<Vec<u8>> {
    stream.write_all(request).await?;
    stream.flush().await?;
    buffer.clear();
    loop {
        let read = stream.read_buf(buffer).await?;
        ensure!(
            read > 0,
            "the server closed a connection before it had answered"
        );
        if let Some(body) = whole_body(buffer)? {
            return Ok(body.to_owned());
        }
    }
}

/// The body of the answer in `bytes`. `None`: it is not all there yet.
fn whole_body(bytes: &[u8]) -> anyhow::Result<Option<&[u8]>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).context("the head of an answer is no text")?;
    let (status, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let body = &bytes[end + 4..];
    if !status.starts_with("HTTP/1.1 2") {
        bail!("{status}: {}", String::from_utf8_lossy(body));
    }
    let length = fields
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, length)| length.parse::<usize>())?;
    Ok(body.get(..length))
}

/// How long answers took.
struct Stopwatch {
    started: Instant,
    laps: RefCell<Vec<Duration>>,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            laps: RefCell::default(),
        }
    }
}

impl Stopwatch {
    fn lap(&self, since: Instant) {
        self.laps.borrow_mut().push(since.elapsed());
    }

    fn seen(self) -> anyhow::Result<Seen> {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut laps = self.laps.into_inner();
        laps.sort_unstable();
        ensure!(!laps.is_empty(), "there was no answer");
        let at = |share: f64| {
            let index = (laps.len() as f64 * share) as usize;
            laps[index.min(laps.len() - 1)].as_secs_f64() * 1e3
        };
        Ok(Seen {
            requests: laps.len() as u64,
            seconds,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        for end in 0..answer.len() {
            assert_eq!(whole_body(&answer[..end]).unwrap(), None);
        }
        assert_eq!(whole_body(answer).unwrap(), Some(&b"{}"[..]));
        assert!(whole_body(b"HTTP/1.1 401 Unauthorized\r\n\r\n").is_err());
        assert_eq!(
            whole_body(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(),
            Some(&b""[..])
        );
    }
}
