//! Several nodes with one PostgreSQL.

use std::{fs, path::Path, thread};

use prokura_server::keys::MasterKey;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Client, Credentials, OlderDatabase, postgres, process::Prokura};

/// Three nodes started at the same time with an empty database. Each has its own data directory.
struct Nodes {
    _directory: TempDir,
    nodes: Vec<Prokura>,
}

/// The arguments of every node.
const RESOURCES: &str = r#"
[[resources]]
identifier = "https://orders.example"
scopes = ["orders:read"]
"#;

fn start() -> Nodes {
    let directory = tempfile::tempdir().unwrap();
    let url = postgres::fresh_database();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("master.key"), MasterKey::encode(&[9; 32])).unwrap();
    fs::write(path("prokura.toml"), RESOURCES).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (key, config) = (text(&path("master.key")), text(&path("prokura.toml")));
    let starts = (0..3).map(|number| {
        let own = path(&format!("node-{number}"));
        fs::create_dir(&own).unwrap();
        let (url, key, config) = (url.clone(), key.clone(), config.clone());
        thread::spawn(move || {
            let options = [
                "--database-url",
                &url,
                "--master-key-file",
                &key,
                "--config",
                &config,
                // All nodes have the same issuer.
                "--public-url",
                "http://127.0.0.1:1",
            ];
            Prokura::serve_with(&own, &options)
        })
    });
    let starts = starts.collect::<Vec<_>>();
    let nodes = starts
        .into_iter()
        .map(|start| start.join().unwrap())
        .collect();
    Nodes {
        _directory: directory,
        nodes,
    }
}

impl Nodes {
    fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(Prokura::client).collect()
    }

    /// The first account, whose credentials one of the nodes has written.
    fn root(&self) -> Credentials {
        let mut made = self
            .nodes
            .iter()
            .filter(|node| node.data("bootstrap.json").exists());
        let root = made.next().expect("one node made the first account").root();
        assert!(made.next().is_none(), "two nodes made a first account");
        root
    }
}

#[tokio::test]
async fn three_nodes_started_at_once_create_one_organization_and_one_set_of_keys() {
    let nodes = start();
    let root = nodes.root();
    let mut published = Vec::new();
    for client in nodes.clients() {
        let token = client.access_token(&root).await;
        let list = client
            .api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect(200)
            .json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        published.push(client.get("/.well-known/jwks.json").await.json());
    }
    assert_eq!(published[0]["keys"].as_array().unwrap().len(), 1);
    assert!(published.iter().all(|keys| *keys == published[0]));
}

/// P2, P3, V8. What one node has acknowledged, the next request to any other node sees.
#[tokio::test]
async fn what_one_node_acknowledged_holds_on_the_next_at_once() {
    let nodes = start();
    let root = nodes.root();
    let clients = nodes.clients();
    let management = clients[0].access_token(&root).await;
    for round in 0..30 {
        let (here, there) = (&clients[round % 3], &clients[(round + 1) % 3]);
        let body = json!({ "name": "CI", "scopes": ["management:all", "orders:read"] });
        let (account, old) = here.create(&management, body).await;
        let id = account["id"].as_str().unwrap();
        let token = there.access_token(&old).await;
        let orders = [("resource", "https://orders.example")];
        let jwt = there.access_token_with(&old, &orders).await;
        assert_eq!(here.introspect(&root, &jwt).await["active"], true);

        let new = here.rotate(&management, id).await;
        there
            .token(&old, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        there.token(&new, &[]).await.expect(200);
        there
            .api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect(200);

        let revoked = there.access_token(&new).await;
        here.form("/oauth2/revoke", &new, &[("token", &revoked)])
            .await
            .expect(200);
        there
            .api(Method::GET, "/service-accounts", &revoked, None)
            .await
            .expect_api_error(401, "invalid_token");

        let path = format!("/service-accounts/{id}");
        here.api(Method::DELETE, &path, &management, None)
            .await
            .expect(204);
        there
            .token(&new, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        there
            .api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect_api_error(401, "invalid_token");
        for dead in [&token, &jwt] {
            let answer = there.introspect(&root, dead).await;
            assert_eq!(answer, json!({ "active": false }));
        }
        there
            .api(Method::GET, &path, &management, None)
            .await
            .expect_api_error(404, "service_account_not_found");
    }
}

/// G6 across nodes. Of concurrent rotations on different nodes, exactly one secret works afterwards.
#[tokio::test]
async fn of_concurrent_rotations_on_three_nodes_one_secret_works() {
    let nodes = start();
    let root = nodes.root();
    let clients = nodes.clients();
    let token = clients[0].access_token(&root).await;
    let (account, _) = clients[0].create(&token, json!({ "name": "CI" })).await;
    let id = account["id"].as_str().unwrap();
    let rotations = (0..21).map(|number| clients[number % 3].rotate(&token, id));
    let secrets = futures_util::future::join_all(rotations).await;
    let mut alive = 0;
    for (number, secret) in secrets.iter().enumerate() {
        alive += usize::from(clients[number % 3].token(secret, &[]).await.status == 200);
    }
    assert_eq!(alive, 1);
}

/// Q3 across nodes. Of concurrent equal requests on different nodes one is done, and each gets its response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_concurrent_equal_requests_on_three_nodes_one_is_done() {
    let nodes = start();
    let root = nodes.root();
    let clients = nodes.clients();
    let token = clients[0].access_token(&root).await;
    for number in 0..5 {
        let key = format!("at once {number}");
        let body = json!({ "name": "CI" });
        let sent = (0..50).map(|at| {
            let client = &clients[at % 3];
            client.post_once("/service-accounts", &token, &key, Some(&body))
        });
        let replies = futures_util::future::join_all(sent).await;
        let first = replies[0].clone().expect(201).fingerprint();
        assert!(replies.iter().all(|reply| reply.fingerprint() == first));
        for client in &clients {
            let list = client.api(Method::GET, "/service-accounts", &token, None);
            let list = list.await.json();
            assert_eq!(list["items"].as_array().unwrap().len(), number + 2);
        }
    }
}

/// Three nodes are upgraded at the same time. They agree on the data keys, and secrets stay good on each.
#[tokio::test]
async fn three_nodes_that_upgrade_a_database_at_once_agree_on_the_data_keys() {
    let older = OlderDatabase::read();
    let url = older.on_postgres().await;
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("master.key");
    fs::write(&key, older.text("masterKey")).unwrap();
    let key = key.to_str().unwrap().to_owned();
    let starts = (0..3).map(|number| {
        let own = directory.path().join(format!("node-{number}"));
        fs::create_dir(&own).unwrap();
        let (url, key) = (url.clone(), key.clone());
        thread::spawn(move || {
            let options = ["--database-url", &url, "--master-key-file", &key];
            Prokura::serve_with(&own, &options)
        })
    });
    let starts = starts.collect::<Vec<_>>();
    let nodes = starts.into_iter().map(|start| start.join().unwrap());
    let nodes = nodes.collect::<Vec<_>>();
    for node in &nodes {
        let root = older.credentials("administrator");
        let client = node.client();
        let token = client.access_token(&root).await;
        let (_, account) = client.create(&token, json!({ "name": "New" })).await;
        for other in &nodes {
            other.client().access_token(&account).await;
        }
    }
}
