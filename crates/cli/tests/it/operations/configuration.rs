//! The configuration: where values come from, and which are refused.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path};

use prokura_server::store::{Database as _, Sqlite, SqliteAccess, Statement, Step, Value};
use tempfile::{TempDir, tempdir};

use crate::harness::process::{Finished, Prokura, names_in, prokura, run};

/// The line of `key` in the output of `prokura check`, with this environment and these arguments.
fn effective(
    directory: &Path,
    key: &str,
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> String {
    let output = prokura(directory, ["check"].iter().chain(arguments))
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = Finished::of(output).succeeded();
    let start = format!("{key} = ");
    let mut lines = text.lines().map(|line| line.trim_start_matches("# "));
    let line = lines.find(|line| line.starts_with(&start));
    line.unwrap_or_else(|| panic!("{key} is not in {text}"))
        .to_owned()
}

fn directory_with(file: &str, text: &str) -> TempDir {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join(file), text).unwrap();
    directory
}

#[test]
fn a_flag_overrides_the_environment_which_overrides_the_file() {
    let directory = directory_with(
        "p.toml",
        "listen = \"127.0.0.1:3003\"\nlog_level = \"warn\"\n",
    );
    let listen = |environment: &[_], arguments: &[_]| {
        effective(directory.path(), "listen", environment, arguments)
    };
    let variable = ("PROKURA_LISTEN", "127.0.0.1:2002");
    let file = ["--config", "p.toml"];
    assert_eq!(
        listen(
            &[variable],
            &["--config", "p.toml", "--listen", "127.0.0.1:1001"]
        ),
        "listen = \"127.0.0.1:1001\"  # --listen"
    );
    assert_eq!(
        listen(&[variable], &file),
        "listen = \"127.0.0.1:2002\"  # PROKURA_LISTEN"
    );
    assert_eq!(listen(&[], &file), "listen = \"127.0.0.1:3003\"  # p.toml");
    assert_eq!(
        listen(&[("PROKURA_CONFIG", "p.toml")], &[]),
        "listen = \"127.0.0.1:3003\"  # p.toml"
    );
    assert_eq!(listen(&[], &[]), "listen = \"127.0.0.1:8080\"  # default");
    assert_eq!(
        listen(&[("PROKURA_LISTEN", "")], &file),
        "listen = \"127.0.0.1:3003\"  # p.toml"
    );
    assert_eq!(
        effective(directory.path(), "data_dir", &[], &file),
        "data_dir = \"./prokura-data\"  # default"
    );
}

#[test]
fn derived_settings_follow_the_given_ones() {
    let directory = tempdir().unwrap();
    let given = ["--listen", "127.0.0.1:9000", "--data-dir", "d"];
    for (key, value) in [
        ("public_url", "\"http://127.0.0.1:9000\""),
        ("database_url", "\"sqlite:d/prokura.db\""),
        ("master_key_file", "\"d/master.key\""),
        ("aliases", "[\"http://localhost:9000/api/v1\"]"),
    ] {
        let line = effective(directory.path(), key, &[], &given);
        assert!(line.starts_with(&format!("{key} = {value}")), "{line}");
    }
}

#[test]
fn the_shown_configuration_is_a_valid_configuration_file() {
    let directory = directory_with(
        "p.toml",
        "[management_api]\ntoken_format = \"jwt\"\nsigning_algorithm = \"Ed25519\"\naliases = [\"https://alias.example\"]\n\
         [[resources]]\nidentifier = \"urn:example:orders\"\nscopes = [\"orders:read\"]\ntoken_lifetime_seconds = 60\n",
    );
    let shown = run(directory.path(), ["check", "--config", "p.toml"]).succeeded();
    fs::write(directory.path().join("shown.toml"), &shown).unwrap();
    let again = run(directory.path(), ["check", "--config", "shown.toml"]).succeeded();
    let values = |text: &str| text.parse::<toml::Table>().unwrap();
    assert_eq!(values(&shown), values(&again));
    assert_eq!(
        values(&shown)["management_api"]["signing_algorithm"].as_str(),
        Some("EdDSA")
    );
    assert_eq!(
        values(&shown)["resources"][0]["token_lifetime_seconds"].as_integer(),
        Some(60)
    );
}

#[test]
fn a_file_with_a_mistake_is_refused_by_file_line_and_key() {
    for (text, message) in [
        (
            "\n\nlistne = \"127.0.0.1:1\"",
            "p.toml, line 3: unknown key `listne`",
        ),
        ("listen = true", "p.toml, line 1: listen: invalid type"),
        (
            "[management_api]\ntoken_lifetime_seconds = 0",
            "line 2: management_api.token_lifetime_seconds: must be 1 to",
        ),
        (
            "[[resources]]\nidentifier = \"orders\"\nscopes = [\"a\"]",
            "line 2: resources[0].identifier: must be an absolute",
        ),
        (
            "[[resources]]\nidentifier = \"urn:a\"\nscopes = [\"management:all\"]",
            "line 3: resources[0].scopes: must not contain",
        ),
    ] {
        let directory = directory_with("p.toml", text);
        let error = run(directory.path(), ["check", "--config", "p.toml"]).failed(2);
        assert!(error.contains(message), "{text:?}: {error}");
        assert_eq!(names_in(directory.path()), ["p.toml"]);
    }
    let nowhere = tempdir().unwrap();
    let error = run(nowhere.path(), ["serve", "--config", "p.toml"]).failed(2);
    assert!(
        error.contains("cannot read the configuration file p.toml"),
        "{error}"
    );
}

