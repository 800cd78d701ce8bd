//! Output and questions on a terminal. `script` of util-linux provides one.

use std::{
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use super::{Person, start};
use crate::harness::process::Finished;

/// Runs a shell command with `prokura` on a terminal: everything that the terminal shows. The input is typed when
/// `prompt` appears.
fn on_terminal(
    person: &Person,
    words: &str,
    environment: &[(&str, &str)],
    (prompt, typed): (&str, &str),
) -> Finished {
    let mut script = Command::new("timeout");
    let command = format!("'{}' {words}", env!("CARGO_BIN_EXE_prokura"));
    script.args([
        "60",
        "script",
        "--quiet",
        "--return",
        "--command",
        &command,
        "/dev/null",
    ]);
    script.env("HOME", person.home.path()).env("TERM", "xterm");
    script
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied());
    script.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().expect("script (of util-linux) is installed");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&shown).contains(prompt) {
        assert_eq!(
            stdout.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&shown)
        );
        shown.extend_from_slice(&byte);
    }
    stdin.write_all(typed.as_bytes()).unwrap();
    stdout.read_to_end(&mut shown).unwrap();
    drop(stdin);
    Finished {
        code: child.wait().unwrap().code(),
        stdout: String::from_utf8(shown).unwrap(),
        stderr: String::new(),
    }
}

/// Types nothing.
const NOTHING: (&str, &str) = ("", "");

#[test]
fn a_table_has_colours_on_a_terminal_only() {
    let (_directory, _server, person) = start();
    let list = "service-accounts list";
    let shown = on_terminal(&person, list, &[], NOTHING).succeeded();
    assert!(shown.contains("\u{1b}[1mNAME\u{1b}[0m"), "{shown:?}");
    assert!(shown.contains("\u{1b}[32menabled\u{1b}[0m"), "{shown:?}");
    let plain = on_terminal(&person, list, &[("NO_COLOR", "1")], NOTHING).succeeded();
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert!(plain.contains("enabled"), "{plain:?}");
    assert!(!person.accounts(["list"]).contains('\u{1b}'));
    let json = on_terminal(&person, &format!("{list} --output json"), &[], NOTHING).succeeded();
    assert!(!json.contains('\u{1b}'), "{json:?}");
}

#[test]
fn a_long_text_is_shortened_on_a_terminal_only() {
    let (_directory, _server, person) = start();
    let name = "n".repeat(100);
    person.accounts(["create", &name, "--administrator"]);
    let shown = on_terminal(&person, "service-accounts list", &[], NOTHING).succeeded();
    assert!(
        !shown.contains(&name) && shown.contains("nnn\u{2026}"),
        "{shown:?}"
    );
    assert!(person.accounts(["list"]).contains(&name));
}

#[test]
fn deleting_on_a_terminal_asks_for_confirmation() {
    let (_directory, _server, person) = start();
    let id =
        person.accounts_json(["create", "CI Pipeline", "--administrator"])["serviceAccount"]["id"]
            .clone();
    let id = id.as_str().unwrap();
    let delete = format!("service-accounts delete {id}");
    for no in ["n\n", "\n", "yesterday\n"] {
        let refused = on_terminal(&person, &delete, &[], ("[y/N] ", no));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let asked = format!("Delete the service account \"CI Pipeline\" ({id})?");
        assert!(refused.stdout.contains(&asked), "{refused:?}");
        assert!(
            refused.stdout.contains("nothing was changed"),
            "{refused:?}"
        );
    }
    person.accounts(["get", id]);
    on_terminal(&person, &delete, &[], ("[y/N] ", "y\n")).succeeded();
    person.run(["service-accounts", "get", id]).failed(1);
}

#[test]
fn a_typed_secret_is_not_echoed() {
    let (_directory, server, _) = start();
    let (person, root) = (Person::new(), server.root());
    let add = format!(
        "profile add --url {} --client-id {}",
        server.url, root.client_id
    );
    let typed = format!("{}\n", root.client_secret);
    let shown = on_terminal(&person, &add, &[], ("Client secret: ", &typed));
    assert!(!shown.stdout.contains(&root.client_secret), "{shown:?}");
    shown.succeeded();
    person.run(["token"]).succeeded();
}
