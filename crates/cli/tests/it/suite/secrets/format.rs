//! The format of a secret, and that the server chooses it (section A).

use reqwest::Method;
use serde_json::json;

use super::{start_with_account, start_with_token};

/// A17, A19. A secret is printable and of constant length. One regular expression finds it, and a double-click selects
/// it: `prk_[0-9A-Za-z]{49}`. The last six characters are the CRC-32 of the others. A16, its randomness, is tested in
/// `authority/ambient.rs`.
#[tokio::test]
async fn a_secret_has_a_prefix_a_fixed_length_and_a_checksum() {
    let (prokura, token, created) = start_with_account().await;
    let rotated = prokura.rotate(&token, &created.id).await;
    for credentials in [&prokura.root, &created, &rotated] {
        let body = credentials.client_secret.strip_prefix("prk_").unwrap();
        assert_eq!(body.len(), 49);
        assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let (head, checksum) = credentials.client_secret.split_at(47);
        assert_eq!(checksum, base62(crc32(head.as_bytes())));

        let id = credentials.client_id.strip_prefix("sa_").unwrap();
        assert_eq!(id, credentials.id);
        assert_eq!(id.len(), 36);
        let allowed = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        assert!(id.bytes().all(allowed));
    }
}

/// CRC-32 as in ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// Six characters of `0-9A-Za-z`, the most significant first.
fn base62(mut number: u32) -> String {
    let digits = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    let digits = digits.collect::<Vec<_>>();
    let mut text = Vec::new();
    for _ in 0..6 {
        text.insert(0, digits[(number % 62) as usize]);
        number /= 62;
    }
    text.into_iter().collect()
}

/// A18. A caller that could choose a client ID could take that of another account (RFC 9068 §5).
#[tokio::test]
async fn a_caller_cannot_choose_a_client_id_or_a_secret() {
    let (prokura, token) = start_with_token().await;
    let wish = "sa_01930a3e-7b1c-7def-8000-0123456789ab";
    for member in [
        "clientId",
        "client_id",
        "id",
        "sub",
        "clientSecret",
        "client_secret",
        "credentials",
    ] {
        let body = json!({ "name": "CI", member: wish });
        prokura.try_create(&token, body).await.expect(400);
    }
    // The same holds for a rotation: the server chooses the secret whatever the body says.
    let body = json!({ "clientSecret": prokura.root.client_secret });
    let path = format!("/service-accounts/{}/rotate-secret", prokura.root.id);
    let reply = prokura.api(Method::POST, &path, &token, Some(body)).await;
    assert!(!reply.mentions(&prokura.root.client_secret), "{reply:?}");
}