/// T24. A plain-HTTP listener beyond loopback is refused without an explicit setting.
#[test]
fn an_invalid_value_is_refused_before_anything_is_created() {
    let directory = tempdir().unwrap();
    for (arguments, message) in [
        (
            &["--listen", "8080"][..],
            "must be an IP address and a port",
        ),
        (&["--listen", "192.0.2.1:80"], "--tls-terminated-upstream"),
        (
            &["--listen", "0.0.0.0:80", "--tls-terminated-upstream"],
            "--public-url",
        ),
        (&["--public-url", "example.com"], "must be a complete URL"),
        (&["--public-url", "http://example.com"], "use https"),
        (
            &["--public-url", "https://example.com/?q"],
            "must not have a query",
        ),
        (
            &["--database-url", "mysql://user:s3cret@host/db"],
            "must be sqlite:PATH or postgres://",
        ),
        (
            &["--database-url", "postgres://user:s3cret@host/db"],
            "openssl rand -base64 32",
        ),
        (&["--log-level", "loud"], "invalid value 'loud'"),
        (&["--lisen", "127.0.0.1:1"], "'--listen'"),
    ] {
        let error = run(directory.path(), ["serve"].iter().chain(arguments)).failed(2);
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
        assert!(names_in(directory.path()).is_empty());
    }
    let error = Finished::of(
        prokura(directory.path(), ["serve"])
            .env("PROKURA_DATABASE_URL", "oracle:x")
            .output()
            .unwrap(),
    );
    assert!(
        error
            .failed(2)
            .contains("database_url (PROKURA_DATABASE_URL) must be")
    );
    run(directory.path(), ["bootstrap", "--json"]).failed(2);
    run(
        directory.path(),
        ["bootstrap", "--organization", " ", "--service-account", "a"],
    )
    .failed(2);
}

#[test]
fn listening_beyond_loopback_is_allowed_with_the_setting() {
    let directory = tempdir().unwrap();
    for arguments in [
        &[
            "--listen",
            "0.0.0.0:80",
            "--tls-terminated-upstream",
            "--public-url",
            "https://example.com/p/",
        ][..],
        &["--listen", "192.0.2.1:80", "--tls-terminated-upstream=true"],
        &[
            "--public-url",
            "http://example.com",
            "--tls-terminated-upstream",
        ],
        &["--public-url", "https://example.com"],
        &[
            "--listen",
            "[::1]:80",
            "--public-url",
            "http://localhost:3000",
        ],
    ] {
        run(directory.path(), ["check"].iter().chain(arguments)).succeeded();
    }
}

#[test]
fn check_creates_nothing_and_shows_no_password() {
    let directory = tempdir().unwrap();
    let text = run(directory.path(), ["check"]).succeeded();
    assert!(
        text.contains("The database ./prokura-data/prokura.db does not exist yet. `prokura serve` will create it"),
        "{text}"
    );
    assert!(names_in(directory.path()).is_empty());

    fs::write(directory.path().join("key"), "not a key").unwrap();
    let postgres = [
        "check",
        "--database-url",
        "postgres://u:s3cret@127.0.0.1:1/d",
        "--master-key-file",
        "key",
    ];
    let finished = run(directory.path(), postgres);
    assert!(!format!("{finished:?}").contains("s3cret"), "{finished:?}");
    assert!(
        finished.stdout.contains("postgres://u:***@127.0.0.1:1/d"),
        "{finished:?}"
    );
    assert!(
        finished.failed(1).contains(
            "cannot use the master key file key: expected one line with 32 bytes in base64"
        )
    );
}

#[test]
fn check_reads_an_existing_database_and_leaves_it_unchanged() {
    let directory = tempdir().unwrap();
    let mut server = Prokura::serve(directory.path());
    let running = run(directory.path(), ["check"]).succeeded();
    server.signal("TERM");
    server.wait();
    let data = directory.path().join("prokura-data");
    let before = names_in(&data);
    let stopped = run(directory.path(), ["check"]).succeeded();
    for text in [running, stopped] {
        assert!(
            text.contains(", the newest this version of Prokura knows"),
            "{text}"
        );
        assert!(
            text.contains("The master key matches the database"),
            "{text}"
        );
    }
    assert_eq!(names_in(&data), before);
}

