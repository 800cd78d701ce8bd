//! Usage counts after the process has ended, by a stop or a crash.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use prokura_server::keys::MasterKey;
use serde_json::json;
use tokio_postgres::NoTls;

use crate::harness::{Client, Credentials, postgres, process::Prokura};

/// How far behind the counts may be after a crash.
const LAG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn usage_survives_a_stop_and_a_crash_on_sqlite() {
    end_and_compare(None).await;
}

#[tokio::test]
async fn usage_survives_a_stop_and_a_crash_on_postgres() {
    end_and_compare(Some(postgres::fresh_database())).await;
}

async fn end_and_compare(url: Option<String>) {
    let directory = tempfile::tempdir().unwrap();
    let url = url.as_deref();
    let mut server = serve(directory.path(), url);
    let (client, root) = (server.client(), server.root());
    let management = client.access_token(&root).await;
    let (_, ci) = client.create(&management, json!({ "name": "CI" })).await;

    // After a stop the counts are exact.
    client.access_token(&ci).await;
    let shown = last_use(&client, &root, &ci).await;
    server.signal("TERM");
    assert!(server.wait().success());
    let before = written_use(&server, url, &ci).await;
    let mut server = serve(directory.path(), url);
    let client = server.client();
    assert_eq!(last_use(&client, &root, &ci).await, shown);

    // After a crash the counts that were written are there.
    let used = Instant::now();
    client.access_token(&ci).await;
    let first = last_use(&client, &root, &ci).await;
    while written_use(&server, url, &ci).await == before {
        assert!(used.elapsed() < LAG, "a use is not written in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.access_token(&ci).await;
    let second = last_use(&client, &root, &ci).await;
    server.kill();
    let server = serve(directory.path(), url);
    let known = last_use(&server.client(), &root, &ci).await;
    assert!(
        shown < first && first <= known && known <= second,
        "{known} is known of {first} and {second}"
    );
}

fn serve(directory: &Path, url: Option<&str>) -> Prokura {
    let key = directory.join("key");
    let key = key.to_str().unwrap();
    // The issuer must stay the same on every port.
    let mut options = vec!["--public-url", "http://127.0.0.1:1"];
    if let Some(url) = url {
        fs::write(key, MasterKey::encode(&[3; 32])).unwrap();
        options.extend(["--database-url", url, "--master-key-file", key]);
    }
    Prokura::serve_with(directory, &options)
}

/// The last use, as the API shows it.
async fn last_use(client: &Client, root: &Credentials, account: &Credentials) -> String {
    let token = client.access_token(root).await;
    let reply = client.try_get_account(&token, &account.id).await;
    let account = &reply.expect(200).json()["serviceAccount"];
    account["lastUsedAt"].as_str().unwrap().to_owned()
}

/// The last use, as it is in the database.
async fn written_use(server: &Prokura, url: Option<&str>, account: &Credentials) -> Option<i64> {
    let id = account.id.replace('-', "");
    let Some(url) = url else {
        let database = rusqlite::Connection::open(server.data("prokura.db")).unwrap();
        let sql = format!("SELECT last_used_at FROM service_accounts WHERE id = x'{id}'");
        return database.query_row(&sql, [], |row| row.get(0)).unwrap();
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = format!("SELECT last_used_at FROM service_accounts WHERE id = '\\x{id}'");
    client.query_one(&sql, &[]).await.unwrap().get(0)
}
