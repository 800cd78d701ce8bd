//! Rotation and revocation of signing keys (K4), on one node with SQLite and on three nodes with PostgreSQL.
//!
//! The states of a key and the plans that change them have unit tests in `crates/server/src/domain/signing_key_life.rs` and
//! `signing_key_set.rs`.

use std::{collections::BTreeSet, sync::atomic::Ordering::SeqCst};

use futures_util::future::join_all;
use jsonwebtoken::jwk::JwkSet;
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::DATABASE;
use crate::harness::{Database, Options, Prokura, encode, header_of, verify};

const JWKS: &str = "/.well-known/jwks.json";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const ES256: TokenFormat = TokenFormat::Jwt(SigningAlgorithm::Es256);
const RS256: TokenFormat = TokenFormat::Jwt(SigningAlgorithm::Rs256);

/// The nodes of one installation. Each is configured for another token format.
struct Nodes(Vec<Prokura>);

impl Nodes {
    async fn start() -> Self {
        let first = Prokura::start(DATABASE, Options::with_format(ES256)).await;
        let mut nodes = vec![first];
        // On SQLite one server owns the file.
        if DATABASE == Database::Postgres {
            for format in [RS256, TokenFormat::Opaque] {
                nodes.push(nodes[0].another_node(Options::with_format(format)).await);
            }
        }
        Self(nodes)
    }

    fn advance(&self, millis: i64) {
        self.0.iter().for_each(|node| node.advance(millis));
    }

    /// What every node does from time to time, on all nodes at once.
    async fn tick(&self) {
        let ticks = self.0.iter();
        let ticks = ticks.map(|node| node.authority.rotate_due_signing_keys());
        for done in join_all(ticks).await {
            done.unwrap();
        }
    }

    /// A token of each node.
    async fn tokens(&self) -> Vec<String> {
        let mut tokens = Vec::new();
        for node in &self.0 {
            tokens.push(node.access_token(&node.root).await);
        }
        tokens
    }

    /// The key IDs that the nodes publish. All must publish the same keys.
    async fn published(&self) -> BTreeSet<String> {
        let mut sets = Vec::new();
        for node in &self.0 {
            sets.push(node.get(JWKS).await.expect(200).json());
        }
        assert!(sets.iter().all(|set| *set == sets[0]), "{sets:#?}");
        let keys = sets[0]["keys"].as_array().unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        keys.iter().map(kid).collect()
    }

    /// Asserts that every node says of every token whether it is active.
    async fn assert_active(&self, tokens: &[String], active: bool) {
        for node in &self.0 {
            for token in tokens {
                assert_eq!(node.is_active(token).await, active);
                let list = node.api(Method::GET, "/service-accounts", token, None);
                assert_eq!(list.await.status, if active { 200 } else { 401 });
            }
        }
    }
}

fn kid_of(token: &str) -> String {
    header_of(token)["kid"].as_str().unwrap().to_owned()
}

/// The key IDs of the JWTs among `tokens`.
fn kids(tokens: &[String]) -> BTreeSet<String> {
    let jwts = tokens.iter().filter(|token| token.starts_with("ey"));
    jwts.map(|token| kid_of(token)).collect()
}

/// K4. The nodes are configured for different algorithms. A verifier fetches the keys every five minutes, each time from
/// another node, and never meets a key that it does not know.
#[tokio::test]
async fn through_a_scheduled_rotation_a_verifier_with_a_five_minute_cache_knows_every_key() {
    let nodes = Nodes::start().await;
    let first = kids(&nodes.tokens().await);
    let issuer = &nodes.0[0].issuer;
    let mut fetches = nodes.0.iter().cycle();
    let mut seen = BTreeSet::new();
    let mut grown_at = None;
    let mut signed_at = None;
    let mut now = 0;
    while now < 92 * DAY {
        let fetched = fetches.next().unwrap().get(JWKS).await.json();
        let keys: JwkSet = serde_json::from_value(fetched).unwrap();
        // Five minutes where something changes, six hours elsewhere. The keys were fetched before.
        let mut events = [89 * DAY, 90 * DAY].into_iter();
        let step = match events.find(|event| now < event + 20 * MINUTE) {
            Some(event) if now >= event - 20 * MINUTE => 5 * MINUTE,
            Some(event) => (6 * HOUR).min(event - 20 * MINUTE - now),
            None => 6 * HOUR,
        };
        nodes.advance(step);
        now += step;
        if now % (10 * MINUTE) == 0 {
            nodes.tick().await;
        }
        let tokens = nodes.tokens().await;
        for token in tokens.iter().filter(|token| token.starts_with("ey")) {
            verify(&keys, issuer, &format!("{issuer}/api/v1"), token);
        }
        nodes.assert_active(&tokens, true).await;
        seen.extend(kids(&tokens));
        if grown_at.is_none() && nodes.published().await.len() > first.len() {
            grown_at = Some(now);
        }
        if signed_at.is_none() && seen.len() > first.len() {
            signed_at = Some(now);
        }
    }
    // Each algorithm has a second key, and all nodes used it a day after all nodes published it.
    assert_eq!(seen.len(), 2 * first.len());
    assert_eq!(grown_at, Some(89 * DAY));
    assert_eq!(signed_at, Some(90 * DAY));
    let second = kids(&nodes.tokens().await);
    assert!(second.is_disjoint(&first));

    // The old keys stay until their last token must have expired.
    nodes.advance(90 * DAY + 365 * DAY - now);
    assert!(nodes.published().await.is_superset(&first));
    nodes.tick().await;
    assert!(nodes.published().await.is_superset(&first));
    nodes.advance(MINUTE);
    nodes.tick().await;
    assert!(nodes.published().await.is_disjoint(&first));
}

