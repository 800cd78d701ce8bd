//! Errors on the command line, and what they tell the user to do.

use std::net::TcpListener;

use super::{Person, start};
use crate::harness::process::Finished;

#[test]
fn a_wrong_secret_is_reported_with_its_source() {
    let (_directory, server, person) = start();
    let root = person.accounts_json(["list"])["items"][0]["id"].clone();
    // Someone else rotates the secret, so the profile is out of date.
    let other = Person::at(&server);
    other.accounts(["rotate-secret", root.as_str().unwrap()]);
    let error = person.run(["service-accounts", "list"]).failed(1);
    for said in [
        &server.url,
        root.as_str().unwrap(),
        "prokura audit list --action refuse_login",
        "from the profile \"default\"",
        "disabled",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    assert!(!error.contains("prk_"), "{error}");
}

#[test]
fn an_unreachable_server_is_named_with_the_source_of_its_url() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let person = Person::new();
    let mut command = person.command(["token"]);
    command.envs([("PROKURA_URL", url.as_str()), ("PROKURA_CLIENT_ID", "c")]);
    command.env("PROKURA_CLIENT_SECRET", "s");
    let error = Finished::of(command.output().unwrap()).failed(1);
    for said in [
        url.as_str(),
        "onnection refused",
        "check that the server is running",
        "PROKURA_URL",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_missing_scope_is_named() {
    let (_directory, server, person) = start();
    let scope = [
        "--scope",
        "management:service-accounts:read",
        "--secret-file",
        "secret",
    ];
    let created = person.accounts_json(["create", "Reader"].into_iter().chain(scope));
    let client = created["credentials"]["clientId"].as_str().unwrap();
    let as_reader = [
        "--url",
        &server.url,
        "--client-id",
        client,
        "--client-secret-file",
        "secret",
    ];
    let run = |arguments: &[&str]| person.run(arguments.iter().chain(&as_reader));
    run(&["service-accounts", "list"]).succeeded();
    let error = run(&["service-accounts", "create", "CI", "--administrator"]).failed(1);
    for said in [
        "lacks management:service-accounts:write",
        client,
        "--client-id",
        "--scope",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    let error = run(&["introspect", "prka_x"]).failed(1);
    assert!(
        error.contains("tokens:introspect") && error.contains(client),
        "{error}"
    );
    let error = run(&["token", "--scope", "management:all"]).failed(1);
    assert!(error.contains("prokura service-accounts get"), "{error}");
    let error = run(&["token", "--resource", "https://nowhere.example.com"]).failed(1);
    assert!(error.contains("[[resources]]"), "{error}");
}

#[test]
fn a_wrong_value_is_named() {
    let (_directory, _server, person) = start();
    let error = person
        .run(["service-accounts", "create", " ", "--administrator"])
        .failed(1);
    assert!(error.contains("name "), "{error}");
    let error = person
        .run([
            "service-accounts",
            "create",
            "CI",
            "--administrator",
            "--expires-at",
            "soon",
        ])
        .failed(1);
    assert!(error.contains("error: --expires-at "), "{error}");
    let nobody = "01a20a5c-479d-7000-ac5a-31f33777c2dc";
    let error = person.run(["service-accounts", "get", nobody]).failed(1);
    assert!(error.contains("prokura service-accounts list"), "{error}");
}

#[test]
fn a_command_without_its_subcommand_shows_its_help() {
    let person = Person::new();
    for (arguments, subcommand) in [
        (&[][..], "  serve "),
        (&["service-accounts"], "  rotate-secret "),
        (&["service-accounts", "secrets"], "  delete "),
        (&["profile"], "  use "),
        (&["audit"], "  verify "),
    ] {
        let finished = person.run(arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stdout.is_empty(), "{finished:?}");
        assert!(finished.stderr.contains(subcommand), "{finished:?}");
    }
}

#[test]
fn wrong_usage_is_reported_before_any_request() {
    let person = Person::new();
    for (arguments, says) in [
        (
            vec!["service-accounts", "get", "CI Pipeline"],
            "a lowercase UUID",
        ),
        (
            vec!["service-accounts", "create", "CI", "--label", "a"],
            "expected KEY:VALUE",
        ),
        (
            vec!["service-accounts", "create", "CI", "--token-lifetime", "1w"],
            "such as 90s",
        ),
        (
            vec![
                "service-accounts",
                "update",
                "01a20a5c-479d-7000-ac5a-31f33777c2dc",
            ],
            "at least one option",
        ),
        (
            vec!["service-accounts", "list", "--disabled", "--enabled"],
            "--enabled",
        ),
        (vec!["token", "--format", "xml"], "raw"),
        (vec!["exec"], "COMMAND"),
        (
            vec!["token"],
            "prokura profile add --from prokura-data/bootstrap.json",
        ),
        (vec!["token", "--profile", "x"], "there is no profile \"x\""),
    ] {
        let error = person.run(&arguments).failed(2);
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
}

#[test]
fn a_plain_http_url_requires_a_flag() {
    let person = Person::new();
    let run = |more: &[&str]| {
        // RFC 6761 reserves this name. It never has an address.
        let flags = [
            "token",
            "--url",
            "http://prokura.invalid",
            "--client-id",
            "c",
        ];
        let mut command = person.command(flags.iter().chain(more));
        command.env("PROKURA_CLIENT_SECRET", "s");
        Finished::of(command.output().unwrap())
    };
    let error = run(&[]).failed(2);
    assert!(
        error.contains("--url") && error.contains("--allow-plain-http"),
        "{error}"
    );
    let error = run(&["--allow-plain-http"]).failed(1);
    assert!(
        error.contains("cannot connect to http://prokura.invalid"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_not_prokura_is_reported() {
    let (_directory, server, person) = start();
    let root = server.root();
    let mut command = person.command(["token", "--url", &format!("{}/elsewhere", server.url)]);
    command.env("PROKURA_CLIENT_ID", &root.client_id);
    command.env("PROKURA_CLIENT_SECRET", &root.client_secret);
    let error = Finished::of(command.output().unwrap()).failed(1);
    assert!(
        error.contains("404") && error.contains("the URL is from"),
        "{error}"
    );
}

#[test]
fn verbose_errors_show_the_request_id_and_the_causes() {
    let (_directory, _server, person) = start();
    let nobody = "01a20a5c-479d-7000-ac5a-31f33777c2dc";
    let get = ["service-accounts", "get", nobody];
    let brief = person.run(get);
    assert_eq!(brief.stderr.lines().count(), 2, "{brief:?}");
    let long = person.run(get.iter().chain(&["--verbose"]));
    assert_eq!(long.code, Some(1));
    for said in [
        "  request ID: ",
        "  status: 404 service_account_not_found",
        "  server: http",
    ] {
        assert!(long.stderr.contains(said), "{said}: {long:?}");
    }
    let mut command = person.command(["token", "-v", "--url", "http://127.0.0.1:1"]);
    command.envs([("PROKURA_CLIENT_ID", "c"), ("PROKURA_CLIENT_SECRET", "s")]);
    let unreachable = Finished::of(command.output().unwrap());
    assert!(
        unreachable.stderr.contains("  caused by: "),
        "{unreachable:?}"
    );
}
