//! The commands that export and verify the audit trail.

use std::{fs, sync::atomic::Ordering};

use tempfile::tempdir;

use super::{
    DATABASE, create_many, export, lines, organization, sequences, start, start_with_events,
    start_with_token,
};
use crate::harness::{
    Database, Prokura,
    process::{Finished, run},
};

/// Runs `prokura audit verify` on the server's database.
fn verify(prokura: &Prokura, arguments: &[&str]) -> Finished {
    let directory = tempdir().unwrap();
    let store = prokura.store_options();
    let arguments = ["audit", "verify"]
        .into_iter()
        .chain(store.iter().map(|option| &**option))
        .chain(arguments.iter().copied());
    run(directory.path(), arguments)
}

/// Runs `prokura audit verify --file` on these lines.
fn verify_file(lines: &[String], arguments: &[&str]) -> Finished {
    let directory = tempdir().unwrap();
    let file = directory.path().join("audit.ndjson");
    let text = lines.iter().map(|line| format!("{line}\n"));
    fs::write(&file, text.collect::<String>()).unwrap();
    let arguments = ["audit", "verify", "--file", "audit.ndjson"]
        .iter()
        .chain(arguments);
    run(directory.path(), arguments)
}

/// The head of the chain that a verification printed.
fn head(printed: &str) -> &str {
    printed.trim_end().rsplit_once(" head ").unwrap().1
}

/// The export is in order, and the command verifies both the file and the database of the running server.
#[tokio::test]
async fn an_export_of_many_events_is_verified_by_the_command() {
    let (prokura, token) = start_with_token().await;
    create_many(&prokura, &token, 1018).await;
    let reads = prokura.watch.reads.load(Ordering::SeqCst);
    let exported = export(&prokura, &token).await;
    let reads = prokura.watch.reads.load(Ordering::SeqCst) - reads;
    assert_eq!(reads, usize::from(DATABASE == Database::Postgres) + 6);
    let events = lines(&exported);
    assert_eq!(sequences(&events), (1..=1020).collect::<Vec<_>>());

    let acme = organization(&prokura, "Acme").await;
    let last = events[1019]["hash"].as_str().unwrap();
    let file = exported.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        verify_file(&file, &["--head", last]).succeeded(),
        format!("organization {acme}: 1020 events, head {last}\n")
    );
    prokura.bootstrap("Other").await;
    let other = organization(&prokura, "Other").await;
    let printed = verify(&prokura, &[]).succeeded();
    let printed = printed.lines().collect::<Vec<_>>();
    assert_eq!(printed.len(), 2);
    let line = format!("organization {acme} \"Acme\": 1020 events, head {last}");
    assert!(printed.contains(&&*line), "{printed:?}");
    let line = verify(&prokura, &["--organization", &other]).succeeded();
    assert!(line.starts_with(&format!("organization {other} \"Other\": 2 events, head ")));

    // A head stays valid when events follow it.
    prokura.rotate(&token, &prokura.root.id).await;
    let arguments = ["--organization", &*acme, "--head", last];
    let line = verify(&prokura, &arguments).succeeded();
    assert!(line.contains("1021 events"));
    assert_ne!(head(&line), last);
}

/// P7. Every kind of change to the database, and what the command says about it.
#[tokio::test]
async fn the_command_names_what_was_changed_in_the_database() {
    const INSERT: &str = "INSERT INTO audit_events SELECT organization_id, #, at, actor, action, target, request_id, \
                          address, detail, previous_hash FROM audit_events WHERE sequence = 5";
    let (prokura, _) = start_with_events().await;
    verify(&prokura, &[]).succeeded();
    prokura
        .change_database("CREATE TABLE kept AS SELECT * FROM audit_events")
        .await;
    let insert = |sequence: &str| INSERT.replace('#', sequence);
    let (early, late) = (insert("0"), insert("9"));
    for (change, said) in [
        (
            "UPDATE audit_events SET at = at + 1 WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET actor = 'operator' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET actor = 'me' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET action = 'nothing' WHERE sequence = 8",
            "event 8 was altered",
        ),
        (
            "UPDATE audit_events SET target = target || ' ' WHERE sequence = 3",
            "event 3 was altered",
        ),
        (
            "UPDATE audit_events SET request_id = '' WHERE sequence = 1",
            "event 1 was altered",
        ),
        (
            "UPDATE audit_events SET request_id = NULL WHERE sequence = 4",
            "event 4 was altered",
        ),
        (
            "UPDATE audit_events SET address = '::1' WHERE sequence = 7",
            "event 7 was altered",
        ),
        (
            "UPDATE audit_events SET detail = detail || ' ' WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "UPDATE audit_events SET detail = 'nonsense' WHERE sequence = 1",
            "event 1 was altered",
        ),
        (
            "UPDATE audit_events SET detail = replace(detail, 'Account', 'Account ') WHERE sequence = 6",
            "event 6 was altered",
        ),
        (
            "UPDATE audit_events SET previous_hash = (SELECT previous_hash FROM kept WHERE sequence = 3) \
             WHERE sequence = 5",
            "event 5 was altered",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 1",
            "event 1 was removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 5",
            "event 5 was removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence IN (4, 5)",
            "events 4 to 5 were removed",
        ),
        (
            "DELETE FROM audit_events WHERE sequence = 8",
            "event 8 was removed",
        ),
        ("DELETE FROM audit_events", "events 1 to 8 were removed"),
        (&early, "event 0 was inserted"),
        (&late, "event 9 was inserted"),
        (
            "DELETE FROM audit_events WHERE sequence = 5; \
             UPDATE audit_events SET sequence = 5 WHERE sequence = 6; \
             UPDATE audit_events SET sequence = 6 WHERE sequence = 7; \
             UPDATE audit_events SET sequence = 7 WHERE sequence = 8",
            "event 5 does not follow the one before it",
        ),
    ] {
        prokura.change_database(change).await;
        let error = verify(&prokura, &[]).failed(1);
        assert!(
            error.contains(&format!("\"Acme\": {said}")),
            "{change}: {error}"
        );
        prokura
            .change_database(
                "DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM kept",
            )
            .await;
    }
    verify(&prokura, &[]).succeeded();
    // The events of the other organizations are still verified.
    prokura.bootstrap("Other").await;
    prokura
        .change_database(
            "DELETE FROM audit_events WHERE sequence = 1 AND organization_id = \
             (SELECT id FROM organizations WHERE name = 'Other')",
        )
        .await;
    let finished = verify(&prokura, &[]);
    assert!(finished.stdout.contains("\"Acme\": 8 events"));
    let error = finished.failed(1);
    assert!(error.contains("\"Other\": event 1 was removed"), "{error}");
    assert!(!error.contains("Acme"));
}

