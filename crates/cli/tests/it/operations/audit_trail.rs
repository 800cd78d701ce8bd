//! The audit trail of the real binary: verification beside a running server, and what a failed export leaves in the log.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::harness::process::{Prokura, names_in, run};

#[tokio::test]
async fn the_trail_is_verified_beside_a_running_server_without_its_master_key() {
    let directory = tempdir().unwrap();
    let server = Prokura::serve(directory.path());
    let client = server.client();
    let token = client.access_token(&server.root()).await;
    client.create(&token, json!({ "name": "CI" })).await;
    let verify = || run(directory.path(), ["audit", "verify"]);
    let printed = verify().succeeded();
    assert_eq!(printed.lines().count(), 1);
    assert!(printed.contains(": 3 events, head "), "{printed}");

    let elsewhere = directory.path().join("kept");
    fs::rename(server.data("master.key"), elsewhere).unwrap();
    assert_eq!(verify().succeeded(), printed);
    client.create(&token, json!({ "name": "CI" })).await;
    assert!(verify().succeeded().contains(": 4 events, head "));
}

#[test]
fn verifying_creates_no_database() {
    let directory = tempdir().unwrap();
    let error = run(directory.path(), ["audit", "verify"]).failed(1);
    assert!(error.contains("there is no database at"), "{error}");
    assert!(names_in(directory.path()).is_empty());
}

/// An export that fails halfway cannot report an error in the response, so the log has it, once.
#[tokio::test]
async fn an_export_that_was_cut_off_is_an_error_in_the_log() {
    let directory = tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    let client = server.client();
    let token = client.access_token(&server.root()).await;
    server.break_export(&token).await;
    let export = client
        .request(Method::GET, "/api/v1/audit-events/export")
        .header("x-request-id", "the-export")
        .bearer_auth(&token);
    // The connection ends before or after the head is sent. Either way the body does not end properly.
    let cut_off = match export.send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut_off);
    let log = server.stop();
    let mut errors = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["level"] == "ERROR");
    let error = errors.next().unwrap();
    assert_eq!(error["message"], "a streamed response ended early");
    assert_eq!(error["request_id"], "the-export");
    let cause = error["cause"].as_str().unwrap();
    assert!(cause.starts_with("storage failed while listing audit events: "));
    assert_eq!(errors.next(), None);
}

/// The refused logins of the current minute are written when the server stops.
#[tokio::test]
async fn the_last_refused_logins_are_written_at_shutdown() {
    let directory = tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    let (client, root) = (server.client(), server.root());
    let token = client.access_token(&root).await;
    let (_, ci) = client.create(&token, json!({ "name": "CI" })).await;
    let wrong = ci.with_secret_of(&root);
    for _ in 0..3 {
        client.token(&wrong, &[]).await.expect(401);
    }
    server.stop();

    let server = Prokura::serve(directory.path());
    let client = server.client();
    let token = client.access_token(&root).await;
    let path = "/audit-events?action=refuse_login";
    let list = client.api(Method::GET, path, &token, None).await;
    let list = list.expect(200).json();
    // There are several events if a minute ended in between.
    let events = list["items"].as_array().unwrap();
    let counts = events.iter().map(|event| {
        assert_eq!(event["target"], *ci.id);
        let count = event["changes"]["count"].as_str().unwrap();
        count.parse::<u32>().unwrap()
    });
    assert_eq!(counts.sum::<u32>(), 3);
    run(directory.path(), ["audit", "verify"]).succeeded();
}
