//! A server on raw connections. It answers with any bytes, cuts the connection, or stays silent.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::Instant,
};

/// What the server does with a request.
pub enum Reply {
    Answer(String),
    /// Sends this and closes the connection.
    Cut(String),
    Silence,
}

/// An answer with this status, these lines of headers and this body.
pub fn answer(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Answer(format!(
        "HTTP/1.1 {status} \r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// The request line and the headers.
    pub head: String,
    pub body: String,
    pub at: Instant,
}

impl Received {
    /// A header. Empty: it is missing.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

pub struct Connections {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    accepting: JoinHandle<()>,
}

impl Connections {
    pub async fn start(reply: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let (seen, reply) = (Arc::clone(&received), Arc::new(Mutex::new(reply)));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move {
                    serve(stream, |request| {
                        seen.lock().unwrap().push(request.clone());
                        (reply.lock().unwrap())(request)
                    })
                    .await;
                });
            }
        });
        Self {
            url,
            received,
            accepting,
        }
    }

    /// The requests so far to paths that `filter` accepts.
    pub fn received(&self, filter: impl Fn(&str) -> bool) -> Vec<Received> {
        let received = self.received.lock().unwrap();
        let matching = received.iter().filter(|request| filter(&request.path));
        matching.cloned().collect()
    }

    /// Closes the port. Open connections stay open.
    pub async fn close_port(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }
}

async fn serve(mut stream: TcpStream, mut reply: impl FnMut(&Received) -> Reply) {
    while let Some(request) = read_request(&mut stream).await {
        let (text, is_last) = match reply(&request) {
            Reply::Answer(text) => {
                let is_last = text.contains("connection: close");
                (text, is_last)
            }
            Reply::Cut(text) => (text, true),
            Reply::Silence => std::future::pending().await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() || is_last {
            return;
        }
    }
}

/// `None`: the client has closed the connection.
async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Received {
                path: head.split([' ', '?']).nth(1)?.to_owned(),
                head: head.to_owned(),
                body: body.to_owned(),
                at: Instant::now(),
            };
            if body.len() >= request.header("content-length").parse().unwrap_or(0) {
                return Some(request);
            }
        }
        let mut chunk = [0; 4096];
        let read = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        text.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
    }
}