#[test]
fn the_api_may_be_listed_as_its_own_alias() {
    let directory = directory_with(
        "p.toml",
        "public_url = \"https://example.com\"\n[management_api]\naliases = [\"https://example.com/api/v1\"]\n",
    );
    let shown = run(directory.path(), ["check", "--config", "p.toml"]).succeeded();
    assert!(shown.contains("aliases = []"), "{shown}");
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let directory = directory_with("new.db", "");
    let shown = run(
        directory.path(),
        ["check", "--database-url", "sqlite:new.db"],
    )
    .succeeded();
    assert!(shown.contains("will create it"), "{shown}");
    let prokura = Prokura::serve_with(directory.path(), &["--database-url", "sqlite:new.db"]);
    assert!(prokura.data("master.key").exists());
    assert!(prokura.data("bootstrap.json").exists());
}

#[test]
fn a_database_opens_with_its_own_master_key_alone() {
    let directory = tempdir().unwrap();
    drop(Prokura::serve(directory.path()));
    let key = directory.path().join("prokura-data/master.key");

    fs::write(
        directory.path().join("other.key"),
        format!("{}=\n", "A".repeat(43)),
    )
    .unwrap();
    for command in ["serve", "check"] {
        let error = run(
            directory.path(),
            [
                command,
                "--listen",
                "127.0.0.1:0",
                "--master-key-file",
                "other.key",
            ],
        )
        .failed(1);
        assert!(
            error.contains("the database has another master key"),
            "{error}"
        );
    }
    let error = run(
        directory.path(),
        [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--master-key-file",
            "none.key",
        ],
    )
    .failed(1);
    assert!(error.contains("none.key does not exist"), "{error}");

    fs::rename(&key, directory.path().join("saved.key")).unwrap();
    for command in ["serve", "check"] {
        let error = run(directory.path(), [command, "--listen", "127.0.0.1:0"]).failed(1);
        assert!(
            error.contains("master.key does not exist, but the database"),
            "{error}"
        );
        assert!(!key.exists());
    }
    drop(Prokura::serve_with(
        directory.path(),
        &["--master-key-file", "saved.key"],
    ));
}

#[test]
fn a_master_key_that_others_can_read_causes_a_warning() {
    let directory = tempdir().unwrap();
    let key = directory.path().join("key");
    fs::write(&key, format!("{}=", "A".repeat(43))).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let server = Prokura::serve_with(directory.path(), &["--master-key-file", "key"]);
    server.logged("can be read by other users");
}

#[test]
fn a_port_in_use_is_named_and_leaves_nothing_behind() {
    let directory = tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = run(directory.path(), ["serve", "--listen", &address]).failed(1);
    assert!(
        error.contains(&format!("cannot listen on {address}")),
        "{error}"
    );
    assert!(error.contains("--listen"), "{error}");
    assert!(names_in(directory.path()).is_empty());
}

#[test]
fn a_data_directory_that_cannot_be_created_is_named() {
    let directory = directory_with("file", "");
    for command in ["serve", "bootstrap"] {
        let names = ["--organization", "o", "--service-account", "a"];
        let arguments = [
            command,
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            "file/data",
        ];
        let names = if command == "serve" { &[][..] } else { &names };
        let error = run(directory.path(), arguments.iter().chain(names)).failed(1);
        assert!(
            error.contains("cannot create the data directory file/data"),
            "{error}"
        );
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempdir().unwrap();
    drop(Prokura::serve(directory.path()));
    let file = directory.path().join("prokura-data/prokura.db");
    let newer = Statement {
        sql: "INSERT INTO prokura_schema (version) VALUES ($1)",
        params: vec![Value::Integer(999)],
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = Sqlite::open(&file, SqliteAccess::Command).unwrap();
    runtime
        .block_on(database.write(vec![Step::Run(newer)]))
        .unwrap();
    drop(database);
    for command in ["serve", "check"] {
        let error = run(directory.path(), [command, "--listen", "127.0.0.1:0"]).failed(1);
        assert!(error.contains("schema version 999"), "{error}");
    }
}

#[test]
fn a_second_server_on_one_sqlite_file_is_refused() {
    let directory = tempdir().unwrap();
    let _first = Prokura::serve(directory.path());
    let error = run(directory.path(), ["serve", "--listen", "127.0.0.1:0"]).failed(1);
    assert!(
        error.contains("in use by another `prokura serve`"),
        "{error}"
    );
}

#[test]
fn help_has_examples_and_the_version_is_printed() {
    let directory = tempdir().unwrap();
    let help = run(directory.path(), ["serve", "--help"]).succeeded();
    for taught in [
        "PROKURA_LISTEN",
        "[default: 127.0.0.1:8080]",
        "  prokura serve --config",
        "--public-url",
    ] {
        assert!(help.contains(taught), "{taught}: {help}");
    }
    let version = run(directory.path(), ["--version"]).succeeded();
    assert_eq!(version, format!("prokura {}\n", env!("CARGO_PKG_VERSION")));
}