/// An attacker who can also change the organization's row can remove events at the end. A head that is kept elsewhere
/// reveals it.
#[tokio::test]
async fn a_known_head_reveals_events_missing_at_the_end() {
    let (prokura, _) = start_with_events().await;
    let acme = organization(&prokura, "Acme").await;
    let printed = verify(&prokura, &[]).succeeded();
    prokura
        .change_database(
            "UPDATE organizations SET audit_sequence = 7, \
             audit_hash = (SELECT previous_hash FROM audit_events WHERE sequence = 8); \
             DELETE FROM audit_events WHERE sequence = 8",
        )
        .await;
    verify(&prokura, &[]).succeeded();
    let error = verify(
        &prokura,
        &["--organization", &acme, "--head", head(&printed)],
    )
    .failed(1);
    assert!(error.contains("no event has the pinned hash"), "{error}");
}

#[tokio::test]
async fn the_command_names_what_was_changed_in_a_file() {
    let (prokura, token) = start_with_events().await;
    let exported = export(&prokura, &token).await;
    let whole = exported.lines().map(str::to_owned).collect::<Vec<_>>();
    let printed = verify_file(&whole, &[]).succeeded();
    let pinned = ["--head", head(&printed)];
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let theirs = export(&prokura, &theirs).await;
    let their_line = theirs.lines().next().unwrap().to_owned();
    type Change<'a> = &'a dyn Fn(&mut Vec<String>);
    let changes: [(Change<'_>, &str); 9] = [
        (
            &|file| file[4] = file[4].replace("Account", "account"),
            "event 5 was altered",
        ),
        (
            &|file| file[7] = file[7].replace("127.0.0.1", "127.0.0.2"),
            "event 8 was altered",
        ),
        (&|file| drop(file.remove(0)), "event 1 was removed"),
        (&|file| drop(file.remove(4)), "event 5 was removed"),
        (&|file| drop(file.drain(2..4)), "events 3 to 4 were removed"),
        (
            &|file| file.insert(5, file[4].clone()),
            "event 5 was inserted",
        ),
        (
            &|file| file.insert(5, their_line.clone()),
            "event 1 was inserted",
        ),
        (
            &|file| file[4] = file[4].replace('{', "{\"note\":1,"),
            "line 5 of audit.ndjson is not an exported audit event",
        ),
        (
            &|file| file[4].truncate(40),
            "line 5 of audit.ndjson is not an exported audit event",
        ),
    ];
    for (change, said) in changes {
        let mut file = whole.clone();
        change(&mut file);
        let error = verify_file(&file, &[]).failed(1);
        assert!(error.contains(said), "{said}: {error}");
    }
    // Events that are missing at the end can be noticed only with the head.
    let shorter = &whole[..6];
    assert!(verify_file(shorter, &[]).succeeded().contains(": 6 events"));
    let error = verify_file(shorter, &pinned).failed(1);
    assert!(error.contains("no event has the pinned hash"), "{error}");
    let error = verify_file(&[], &[]).failed(1);
    assert!(error.contains("contains no audit event"), "{error}");
}

#[tokio::test]
async fn the_command_reports_what_it_cannot_do() {
    let prokura = start().await;
    let hash = "00".repeat(32);
    for arguments in [
        &["--head", &*hash][..],
        &["--file", "x", "--head", "00"],
        &["--organization", "Acme"],
        &["--organization", &prokura.root.id, "--file", "x"],
    ] {
        verify(&prokura, arguments).failed(2);
    }
    let error = verify(&prokura, &["--organization", &prokura.root.id]).failed(1);
    assert!(error.contains("there is no organization"), "{error}");
    let error = verify(&prokura, &["--file", "nowhere"]).failed(1);
    assert!(error.contains("cannot read nowhere"), "{error}");
}
