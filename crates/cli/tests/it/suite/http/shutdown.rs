//! Stopping the server while requests are in flight (H8).

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::{host, start};
use crate::harness::Answer;

fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&read).contains(end) {
        if stream.read(&mut byte).unwrap() == 0 {
            break;
        }
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

/// H8. Accepted requests finish, and no new connections are accepted. An account is committed before its secret is sent
/// (`store/service_accounts.rs`), so no client gets a secret without an account. If the response is lost, nobody has
/// seen the secret, and a rotation makes another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_flight_requests_finish_before_the_server_stops() {
    let mut prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let address = host(&prokura).to_owned();
    let connect = || {
        let stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        std::io::Result::Ok(stream)
    };
    // One connection is idle. The other has sent half a body, after the server said that it waits for it.
    let mut idle = connect().unwrap();
    let ask = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    idle.write_all(ask.as_bytes()).unwrap();
    read_until(&mut idle, "alive\"}");
    let mut busy = connect().unwrap();
    let body = r#"{"name":"In flight"}"#;
    let head = format!(
        "POST /api/v1/service-accounts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).unwrap();
    let waiting = read_until(&mut busy, "\r\n\r\n");
    assert!(waiting.starts_with("HTTP/1.1 100"), "{waiting}");
    let (first, rest) = body.split_at(7);
    busy.write_all(first.as_bytes()).unwrap();

    let client = prokura.client.clone();
    let url = client.url.clone();
    let stopping = tokio::spawn(async move {
        prokura.stop().await;
        prokura
    });
    // The server has received the signal when it accepts no more connections.
    while TcpStream::connect(url.trim_start_matches("http://")).is_ok() {
        tokio::task::yield_now().await;
    }
    let mut end = Vec::new();
    idle.read_to_end(&mut end).unwrap();
    assert!(
        end.is_empty(),
        "an idle connection is closed without a word"
    );
    assert!(!stopping.is_finished(), "it waits for the one in flight");

    busy.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).unwrap();
    let answer = Answer(answer);
    assert_eq!(answer.status(), 201);
    let created = serde_json::from_str::<Value>(answer.body()).unwrap();
    let id = created["serviceAccount"]["id"].as_str().unwrap();

    let prokura = stopping.await.unwrap().restart(Default::default()).await;
    let got = prokura.try_get_account(&token, id).await;
    assert_eq!(
        got.expect(200).json(),
        json!({ "serviceAccount": created["serviceAccount"] })
    );
}
