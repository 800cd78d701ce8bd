//! Failed client authentication: every failure looks the same and costs the same (section A).

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{ENDPOINTS, GRANT, ask, basic_of, start};
use crate::harness::{Credentials, Prokura};

/// The same secret with its last character changed, so that its checksum is wrong.
fn mistyped(credentials: &Credentials) -> Credentials {
    let mut secret = credentials.client_secret.clone();
    let last = if secret.pop() == Some('x') { 'y' } else { 'x' };
    secret.push(last);
    Credentials {
        client_secret: secret,
        ..credentials.clone()
    }
}

/// The accounts to compare: one that exists, one that was deleted, and one that never existed.
struct Compared {
    existing: Credentials,
    deleted: Credentials,
    unknown: Credentials,
}

impl Compared {
    async fn create(prokura: &Prokura) -> Self {
        let token = prokura.access_token(&prokura.root).await;
        let (_, existing) = prokura.create(&token, json!({ "name": "existing" })).await;
        let (_, deleted) = prokura.create(&token, json!({ "name": "deleted" })).await;
        prokura.token(&deleted, &[]).await.expect(200);
        prokura.delete(&token, &deleted.id).await;
        let unknown = Credentials {
            client_id: "sa_01930a3e-7b1c-7def-8000-0123456789ab".to_owned(),
            ..existing.clone()
        };
        Self {
            existing,
            deleted,
            unknown,
        }
    }
}

/// A1. RFC 6749 §5.2, RFC 7617 §2.
#[tokio::test]
async fn a_wrong_secret_is_invalid_client_with_a_basic_challenge() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let wrong = prokura.root.with_secret_of(&other).basic();
    for (path, body) in ENDPOINTS {
        let reply = prokura
            .raw_form(path, &[("authorization", &wrong)], body)
            .await
            .expect_oauth_error(401, "invalid_client");
        assert_eq!(
            reply.header("www-authenticate"),
            r#"Basic realm="prokura", charset="UTF-8""#,
            "{path}"
        );
    }
}

/// A2, A6, A19. The response does not tell why authentication failed, at any endpoint and with either method. A wrong
/// checksum gets the same response too.
#[tokio::test]
async fn every_failed_authentication_gets_the_same_response() {
    let prokura = start().await;
    let Compared {
        existing,
        deleted,
        unknown,
    } = Compared::create(&prokura).await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, disabled) = prokura.create(&token, json!({ "name": "disabled" })).await;
    let (_, without) = prokura.create(&token, json!({ "name": "without" })).await;
    let prokura = prokura
        .alter(
            "UPDATE service_accounts SET disabled_at = 0 WHERE id = $1",
            &disabled,
        )
        .await;
    let prokura = prokura
        .alter(
            "DELETE FROM secrets WHERE service_account_id = $1",
            &without,
        )
        .await;
    prokura.token(&existing, &[]).await.expect(200);

    let nobody = |client_id: &str| Credentials {
        client_id: client_id.to_owned(),
        ..existing.clone()
    };
    let secret = |client_secret: &str| Credentials {
        client_secret: client_secret.to_owned(),
        ..existing.clone()
    };
    let cases = [
        ("unknown", unknown),
        ("not an id of ours", nobody("admin")),
        ("the account's id, not its client id", nobody(&existing.id)),
        ("upper case", nobody(&existing.client_id.to_uppercase())),
        ("no id", nobody("")),
        ("deleted", deleted),
        ("disabled", disabled),
        ("an account without a secret", without),
        ("another's secret", existing.with_secret_of(&prokura.root)),
        ("a wrong checksum", mistyped(&existing)),
        ("a secret of another shape", secret("hunter2")),
        ("a secret cut short", secret(&existing.client_secret[..52])),
        (
            "a secret and a space",
            secret(&format!("{} ", existing.client_secret)),
        ),
        ("no secret", secret("")),
    ];
    for (path, body) in ENDPOINTS {
        let nothing = prokura
            .raw_form(path, &[], body)
            .await
            .expect_oauth_error(401, "invalid_client")
            .fingerprint();
        for (case, credentials) in &cases {
            let by_basic = prokura
                .raw_form(path, &[("authorization", &credentials.basic())], body)
                .await;
            assert_eq!(by_basic.fingerprint(), nothing, "{case} by Basic at {path}");
            let in_the_body = format!(
                "{body}&client_id={}&client_secret={}",
                credentials.client_id, credentials.client_secret
            );
            let in_the_body = prokura.raw_form(path, &[], &in_the_body).await;
            assert_eq!(
                in_the_body.fingerprint(),
                nothing,
                "{case} in the body at {path}"
            );
        }
    }
}

/// A3. A failure also takes the same time. The test counts the database reads, which take most of the time. The server
/// computes the digest before the look-up, so also for unknown clients, and `SecretDigest::matches` compares in constant
/// time.
#[tokio::test]
async fn every_failed_authentication_costs_one_read_and_no_write() {
    let prokura = start().await;
    let Compared {
        existing,
        deleted,
        unknown,
    } = Compared::create(&prokura).await;
    let count = || {
        (
            prokura.watch.reads.load(Ordering::SeqCst),
            prokura.watch.writes.load(Ordering::SeqCst),
        )
    };
    for (case, credentials) in [
        ("unknown", &unknown),
        ("deleted", &deleted),
        ("wrong secret", &existing.with_secret_of(&deleted)),
        ("another's secret", &existing.with_secret_of(&prokura.root)),
    ] {
        for (path, body) in ENDPOINTS {
            let (reads, writes) = count();
            prokura
                .raw_form(path, &[("authorization", &credentials.basic())], body)
                .await
                .expect_oauth_error(401, "invalid_client");
            assert_eq!(count(), (reads + 1, writes), "{case} at {path}");
        }
    }
    // Success costs no more. A value that cannot be a secret costs no read.
    let (reads, writes) = count();
    prokura.token(&existing, &[]).await.expect(200);
    let after = count();
    assert!(after.0 <= reads + 1 && after.1 == writes, "{after:?}");
    prokura
        .token(&mistyped(&existing), &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    assert_eq!(count(), after);
}

/// A6. RFC 6749 §4.4: this grant is for confidential clients only. The test of all failures above covers an empty
/// secret, a missing secret, and an account that has no secret.
#[tokio::test]
async fn a_client_id_without_a_secret_does_not_authenticate() {
    let prokura = start().await;
    let id = &prokura.root.client_id;
    ask(&prokura, &[], &format!("{GRANT}&client_id={id}"))
        .await
        .expect_oauth_error(401, "invalid_client");
    let secret = &prokura.root.client_secret;
    ask(&prokura, &[], &format!("{GRANT}&client_secret={secret}"))
        .await
        .expect_oauth_error(401, "invalid_client");
    for value in [format!("{id}:"), format!(":{secret}"), ":".to_owned()] {
        ask(&prokura, &[&basic_of(value)], GRANT)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
}
