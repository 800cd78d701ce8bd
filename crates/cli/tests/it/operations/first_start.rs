//! The first start, `prokura bootstrap`, and stopping the server.

use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio,
};

use tempfile::tempdir;

use crate::harness::process::{Finished, Prokura, names_in, prokura, run};

const MEMBERS: [&str; 5] = [
    "clientId",
    "clientSecret",
    "organizationId",
    "serviceAccountId",
    "url",
];

type Credentials = BTreeMap<String, String>;

fn credentials(text: &str) -> Credentials {
    let credentials: Credentials = serde_json::from_str(text).unwrap();
    assert!(
        credentials.keys().eq(MEMBERS.iter()),
        "{:?}",
        credentials.keys()
    );
    assert_eq!(
        credentials["clientId"],
        format!("sa_{}", credentials["serviceAccountId"])
    );
    assert!(credentials["clientSecret"].starts_with("prk_"));
    credentials
}

fn credentials_in(path: &Path) -> Credentials {
    credentials(&fs::read_to_string(path).unwrap())
}

fn bootstrap(directory: &Path, organization: &str) -> Finished {
    let names = ["--organization", organization, "--service-account", "CI"];
    run(directory, ["bootstrap", "--json"].iter().chain(&names))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_writes_credentials_that_only_the_owner_can_read() {
    let directory = tempdir().unwrap();
    let server = Prokura::serve(directory.path());
    let path = server.data("bootstrap.json");
    let credentials = credentials_in(&path);
    assert_eq!(credentials["url"], server.url);
    assert_eq!(mode(&server.data("")), 0o700);
    for file in names_in(&server.data("")) {
        assert_eq!(mode(&server.data(&file)), 0o600, "{file}");
    }
    let files = names_in(&server.data(""));
    assert!(
        !files
            .iter()
            .any(|name| name.ends_with("pending") || name.ends_with("tmp")),
        "{files:?}"
    );

    let (stdout, stderr) = (server.stdout(), server.stderr());
    let (guide, ready) = stdout.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(ready, format!("prokura is serving on {}", server.url));
    assert!(guide.contains(path.to_str().unwrap()), "{guide}");
    assert_eq!(
        guide
            .lines()
            .filter(|line| line.contains("curl -sS"))
            .count(),
        3,
        "{guide}"
    );
    let key = fs::read_to_string(server.data("master.key")).unwrap();
    for secret in [credentials["clientSecret"].as_str(), key.trim()] {
        assert!(!stdout.contains(secret) && !stderr.contains(secret));
    }
    for line in stderr.lines() {
        assert!(line.starts_with('{'), "not a terminal, so JSON: {line}");
    }
}

#[test]
fn the_printed_commands_survive_a_path_with_blanks_and_quotes() {
    let directory = tempdir().unwrap();
    let odd = directory.path().join("it's \"odd\" $HOME");
    fs::create_dir(&odd).unwrap();
    let server = Prokura::serve(&odd);
    let guide = server.stdout();
    let token = guide
        .lines()
        .find(|line| line.starts_with("TOKEN=$(jq"))
        .unwrap();
    let jq = token
        .strip_prefix("TOKEN=$(")
        .unwrap()
        .split(" | curl")
        .next()
        .unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", jq])
        .output()
        .unwrap();
    let credentials = credentials_in(&server.data("bootstrap.json"));
    let user = format!(
        "user = \"{}:{}\"\n",
        credentials["clientId"], credentials["clientSecret"]
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), user);
}

#[test]
fn the_second_start_creates_nothing() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("prokura-data/bootstrap.json");
    drop(Prokura::serve(directory.path()));
    let first = credentials_in(&path);
    let server = Prokura::serve(directory.path());
    assert_eq!(credentials_in(&path), first);
    assert_eq!(
        server.stdout(),
        format!("prokura is serving on {}\n", server.url)
    );
    drop(server);
    fs::remove_file(&path).unwrap();
    drop(Prokura::serve(directory.path()));
    assert!(!path.exists());
}

#[test]
fn a_crash_between_commit_and_rename_is_recovered_from() {
    let directory = tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    server.kill();
    let (done, pending) = (
        server.data("bootstrap.json"),
        server.data("bootstrap.json.pending"),
    );
    let before = credentials_in(&done);
    fs::rename(&done, &pending).unwrap();

    let server = Prokura::serve(directory.path());
    assert_eq!(credentials_in(&done), before);
    assert!(!pending.exists());
    assert!(
        server.stdout().contains(done.to_str().unwrap()),
        "a completed first start is told too"
    );
}

