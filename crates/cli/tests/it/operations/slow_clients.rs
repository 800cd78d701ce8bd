//! Clients that send too slowly.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::harness::{Database, Options, Prokura};

/// H3. The server disconnects a client that does not complete its request in time, and serves other clients meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_disconnected_and_others_are_served() {
    let prokura = Prokura::start(Database::Sqlite, Options::default()).await;
    let address = prokura.url.trim_start_matches("http://").to_owned();
    let send = |request: String| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let patience = Duration::from_secs(120);
            stream.set_read_timeout(Some(patience)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
    };
    let half_a_head = send(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n"));
    let half_a_body = send(format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant_type="
    ));
    let silent = (0..100)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect::<Vec<_>>();
    for _ in 0..20 {
        prokura.access_token(&prokura.root).await;
    }

    let answer = half_a_body.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""error":"request_timeout""#), "{answer}");
    let answer = half_a_head.await.unwrap();
    assert!(!answer.contains("alive"), "{answer}");
    drop(silent);
    prokura.access_token(&prokura.root).await;
}
