//! `prokura keys` beside running servers: one on SQLite, and three on PostgreSQL with different configurations.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use jsonwebtoken::jwk::JwkSet;
use prokura_server::keys::MasterKey;
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Client, Credentials, Database, header_of, postgres,
    process::{self, Finished, Prokura},
    verify,
};

const JWKS: &str = "/.well-known/jwks.json";
const ISSUER: &str = "http://127.0.0.1:1";

/// The configurations of the nodes. The first is that of the commands.
const CONFIGURATIONS: [&str; 3] = [
    "[management_api]\ntoken_format = \"jwt\"\n",
    "[management_api]\ntoken_format = \"jwt\"\nsigning_algorithm = \"RS256\"\n",
    "",
];

/// The running nodes of one installation, and what its commands need.
pub(super) struct Installation {
    pub(super) directory: TempDir,
    pub(super) database_url: String,
    pub(super) nodes: Vec<Prokura>,
    pub(super) root: Credentials,
}

impl Installation {
    pub(super) fn start(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prokura.db");
        let (database_url, count) = match database {
            // One server owns the file.
            Database::Sqlite => (format!("sqlite:{}", file.display()), 1),
            Database::Postgres => (postgres::fresh_database(), 3),
        };
        let mut installation = Self {
            directory,
            database_url,
            nodes: Vec::new(),
            root: Credentials::default(),
        };
        fs::write(installation.path("master.key"), MasterKey::encode(&[9; 32])).unwrap();
        for (at, text) in CONFIGURATIONS.iter().enumerate() {
            fs::write(installation.configuration(at), text).unwrap();
        }
        for at in 0..count {
            let node = installation.serve(at, &[]);
            installation.nodes.push(node);
        }
        installation.root = installation.nodes[0].root();
        installation
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn configuration(&self, at: usize) -> PathBuf {
        self.path(&format!("{at}.toml"))
    }

    fn options(&self, at: usize) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        [
            ("--database-url", self.database_url.clone()),
            ("--config", text(self.configuration(at))),
            ("--public-url", ISSUER.to_owned()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect()
    }

    /// Starts a node, with the master key file unless `options` name another.
    pub(super) fn serve(&self, at: usize, options: &[&str]) -> Prokura {
        let all = self.node_options(at, options);
        let all = all.iter().map(String::as_str).collect::<Vec<_>>();
        Prokura::serve_with(&self.node_directory(at), &all)
    }

    /// The command that [`Self::serve`] starts.
    pub(super) fn serve_command(&self, at: usize, options: &[&str]) -> Command {
        let serve = ["serve", "--listen", "127.0.0.1:0"].map(str::to_owned);
        let all = serve.into_iter().chain(self.node_options(at, options));
        process::prokura(&self.node_directory(at), all)
    }

    fn node_options(&self, at: usize, options: &[&str]) -> Vec<String> {
        let mut all = self.options(at);
        all.extend(self.master_key(options));
        all.extend(options.iter().map(|option| (*option).to_owned()));
        all
    }

    fn node_directory(&self, at: usize) -> PathBuf {
        let directory = self.path(&format!("node-{at}"));
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    fn master_key(&self, options: &[&str]) -> Vec<String> {
        if options.contains(&"--master-key-file") {
            return Vec::new();
        }
        let file = self.path("master.key").display().to_string();
        vec!["--master-key-file".to_owned(), file]
    }

    /// Runs `prokura keys` with these arguments.
    pub(super) fn keys(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.keys_command(arguments).output().unwrap())
    }

    /// Runs a command on the database.
    pub(super) fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.command(arguments).output().unwrap())
    }

    /// The command that [`Self::keys`] runs.
    pub(super) fn keys_command(&self, arguments: &[&str]) -> Command {
        let arguments = [&["keys"], arguments].concat();
        self.command(&arguments)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut all = Vec::new();
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        all.extend(self.options(0));
        all.extend(self.master_key(arguments));
        process::prokura(self.directory.path(), all)
    }

    /// The same, with the output as JSON: its items.
    fn items(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.keys(&[arguments, &["--output", "json"]].concat());
        let output: Value = serde_json::from_str(&output.succeeded()).unwrap();
        output["items"].as_array().unwrap().clone()
    }