#[test]
fn a_pending_file_whose_account_was_never_committed_is_discarded() {
    let directory = tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    server.kill();
    let (done, pending) = (
        server.data("bootstrap.json"),
        server.data("bootstrap.json.pending"),
    );
    let before = credentials_in(&done);
    let mut unknown = before.clone();
    unknown.insert(
        "serviceAccountId".to_owned(),
        "01930a3e-7b1c-7def-8000-0123456789ab".to_owned(),
    );
    for text in [
        serde_json::to_string(&unknown).unwrap(),
        "{\"url\": \"cut o".to_owned(),
    ] {
        fs::write(&pending, text).unwrap();
        drop(Prokura::serve(directory.path()));
        assert!(!pending.exists());
        assert_eq!(credentials_in(&done), before);
    }
}

#[test]
fn a_crash_before_the_commit_leaves_the_first_start_undone() {
    let directory = tempdir().unwrap();
    let data = directory.path().join("prokura-data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("bootstrap.json.pending"), "{}").unwrap();
    fs::write(data.join("bootstrap.json.pending.tmp"), "{").unwrap();
    fs::write(data.join("master.key.tmp"), "").unwrap();
    let server = Prokura::serve(directory.path());
    credentials_in(&server.data("bootstrap.json"));
    let left = names_in(&data)
        .into_iter()
        .filter(|name| name.ends_with("tmp") || name.ends_with("pending"));
    assert_eq!(left.count(), 0);
}

#[test]
fn bootstrap_beside_a_running_server_creates_another_organization() {
    let directory = tempdir().unwrap();
    let server = Prokura::serve(directory.path());
    let first = credentials_in(&server.data("bootstrap.json"));
    let made = credentials(&bootstrap(directory.path(), "Example").succeeded());
    assert_ne!(made["organizationId"], first["organizationId"]);
    assert_eq!(made["url"], "http://127.0.0.1:8080");

    let human = [
        "bootstrap",
        "--organization",
        "Other",
        "--service-account",
        "CI",
        "--public-url",
        "https://p.example/",
    ];
    let human = run(directory.path(), human).succeeded();
    assert!(
        human.contains("https://p.example\n") && human.contains("prk_"),
        "{human}"
    );
    assert_eq!(credentials_in(&server.data("bootstrap.json")), first);
}

#[test]
fn bootstrap_on_an_empty_store_is_the_first_start() {
    let directory = tempdir().unwrap();
    credentials(&bootstrap(directory.path(), "Example").succeeded());
    let data = directory.path().join("prokura-data");
    assert_eq!(
        names_in(&data),
        ["lock", "master.key", "prokura.db", "prokura.db.lock"]
    );
    assert!(
        names_in(&data)
            .iter()
            .all(|file| mode(&data.join(file)) == 0o600)
    );

    let server = Prokura::serve(directory.path());
    assert_eq!(
        server.stdout(),
        format!("prokura is serving on {}\n", server.url)
    );
    assert!(!server.data("bootstrap.json").exists());
    bootstrap(directory.path(), "Default").succeeded();
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let directory = tempdir().unwrap();
    let _server = Prokura::serve(directory.path());
    let finished = bootstrap(directory.path(), "Default");
    assert_eq!(finished.stdout, "");
    assert!(
        finished
            .failed(1)
            .contains("an organization named \"Default\" already exists")
    );
}

#[test]
fn bootstrap_fails_if_its_credentials_cannot_be_printed() {
    let directory = tempdir().unwrap();
    let mut command = prokura(
        directory.path(),
        ["bootstrap", "--organization", "o", "--service-account", "a"],
    );
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let finished = Finished::of(command.stdout(Stdio::from(full)).output().unwrap());
    assert!(!finished.stderr.contains("prk_"));
    assert!(
        finished
            .failed(1)
            .contains("run the command again with another --organization name")
    );
}

#[test]
fn two_concurrent_first_starts_share_one_master_key() {
    let directory = tempdir().unwrap();
    let spawn = |name: &str| {
        prokura(
            directory.path(),
            [
                "bootstrap",
                "--json",
                "--service-account",
                "a",
                "--organization",
                name,
            ],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
    };
    let children = ["one", "two", "three", "four"].map(spawn);
    for child in children {
        credentials(&Finished::of(child.wait_with_output().unwrap()).succeeded());
    }
    run(directory.path(), ["check"]).succeeded();
}

#[test]
fn a_signal_stops_the_server_with_success() {
    for signal in ["TERM", "INT"] {
        let directory = tempdir().unwrap();
        let mut server = Prokura::serve(directory.path());
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{}", server.stderr());
        let left = names_in(&server.data(""));
        assert_eq!(
            left,
            [
                "bootstrap.json",
                "lock",
                "master.key",
                "prokura.db",
                "prokura.db.lock"
            ],
            "the log is flushed"
        );
    }
}
