//! The form of all error messages: one `error:` line, at most one `hint:` line, none of them long.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{Person, start};
use crate::harness::process::Finished;

const MAX_LINE_CHARS: usize = 200;
const NOBODY: &str = "01a20a5c-479d-7000-ac5a-31f33777c2dc";

/// Checks the form, and that the temporary directory is not what makes a line long.
#[track_caller]
fn check(arguments: &[&str], finished: Finished, person: &Person) {
    assert_ne!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    let home = person.home.path().to_str().unwrap();
    let lines = finished.stderr.replace(home, "~");
    let lines = lines.lines().collect::<Vec<_>>();
    let labels = lines
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect::<Vec<_>>();
    assert!(
        labels == ["error"] || labels == ["error", "hint"],
        "{arguments:?}: {lines:#?}"
    );
    for line in lines {
        let length = line.chars().count();
        assert!(length <= MAX_LINE_CHARS, "{length} characters: {line}");
        assert!(!line.ends_with('.') || line.ends_with("..."), "{line}");
    }
}

#[test]
fn wrong_usage_and_invalid_configuration_are_an_error_and_a_hint() {
    let person = Person::new();
    let write = |name: &str, text: &str| fs::write(person.path(name), text).unwrap();
    write("unknown.toml", "listne = 1");
    write("type.toml", "listen = 1");
    write("level.toml", "log_level = \"loud\"");
    write("tls.toml", "[tls]\nkey = \"key.pem\"");
    write(
        "scopes.toml",
        "[[resources]]\nidentifier = \"urn:a\"\nscopes = []",
    );
    write(
        "shared.toml",
        "[[resources]]\nidentifier = \"urn:a\"\nscopes = [\"x\"]\n[[resources]]\nidentifier = \"urn:b\"\nscopes = [\"x\"]",
    );
    for arguments in [
        &["sreve"][..],
        &["serve", "--lisen", "127.0.0.1:1"],
        &["serve", "--listen", "8080"],
        &["serve", "--listen"],
        &["serve", "--log-level", "loud"],
        &["serve", "--listen", "192.0.2.1:80"],
        &[
            "serve",
            "--listen",
            "0.0.0.0:80",
            "--tls-terminated-upstream",
        ],
        &["serve", "--public-url", "http://example.com"],
        &["serve", "--public-url", "example.com"],
        &["serve", "--database-url", "mysql://u:p@h/d"],
        &["serve", "--database-url", "postgres://u:p@h/d"],
        &["serve", "--database-connections", "0"],
        &["serve", "--config", "missing.toml"],
        &["serve", "--config", "unknown.toml"],
        &["serve", "--config", "type.toml"],
        &["serve", "--config", "level.toml"],
        &["serve", "--config", "tls.toml"],
        &["serve", "--config", "scopes.toml"],
        &["serve", "--config", "shared.toml"],
        &["bootstrap"],
        &["bootstrap", "--organization", " ", "--service-account", "a"],
        &["audit", "verify", "--head", "00"],
        &["service-accounts", "get"],
        &["service-accounts", "get", "CI Pipeline"],
        &["service-accounts", "create", "CI", "--label", "a"],
        &["service-accounts", "create", "CI", "--token-lifetime", "1w"],
        &["service-accounts", "update", NOBODY],
        &["service-accounts", "list", "--enabled", "--disabled"],
        &["service-accounts", "list", "--limit", "0"],
        &["token", "--format", "xml"],
        &["token"],
        &["token", "--profile", "x"],
        &["exec"],
        &["completions", "tcsh"],
    ] {
        let finished = person.run(arguments);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {finished:?}");
        check(arguments, finished, &person);
    }
}

