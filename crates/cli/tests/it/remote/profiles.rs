//! Connection options: flags, environment variables and profiles.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use super::{Person, mode, start};
use crate::harness::process::{Finished, Prokura};

fn add(person: &Person, server: &Prokura, name: &str) {
    let file = server.data("bootstrap.json");
    person
        .run(["profile", "add", name, "--from", file.to_str().unwrap()])
        .succeeded();
}

#[test]
fn profiles_are_added_listed_used_and_removed() {
    let (_directory, server, person) = start();
    add(&person, &server, "other");
    let listed = |person: &Person| {
        let text = person
            .run(["profile", "list", "--output", "json"])
            .succeeded();
        assert!(!text.contains("prk_"), "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["items"].clone()
    };
    let current = |person: &Person| {
        let items = listed(person);
        let mut current = items
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["current"] == true);
        let name = current
            .next()
            .map(|item| item["name"].as_str().unwrap().to_owned());
        assert_eq!(current.next(), None);
        name
    };
    assert_eq!(listed(&person).as_array().unwrap().len(), 2);
    assert_eq!(listed(&person)[0]["url"], server.url);
    assert_eq!(current(&person).as_deref(), Some("default"));
    person.run(["profile", "use", "other"]).succeeded();
    assert_eq!(current(&person).as_deref(), Some("other"));
    let table = person.run(["profile", "list"]).succeeded();
    assert!(
        table.lines().any(|line| line.starts_with("*  other")),
        "{table}"
    );

    let file = server.data("bootstrap.json");
    let again = ["profile", "add", "other", "--from", file.to_str().unwrap()];
    let refused = person.run(again).failed(2);
    assert!(refused.contains("--replace"), "{refused}");
    person.run(again.iter().chain(&["--replace"])).succeeded();

    person.run(["profile", "remove", "other"]).succeeded();
    assert_eq!(current(&person), None);
    let lost = person.run(["token"]).failed(2);
    assert!(lost.contains("prokura profile add"), "{lost}");
    let unknown = person.run(["profile", "use", "other"]).failed(2);
    assert!(unknown.contains("use one of: default"), "{unknown}");
}

#[test]
fn a_profile_is_added_from_flags_and_a_secret_file_or_standard_input() {
    let (_directory, server, _) = start();
    let root = server.root();
    let flags = ["--url", &server.url, "--client-id", &root.client_id];
    let person = Person::new();
    fs::write(person.path("secret"), format!("{}\n", root.client_secret)).unwrap();
    let file = ["--client-secret-file", "secret"];
    person
        .run(["profile", "add", "file"].iter().chain(&flags).chain(&file))
        .succeeded();
    person.run(["token", "--profile", "file"]).succeeded();

    let mut command = person.command(["profile", "add", "typed"].iter().chain(&flags));
    command.stdin(fs::File::open(person.path("secret")).unwrap());
    Finished::of(command.output().unwrap()).succeeded();
    person.run(["token", "--profile", "typed"]).succeeded();

    let mut command = person.command(["profile", "add", "bootstrap", "--from", "-"]);
    command.stdin(fs::File::open(server.data("bootstrap.json")).unwrap());
    Finished::of(command.output().unwrap()).succeeded();
    person.run(["token", "--profile", "bootstrap"]).succeeded();

    // An invalid URL, a missing secret, an empty file, and a file that is not bootstrap.json.
    let url = [
        "--url",
        "prokura",
        "--client-id",
        "c",
        "--client-secret-file",
        "secret",
    ];
    let error = person
        .run(["profile", "add", "x"].iter().chain(&url))
        .failed(1);
    assert!(error.contains("is not a URL"), "{error}");
    let error = person
        .run(["profile", "add", "x"].iter().chain(&flags))
        .failed(1);
    assert!(error.contains("the client secret is empty"), "{error}");
    person.run(["profile", "add", "x"]).failed(2);
    let error = person
        .run(["profile", "add", "x", "--from", "secret"])
        .failed(1);
    assert!(
        error.contains("secret is not a credentials file"),
        "{error}"
    );
    assert!(!error.contains(&root.client_secret));
}

#[test]
fn only_the_owner_can_read_profiles() {
    let (_directory, _server, person) = start();
    let file = person.path(".config/prokura/profiles.toml");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&person.path(".config/prokura")), 0o700);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = person.run(["token"]).failed(1);
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn an_unreadable_profiles_file_is_reported_without_its_contents() {
    let (_directory, server, person) = start();
    let file = person.path(".config/prokura/profiles.toml");
    let text = fs::read_to_string(&file).unwrap();
    let secret = server.root().client_secret;
    let broken = text.replace(&format!("\"{secret}\""), &secret);
    assert_ne!(broken, text);
    fs::write(&file, broken).unwrap();
    let error = person.run(["token"]);
    assert!(!format!("{error:?}").contains(&secret), "{error:?}");
    assert!(error.failed(1).contains("profiles.toml, line "));
}

