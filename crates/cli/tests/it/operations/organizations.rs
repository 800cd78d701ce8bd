//! `prokura organizations` and `prokura recover` beside running servers: one on SQLite, and three on PostgreSQL.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::keys::Installation;

use crate::harness::{Client, Credentials, Database};

const DATABASES: [Database; 2] = [Database::Sqlite, Database::Postgres];

fn json_of(installation: &Installation, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    let text = installation.run(&arguments).succeeded();
    serde_json::from_str(&text).unwrap()
}

fn credentials(answer: &Value) -> Credentials {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Credentials {
        id: text(&answer["serviceAccountId"]),
        client_id: text(&answer["credentials"]["clientId"]),
        client_secret: text(&answer["credentials"]["clientSecret"]),
    }
}

fn create(installation: &Installation, name: &str) -> (Value, Credentials) {
    let created = json_of(installation, &["organizations", "create", name]);
    let account = credentials(&created);
    (created["organization"].clone(), account)
}

fn clients(installation: &Installation) -> Vec<Client> {
    installation
        .nodes
        .iter()
        .map(|node| node.client())
        .collect()
}

async fn is_alive(client: &Client, account: &Credentials, token: &str) -> bool {
    let login = client.token(account, &[]).await;
    let call = client
        .api(Method::GET, "/service-accounts", token, None)
        .await;
    match (login.status, call.status) {
        (200, 200) => true,
        (401, 401) => {
            login.expect_oauth_error(401, "invalid_client");
            call.expect_api_error(401, "invalid_token");
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_disabled_organization_is_dead_on_every_node_until_it_is_enabled() {
    for database in DATABASES {
        let installation = Installation::start(database);
        let (organization, account) = create(&installation, "Second");
        assert_eq!(organization["serviceAccounts"], 1);
        let clients = clients(&installation);
        let token = clients[0].access_token(&account).await;
        let root = clients[0].access_token(&installation.root).await;
        for client in &clients {
            assert!(is_alive(client, &account, &token).await);
        }
        let id = organization["id"].as_str().unwrap();
        for name in ["Second", id] {
            let disabled = json_of(&installation, &["organizations", "disable", name]);
            assert_eq!(disabled["organization"]["disabled"], true);
            for client in &clients {
                assert!(!is_alive(client, &account, &token).await, "{database:?}");
                assert!(is_alive(client, &installation.root, &root).await);
            }
            // Again is no error, and no further event.
            json_of(&installation, &["organizations", "disable", name]);
            let enabled = json_of(&installation, &["organizations", "enable", name]);
            assert_eq!(enabled["organization"]["disabled"], false);
            for client in &clients {
                assert!(is_alive(client, &account, &token).await);
            }
        }
        let path = "/audit-events?actor=operator";
        let events = clients[0].api(Method::GET, path, &token, None).await.json();
        let actions = events["items"].as_array().unwrap().iter();
        let actions = actions.map(|event| event["action"].as_str().unwrap());
        assert_eq!(
            actions.collect::<Vec<_>>(),
            [
                "create_organization",
                "create_service_account",
                "disable_organization",
                "enable_organization",
                "disable_organization",
                "enable_organization",
            ]
        );
    }
}

#[tokio::test]
async fn an_organization_without_an_administrator_is_recovered() {
    for database in DATABASES {
        let installation = Installation::start(database);
        let (_, account) = create(&installation, "Second");
        // Nothing in the API can do this.
        let lose = format!(
            "UPDATE service_accounts SET disabled_at = 1 WHERE id = {}",
            match database {
                Database::Sqlite => format!("x'{}'", account.id.replace('-', "")),
                Database::Postgres => format!("decode('{}', 'hex')", account.id.replace('-', "")),
            }
        );
        let clients = clients(&installation);
        match database {
            Database::Sqlite => {
                let file = installation.path("prokura.db");
                let database = rusqlite::Connection::open(file).unwrap();
                database.execute_batch(&lose).unwrap();
            }
            Database::Postgres => {
                let connecting = tokio_postgres::connect(&installation.database_url, NoTls);
                let (database, connection) = connecting.await.unwrap();
                tokio::spawn(connection);
                database.batch_execute(&lose).await.unwrap();
            }
        }
        let recovered = json_of(&installation, &["recover", "--organization", "Second"]);
        let recovered = credentials(&recovered);
        for client in &clients {
            let token = client.access_token(&recovered).await;
            let enable = Some(json!({ "disabled": false }));
            let path = format!("/service-accounts/{}", account.id);
            client
                .api(Method::PATCH, &path, &token, enable)
                .await
                .expect(200);
            client.access_token(&account).await;
        }
        let token = clients[0].access_token(&recovered).await;
        let path = "/audit-events?action=recover_organization";
        let events = clients[0].api(Method::GET, path, &token, None).await.json();
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        assert_eq!(events["items"][0]["actor"], "operator");
        assert_eq!(events["items"][0]["target"], recovered.id);
        // The secret can go to a file.
        let file = installation.path("recovery.secret");
        let secret_file = ["--secret-file", file.to_str().unwrap()];
        let arguments = [&["recover", "--organization", "Second"], &secret_file[..]].concat();
        let shown = installation.run(&arguments).succeeded();
        let secret = fs::read_to_string(&file).unwrap();
        assert!(secret.starts_with("prk_") && !shown.contains(&secret));
    }
}

#[tokio::test]
async fn a_deleted_organization_leaves_nothing() {
    for database in DATABASES {
        let mut installation = Installation::start(database);
        let (organization, account) = create(&installation, "Second");
        let clients = clients(&installation);
        let token = clients[0].access_token(&account).await;
        for number in 0..5 {
            let body = Some(json!({ "name": format!("CI {number}") }));
            let created = clients[0]
                .api(Method::POST, "/service-accounts", &token, body)
                .await;
            created.expect(201);
        }
        // Refused logins are waiting to become events of an organization that is gone by then.
        for client in &clients {
            let wrong = Credentials {
                client_secret: installation.root.client_secret.clone(),
                ..account.clone()
            };
            client.token(&wrong, &[]).await.expect(401);
            let wrong = installation.root.with_secret_of(&account);
            client.token(&wrong, &[]).await.expect(401);
        }
        let refused = installation
            .run(&["organizations", "delete", "Second"])
            .failed(2);
        assert!(refused.contains("--yes"), "{refused}");
        let file = installation.path("audit.ndjson");
        let file = file.to_str().unwrap();
        let export = [
            "organizations",
            "delete",
            "Second",
            "--yes",
            "--export",
            file,
        ];
        let deleted = installation.run(&export).succeeded();
        assert!(
            deleted.starts_with("Deleted the organization \"Second\""),
            "{deleted}"
        );
        for client in &clients {
            assert!(!is_alive(client, &account, &token).await);
        }
        let verified = installation.run(&["audit", "verify", "--file", file]);
        verified.succeeded();
        let events = fs::read_to_string(file).unwrap();
        assert!(events.lines().count() >= 8);
        assert!(
            events
                .lines()
                .last()
                .unwrap()
                .contains("disable_organization")
        );

        let left = json_of(&installation, &["organizations", "list"]);
        let left = left["items"].as_array().unwrap();
        assert_eq!(left.len(), 1);
        assert_ne!(left[0]["id"], organization["id"]);
        // The name is free again, and the refused logins of others are recorded.
        let (_, again) = create(&installation, "Second");
        clients[0].access_token(&again).await;
        for node in &mut installation.nodes {
            let log = node.stop();
            assert!(
                !log.contains("cannot record") && !log.contains("lost the usage"),
                "{log}"
            );
        }
        let verified = installation.run(&["audit", "verify"]).succeeded();
        assert_eq!(verified.lines().count(), 2, "{verified}");
        installation.nodes.clear();
        let node = installation.serve(0, &[]);
        let client = node.client();
        let root = client.access_token(&installation.root).await;
        let path = "/audit-events?action=refuse_login";
        let events = client.api(Method::GET, path, &root, None).await.json();
        assert!(!events["items"].as_array().unwrap().is_empty());
    }
}

/// An interrupted deletion is continued: the organization is disabled, and some of its rows are gone.
#[tokio::test]
async fn an_interrupted_deletion_is_continued() {
    let installation = Installation::start(Database::Sqlite);
    let (organization, account) = create(&installation, "Second");
    let client = installation.nodes[0].client();
    let token = client.access_token(&account).await;
    for _ in 0..4 {
        let body = Some(json!({ "name": "CI" }));
        client
            .api(Method::POST, "/service-accounts", &token, body)
            .await
            .expect(201);
    }
    json_of(&installation, &["organizations", "disable", "Second"]);
    let id = organization["id"].as_str().unwrap().replace('-', "");
    let file = installation.path("prokura.db");
    rusqlite::Connection::open(file)
        .unwrap()
        .execute_batch(&format!(
            "PRAGMA foreign_keys = ON; DELETE FROM service_accounts WHERE organization_id = x'{id}'; \
             DELETE FROM audit_events WHERE organization_id = x'{id}' AND sequence < 3"
        ))
        .unwrap();
    installation
        .run(&["organizations", "delete", "Second", "--yes"])
        .succeeded();
    let left = json_of(&installation, &["organizations", "list"]);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[test]
fn organizations_are_listed_and_renamed() {
    let installation = Installation::start(Database::Sqlite);
    create(&installation, "Second");
    let table = installation.run(&["organizations", "list"]).succeeded();
    assert!(
        table.contains("Second") && table.contains("enabled"),
        "{table}"
    );
    let renamed = json_of(
        &installation,
        &["organizations", "rename", "Second", "Third"],
    );
    assert_eq!(renamed["organization"]["name"], "Third");
    // The same name again is no change.
    json_of(
        &installation,
        &["organizations", "rename", "Third", "Third"],
    );
    let first = json_of(&installation, &["organizations", "list"])["items"][0]["name"].clone();
    let taken = ["organizations", "rename", "Third", first.as_str().unwrap()];
    let taken = installation.run(&taken).failed(1);
    assert!(taken.contains("already exists"), "{taken}");
    let taken = installation
        .run(&["organizations", "create", "Third"])
        .failed(1);
    assert!(taken.contains("already exists"), "{taken}");
    for command in [
        &["organizations", "disable", "Second"][..],
        &["organizations", "enable", "Second"],
        &["organizations", "rename", "Second", "Fourth"],
        &["organizations", "delete", "Second", "--yes"],
        &["recover", "--organization", "Second"],
    ] {
        let failed = installation.run(command).failed(1);
        assert!(
            failed.contains("there is no organization \"Second\""),
            "{failed}"
        );
        assert!(
            failed.contains("hint: run `prokura organizations list`"),
            "{failed}"
        );
    }
}

/// A shared resource goes with the organization that owns it, for the others too, on every running node.
#[tokio::test]
async fn a_shared_resource_ends_with_its_owner() {
    for database in DATABASES {
        let mut installation = Installation::start(database);
        create(&installation, "Owner");
        let count = installation.nodes.len();
        installation.nodes.clear();
        let resource = "[[resources]]\nidentifier = \"urn:orders\"\nscopes = [\"orders:read\"]\n\
                        organization = \"Owner\"\nshared = true\n";
        for at in 0..count {
            fs::write(installation.configuration(at), resource).unwrap();
            let node = installation.serve(at, &[]);
            installation.nodes.push(node);
        }
        let clients = clients(&installation);
        let root = clients[0].access_token(&installation.root).await;
        let buyer = clients[0].create_with_scopes(&root, &["orders:read"]).await;
        let form = [("resource", "urn:orders")];
        for client in &clients {
            client.access_token_with(&buyer, &form).await;
        }
        let delete = ["organizations", "delete", "Owner", "--yes"];
        installation.run(&delete).succeeded();
        for client in &clients {
            let refused = client.token(&buyer, &form).await;
            refused.expect_oauth_error(400, "invalid_target");
        }
    }
}
