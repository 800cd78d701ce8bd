//! P1, A20, G2. A secret is shown once and is nowhere else: not in a file, a log line or another response.

use std::{fs, path::Path, process::Command};

use reqwest::Method;
use serde_json::json;

use crate::harness::{Client, Credentials, Reply, postgres, process::Prokura};

/// P1, A20, G2, Q4.
#[tokio::test]
async fn no_secret_or_token_is_stored_or_shown_again_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Prokura::serve_with(directory.path(), &[]);
    let shown = use_it(&server).await;
    server.signal("TERM");
    server.wait();
    shown.assert_absent("standard output", server.stdout().as_bytes());
    shown.assert_absent("standard error", server.stderr().as_bytes());
    let mut files = 0;
    for entry in fs::read_dir(directory.path().join("prokura-data")).unwrap() {
        let path = entry.unwrap().path();
        // `bootstrap.json` is the one file that has to hold a secret.
        if path.ends_with("bootstrap.json") {
            continue;
        }
        shown.assert_absent(&path.display().to_string(), &fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files >= 2, "the database and the master key are there");
    shown.assert_absent(
        "a dump",
        dump_sqlite(&directory.path().join("prokura-data/prokura.db")).as_bytes(),
    );
}

/// P1, A20, G2, Q4.
#[tokio::test]
async fn no_secret_or_token_is_stored_or_shown_again_on_postgres() {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("master.key");
    fs::write(&key, prokura_server::keys::MasterKey::encode(&[5; 32])).unwrap();
    let url = postgres::fresh_database();
    let options = [
        "--database-url",
        &url,
        "--master-key-file",
        key.to_str().unwrap(),
    ];
    let server = Prokura::serve_with(directory.path(), &options);
    let shown = use_it(&server).await;
    shown.assert_absent("standard output", server.stdout().as_bytes());
    shown.assert_absent("standard error", server.stderr().as_bytes());
    let dump = Command::new("pg_dump").arg(&url).output().unwrap();
    assert!(dump.status.success());
    shown.assert_absent("a dump", &dump.stdout);
}

/// Secrets and tokens that were shown once and must be nowhere else.
struct Shown(Vec<String>);

impl Shown {
    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for secret in &self.0 {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{place} holds a secret");
        }
    }

    fn assert_absent_from(&self, reply: &Reply) {
        self.assert_absent("an answer", &reply.body);
        for value in reply.headers.values() {
            self.assert_absent("a header", value.as_bytes());
        }
    }
}

/// Calls every operation, with success and with errors, with all log lines on.
async fn use_it(server: &Prokura) -> Shown {
    let (client, root) = (server.client(), server.root());
    let mut shown = Shown(vec![root.client_secret.clone()]);
    let management = client.access_token(&root).await;
    let mut accounts: Vec<Credentials> = Vec::new();
    for number in 0..5 {
        let body = json!({ "name": format!("account {number}") });
        let (_, created) = client.create(&management, body).await;
        accounts.push(created);
    }
    let mut replies = Vec::new();
    for account in &accounts {
        let token = client.access_token(account).await;
        let rotated = client.rotate(&management, &account.id).await;
        // The old secret and the current one, in every place where a client could put them by mistake.
        for credentials in [account, &rotated] {
            let secret = &credentials.client_secret;
            replies.push(client.token(credentials, &[("scope", secret)]).await);
            replies.push(client.token(credentials, &[("resource", secret)]).await);
            replies.push(
                client
                    .get(&format!("/api/v1/service-accounts/{secret}"))
                    .await,
            );
            replies.push(
                client
                    .get(&format!("/oauth2/token?client_secret={secret}"))
                    .await,
            );
            replies.push(
                client
                    .api(Method::GET, "/service-accounts", secret, None)
                    .await,
            );
            replies.push(client.introspect_reply(credentials, &token).await);
            shown.0.push(secret.clone());
        }
        replies.push(
            client
                .form("/oauth2/revoke", &rotated, &[("token", &token)])
                .await,
        );
        shown.0.push(token);
        replies.push(client.try_get_account(&management, &account.id).await);
    }
    use_it_once(&client, &management, &accounts[1], &mut shown).await;
    replies.push(
        client
            .api(Method::GET, "/service-accounts", &management, None)
            .await,
    );
    replies.push(
        client
            .api(Method::GET, "/service-accounts?limit=2", &management, None)
            .await,
    );
    let path = format!("/service-accounts/{}", accounts[0].id);
    replies.push(client.api(Method::DELETE, &path, &management, None).await);
    shown.0.push(management);
    for reply in &replies {
        shown.assert_absent_from(reply);
    }
    shown
}

/// Q4. Calls the operations that answer with a secret under an Idempotency-Key, so that the responses are stored. It
/// also uses the keys wrongly.
async fn use_it_once(client: &Client, token: &str, account: &Credentials, shown: &mut Shown) {
    let path = format!("/service-accounts/{}", account.id);
    let other = json!({ "name": "Other", "expiresInSeconds": 60 });
    for (number, (path, body)) in [
        (
            "/service-accounts".to_owned(),
            Some(json!({ "name": "Once" })),
        ),
        (format!("{path}/rotate-secret"), None),
        (format!("{path}/secrets"), None),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("idempotency-key-{number}");
        let mut answers = Vec::new();
        for _ in 0..2 {
            let reply = client.post_once(&path, token, &key, body.as_ref()).await;
            answers.push(String::from_utf8(reply.body.to_vec()).unwrap());
        }
        assert_eq!(answers[0], answers[1]);
        let secret = answers[0].split("prk_").nth(1).expect("a secret");
        shown.0.push(format!("prk_{}", &secret[..49]));
        // A part of the stored response, whatever is written around it.
        shown.0.push("\"credentials\":{".to_owned());
        shown.0.push("\\\"credentials\\\":{".to_owned());
        for wrong in [key.clone(), format!("{key}\" \"")] {
            let reply = client.post_once(&path, token, &wrong, Some(&other)).await;
            assert!(reply.status >= 400, "{reply:?}");
            shown.assert_absent_from(&reply);
            assert!(!reply.mentions(&key), "{reply:?}");
        }
        shown.0.push(key);
    }
}

fn dump_sqlite(file: &Path) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    let tables = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<Vec<String>, _>>()
        .unwrap();
    let mut dump = String::new();
    for table in tables {
        let mut select = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                dump.push_str(&format!("{:?}\n", row.get_ref(column).unwrap()));
            }
        }
    }
    assert!(dump.contains("account 1") || dump.len() > 1000);
    dump
}
