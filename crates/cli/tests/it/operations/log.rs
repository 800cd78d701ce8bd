//! The log cannot stop the server, and strangers cannot fill it. What is not for the log is in no core dump either.

use std::{fs, io::Read as _};

use futures_util::future::join_all;

use crate::harness::process::Prokura;

const JSON_LINES: [&str; 2] = ["--log-format", "json"];

/// More lines than a pipe holds.
const REQUESTS: usize = 1000;

#[tokio::test]
async fn a_log_that_nobody_reads_delays_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, mut log) = Prokura::serve_unread(directory.path(), &JSON_LINES);
    let (client, root) = (server.client(), server.root());
    let token = client.access_token(&root).await;
    for _ in 0..REQUESTS / 20 {
        let requests = (0..20).map(|_| client.try_get_account(&token, &root.id));
        for reply in join_all(requests).await {
            reply.expect(200);
        }
    }
    server.signal("TERM");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    assert!(server.wait().success());
    let text = reading.join().unwrap().unwrap();
    assert!(text.len() > 100_000, "the pipe was never full");
    assert_eq!(text.matches("\"status\":200").count(), REQUESTS);
    assert!(text.contains("stopped"), "the last lines are missing");
}

#[tokio::test]
async fn requests_without_a_valid_token_write_few_lines() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Prokura::serve_with(directory.path(), &JSON_LINES);
    let (client, root) = (server.client(), server.root());
    for _ in 0..300 {
        client
            .try_get_account("stranger", &root.id)
            .await
            .expect(401);
    }
    let token = client.access_token(&root).await;
    for _ in 0..100 {
        client.try_get_account(&token, &root.id).await.expect(200);
    }
    let log = server.stop();
    let lines = |status: &str| log.lines().filter(|line| line.contains(status)).count();
    // The requests may have fallen into two minutes.
    assert!((60..=120).contains(&lines("\"status\":401")), "{log}");
    assert_eq!(lines("\"status\":200"), 100);
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_leaves_no_core_dump() {
    let directory = tempfile::tempdir().unwrap();
    let server = Prokura::serve(directory.path());
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let values = core.unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(values[4..6], ["0", "0"]);
}
