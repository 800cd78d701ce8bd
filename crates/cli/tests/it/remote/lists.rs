//! Lists and exports as tables, as JSON, and line by line.

use std::{collections::BTreeSet, fs, process::Stdio};

use serde_json::{Value, json};

use super::start;
use crate::harness::process::{Finished, names_in};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn json_has_the_shapes_of_the_api() {
    let (_directory, server, person) = start();
    let client = server.client();
    let token = client.access_token(&server.root()).await;
    let (_, account) = client.create(&token, json!({ "name": "CI" })).await;
    let api = async |path: &str| {
        let reply = client.api(reqwest::Method::GET, path, &token, None).await;
        reply.expect(200).json()
    };
    let cli = |arguments: &[&str]| {
        let all = arguments.iter().chain(&["--output", "json"]);
        serde_json::from_str::<Value>(&person.run(all).succeeded()).unwrap()
    };
    let id = account.id.as_str();
    let whole = cli(&["service-accounts", "list"]);
    let expected = api("/service-accounts").await;
    // The command requested a token, which counts as a use of the administrator.
    assert_eq!(whole["items"][1], expected["items"][1]);
    assert_eq!(
        whole.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["items"]
    );
    assert_eq!(whole["items"].as_array().unwrap().len(), 2);
    let path = format!("/service-accounts/{id}");
    assert_eq!(cli(&["service-accounts", "get", id]), api(&path).await);
    let secrets = cli(&["service-accounts", "secrets", "list", id]);
    assert_eq!(secrets, api(&format!("{path}/secrets")).await);
    assert_eq!(
        cli(&["audit", "list", "--limit", "200"]),
        api("/audit-events").await
    );
    assert_eq!(cli(&["audit", "list"]), api("/audit-events").await);
}

#[test]
fn a_page_names_the_cursor_of_the_next_one() {
    let (_directory, _server, person) = start();
    for name in ["One", "Two", "Three"] {
        person.accounts(["create", name, "--administrator"]);
    }
    let first = person.accounts_json(["list", "--limit", "3"]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = person.accounts_json(["list", "--cursor", cursor]);
    assert_eq!(second["items"][0]["name"], "Three");
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second.get("nextCursor"), None);

    let table = person.run(["service-accounts", "list", "--limit", "3"]);
    assert!(table.stderr.contains("--cursor "), "{table:?}");
    assert_eq!(table.succeeded().lines().count(), 4);
    person
        .run(["service-accounts", "list", "--limit", "0"])
        .failed(2);
}

