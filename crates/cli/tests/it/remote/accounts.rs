//! Service accounts on the command line.

use serde_json::json;

use super::{Person, start, value_of};
use crate::harness::process::Prokura;

/// Whether this secret of this client gets a token.
fn works(server: &Prokura, client_id: &str, secret: &str) -> bool {
    let person = Person::new();
    let mut token = person.command(["token"]);
    token.env("PROKURA_URL", &server.url);
    token.env("PROKURA_CLIENT_ID", client_id);
    token.env("PROKURA_CLIENT_SECRET", secret);
    token.output().unwrap().status.success()
}

#[test]
fn the_examples_of_the_help_work_from_bootstrap_to_deletion() {
    let (_directory, server, _) = start();
    let person = Person::new();
    // As the help shows: each command uses the output of the one before.
    let help = person.run(["--help"]).succeeded();
    let commands = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("prokura "))
        .filter(|line| !line.starts_with("serve "))
        .map(|line| line.split("  ").next().unwrap().to_owned())
        .collect::<Vec<_>>();
    assert_eq!(commands.len(), 6, "{help}");
    let mut id = String::new();
    for command in &commands {
        let words = command
            .replace("prokura-data", server.data("").to_str().unwrap())
            .replace("\"CI Pipeline\"", "CI-Pipeline")
            .replace("ID", &id);
        if words.starts_with("exec") {
            let script = words.split('\'').nth(1).unwrap();
            let printed = person.run(["exec", "--", "sh", "-c", script]).succeeded();
            assert!(printed.starts_with("prka_"), "{printed}");
            continue;
        }
        let mut words = words.split_whitespace().collect::<Vec<_>>();
        if words[1] == "delete" {
            words.push("--yes");
        }
        let printed = person.run(words).succeeded();
        match words_of(command) {
            "profile add" => {}
            "service-accounts create" => {
                id = value_of(&printed, "ID           ");
                let secret = value_of(&printed, "Client secret");
                assert!(works(&server, &format!("sa_{id}"), &secret));
            }
            "service-accounts list" => assert!(printed.contains(&id) && !printed.contains("prk_")),
            "service-accounts rotate-secret" => {
                let secret = value_of(&printed, "Client secret");
                assert!(works(&server, &format!("sa_{id}"), &secret));
            }
            "service-accounts delete" => {
                let error = person.run(["service-accounts", "get", &id]).failed(1);
                assert!(
                    error.contains("the service account does not exist"),
                    "{error}"
                );
            }
            other => panic!("{other} is not expected"),
        }
    }
}

fn words_of(command: &str) -> &str {
    let end = command
        .match_indices(' ')
        .nth(1)
        .map_or(command.len(), |(at, _)| at);
    &command[..end]
}

#[test]
fn an_account_is_created_and_changed_with_every_flag() {
    let (_directory, server, person) = start();
    let created = person.accounts_json([
        "create",
        "Shop",
        "--description",
        "Sells",
        "--scope",
        "management:service-accounts:read tokens:introspect",
        "--owner",
        "Sales",
        "--label",
        "team:shop",
        "--label",
        "tier:1:2",
        "--token-lifetime",
        "15m",
        "--expires-at",
        "2099-01-01T00:00:00Z",
    ]);
    let account = &created["serviceAccount"];
    let id = account["id"].as_str().unwrap();
    assert_eq!(account["description"], "Sells");
    assert_eq!(
        account["scopes"],
        json!(["management:service-accounts:read", "tokens:introspect"])
    );
    assert_eq!(account["owner"], "Sales");
    assert_eq!(account["labels"], json!({ "team": "shop", "tier": "1:2" }));
    assert_eq!(account["tokenLifetimeSeconds"], 900);
    assert_eq!(account["expiresAt"], "2099-01-01T00:00:00.000Z");
    let secret = created["credentials"]["clientSecret"].as_str().unwrap();
    assert!(works(&server, &format!("sa_{id}"), secret));

    let updated = person.accounts_json([
        "update",
        id,
        "--name",
        "Store",
        "--clear-description",
        "--scope",
        "tokens:introspect",
        "--clear-owner",
        "--label",
        "team:store",
        "--clear-label",
        "tier",
        "--disable",
        "--clear-token-lifetime",
        "--clear-expires-at",
    ]);
    let account = &updated["serviceAccount"];
    assert_eq!(account["name"], "Store");
    for member in ["description", "owner", "tokenLifetimeSeconds", "expiresAt"] {
        assert_eq!(account[member], json!(null), "{member}");
    }
    assert_eq!(account["scopes"], json!(["tokens:introspect"]));
    assert_eq!(account["labels"], json!({ "team": "store" }));
    assert_eq!(account["disabled"], true);
    assert!(!works(&server, &format!("sa_{id}"), secret));

    let enabled = person.accounts(["update", id, "--enable", "--clear-labels"]);
    assert_eq!(value_of(&enabled, "State         "), "enabled");
    assert_eq!(value_of(&enabled, "Labels        "), "-");
    assert!(works(&server, &format!("sa_{id}"), secret));

    // The client ID works in place of the account ID. The output is the JSON of the API or a sheet for people.
    let got = person.accounts_json(["get", &format!("sa_{id}")]);
    assert_eq!(got["serviceAccount"]["name"], "Store");
    let got = person.accounts(["get", id]);
    assert_eq!(value_of(&got, "ID            "), id);
    assert_eq!(value_of(&got, "Token lifetime"), "default of the resource");
}

