//! A database of the last release opens, and everything that its clients hold stays good.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::DATABASE;
use crate::harness::{OlderDatabase, Options, Prokura, jwt_resource};

fn options() -> Options {
    Options {
        lifetime_seconds: 31_536_000,
        resources: vec![
            jwt_resource(
                "https://orders.example.com",
                "orders:read orders:write",
                SigningAlgorithm::Es256,
            ),
            jwt_resource(
                "https://billing.example.com",
                "billing:read",
                SigningAlgorithm::Rs256,
            ),
        ],
        ..Options::default()
    }
}

async fn upgrade(older: &OlderDatabase) -> Prokura {
    older.serve(DATABASE, options()).await
}

/// Until then all keys were derived from the master key. These keys are the first data keys.
#[tokio::test]
async fn every_secret_token_cursor_and_recorded_answer_of_the_last_release_stays_good() {
    let older = OlderDatabase::read();
    let prokura = upgrade(&older).await;

    // Secrets, and the signing keys.
    let account = older.credentials("account");
    let rotated = crate::harness::Credentials {
        client_secret: older.text("rotatedSecret").to_owned(),
        ..account.clone()
    };
    for credentials in [&prokura.root, &account, &rotated] {
        assert!(prokura.authenticates(credentials).await);
    }
    let jwks = prokura.get("/.well-known/jwks.json").await.json();
    assert_eq!(jwks, older.known["jwks"]);

    // Tokens, opaque and signed.
    for name in ["managementToken", "opaqueToken", "es256Token", "rs256Token"] {
        assert!(prokura.is_active(older.text(name)).await, "{name}");
    }
    assert!(!prokura.is_active(older.text("revokedToken")).await);

    // A cursor, and the rest of the list behind it.
    let token = older.text("managementToken");
    let page = format!(
        "/service-accounts?limit=200&cursor={}",
        older.text("cursor")
    );
    let rest = prokura.api(Method::GET, &page, token, None).await;
    assert_eq!(rest.expect(200).items().len(), 3);

    // The recorded answer to a request with an Idempotency-Key.
    let repeat = prokura.post_once(
        "/service-accounts",
        token,
        older.text("createKey"),
        Some(&older.known["createRequest"]),
    );
    let answer = repeat.await.expect(201).json();
    let recorded = &older.known["createResponse"];
    assert_eq!(answer["credentials"], recorded["credentials"]);
    assert_eq!(
        answer["serviceAccount"]["id"],
        recorded["serviceAccount"]["id"]
    );

    // The audit trail is intact, and goes on.
    let events = prokura.api(Method::GET, "/audit-events", token, None);
    assert!(!events.await.expect(200).items().is_empty());
    let (_, new) = prokura.create(token, json!({ "name": "New" })).await;
    assert!(prokura.authenticates(&new).await);
}

/// Several nodes are upgraded at the same time, and agree on the data keys.
#[tokio::test]
async fn the_data_keys_are_stored_once_and_sealed() {
    let older = OlderDatabase::read();
    let prokura = upgrade(&older).await;
    let select = "SELECT purpose, generation, sealed FROM data_keys ORDER BY purpose";
    let rows = prokura.rows(select).await;
    let purposes = rows.iter().map(|row| row[0].as_str().unwrap());
    assert_eq!(
        purposes.collect::<Vec<_>>(),
        [
            "cursors",
            "idempotent answers",
            "idempotent requests",
            "opaque tokens",
            "secret digests",
            "signing keys"
        ]
    );
    for row in &rows {
        assert_eq!(row[1], 1);
        // A nonce, 32 bytes and a tag.
        assert_eq!(row[2].as_str().unwrap().len(), 2 * (12 + 32 + 16));
    }
}

/// A new installation draws its data keys at random: the master key alone does not tell them.
#[tokio::test]
async fn a_new_installation_has_data_keys_of_its_own() {
    let digest_of = async || -> Value {
        let prokura = Prokura::start(DATABASE, Options::default()).await;
        prokura.rows("SELECT sealed FROM data_keys").await.into()
    };
    assert_ne!(digest_of().await, digest_of().await);
}
