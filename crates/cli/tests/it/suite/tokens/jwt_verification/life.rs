//! The times in a token, and how it ends early (JV10, JV11, JV15).

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::json;

use super::{Scene, with, without};
use crate::harness::claims_of;

/// JV10. RFC 7519 §4.1.4: `exp` is a number of seconds and lies in the future.
#[tokio::test]
async fn the_expiry_must_be_a_number_in_the_future() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    for (text, believed) in [
        (format!("{}", now + 60), true),
        // RFC 7519 §2: a NumericDate may have a fraction.
        (format!("{}.5", now + 60), true),
        (format!("{}.0", now + 60), true),
        (format!("{}e0", now + 60), true),
        (format!("\"{}\"", now + 60), false),
        (format!("[{}]", now + 60), false),
        (format!("{}", now - 60), false),
        (format!("-{}", now + 60), false),
        ("1700000000.5".to_owned(), false),
        ("0".to_owned(), false),
        ("-1".to_owned(), false),
        ("null".to_owned(), false),
        ("true".to_owned(), false),
        ("{}".to_owned(), false),
        ("\"\"".to_owned(), false),
        ("NaN".to_owned(), false),
        ("Infinity".to_owned(), false),
        ("1e400".to_owned(), false),
        ("-1e400".to_owned(), false),
        ("1e300".to_owned(), false),
        ("9999999999999".to_owned(), false),
        ("18446744073709551616".to_owned(), false),
        ("9223372036854775807".to_owned(), false),
        ("9".repeat(2000), false),
        (format!("0{}", now + 60), false),
        (format!("+{}", now + 60), false),
    ] {
        let token = scene.with_claim_text("exp", &text);
        if believed {
            scene.assert_believed(&text, &token).await;
        } else {
            scene.assert_refused(&text, &token).await;
        }
    }
    for name in ["exp", "iat"] {
        let token = scene.forge(&scene.header, &without(&scene.claims, name));
        scene.assert_refused(name, &token).await;
    }
    for text in ["null", "\"0\"", "-1", "1e400", "true"] {
        let token = scene.with_claim_text("iat", text);
        scene.assert_refused(text, &token).await;
    }
}

/// JV10, JV11. Expiry has no leeway, because the server judges by its own clock.
#[tokio::test]
async fn a_token_is_invalid_from_the_second_it_expires() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    let dead = scene.with_claim("exp", json!(now));
    scene.assert_refused("exp is now", &dead).await;
    let token = scene.with_claim("exp", json!(now + 1));
    scene.prokura.advance(999);
    scene.assert_believed("a millisecond before", &token).await;
    scene.prokura.advance(1);
    scene.assert_refused("at the very second", &token).await;
    scene.prokura.advance(1);
    scene.assert_refused("a millisecond after", &token).await;

    // The same holds for a token that the server issued.
    let expires_at = scene.claims["exp"].as_i64().unwrap() * 1000;
    scene.prokura.advance(expires_at - scene.prokura.now() - 1);
    scene.assert_believed("issued", &scene.issued).await;
    scene.prokura.advance(1);
    scene.assert_refused("issued", &scene.issued).await;
}

/// JV11. A token from a node whose clock is up to a minute ahead is accepted at once. `nbf`, which the server does not
/// write, has no leeway of its own: it must not be later than `iat`.
#[tokio::test]
async fn a_token_issued_more_than_a_minute_in_the_future_is_refused() {
    let scene = Scene::es256().await;
    let now = scene.prokura.now() / 1000;
    for (seconds, believed) in [
        (0, true),
        (10, true),
        (60, true),
        (61, false),
        (3600, false),
    ] {
        let what = format!("iat {seconds} s ahead");
        let token = scene.with_claim("iat", json!(now + seconds));
        if believed {
            scene.assert_believed(&what, &token).await;
        } else {
            scene.assert_refused(&what, &token).await;
        }
    }
    for (nbf, believed) in [
        (json!(now), true),
        (json!(now - 3600), true),
        (json!(now + 1), false),
        (json!(now + 3600), false),
        (json!("0"), false),
        (json!(true), false),
        (json!([now]), false),
    ] {
        let what = format!("nbf {nbf}");
        let token = scene.with_claim("nbf", nbf);
        if believed {
            scene.assert_believed(&what, &token).await;
        } else {
            scene.assert_refused(&what, &token).await;
        }
    }
    // The token is refused now, although it will be valid later: `nbf` and `iat` are the same.
    let ahead = with(&scene.claims, "iat", json!(now + 120));
    let ahead = scene.forge(&scene.header, &with(&ahead, "nbf", json!(now + 120)));
    scene.assert_refused("both ahead", &ahead).await;
    scene.prokura.advance(60_000);
    scene.assert_believed("a minute later", &ahead).await;
}

/// JV15, G4. A token ends with its account, with its own revocation, and with its key.
#[tokio::test]
async fn a_token_ends_with_its_account_its_revocation_or_its_key() {
    let scene = Scene::es256().await;
    let (prokura, root) = (&scene.prokura, &scene.prokura.root);
    let body = json!({ "name": "CI", "scopes": ["management:all"] });
    let (account, client) = prokura.create(&scene.issued, body).await;
    let tokens = [
        prokura.access_token(&client).await,
        prokura.access_token(&client).await,
    ];
    for token in &tokens {
        scene.assert_believed("of a living account", token).await;
    }
    let path = format!("/service-accounts/{}", account["id"].as_str().unwrap());
    prokura
        .api(Method::DELETE, &path, &scene.issued, None)
        .await
        .expect(204);
    for token in &tokens {
        scene.assert_refused("of a deleted account", token).await;
    }

    let revoked = prokura.access_token(root).await;
    scene.assert_believed("before", &revoked).await;
    let form = [("token", &*revoked)];
    prokura
        .form("/oauth2/revoke", root, &form)
        .await
        .expect(200);
    scene.assert_refused("revoked", &revoked).await;
    // The revocation is by `jti`, so signing the claims again does not help.
    let again = scene.forge(&scene.header, &claims_of(&revoked));
    assert_ne!(again, revoked);
    scene.assert_refused("revoked", &again).await;
    scene.assert_believed("another token", &scene.issued).await;

    let (old, old_kid) = (scene.issued, scene.header["kid"].clone());
    let revoked = old_kid.as_str().unwrap();
    let authority = &scene.prokura.authority;
    authority.revoke_signing_key(revoked).await.unwrap();
    let scene = Scene::on(scene.prokura, SigningAlgorithm::Es256).await;
    assert_ne!(scene.header["kid"], old_kid);
    scene.assert_refused("of a revoked key", &old).await;
}