#[test]
fn a_flag_overrides_the_environment_which_overrides_the_profile() {
    let (_directory, server, person) = start();
    let root = server.root();
    fs::write(person.path("right"), &root.client_secret).unwrap();
    fs::write(person.path("wrong"), "prk_wrong").unwrap();
    let run = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = person.command(["token", "--fresh"].iter().chain(arguments));
        command.envs(environment.iter().copied());
        Finished::of(command.output().unwrap())
    };
    let id = root.client_id.as_str();
    let right = ("PROKURA_CLIENT_SECRET_FILE", "right");
    let wrong = ("PROKURA_CLIENT_SECRET_FILE", "wrong");

    run(&[], &[]).succeeded();
    // An environment variable overrides the current profile, and an error names the variable.
    let error = run(&[], &[("PROKURA_CLIENT_ID", id), wrong]).failed(1);
    assert!(
        error.contains("wrong (PROKURA_CLIENT_SECRET_FILE)"),
        "{error}"
    );
    let error = run(&[], &[("PROKURA_CLIENT_SECRET", "prk_wrong")]).failed(1);
    assert!(
        error.contains("the secret from PROKURA_CLIENT_SECRET"),
        "{error}"
    );
    // An empty variable counts as unset.
    run(&[], &[("PROKURA_CLIENT_SECRET", ""), ("PROKURA_URL", "")]).succeeded();
    // A flag overrides an environment variable.
    run(
        &["--client-secret-file", "right"],
        &[("PROKURA_CLIENT_ID", id), wrong],
    )
    .succeeded();
    let error = run(
        &["--client-secret-file", "wrong"],
        &[("PROKURA_CLIENT_ID", id), right],
    );
    assert!(error.failed(1).contains("wrong (--client-secret-file)"));
    // `--profile` overrides them too, with all its values. PROKURA_PROFILE has the rank of an environment variable.
    run(
        &["--profile", "default"],
        &[("PROKURA_URL", "http://127.0.0.1:1"), wrong],
    )
    .succeeded();
    let error = run(&[], &[("PROKURA_PROFILE", "nobody")]).failed(2);
    assert!(error.contains("there is no profile \"nobody\""), "{error}");
    // With everything in the environment, no profile and no home directory are needed.
    let mut command = Person::new().command(["token"]);
    command.env_remove("HOME");
    command.envs([
        ("PROKURA_URL", server.url.as_str()),
        ("PROKURA_CLIENT_ID", id),
    ]);
    command.env("PROKURA_CLIENT_SECRET", &root.client_secret);
    command.current_dir("/");
    Finished::of(command.output().unwrap()).succeeded();
}

#[test]
fn the_secret_of_a_profile_is_not_combined_with_another_url_or_client() {
    let (_directory, _server, person) = start();
    for (name, value) in [
        ("PROKURA_URL", "http://127.0.0.1:1"),
        ("PROKURA_CLIENT_ID", "sa_x"),
    ] {
        let mut command = person.command(["token"]);
        command.env(name, value);
        let error = Finished::of(command.output().unwrap()).failed(2);
        assert!(
            error.contains(name) && error.contains("the profile \"default\""),
            "{error}"
        );
    }
    let error = person
        .run(["token", "--url", "http://127.0.0.1:1"])
        .failed(2);
    assert!(error.contains("--url"), "{error}");
    let mut command = person.command(["token"]);
    command.envs([
        ("PROKURA_CLIENT_SECRET", "a"),
        ("PROKURA_CLIENT_SECRET_FILE", "b"),
    ]);
    let error = Finished::of(command.output().unwrap()).failed(2);
    assert!(error.contains("both PROKURA_CLIENT_SECRET and"), "{error}");
}

#[test]
fn user_directories_follow_xdg() {
    let (_directory, server, _) = start();
    let person = Person::new();
    let (config, cache) = (person.path("c"), person.path("k"));
    let run = |arguments: &[&str]| {
        let mut command = person.command(arguments);
        command
            .env("XDG_CONFIG_HOME", &config)
            .env("XDG_CACHE_HOME", &cache);
        Finished::of(command.output().unwrap()).succeeded()
    };
    let file = server.data("bootstrap.json");
    run(&["profile", "add", "--from", file.to_str().unwrap()]);
    run(&["token"]);
    assert!(config.join("prokura/profiles.toml").exists());
    assert!(cache.join("prokura/tokens").exists());
    assert!(!person.path(".config").exists() && !person.path(".cache").exists());
}