    pub(super) fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(Prokura::client).collect()
    }

    /// The key IDs that every node publishes.
    async fn published(&self) -> BTreeSet<String> {
        let mut sets = Vec::new();
        for client in self.clients() {
            sets.push(client.get(JWKS).await.expect(200).json());
        }
        assert!(sets.iter().all(|set| *set == sets[0]), "{sets:#?}");
        let keys = sets[0]["keys"].as_array().unwrap();
        keys.iter().map(|key| text(&key["kid"])).collect()
    }

    /// Asserts that every node says whether the token is active.
    pub(super) async fn assert_active(&self, token: &str, active: bool) {
        for client in self.clients() {
            let answer = client.introspect(&self.root, token).await;
            assert_eq!(answer["active"], active);
            let list = client.api(Method::GET, "/service-accounts", token, None);
            assert_eq!(list.await.status, if active { 200 } else { 401 });
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn kid_of(token: &str) -> String {
    text(&header_of(token)["kid"])
}

/// A verifier that has just fetched the keys.
async fn assert_verifies(client: &Client, token: &str) {
    let keys: JwkSet = serde_json::from_value(client.get(JWKS).await.json()).unwrap();
    verify(&keys, ISSUER, &format!("{ISSUER}/api/v1"), token);
}

async fn rotate_and_revoke(database: Database) {
    let installation = Installation::start(database);
    let clients = installation.clients();
    let old = clients[0].access_token(&installation.root).await;
    let first = kid_of(&old);
    let before = installation.published().await;

    let listed = installation.items(&["list"]);
    let names = listed.iter().map(|key| text(&key["kid"]));
    assert_eq!(names.collect::<BTreeSet<_>>(), before);
    assert!(listed.iter().all(|key| key["state"] == "signing"));
    let members = listed[0].as_object().unwrap().keys().map(String::as_str);
    let expected = BTreeSet::from([
        "kid",
        "algorithm",
        "state",
        "createdAt",
        "signsFrom",
        "retiresAt",
        "publishedUntil",
        "revokedAt",
    ]);
    assert_eq!(members.collect::<BTreeSet<_>>(), expected);

    // The next key is published everywhere when the command ends, and does not sign yet.
    let rotated = installation.items(&["rotate", "--algorithm", "ES256"]);
    assert_eq!(rotated.len(), 1);
    assert_eq!(rotated[0]["state"], "published");
    let next = text(&rotated[0]["kid"]);
    assert!(installation.published().await.contains(&next));
    let token = clients[0].access_token(&installation.root).await;
    assert_eq!(kid_of(&token), first);
    // A repeat changes nothing.
    assert_eq!(
        installation.items(&["rotate", "--algorithm", "ES256"]),
        rotated
    );

    // Now it signs.
    let signing = installation.items(&["rotate", "--algorithm", "ES256", "--now"]);
    assert_eq!(
        (&signing[0]["kid"], &signing[0]["state"]),
        (&rotated[0]["kid"], &"signing".into())
    );
    let token = clients[0].access_token(&installation.root).await;
    assert_eq!(kid_of(&token), next);
    for token in [&old, &token] {
        installation.assert_active(token, true).await;
    }

    // It leaked.
    let refused = installation.keys(&["revoke", &next]).failed(2);
    assert!(refused.contains("--yes"), "{refused}");
    installation.assert_active(&token, true).await;
    let revoked = installation.items(&["revoke", &next, "--yes"]);
    let states = revoked.iter().map(|key| text(&key["state"]));
    assert_eq!(states.collect::<Vec<_>>(), ["revoked", "signing"]);
    let published = installation.published().await;
    assert!(!published.contains(&next));
    installation.assert_active(&token, false).await;
    installation.assert_active(&old, true).await;
    let token = clients[0].access_token(&installation.root).await;
    assert_eq!(kid_of(&token), text(&revoked[1]["kid"]));
    assert_verifies(clients.last().unwrap(), &token).await;
    installation.assert_active(&token, true).await;

    let refused = installation.keys(&["revoke", &next, "--yes"]).failed(1);
    assert!(refused.contains("revoked already"), "{refused}");
    let refused = installation.keys(&["revoke", "unknown", "--yes"]).failed(1);
    assert!(refused.contains("prokura keys list"), "{refused}");
    let refused = installation
        .keys(&["rotate", "--algorithm", "EdDSA"])
        .failed(1);
    assert!(refused.contains("EdDSA"), "{refused}");
    let table = installation.keys(&["list"]).succeeded();
    assert!(
        table.contains("revoked") && table.contains(&first),
        "{table}"
    );
}

#[tokio::test]
async fn keys_are_listed_rotated_and_revoked_beside_a_server_on_sqlite() {
    rotate_and_revoke(Database::Sqlite).await;
}

#[tokio::test]
async fn keys_are_listed_rotated_and_revoked_beside_three_nodes_on_postgresql() {
    rotate_and_revoke(Database::Postgres).await;
}

/// Clients request tokens all the time, and each is used at another node at once.
pub(super) async fn load(installation: &Arc<Installation>, change: impl AsyncFnOnce()) -> usize {
    let is_over = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    let clients = installation.clients();
    let mut workers = Vec::new();
    for at in 0..6 {
        let here = clients[at % clients.len()].clone();
        let there = clients[(at + 1) % clients.len()].clone();
        let root = installation.root.clone();
        let (is_over, done) = (Arc::clone(&is_over), Arc::clone(&done));
        workers.push(tokio::spawn(async move {
            while !is_over.load(SeqCst) {
                let token = here.access_token(&root).await;
                let list = there.api(Method::GET, "/service-accounts", &token, None);
                list.await.expect(200);
                if token.starts_with("ey") {
                    assert_verifies(&there, &token).await;
                }
                done.fetch_add(1, SeqCst);
            }
        }));
    }
    change().await;
    is_over.store(true, SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    done.load(SeqCst)
}

async fn rotate_under_load(database: Database) {
    let installation = Arc::new(Installation::start(database));
    let commands = Arc::clone(&installation);
    let requests = load(&installation, async move || {
        tokio::task::spawn_blocking(move || {
            for _ in 0..4 {
                commands.keys(&["rotate"]).succeeded();
                commands.keys(&["rotate", "--now"]).succeeded();
            }
        })
        .await
        .unwrap();
    })
    .await;
    assert!(requests > 20, "{requests}");
}

/// K4. Not one request fails while keys are rotated again and again, even at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_under_load_fails_no_request_on_sqlite() {
    rotate_under_load(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_under_load_fails_no_request_on_postgresql() {
    rotate_under_load(Database::Postgres).await;
}

/// No request that begins after a revocation has ended meets the key, while all nodes issue tokens all the time.
async fn revoke_under_load(database: Database) {
    let installation = Installation::start(database);
    let clients = installation.clients();
    let dead = Arc::new(Mutex::new(BTreeSet::new()));
    let is_over = Arc::new(AtomicBool::new(false));
    let workers = (0..6).map(|at| {
        let client = clients[at % clients.len()].clone();
        let root = installation.root.clone();
        let (dead, is_over) = (Arc::clone(&dead), Arc::clone(&is_over));
        tokio::spawn(async move {
            while !is_over.load(SeqCst) {
                let dead: BTreeSet<String> = dead.lock().unwrap().clone();
                let token = client.access_token(&root).await;
                if token.starts_with("ey") {
                    assert!(!dead.contains(&kid_of(&token)));
                }
                let set = client.get(JWKS).await.expect(200).json();
                let keys = set["keys"].as_array().unwrap();
                assert!(keys.iter().all(|key| !dead.contains(&text(&key["kid"]))));
            }
        })
    });
    let workers = workers.collect::<Vec<_>>();
    for _ in 0..5 {
        let leaked = clients[0].access_token(&installation.root).await;
        let kid = kid_of(&leaked);
        tokio::task::block_in_place(|| installation.keys(&["revoke", &kid, "--yes"]).succeeded());
        dead.lock().unwrap().insert(kid);
        installation.assert_active(&leaked, false).await;
    }
    is_over.store(true, SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_meets_a_revoked_key_on_sqlite() {
    revoke_under_load(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_meets_a_revoked_key_on_postgresql() {
    revoke_under_load(Database::Postgres).await;
}

/// `keys list` needs neither the master key nor a server, and creates nothing.
#[test]
fn keys_are_listed_without_the_master_key() {
    let directory = tempfile::tempdir().unwrap();
    let list = |directory: &Path| process::run(directory, ["keys", "list"]);
    let refused = list(directory.path()).failed(1);
    assert!(refused.contains("there is no database"), "{refused}");
    assert!(process::names_in(directory.path()).is_empty());

    drop(Prokura::serve(directory.path()));
    fs::remove_file(directory.path().join("prokura-data/master.key")).unwrap();
    list(directory.path()).succeeded();
}
