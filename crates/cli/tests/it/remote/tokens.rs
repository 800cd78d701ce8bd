//! `prokura token` and its cache, `prokura exec`, introspection and revocation.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::tempdir;

use super::{Person, mode, start};
use crate::harness::process::{Finished, Prokura};

/// The files in the cache.
fn cached(person: &Person) -> Vec<PathBuf> {
    let directory = person.path(".cache/prokura/tokens");
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn token(person: &Person) -> String {
    person.run(["token"]).succeeded().trim().to_owned()
}

#[test]
fn a_token_is_cached_where_only_its_owner_can_read_it() {
    let (_directory, server, person) = start();
    let first = token(&person);
    assert!(first.starts_with("prka_"));
    assert_eq!(token(&person), first);
    let files = cached(&person);
    assert_eq!(files.len(), 1);
    assert_eq!(mode(&files[0]), 0o600);
    assert_eq!(mode(files[0].parent().unwrap()), 0o700);
    let secret = server.root().client_secret;
    assert!(!fs::read_to_string(&files[0]).unwrap().contains(&secret));

    let fresh = person.run(["token", "--fresh"]).succeeded();
    assert_ne!(fresh.trim(), first);
    assert_eq!(token(&person), fresh.trim());
    // Other parameters give another token.
    let less = person
        .run(["token", "--scope", "management:service-accounts:read"])
        .succeeded();
    assert_ne!(less, fresh);
    assert_eq!(cached(&person).len(), 2);
    assert_eq!(token(&person), fresh.trim());
}

#[test]
fn a_corrupt_cache_is_ignored() {
    let (_directory, _server, person) = start();
    let first = token(&person);
    let file = cached(&person).remove(0);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let second = token(&person);
    assert_ne!(second, first);
    assert_eq!(mode(&file), 0o600);
    fs::write(&file, "{").unwrap();
    let third = token(&person);
    assert_ne!(third, second);

    let mut kept = serde_json::from_slice::<Value>(&fs::read(&file).unwrap()).unwrap();
    let ends_at = kept["expires_at"].as_i64().unwrap();
    kept["expires_at"] = (ends_at - 3600 + 30).into();
    fs::write(&file, kept.to_string()).unwrap();
    assert_ne!(
        token(&person),
        third,
        "one that has half a minute left is not given out"
    );

    // A missing cache directory is not an error.
    fs::remove_dir_all(person.path(".cache")).unwrap();
    fs::write(person.path(".cache"), "").unwrap();
    assert_ne!(token(&person), token(&person));
}

#[test]
fn another_secret_has_its_own_cached_token() {
    let (_directory, _server, person) = start();
    let first = token(&person);
    let root = person.accounts_json(["list"])["items"][0]["id"].clone();
    person.accounts(["rotate-secret", root.as_str().unwrap()]);
    assert_ne!(token(&person), first);
}

#[test]
fn expired_tokens_are_removed_from_the_cache() {
    let (_directory, _server, person) = start();
    token(&person);
    let file = cached(&person).remove(0);
    let old = file.with_file_name("0000.json");
    fs::write(&old, r#"{"token":"t","scope":null,"expires_at":1}"#).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o600)).unwrap();
    let other = file.with_file_name("unrelated.txt");
    fs::write(&other, "").unwrap();
    person.run(["token", "--fresh"]).succeeded();
    assert!(!old.exists() && other.exists() && file.exists());
}

#[test]
fn a_token_is_printed_in_several_formats() {
    let (_directory, _server, person) = start();
    let raw = token(&person);
    let formatted = |format: &str| person.run(["token", "--format", format]).succeeded();
    assert_eq!(formatted("raw"), format!("{raw}\n"));
    assert_eq!(
        formatted("header"),
        format!("Authorization: Bearer {raw}\n")
    );
    assert_eq!(
        formatted("env"),
        format!("export PROKURA_ACCESS_TOKEN={raw}\n")
    );
    let json = serde_json::from_str::<Value>(&formatted("json")).unwrap();
    assert_eq!(json["access_token"], raw);
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["scope"], "management:all");
    let life = json["expires_in"].as_i64().unwrap();
    assert!((3500..=3600).contains(&life), "{life}");

    let script = "eval \"$(\"$0\" token --format env)\" && printenv PROKURA_ACCESS_TOKEN";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_prokura")]);
    shell.env("HOME", person.home.path());
    assert_eq!(
        Finished::of(shell.output().unwrap()).succeeded(),
        format!("{raw}\n")
    );
}

#[test]
fn a_token_is_for_the_named_api() {
    let directory = tempdir().unwrap();
    let settings =
        "[[resources]]\nidentifier = \"https://orders.example.com\"\nscopes = [\"orders:read\"]\n";
    fs::write(directory.path().join("p.toml"), settings).unwrap();
    let server = Prokura::serve_with(directory.path(), &["--config", "p.toml"]);
    let person = Person::at(&server);
    let shop = [
        "create",
        "Shop",
        "--scope",
        "orders:read",
        "--secret-file",
        "secret",
    ];
    let shop = person.accounts_json(shop)["credentials"]["clientId"].clone();
    let shop = [
        "--url",
        &server.url,
        "--client-id",
        shop.as_str().unwrap(),
        "--client-secret-file",
        "secret",
    ];
    for asked in [
        ["--resource", "https://orders.example.com"],
        ["--scope", "orders:read"],
    ] {
        let token = person
            .run(["token"].iter().chain(&asked).chain(&shop))
            .succeeded();
        let said = person
            .run(["introspect", token.trim(), "--output", "json"])
            .succeeded();
        let said = serde_json::from_str::<Value>(&said).unwrap();
        assert_eq!(said["aud"], "https://orders.example.com");
        assert_eq!(said["scope"], "orders:read");
    }
}

#[test]
fn a_token_to_introspect_is_an_argument_or_standard_input() {
    let (_directory, _server, person) = start();
    let token = token(&person);
    let piped = |arguments: &[&str], text: &str| {
        let mut command = person.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        Finished::of(child.wait_with_output().unwrap())
    };
    for said in [
        person.run(["introspect", &token]).succeeded(),
        piped(&["introspect"], &format!("{token}\n")).succeeded(),
        piped(&["introspect", "-"], &token).succeeded(),
    ] {
        assert!(said.starts_with("Active     yes\n"), "{said}");
        assert!(said.contains("Scope      management:all\n"), "{said}");
    }
    let nothing = piped(&["introspect"], "\n").failed(2);
    assert!(nothing.contains("no token"), "{nothing}");
    piped(&["revoke"], &token).succeeded();
    assert_eq!(
        person.run(["introspect", &token]).succeeded(),
        "Active  no\n"
    );
    person.run(["revoke", "prka_nonsense"]).succeeded();
}

#[test]
fn exec_passes_a_fresh_token_and_returns_the_exit_code() {
    let (_directory, server, person) = start();
    let kept = token(&person);
    let run = |more: &[&str], script: &str| {
        let command = ["--", "sh", "-c", script, "zero", "one"];
        let all = ["exec"].iter().chain(more).chain(&command);
        person.run(all)
    };
    let ran = run(&[], "printenv PROKURA_ACCESS_TOKEN; echo \"$1\"; exit 7");
    assert_eq!(ran.code, Some(7));
    let (fresh, rest) = ran.stdout.split_once('\n').unwrap();
    assert_eq!(rest, "one\n");
    assert!(fresh.starts_with("prka_") && fresh != kept);
    assert_eq!(token(&person), kept, "it is not kept");
    run(
        &["--variable", "TOKEN"],
        "test -n \"$TOKEN\" && test -z \"$PROKURA_ACCESS_TOKEN\"",
    )
    .succeeded();
    let less = run(
        &["--scope", "management:audit:read"],
        "printenv PROKURA_ACCESS_TOKEN",
    );
    let less = less.succeeded();
    let said = person.run(["introspect", less.trim()]).succeeded();
    assert!(said.contains("management:audit:read\n"), "{said}");

    // The command does not see the secret.
    let root = server.root();
    let mut command = person.command(["exec", "--", "env"]);
    command.envs([
        ("PROKURA_URL", &server.url),
        ("PROKURA_CLIENT_ID", &root.client_id),
    ]);
    command.env("PROKURA_CLIENT_SECRET", &root.client_secret);
    let environment = Finished::of(command.output().unwrap()).succeeded();
    assert!(
        environment.contains("PROKURA_ACCESS_TOKEN=prka_"),
        "{environment}"
    );
    assert!(!environment.contains("prk_"), "{environment}");

    assert!(
        person
            .run(["exec", "--", "no-such-command"])
            .failed(127)
            .contains("no-such-command")
    );
    person.run(["exec", "--", "/dev/null"]).failed(126);
    let help = person.run(["exec", "--help"]).succeeded();
    assert!(help.contains("PROKURA_ACCESS_TOKEN"), "{help}");
}