#[test]
fn failures_on_this_machine_are_an_error_and_a_hint() {
    let person = Person::new();
    let write = |name: &str, text: &str| fs::write(person.path(name), text).unwrap();
    write("not-a-key", "x");
    fs::set_permissions(person.path("not-a-key"), fs::Permissions::from_mode(0o600)).unwrap();
    write(
        "not-a-database",
        "this is no database file, but it is long enough to look like one\n",
    );
    write("empty", "");
    write(
        "tls.toml",
        "[tls]\ncertificate = \"empty\"\nkey = \"empty\"",
    );
    for arguments in [
        &[
            "serve",
            "--listen",
            "192.0.2.1:80",
            "--tls-terminated-upstream",
        ][..],
        &["check", "--master-key-file", "not-a-key"],
        &["check", "--master-key-file", "missing"],
        &["check", "--database-url", "sqlite:not-a-database"],
        &["check", "--config", "tls.toml"],
        &["audit", "verify"],
        &["audit", "verify", "--file", "missing"],
        &["audit", "verify", "--file", "not-a-database"],
        &["audit", "verify", "--file", "empty"],
        &["profile", "add", "--from", "missing"],
        &["profile", "add", "--from", "empty"],
        &[
            "profile",
            "add",
            "--url",
            "x",
            "--client-id",
            "c",
            "--client-secret-file",
            "not-a-key",
        ],
        &["profile", "add", "--url", "http://a", "--client-id", "c"],
        &["man", "/dev/null/man"],
    ] {
        let finished = person.run(arguments);
        assert_eq!(finished.code, Some(1), "{arguments:?}: {finished:?}");
        check(arguments, finished, &person);
    }
}

#[test]
fn refusals_of_the_server_are_an_error_and_a_hint() {
    let (_directory, server, person) = start();
    let id = person.accounts_json(["create", "Reader", "--scope", "", "--secret-file", "secret"]);
    let id = id["serviceAccount"]["id"].as_str().unwrap();
    let as_reader = [
        "--client-id",
        id,
        "--url",
        &server.url,
        "--client-secret-file",
        "secret",
    ];
    let client_id = format!("sa_{id}");
    let as_reader = as_reader.map(|word| if word == id { &*client_id } else { word });
    fs::write(person.path("wrong"), "prk_wrong").unwrap();
    let with_wrong_secret = [
        "--client-id",
        &client_id,
        "--url",
        &server.url,
        "--client-secret-file",
        "wrong",
    ];
    for (arguments, credentials) in [
        (&["service-accounts", "get", NOBODY][..], &[][..]),
        (&["service-accounts", "create", " ", "--administrator"], &[]),
        (
            &[
                "service-accounts",
                "create",
                "a",
                "--administrator",
                "--expires-at",
                "soon",
            ],
            &[],
        ),
        (&["service-accounts", "create", "a", "--scope", "x"], &[]),
        (&["service-accounts", "cancel-rotation", id], &[]),
        (
            &["service-accounts", "secrets", "delete", id, NOBODY, "--yes"],
            &[],
        ),
        (&["service-accounts", "list", "--cursor", "x"], &[]),
        (
            &[
                "service-accounts",
                "create",
                "a",
                "--administrator",
                "--secret-file",
                "secret",
            ],
            &[],
        ),
        (&["token", "--scope", "x"], &[]),
        (&["token", "--resource", "https://nowhere.example.com"], &[]),
        (&["exec", "--", "no-such-program"], &[]),
        (&["service-accounts", "list"], &as_reader),
        (&["token", "--scope", "management:all"], &as_reader),
        (&["introspect", "x"], &as_reader),
        (&["token"], &with_wrong_secret),
        (&["token", "--url", "http://127.0.0.1:1"], &[]),
    ] {
        let end = arguments
            .iter()
            .position(|word| *word == "--")
            .unwrap_or(arguments.len());
        let (before, after) = arguments.split_at(end);
        let finished = person.run(before.iter().chain(credentials).chain(after));
        check(arguments, finished, &person);
    }
    let delete = ["service-accounts", "delete", id];
    check(&delete, person.run(delete), &person);
}
