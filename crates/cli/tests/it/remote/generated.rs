//! Shell completions and manual pages.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use super::Person;
use crate::harness::process::names_in;

#[test]
fn completions_exist_for_every_shell_and_work_in_bash() {
    let person = Person::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = person.run(["completions", shell]).succeeded();
        for word in ["service-accounts", "rotate-secret", "secret-file"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    let script = person.run(["completions", "bash"]).succeeded();
    let mut bash = Command::new("bash");
    let mut bash = bash.arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(bash.wait().unwrap().success());
    person.run(["completions", "tcsh"]).failed(2);
}

#[test]
fn every_command_has_a_manual_page() {
    let person = Person::new();
    person.run(["man", "pages/man1"]).succeeded();
    let pages = names_in(&person.path("pages/man1"));
    for page in [
        "prokura.1",
        "prokura-serve.1",
        "prokura-token.1",
        "prokura-audit-verify.1",
        "prokura-audit-export.1",
        "prokura-service-accounts-rotate-secret.1",
        "prokura-service-accounts-secrets-add.1",
    ] {
        assert!(
            pages.iter().any(|name| name == page),
            "{page} is missing: {pages:?}"
        );
    }
    let text = fs::read_to_string(person.path("pages/man1/prokura-exec.1")).unwrap();
    assert!(text.starts_with(".ie") || text.contains(".TH"), "{text}");
    assert!(text.contains("PROKURA_ACCESS_TOKEN"), "{text}");
    let error = person.run(["man", "/dev/null/man"]).failed(1);
    assert!(error.contains("/dev/null/man"), "{error}");
}
