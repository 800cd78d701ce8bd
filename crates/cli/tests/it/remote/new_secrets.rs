//! A new secret is either printed once or written to a file.

use std::{
    fs::{self, OpenOptions},
    process::Stdio,
};

use super::{mode, start};
use crate::harness::process::{Finished, names_in};

#[test]
fn a_secret_in_its_file_is_not_printed() {
    let (_directory, server, person) = start();
    for (number, format) in ["table", "json", "ndjson"].into_iter().enumerate() {
        let file = format!("{number}.secret");
        let create = [
            "service-accounts",
            "create",
            "CI",
            "--administrator",
            "--secret-file",
            &file,
            "--output",
            format,
        ];
        let created = person.run(create);
        let secret = fs::read_to_string(person.path(&file)).unwrap();
        assert!(secret.starts_with("prk_") && secret.len() == 53, "{secret}");
        assert_eq!(mode(&person.path(&file)), 0o600);
        assert!(!format!("{created:?}").contains("prk_"), "{created:?}");
        assert!(created.stdout.contains("sa_"), "{created:?}");

        let client = created
            .stdout
            .find("sa_")
            .map(|at| &created.stdout[at..at + 39]);
        let mut token = person.command(["token", "--client-secret-file", &file]);
        token.args(["--client-id", client.unwrap(), "--url", &server.url]);
        Finished::of(token.output().unwrap()).succeeded();
    }
}

#[test]
fn an_existing_file_is_not_overwritten_and_nothing_is_changed() {
    let (_directory, _server, person) = start();
    let id =
        person.accounts_json(["create", "CI", "--administrator"])["serviceAccount"]["id"].clone();
    let id = id.as_str().unwrap();
    fs::write(person.path("kept"), "kept").unwrap();
    for arguments in [
        vec!["create", "CD", "--administrator"],
        vec!["rotate-secret", id],
        vec!["secrets", "add", id],
    ] {
        let all = ["service-accounts"]
            .iter()
            .chain(&arguments)
            .chain(&["--secret-file", "kept"]);
        let refused = person.run(all).failed(1);
        assert!(refused.contains("kept already exists"), "{refused}");
    }
    assert_eq!(fs::read_to_string(person.path("kept")).unwrap(), "kept");
    let changes = person
        .run(["audit", "list", "--output", "ndjson"])
        .succeeded();
    assert_eq!(changes.lines().count(), 3, "{changes}");
}

#[test]
fn a_call_that_fails_leaves_no_file() {
    let (_directory, _server, person) = start();
    let before = names_in(person.home.path());
    let nobody = "01a20a5c-479d-7000-ac5a-31f33777c2dc";
    let rotate = [
        "service-accounts",
        "rotate-secret",
        nobody,
        "--secret-file",
        "new",
    ];
    person.run(rotate).failed(1);
    assert_eq!(names_in(person.home.path()), before);
}

#[test]
fn a_secret_that_could_not_be_printed_is_reported_with_what_to_do() {
    let (_directory, _server, person) = start();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut create = person.command(["service-accounts", "create", "CI", "--administrator"]);
    let output = create
        .stdout(Stdio::from(full))
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let error = Finished::of(output).failed(1);
    let id = person.accounts_json(["list"])["items"][1]["id"].clone();
    let again = format!(
        "`prokura service-accounts rotate-secret {}`",
        id.as_str().unwrap()
    );
    assert!(
        error.contains("the secret is lost") && error.contains(&again),
        "{error}"
    );

    // The command fails if nothing reads its output.
    let mut create = person.command(["service-accounts", "create", "CI", "--administrator"]);
    let mut child = create
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let error = Finished::of(child.wait_with_output().unwrap()).failed(1);
    assert!(error.contains("the secret is lost"), "{error}");
}

#[test]
fn a_profile_is_updated_when_its_own_account_is_rotated() {
    let (_directory, _server, person) = start();
    let root = person.accounts_json(["list"])["items"][0]["id"].clone();
    let root = root.as_str().unwrap();
    let rotated = person.run(["service-accounts", "rotate-secret", root]);
    assert!(
        rotated
            .stderr
            .contains("Updated the secret in the profile \"default\"."),
        "{rotated:?}"
    );
    rotated.succeeded();
    person.accounts(["list"]);
    assert_eq!(mode(&person.path(".config/prokura/profiles.toml")), 0o600);

    // A profile does not take the secret of another account.
    let other =
        person.accounts_json(["create", "CI", "--administrator"])["serviceAccount"]["id"].clone();
    let rotated = person.run(["service-accounts", "rotate-secret", other.as_str().unwrap()]);
    assert!(!rotated.stderr.contains("profile"), "{rotated:?}");
    person.accounts(["list"]);
}
