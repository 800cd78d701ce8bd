//! `docs/STANDARDS.md` and the tests agree: every link leads to a test that cites the requirement, and every requirement that
//! a test cites is in the list.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The letters that begin the number of a requirement.
const SECTIONS: [&str; 17] = [
    "A", "B", "CH", "E", "G", "H", "I", "J", "JV", "K", "M", "P", "Q", "R", "S", "T", "V",
];

/// One line of the list.
struct Requirement {
    number: String,
    text: String,
    /// The tests: name and file, relative to `docs/`.
    tests: Vec<(String, String)>,
}

#[test]
fn every_linked_test_exists_and_cites_its_requirement() {
    let mut wrong = Vec::new();
    for requirement in requirements() {
        let number = &requirement.number;
        for (name, file) in &requirement.tests {
            let source = fs::read_to_string(root().join("docs").join(file)).unwrap_or_default();
            let is_choice = number.starts_with("CH");
            if !source.contains(&format!("fn {name}(")) {
                wrong.push(format!("{number}: {file} has no test {name}"));
            } else if !is_choice && !numbers_in(&comments(&source)).contains(number) {
                wrong.push(format!("{number}: {file} does not cite it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_requirement_has_a_test_or_says_why_not() {
    let untested = requirements().into_iter().filter(|requirement| {
        let is_open = ["Not met yet", "Not offered"]
            .iter()
            .any(|reason| requirement.text.contains(reason));
        requirement.tests.is_empty() && !is_open
    });
    let untested = untested.map(|requirement| requirement.number);
    assert_eq!(untested.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_cited_requirement_is_in_the_list() {
    let listed = requirements().into_iter().map(|entry| entry.number);
    let listed = listed.collect::<BTreeSet<_>>();
    assert!(listed.len() > 150, "{} requirements", listed.len());
    let mut unknown = Vec::new();
    for file in rust_files(&root().join("crates/cli/tests/it")) {
        let source = fs::read_to_string(&file).unwrap();
        for number in numbers_in(&comments(&source)) {
            if !listed.contains(&number) {
                unknown.push(format!("{}: {number}", file.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

fn requirements() -> Vec<Requirement> {
    let list = fs::read_to_string(root().join("docs/STANDARDS.md")).unwrap();
    let mut requirements = Vec::<Requirement>::new();
    for line in list.lines() {
        let rest = line
            .strip_prefix("- **")
            .or_else(|| line.strip_prefix("| "));
        let number = rest.and_then(|rest| rest.split(['*', ' ']).next());
        let Some(number) = number.filter(|word| is_number(word)) else {
            continue;
        };
        let is_new = requirements.iter().all(|known| known.number != number);
        assert!(is_new, "{number} is listed twice");
        requirements.push(Requirement {
            number: number.to_owned(),
            text: line.to_owned(),
            tests: links(line),
        });
    }
    requirements
}

/// The links to Rust files in a line: text and target.
fn links(line: &str) -> Vec<(String, String)> {
    let links = line.split('[').skip(1).filter_map(|part| {
        let (text, rest) = part.split_once("](")?;
        let (target, _) = rest.split_once(')')?;
        target
            .ends_with(".rs")
            .then(|| (text.to_owned(), target.to_owned()))
    });
    links.collect()
}

/// The requirements that a text cites.
fn numbers_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric());
    words
        .filter(|word| is_number(word))
        .map(str::to_owned)
        .collect()
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches(|char: char| char.is_ascii_uppercase());
    let section = &word[..word.len() - digits.len()];
    SECTIONS.contains(&section)
        && (1..=2).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn comments(source: &str) -> String {
    let lines = source
        .lines()
        .filter(|line| line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