/// K4. A restart, also with an older configuration, and a clock that is moved keep the keys.
#[tokio::test]
async fn a_restart_an_old_configuration_and_a_moved_clock_keep_the_keys() {
    let prokura = Prokura::start(DATABASE, Options::with_format(RS256)).await;
    let token = prokura.access_token(&prokura.root).await;
    let prokura = prokura.restart(Options::with_format(ES256)).await;
    let both = prokura.get(JWKS).await.json();
    assert_eq!(both["keys"].as_array().unwrap().len(), 2);
    assert!(prokura.is_active(&token).await);
    let prokura = prokura.restart(Options::default()).await;
    assert_eq!(prokura.get(JWKS).await.json(), both);
    assert!(prokura.is_active(&token).await);

    let prokura = prokura.restart(Options::with_format(RS256)).await;
    for millis in [-3 * DAY, 40 * DAY, -37 * DAY] {
        prokura.advance(millis);
        prokura.authority.rotate_due_signing_keys().await.unwrap();
        assert_eq!(prokura.get(JWKS).await.json(), both);
        let token = prokura.access_token(&prokura.root).await;
        assert!(prokura.is_active(&token).await);
    }
}

/// A clock that was years ahead for a moment neither starts a key early nor keeps the next one from its turn.
#[tokio::test]
async fn a_clock_that_was_years_ahead_does_not_stop_the_rotation() {
    let prokura = Prokura::start(DATABASE, Options::with_format(ES256)).await;
    let tick = async || prokura.authority.rotate_due_signing_keys().await.unwrap();
    let kid = async || kid_of(&prokura.access_token(&prokura.root).await);
    let first = kid().await;
    prokura.advance(3650 * DAY);
    tick().await;
    assert_eq!(kid().await, first);
    prokura.advance(-3650 * DAY);
    tick().await;
    assert_eq!(kid().await, first);
    prokura.advance(89 * DAY);
    tick().await;
    assert_eq!(kid().await, first);
    prokura.advance(DAY);
    assert_ne!(kid().await, first);
}

/// A leaked key is revoked: no node publishes it, signs with it or accepts its tokens, from the acknowledgement on.
#[tokio::test]
async fn a_revoked_key_is_dead_on_every_node_at_once() {
    let nodes = Nodes::start().await;
    for round in 0..6 {
        let old = nodes.tokens().await;
        nodes.assert_active(&old, true).await;
        let revoker = &nodes.0[round % nodes.0.len()];
        let leaked = kid_of(&old[0]);
        // Half of the keys are replaced by one that was published ahead.
        if round % 2 == 1 {
            let algorithms = [SigningAlgorithm::Es256];
            let done = revoker.authority.rotate_signing_keys(&algorithms, false);
            assert_eq!(done.await.unwrap().len(), 1);
        }
        revoker.authority.revoke_signing_key(&leaked).await.unwrap();

        let new = nodes.tokens().await;
        assert_ne!(kid_of(&new[0]), leaked);
        let published = nodes.published().await;
        assert!(!published.contains(&leaked));
        assert!(published.is_superset(&kids(&new)));
        nodes.assert_active(&old[..1], false).await;
        nodes.assert_active(&new, true).await;
        // Tokens of other keys live on.
        nodes.assert_active(&old[1..], true).await;
    }
}

