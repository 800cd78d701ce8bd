//! P5. What the server has acknowledged survives SIGKILL at any moment.

use std::{collections::HashMap, fs, path::Path};

use prokura_server::keys::MasterKey;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Credentials, postgres, process::Prokura};

/// How many times the server is killed.
const ROUNDS: usize = 8;
/// How many clients make changes concurrently.
const WORKERS: usize = 4;

/// What the clients know about one account from the responses.
struct Known {
    credentials: Credentials,
    /// A token of the account.
    token: Option<String>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    /// The secret of the last response works.
    Alive,
    /// A rotation was requested and not acknowledged: either the old secret works, or one that no client knows.
    Rotating,
    /// A deletion was requested and not acknowledged.
    Deleting,
    /// A deletion was acknowledged.
    Deleted,
}

/// P5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_sigkill_on_sqlite() {
    kill_in_a_loop(&[]).await;
}

/// P5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_sigkill_on_postgres() {
    let url = postgres::fresh_database();
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("master.key");
    fs::write(&key, MasterKey::encode(&[3; 32])).unwrap();
    let key = key.to_str().unwrap();
    kill_in_a_loop(&["--database-url", &url, "--master-key-file", key]).await;
}

async fn kill_in_a_loop(options: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let mut known = HashMap::new();
    for round in 0..ROUNDS {
        let mut server = serve(directory.path(), options);
        let (client, root) = (server.client(), server.root());
        let before = accounts(&client, &root).await;
        let workers = (0..WORKERS)
            .map(|_| tokio::spawn(work(client.clone(), root.clone())))
            .collect::<Vec<_>>();
        // Killed after about this many accounts, so at another moment in each round.
        let enough = before + 4 + 3 * round;
        while accounts(&client, &root).await < enough {}
        server.kill();
        for worker in workers {
            known.extend(worker.await.unwrap());
        }
    }
    let server = serve(directory.path(), options);
    check(&server.client(), &server.root(), &known).await;
}

async fn accounts(client: &Client, root: &Credentials) -> usize {
    let token = client.access_token(root).await;
    let list = client
        .api(Method::GET, "/service-accounts", &token, None)
        .await;
    list.json()["items"].as_array().unwrap().len()
}

fn serve(directory: &Path, options: &[&str]) -> Prokura {
    // The issuer must stay the same on every port.
    let mut all = vec!["--public-url", "http://127.0.0.1:1"];
    all.extend_from_slice(options);
    Prokura::serve_with(directory, &all)
}

/// Creates, rotates and deletes accounts until the server is gone: what the client knows then.
async fn work(client: Client, root: Credentials) -> HashMap<String, Known> {
    let mut known = HashMap::new();
    let Some(management) = token(&client, &root).await else {
        return known;
    };
    for number in 0.. {
        let body = json!({ "name": format!("account {number}") });
        let Some(created) = call(
            &client,
            Method::POST,
            "/service-accounts",
            &management,
            Some(body),
        )
        .await
        else {
            break;
        };
        let credentials = credentials(&created);
        let id = credentials.id.clone();
        let account = known.entry(id.clone()).or_insert(Known {
            token: None,
            credentials,
            state: State::Alive,
        });
        account.token = token(&client, &account.credentials).await;
        if number % 3 == 1 {
            account.state = State::Rotating;
            let path = format!("/service-accounts/{id}/rotate-secret");
            let Some(rotated) = call(&client, Method::POST, &path, &management, None).await else {
                break;
            };
            account.credentials = self::credentials(&rotated);
            account.state = State::Alive;
        }
        if number % 3 == 2 {
            account.state = State::Deleting;
            let path = format!("/service-accounts/{id}");
            if call(&client, Method::DELETE, &path, &management, None)
                .await
                .is_none()
            {
                break;
            }
            account.state = State::Deleted;
        }
    }
    known
}

async fn check(client: &Client, root: &Credentials, known: &HashMap<String, Known>) {
    let management = client.access_token(root).await;
    assert!(
        known.len() > ROUNDS,
        "too little happened to prove anything"
    );
    assert!(
        known
            .values()
            .any(|account| account.state == State::Deleted)
    );
    for (id, account) in known {
        let found = client.try_get_account(&management, id).await;
        let login = client.token(&account.credentials, &[]).await;
        let is_token_alive = match &account.token {
            Some(token) => client.introspect(root, token).await["active"] == true,
            None => false,
        };
        let seen = (found.status, login.status);
        match account.state {
            State::Alive => {
                assert_eq!(seen, (200, 200), "{id}: an answered change is lost");
                assert!(is_token_alive || account.token.is_none(), "{id}");
            }
            State::Rotating => assert_eq!(found.status, 200, "{id}: the account is lost"),
            State::Deleting => assert!(
                matches!(seen, (200, 200) | (404, 401)),
                "{id}: deleted by half: {seen:?}"
            ),
            State::Deleted => {
                assert_eq!(seen, (404, 401), "{id}: a deletion is lost");
                assert!(!is_token_alive, "{id}: a token outlives its account");
            }
        }
        if found.status == 404 {
            assert!(!is_token_alive, "{id}: a token outlives its account");
        }
    }
}

/// Calls the management API. `None`: the server is gone.
async fn call(
    client: &Client,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Option<Value> {
    let mut request = client
        .request(method, &format!("/api/v1{path}"))
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.ok()?;
    assert!(response.status().is_success(), "{response:?}");
    let body = response.bytes().await.ok()?;
    Some(serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// Requests a token. `None`: the server is gone.
async fn token(client: &Client, account: &Credentials) -> Option<String> {
    let response = client
        .request(Method::POST, "/oauth2/token")
        .header("authorization", account.basic())
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .ok()?;
    let body: Value = response.json().await.ok()?;
    Some(body["access_token"].as_str().unwrap().to_owned())
}

fn credentials(answer: &Value) -> Credentials {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Credentials {
        id: text(&answer["serviceAccount"]["id"]),
        client_id: text(&answer["credentials"]["clientId"]),
        client_secret: text(&answer["credentials"]["clientSecret"]),
    }
}
