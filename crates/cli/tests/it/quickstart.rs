//! Runs the calls of the quickstart with curl, against the real binary.

use std::process::Command;

use crate::harness::postgres;

fn quickstart(database_url: Option<String>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/quickstart");
    let output = Command::new(script)
        .args(database_url)
        .env("PROKURA", env!("CARGO_BIN_EXE_prokura"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.ends_with("quickstart: all checks passed\n"), "{out}");
}

#[test]
fn the_quickstart_works_on_sqlite() {
    quickstart(None);
}

#[test]
fn the_quickstart_works_on_postgres() {
    quickstart(Some(postgres::fresh_database()));
}
