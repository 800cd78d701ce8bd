//! Changing the master key beside running servers: `prokura keys rewrap`.

use std::{fs, process::Stdio, sync::Arc, thread::sleep, time::Duration};

use prokura_server::keys::MasterKey;

use super::keys::{Installation, load};
use crate::harness::{
    Database,
    process::{self, Finished, Prokura},
};

impl Installation {
    /// Creates the file `name` with the master key of 32 times this byte: its path.
    fn key_file(&self, name: &str, byte: u8) -> String {
        let path = self.path(name);
        fs::write(&path, MasterKey::encode(&[byte; 32])).unwrap();
        path.display().to_string()
    }

    fn rewrap(&self, old: &str, new: &str) -> Finished {
        self.keys(&[
            "rewrap",
            "--master-key-file",
            old,
            "--new-master-key-file",
            new,
        ])
    }

    /// The refusal of a node that starts with these options.
    fn refused(&self, options: &[&str]) -> String {
        let finished = Finished::of(self.serve_command(0, options).output().unwrap());
        finished.failed(1)
    }
}

async fn change_the_master_key(database: Database) {
    let mut installation = Installation::start(database);
    let old = installation.key_file("master.key", 9);
    let new = installation.key_file("new.key", 8);
    let other = installation.key_file("other.key", 7);
    let before = installation.clients()[0]
        .access_token(&installation.root)
        .await;
    installation.assert_active(&before, true).await;

    // The old key is checked first, and so is the new file.
    let refused = installation.rewrap(&other, &new).failed(1);
    assert!(refused.contains("another master key"), "{refused}");
    let refused = installation.rewrap(&old, "missing.key").failed(1);
    assert!(refused.contains("openssl rand"), "{refused}");
    fs::write(installation.path("bad.key"), "no key").unwrap();
    let bad = installation.path("bad.key").display().to_string();
    installation.rewrap(&old, &bad).failed(1);

    // Requests go on.
    let shared = Arc::new(installation);
    let commands = Arc::clone(&shared);
    let paths = (old.clone(), new.clone());
    let requests = load(&shared, async move || {
        let rewrapped = tokio::task::spawn_blocking(move || commands.rewrap(&paths.0, &paths.1));
        let rewrapped = rewrapped.await.unwrap();
        for key in [[9; 32], [8; 32]] {
            let secret = MasterKey::encode(&key);
            assert!(!rewrapped.stdout.contains(secret.trim()));
            assert!(!rewrapped.stderr.contains(secret.trim()));
        }
        let said = rewrapped.succeeded();
        assert!(
            said.contains("new master key now") && said.contains("mv "),
            "{said}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    })
    .await;
    assert!(requests > 3, "{requests}");
    installation = Arc::into_inner(shared).unwrap();
    installation.assert_active(&before, true).await;

    // A repeat changes nothing, whether the file was replaced meanwhile or not.
    for first in [&old, &new] {
        let said = installation.rewrap(first, &new).succeeded();
        assert!(said.contains("nothing was changed"), "{said}");
    }
    // The old key is of no use any more.
    let refused = installation.rewrap(&old, &other).failed(1);
    assert!(refused.contains("another master key"), "{refused}");

    // Nodes start with the new key, or with both, in either order.
    let count = installation.nodes.len();
    for options in [
        &["--master-key-file", &*new][..],
        &["--master-key-file", &old, "--next-master-key-file", &new],
        &["--master-key-file", &new, "--next-master-key-file", &old],
    ] {
        for at in 0..count {
            installation.nodes[at].stop();
            installation.nodes[at] = installation.serve(at, options);
        }
        installation.assert_active(&before, true).await;
        let token = installation.clients()[0]
            .access_token(&installation.root)
            .await;
        installation.assert_active(&token, true).await;
    }
    installation
        .nodes
        .iter_mut()
        .for_each(|node| drop(node.stop()));
    let refused = installation.refused(&["--master-key-file", &old]);
    assert!(
        refused.contains("another master key") && refused.contains("rewrap"),
        "{refused}"
    );
    let missing = [
        "--master-key-file",
        &new,
        "--next-master-key-file",
        "missing",
    ];
    assert!(installation.refused(&missing).contains("missing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_changed_beside_a_server_on_sqlite() {
    change_the_master_key(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_changed_beside_three_nodes_on_postgresql() {
    change_the_master_key(Database::Postgres).await;
}

/// A command that is killed leaves the old key or the new one, and a repeat completes it.
async fn kill(database: Database) {
    let mut installation = Installation::start(database);
    let mut files = [
        installation.key_file("master.key", 9),
        installation.key_file("new.key", 8),
    ];
    let token = installation.clients()[0]
        .access_token(&installation.root)
        .await;
    let mut seen = [0, 0];
    for round in 0..16 {
        let [old, new] = &files;
        let arguments = [
            "rewrap",
            "--master-key-file",
            old,
            "--new-master-key-file",
            new,
        ];
        let mut child = installation
            .keys_command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(4 * round));
        // It may have ended already.
        let _ = child.kill();
        child.wait().unwrap();

        installation.assert_active(&token, true).await;
        let said = installation.rewrap(old, new).succeeded();
        seen[usize::from(said.contains("nothing was changed"))] += 1;
        files.reverse();
    }
    // Some were killed before the commit.
    assert!(seen[0] > 0, "{seen:?}");
    // All data keys open with the key that the database names.
    installation.nodes[0].stop();
    installation.nodes[0] = installation.serve(0, &["--master-key-file", &files[0]]);
    installation.assert_active(&token, true).await;
}

#[tokio::test]
async fn a_killed_change_leaves_one_of_the_two_keys_on_postgresql() {
    kill(Database::Postgres).await;
}

#[tokio::test]
async fn a_killed_change_leaves_one_of_the_two_keys_on_sqlite() {
    kill(Database::Sqlite).await;
}

/// With the default key file of SQLite the command says how to replace it.
#[tokio::test]
async fn the_default_key_file_of_sqlite_is_replaced_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    let root = server.root();
    let token = server.client().access_token(&root).await;
    fs::write(
        directory.path().join("new.key"),
        MasterKey::encode(&[8; 32]),
    )
    .unwrap();
    let rewrap = || {
        process::run(
            directory.path(),
            ["keys", "rewrap", "--new-master-key-file", "new.key"],
        )
    };
    let said = rewrap().succeeded();
    assert!(
        said.contains("mv new.key ./prokura-data/master.key"),
        "{said}"
    );
    assert!(server.client().introspect(&root, &token).await["active"] == true);
    server.stop();

    // A start before the file is replaced fails, and so does a check.
    let refused = process::run(directory.path(), ["serve", "--listen", "127.0.0.1:0"]).failed(1);
    assert!(refused.contains("rewrap"), "{refused}");
    process::run(directory.path(), ["check"]).failed(1);
    let both = ["check", "--next-master-key-file", "new.key"];
    let checked = process::run(directory.path(), both).succeeded();
    assert!(checked.contains("The next master key matches"), "{checked}");

    fs::rename(
        directory.path().join("new.key"),
        directory.path().join("prokura-data/master.key"),
    )
    .unwrap();
    process::run(directory.path(), ["check"]).succeeded();
    let server = Prokura::serve(directory.path());
    server.client().access_token(&root).await;
}