#[test]
fn secrets_are_added_rotated_and_removed() {
    let (_directory, server, person) = start();
    let created = person.accounts_json(["create", "CI", "--administrator"]);
    let id = created["serviceAccount"]["id"].as_str().unwrap();
    let client = format!("sa_{id}");
    let secret_in = |answer: &serde_json::Value| {
        answer["credentials"]["clientSecret"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = secret_in(&created);

    let rotated =
        person.accounts_json(["rotate-secret", id, "--grace", "1h", "--expires-in", "90d"]);
    let second = secret_in(&rotated);
    assert!(works(&server, &client, &first) && works(&server, &client, &second));
    let listed = person.accounts(["secrets", "list", id]);
    let states = listed
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(2).unwrap());
    assert_eq!(
        states.collect::<Vec<_>>(),
        ["active", "retiring"],
        "{listed}"
    );

    person.accounts(["cancel-rotation", id]);
    assert!(works(&server, &client, &first) && !works(&server, &client, &second));

    let added = person.accounts_json(["secrets", "add", id, "--expires-in", "1h"]);
    let third = secret_in(&added);
    assert!(works(&server, &client, &third));
    let secret_id = added["secret"]["id"].as_str().unwrap();
    let refused = person
        .run(["service-accounts", "secrets", "delete", id, secret_id])
        .failed(2);
    assert!(refused.contains("--yes"), "{refused}");
    person.accounts(["secrets", "delete", id, secret_id, "--yes"]);
    assert!(!works(&server, &client, &third));

    person.accounts(["rotate-secret", id, "--revoke-tokens"]);
    assert!(!works(&server, &client, &first));
    let usage = person.accounts_json(["usage", id, "--days", "2"]);
    assert_eq!(usage["items"].as_array().unwrap().len(), 2);
    assert_eq!(usage["items"][1]["tokensRefused"], 3);
    let usage = person.accounts(["usage", id, "--days", "2"]);
    assert_eq!(usage.lines().count(), 3, "{usage}");
}

#[test]
fn the_tokens_of_an_account_are_revoked() {
    let (_directory, _server, person) = start();
    let root = person.accounts_json(["list"])["items"][0]["id"].clone();
    let root = root.as_str().unwrap();
    let token = person.run(["token"]).succeeded();
    let active = |token: &str| {
        let said = person
            .run(["introspect", token.trim(), "--output", "json"])
            .succeeded();
        let said = serde_json::from_str::<serde_json::Value>(&said).unwrap();
        said["active"].as_bool().unwrap()
    };
    assert!(active(&token));
    person.accounts(["revoke-tokens", root]);
    assert!(!active(&token));

    let token = person.run(["token", "--fresh"]).succeeded();
    assert!(active(&token));
    person.run(["revoke", token.trim()]).succeeded();
    assert!(!active(&token));
}

#[test]
fn deleting_without_a_terminal_requires_a_flag() {
    let (_directory, _server, person) = start();
    let id =
        person.accounts_json(["create", "CI", "--administrator"])["serviceAccount"]["id"].clone();
    let id = id.as_str().unwrap();
    let refused = person.run(["service-accounts", "delete", id]).failed(2);
    assert!(refused.contains("--yes"), "{refused}");
    person.accounts(["get", id]);
    person.accounts(["delete", id, "--yes"]);
    person.run(["service-accounts", "get", id]).failed(1);
}

#[test]
fn an_account_can_have_no_scope() {
    let (_directory, _server, person) = start();
    let created = person.accounts_json(["create", "Nobody", "--scope", ""]);
    assert_eq!(created["serviceAccount"]["scopes"], json!([]));
    let id = created["serviceAccount"]["id"].as_str().unwrap();
    assert_eq!(
        value_of(&person.accounts(["get", id]), "Scopes        "),
        "none"
    );
}

/// Nobody becomes an administrator because a flag was forgotten.
#[test]
fn a_new_account_needs_its_scopes_or_the_word_administrator() {
    let (_directory, _server, person) = start();
    let refused = person.run(["service-accounts", "create", "CI"]).failed(2);
    assert!(
        refused.contains("--scope") && refused.contains("--administrator"),
        "{refused}"
    );
    let both = [
        "service-accounts",
        "create",
        "CI",
        "--administrator",
        "--scope",
        "a",
    ];
    person.run(both).failed(2);
    let created = person.accounts_json(["create", "CI", "--administrator"]);
    assert_eq!(
        created["serviceAccount"]["scopes"],
        json!(["management:all"])
    );
}
