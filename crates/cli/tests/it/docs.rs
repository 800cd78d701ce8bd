//! The documents: links resolve, and every setting, scope, error code and audit action is documented.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use prokura_server::domain::{Action, MANAGEMENT_SCOPES};
use serde_json::Value;

#[test]
fn every_relative_link_of_the_documents_resolves() {
    let mut broken = Vec::new();
    for page in pages() {
        for link in links(&prose(&read(&page))) {
            if !resolves(&page, &link) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links: {broken:#?}");
}

#[test]
fn every_setting_is_documented_with_its_flag_and_its_variable() {
    let page = document("configuration.md");
    let reference = read(&root().join("crates/cli/src/config.default.toml"));
    let mut is_top_level = true;
    let mut keys = 0;
    for line in reference.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with('[') {
            is_top_level = false;
            assert!(page.contains(&format!("`{line}`")), "{line} is missing");
        }
        let is_key = |key: &str| {
            key.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| is_key(key)) else {
            continue;
        };
        keys += 1;
        let mut names = vec![format!("| `{key}` |")];
        if is_top_level {
            names.push(format!("| `--{}", key.replace('_', "-")));
            names.push(format!("`PROKURA_{}`", key.to_uppercase()));
        }
        for name in names {
            assert!(page.contains(&name), "{name} is missing");
        }
    }
    assert!(keys > 20, "{keys} keys were found in the reference");
}

#[test]
fn every_scope_error_code_and_audit_action_is_documented() {
    let page = document("reference.md");
    let actions = Action::ALL.map(Action::as_str);
    let scopes = MANAGEMENT_SCOPES.iter().chain(&actions);
    let names = scopes.map(|name| (*name).to_owned()).chain(error_codes());
    let missing = names
        .filter(|name| !page.contains(&format!("| `{name}` |")))
        .collect::<Vec<_>>();
    assert!(
        missing.is_empty(),
        "docs/reference.md has no row for {missing:?}"
    );
}

/// The error codes in the server's error tables, and in the examples of the API document.
fn error_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for file in rust_files(&root().join("crates/server/src/http")) {
        let text = read(&file);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // `(StatusCode::NOT_FOUND, "not_found", …)`, and the arms of `fn code`.
        for behind in code.split("StatusCode::").skip(1) {
            let behind = behind.trim_start_matches(|c: char| c.is_ascii_uppercase() || c == '_');
            codes.extend(leading_code(behind, ","));
        }
        for function in code.split("fn code(").skip(1) {
            let body = function.split("\n    }\n").next().unwrap_or_default();
            for behind in body.split("=>").skip(1) {
                codes.extend(leading_code(behind, ""));
            }
        }
    }
    let document = serde_json::from_str::<Value>(&read(&root().join("openapi.json"))).unwrap();
    let responses = document["components"]["responses"].as_object().unwrap();
    for response in responses.values() {
        let example = &response["content"]["application/json"]["example"];
        let code = example.get("code").or_else(|| example.get("error"));
        codes.insert(code.unwrap().as_str().unwrap().to_owned());
    }
    for known in ["secret_not_found", "invalid_target", "uri_too_long"] {
        assert!(
            codes.contains(known),
            "the error tables are no longer found: {codes:?}"
        );
    }
    codes
}

/// The code in quotes that `text` begins with, behind `separator` and white space.
fn leading_code(text: &str, separator: &str) -> Option<String> {
    let text = text.trim_start().strip_prefix(separator)?.trim_start();
    let (code, _) = text.strip_prefix('"')?.split_once('"')?;
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (!code.is_empty() && code.bytes().all(is_code)).then(|| code.to_owned())
}

fn root() -> PathBuf {
    fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn document(name: &str) -> String {
    read(&root().join("docs").join(name))
}

/// Every page for people: those at the top, and those in `docs`.
fn pages() -> Vec<PathBuf> {
    let is_page = |path: &PathBuf| path.extension().is_some_and(|it| it == "md");
    let folders = [root(), root().join("docs")];
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut pages = files
        .map(|entry| entry.unwrap().path())
        .filter(is_page)
        .collect::<Vec<_>>();
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    files
}

/// A page without its code: blocks between fences, and spans between backquotes.
fn prose(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let outside = line.split('`').step_by(2);
            text.push_str(&outside.collect::<Vec<_>>().join("`"));
            text.push('\n');
        }
    }
    text
}

/// The targets of the links of a page that stay in the repository.
fn links(prose: &str) -> Vec<String> {
    prose
        .split("](")
        .skip(1)
        .filter_map(|behind| behind.split_once(')'))
        .map(|(target, _)| target.trim().to_owned())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

fn resolves(page: &Path, link: &str) -> bool {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (link, None),
    };
    let target = match path {
        "" => page.to_owned(),
        path => page.parent().unwrap().join(path),
    };
    if !target.exists() {
        return false;
    }
    match anchor {
        None => true,
        Some(anchor) if target.extension().is_some_and(|it| it == "md") => {
            anchors(&read(&target)).contains(anchor)
        }
        // A line of a source file.
        Some(anchor) => {
            let line = anchor
                .strip_prefix('L')
                .and_then(|line| line.parse::<usize>().ok());
            line.is_some_and(|line| (1..=read(&target).lines().count()).contains(&line))
        }
    }
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut anchors = BTreeSet::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let heading = line.trim_start_matches('#');
        if is_code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let text = heading.trim().to_lowercase();
        let slug = text.chars().filter(|&c| kept(c)).collect::<String>();
        let slug = slug.replace(' ', "-");
        let times = seen.entry(slug.clone()).or_default();
        anchors.insert(match *times {
            0 => slug,
            times => format!("{slug}-{times}"),
        });
        *times += 1;
    }
    anchors
}
