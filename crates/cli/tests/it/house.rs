//! The shape of the code: which room may import from which, and that no files import each other in a circle.
//! `docs/ARCHITECTURE.md` draws the same arrows.

mod imports;

use std::{
    fs,
    path::{Path, PathBuf},
};

use imports::Package;

/// The rooms of the server, each with the rooms from which it may import.
const ARROWS: [(&str, &[&str]); 9] = [
    ("encoding", &[]),
    ("packed", &[]),
    ("domain", &[]),
    ("store", &["domain", "packed"]),
    ("keys", &["domain", "encoding", "packed"]),
    ("authority", &["domain", "keys", "store"]),
    ("audit_export", &["domain"]),
    ("http", &["audit_export", "authority", "domain", "encoding"]),
    ("lib", &["authority", "domain", "http", "keys", "store"]),
];

/// What a room must not name, each with the reason.
const ABSENT: [(&str, &str, &str); 14] = [
    ("domain", "async ", "the rules wait for nothing"),
    ("domain", "serde", "the rules know no format"),
    ("domain", "axum", "the rules know no HTTP"),
    ("domain", "rusqlite", "the rules know no SQL"),
    ("domain", "tokio", "the rules know no runtime"),
    ("domain", "Entropy", "randomness is handed in as bytes"),
    ("domain", "Clock", "time is handed in as a value"),
    ("store", "SystemRandom", "the store invents nothing"),
    ("store", "SystemTime", "the store invents nothing"),
    ("authority", "axum", "use cases know no HTTP"),
    ("authority", "StatusCode", "use cases know no status code"),
    ("authority", "serde_json", "use cases know no JSON"),
    ("http", "rusqlite", "the door knows no SQL"),
    ("http", "SystemTime", "the door knows no time of its own"),
];

#[test]
fn no_room_imports_from_a_room_that_it_must_not_know() {
    let folder = crates().join("server/src");
    let room = |file: &Path| {
        let inside = file.strip_prefix(&folder).unwrap();
        let first = inside.components().next().unwrap();
        Path::new(&first).with_extension("").display().to_string()
    };
    let mut wrong = Vec::new();
    for ((from, to), names) in Package::read(&folder.join("lib.rs")).imports() {
        let (importing, imported) = (room(&from), room(&to));
        let (_, may_import) = ARROWS
            .iter()
            .find(|(room, _)| *room == importing)
            .unwrap_or_else(|| panic!("{importing} is not in the table of rooms"));
        if importing != imported && !may_import.contains(&&*imported) {
            wrong.push(format!("{} imports {names:?}", from.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circular = Vec::new();
    for root in [
        "crates/wire/src/lib.rs",
        "crates/server/src/lib.rs",
        "crates/client/src/lib.rs",
        "crates/client/tests/it/main.rs",
        "crates/cli/src/main.rs",
        "crates/cli/tests/it/main.rs",
        "bench/src/main.rs",
    ] {
        let root = crates().join("..").join(root);
        for ((from, to), names) in Package::read(&root).circular_imports() {
            let (from, to) = (from.display(), to.display());
            circular.push(format!("{from} imports from {to}: {names:?}"));
        }
    }
    assert!(circular.is_empty(), "{circular:#?}");
}

#[test]
fn what_is_deliberately_absent_is_absent() {
    let mut found = Vec::new();
    for (room, word, reason) in ABSENT {
        for (file, code) in files_of(room) {
            // The one place where the ambient clock and randomness come from.
            if !file.ends_with("authority/ambient.rs") && code.contains(word) {
                found.push(format!("{} has {word:?}: {reason}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_server_reads_no_environment_and_no_files_but_its_stores_own() {
    let found = ARROWS
        .iter()
        .flat_map(|(room, _)| files_of(room))
        .filter(|(_, code)| code.contains("std::env") || code.contains("fs::"))
        .map(|(file, _)| file.display().to_string())
        .filter(|file| !file.contains("/store/sqlite/"))
        .collect::<Vec<_>>();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_package_names_one_that_it_must_not_know() {
    for (folder, unknown) in [
        ("wire", ["server", "client"].as_slice()),
        ("server", &["client"]),
        ("client", &["server"]),
        // The commands that ask a server could be another program.
        ("cli/src/remote", &["server"]),
    ] {
        let folder = crates().join(folder);
        let mut files = rust_files(&folder);
        let manifest = folder.join("Cargo.toml");
        if let Ok(text) = fs::read_to_string(&manifest) {
            files.push((manifest, text.replace('-', "_")));
        }
        for (file, code) in files {
            for other in unknown {
                let names = code.contains(&format!("prokura_{other}"));
                assert!(!names, "{} names {other}", file.display());
            }
        }
    }
}

#[test]
fn every_operation_of_the_api_is_a_method_of_the_sdk() {
    // A token source issues tokens, and whether the server lives is for those who run it.
    const OTHERWISE: [&str; 3] = ["issue_token", "check_liveness", "check_readiness"];
    let document = fs::read(crates().join("../openapi.json")).unwrap();
    let document = serde_json::from_slice::<serde_json::Value>(&document).unwrap();
    let code = rust_files(&crates().join("client/src"));
    let code = code.into_iter().map(|(_, code)| code).collect::<String>();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let missing = operations
        .filter_map(|operation| operation["operationId"].as_str())
        .filter(|id| !OTHERWISE.contains(id) && !code.contains(&format!(" fn {id}(")))
        .collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The source files of a room without their tests and comments. A room is a folder or a file.
fn files_of(room: &str) -> Vec<(PathBuf, String)> {
    let folder = crates().join("server/src").join(room);
    let file = folder.with_extension("rs");
    if file.exists() {
        vec![(file.clone(), code_of(&file))]
    } else {
        rust_files(&folder)
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The source files in a folder without their tests and comments.
fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let code = code_of(&path);
                files.push((path, code));
            }
        }
    }
    assert!(!files.is_empty(), "{} has no files", folder.display());
    files
}

/// A source file without its tests and comments.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}