/// The first request that meets a new key may be of any kind: a token that nobody introspected, a bearer, the JWKS.
#[tokio::test]
async fn every_kind_of_request_notices_that_another_node_changed_the_keys() {
    let nodes = Nodes::start().await;
    let (first, third) = (&nodes.0[0], nodes.0.last().unwrap());
    let rotate = async || {
        let algorithms = [SigningAlgorithm::Es256];
        let done = first.authority.rotate_signing_keys(&algorithms, true).await;
        assert_eq!(done.unwrap().len(), 1);
        first.access_token(&first.root).await
    };
    let token = rotate().await;
    let list = third.api(Method::GET, "/service-accounts", &token, None);
    list.await.expect(200);

    let token = rotate().await;
    assert!(third.is_active(&token).await);

    let token = rotate().await;
    let revoked = [("token", &*token)];
    let revoked = third.form("/oauth2/revoke", &third.root, &revoked).await;
    revoked.expect(200);
    assert!(!first.is_active(&token).await);

    let token = rotate().await;
    let keys = serde_json::from_value(third.get(JWKS).await.json()).unwrap();
    verify(
        &keys,
        &first.issuer,
        &format!("{}/api/v1", first.issuer),
        &token,
    );
}

/// Several nodes need a new algorithm at the same time, and all of them rotate at the same time: one key each.
#[tokio::test]
async fn nodes_that_create_a_key_at_once_create_one() {
    let nodes = Nodes::start().await;
    let before = nodes.published().await.len();
    let ensured = nodes.0.iter().cycle().take(9);
    let ensured = ensured.map(|node| node.authority.ensure_signing_key(SigningAlgorithm::EdDsa));
    for ensured in join_all(ensured).await {
        ensured.unwrap();
    }
    assert_eq!(nodes.published().await.len(), before + 1);
    nodes.advance(89 * DAY);
    nodes.tick().await;
    assert_eq!(nodes.published().await.len(), 2 * (before + 1));
    let rows = "signing_keys WHERE generation = 2";
    let created = nodes.0[0].count(rows).await;
    assert_eq!(usize::try_from(created).unwrap(), before + 1);
}

/// Two operators revoke the signing key and the next one at the same time. A key is left to sign.
#[tokio::test]
async fn revocations_at_once_leave_a_key_that_signs() {
    let nodes = Nodes::start().await;
    for _ in 0..5 {
        let authority = |at: usize| &nodes.0[at % nodes.0.len()].authority;
        let es256 = [SigningAlgorithm::Es256];
        let done = authority(0).rotate_signing_keys(&es256, false).await;
        done.unwrap();
        let (keys, now) = authority(0).list_signing_keys().await.unwrap();
        let live = keys.keys.iter().filter(|key| {
            let state = keys.state(key, now).as_str();
            key.algorithm == es256[0] && (state == "signing" || state == "published")
        });
        let live = live.map(|key| key.id.clone()).collect::<Vec<_>>();
        assert_eq!(live.len(), 2);
        let revoked = live.iter().enumerate();
        let revoked = revoked.map(|(at, id)| authority(at).revoke_signing_key(id));
        for revoked in join_all(revoked).await {
            revoked.unwrap();
        }
        let token = nodes.0[0].access_token(&nodes.0[0].root).await;
        assert!(!live.contains(&kid_of(&token)));
        nodes.assert_active(&[token], true).await;
    }
}

/// A stranger who invents key IDs costs one read of the version each at most, and nothing if the text is no JWT of this form.
#[tokio::test]
async fn an_invented_key_id_costs_at_most_one_read() {
    let prokura = Prokura::start(DATABASE, Options::with_format(ES256)).await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, rest) = token.split_once('.').unwrap();
    let cost = async |kid: &str| {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid });
        let forged = format!("{}.{rest}", encode(header.to_string()));
        let before = prokura.watch.reads.load(SeqCst);
        prokura
            .api(Method::GET, "/service-accounts", &forged, None)
            .await
            .expect_api_error(401, "invalid_token");
        prokura.watch.reads.load(SeqCst) - before
    };
    let invented = "A".repeat(43);
    assert_eq!(cost(&invented).await, 1);
    assert_eq!(cost("guessed").await, 0);
    let sent = (0..40).map(|_| cost(&invented));
    let before = prokura.watch.reads.load(SeqCst);
    join_all(sent).await;
    assert!(prokura.watch.reads.load(SeqCst) - before <= 40);
    prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200);
}

/// K5. APIs that verify offline outlast an outage of the database. After an hour a node no longer vouches for the keys.
#[tokio::test]
async fn the_keys_are_served_for_an_hour_without_the_database() {
    let prokura = Prokura::start(DATABASE, Options::with_format(ES256)).await;
    let keys = prokura.get(JWKS).await.expect(200).body;
    prokura.watch.fail_after(0);
    assert_eq!(prokura.get(JWKS).await.expect(200).body, keys);
    prokura.advance(HOUR - 1);
    assert_eq!(prokura.get(JWKS).await.expect(200).body, keys);
    prokura.advance(1);
    let refused = prokura.get(JWKS).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.expect_oauth_error(503, "temporarily_unavailable");
    prokura.watch.mend();
    assert_eq!(prokura.get(JWKS).await.expect(200).body, keys);
}