#[test]
fn a_list_can_be_filtered() {
    let (_directory, _server, person) = start();
    person.accounts([
        "create", "Shop", "--scope", "", "--label", "a:1", "--owner", "Sales",
    ]);
    let off = person.accounts_json([
        "create", "Workshop", "--scope", "", "--label", "a:1", "--label", "b:2",
    ]);
    person.accounts([
        "update",
        off["serviceAccount"]["id"].as_str().unwrap(),
        "--disable",
    ]);
    let names = |filters: &[&str]| {
        let arguments = ["list", "--output", "ndjson"].iter().chain(filters);
        let text = person.accounts(arguments.copied());
        let names = lines(&text)
            .into_iter()
            .map(|line| line["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&["--name", "SHOP"]), ["Shop", "Workshop"]);
    assert_eq!(names(&["--label", "a:1", "--label", "b:2"]), ["Workshop"]);
    assert_eq!(names(&["--owner", "Sales"]), ["Shop"]);
    assert_eq!(names(&["--disabled"]), ["Workshop"]);
    assert_eq!(names(&["--enabled"]), ["Administrator", "Shop"]);
    assert!(names(&["--unused-for-days", "1", "--name", "admin"]).is_empty());
    assert!(names(&["--secret-expires-within-days", "7"]).is_empty());
    let none = person.run(["service-accounts", "list", "--name", "nobody"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    assert_eq!(none.stderr, "No results.\n");
    assert_eq!(
        person.accounts_json(["list", "--name", "nobody"]),
        json!({ "items": [] })
    );
}

#[tokio::test]
async fn a_long_list_is_complete_in_every_format_and_a_reader_may_stop_early() {
    let (_directory, server, person) = start();
    let client = server.client();
    let token = client.access_token(&server.root()).await;
    for number in 1..450 {
        let name = format!("Account {number}");
        client
            .create(
                &token,
                json!({ "name": name, "description": "d".repeat(300) }),
            )
            .await;
    }
    let listed = lines(&person.accounts(["list", "--output", "ndjson"]));
    let ids = listed
        .iter()
        .map(|line| line["id"].as_str().unwrap().to_owned());
    let ids = ids.collect::<BTreeSet<_>>();
    assert_eq!(ids.len(), 450);
    let json = person.accounts_json(["list"]);
    // The command requested a token, which counts as a use of the administrator.
    let is_same = json["items"].as_array().unwrap()[1..] == listed[1..];
    assert!(is_same);
    let table = person.accounts(["list"]);
    assert_eq!(table.lines().count(), 451);
    assert!(ids.iter().all(|id| table.contains(id)));

    // More than a pipe buffers, so that writing fails.
    for arguments in [
        "service-accounts list --output ndjson",
        "service-accounts list --output json",
        "audit list --output ndjson",
        "audit export",
    ] {
        let script = format!("set -o pipefail; \"$0\" {arguments} | head -n 1");
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_prokura")]);
        shell.env("HOME", person.home.path()).stdin(Stdio::null());
        let finished = Finished::of(shell.output().unwrap());
        assert_eq!(finished.stderr, "", "{arguments}");
        assert_eq!(finished.succeeded().lines().count(), 1, "{arguments}");
    }
}

#[test]
fn the_audit_trail_is_listed_exported_and_verified() {
    let (_directory, _server, person) = start();
    let id =
        person.accounts_json(["create", "CI", "--administrator"])["serviceAccount"]["id"].clone();
    let id = id.as_str().unwrap();
    person.accounts(["rotate-secret", id]);
    let table = person
        .run(["audit", "list", "--service-account", id])
        .succeeded();
    let actions = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(5).unwrap());
    assert_eq!(
        actions.collect::<Vec<_>>(),
        ["create_service_account", "rotate_secret"],
        "{table}"
    );
    let since = [
        "--since",
        "2026-01-01T00:00:00Z",
        "--until",
        "2099-01-01T00:00:00Z",
    ];
    let filtered = [
        "audit",
        "list",
        "--action",
        "rotate_secret",
        "--output",
        "ndjson",
    ];
    let filtered = person.run(filtered.iter().chain(&since)).succeeded();
    assert_eq!(filtered.lines().count(), 1);
    let operator = person
        .run(["audit", "list", "--actor", "operator"])
        .succeeded();
    assert_eq!(operator.lines().count(), 3, "{operator}");

    let exported = person.run(["audit", "export"]).succeeded();
    assert_eq!(lines(&exported).len(), 4);
    let written = person.run(["audit", "export", "--file", "audit.ndjson"]);
    assert_eq!((written.stdout.as_str(), written.stderr.as_str()), ("", ""));
    assert_eq!(
        fs::read_to_string(person.path("audit.ndjson")).unwrap(),
        exported
    );
    let verified = person
        .run(["audit", "verify", "--file", "audit.ndjson"])
        .succeeded();
    assert!(verified.contains(": 4 events, head "), "{verified}");
    let refused = person
        .run(["audit", "export", "--file", "audit.ndjson"])
        .failed(1);
    assert!(refused.contains("audit.ndjson already exists"), "{refused}");
}

#[tokio::test]
async fn an_export_that_breaks_off_fails_and_leaves_no_file() {
    let (_directory, server, person) = start();
    let client = server.client();
    let token = client.access_token(&server.root()).await;
    server.break_export(&token).await;
    let before = names_in(person.home.path());
    person
        .run(["audit", "export", "--file", "audit.ndjson"])
        .failed(1);
    assert_eq!(names_in(person.home.path()), before);
    person.run(["audit", "export"]).failed(1);
}
