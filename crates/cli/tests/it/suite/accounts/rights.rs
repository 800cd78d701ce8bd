//! Who may change which account: the rules "empower" and "weaken", as a matrix of operations by kinds of caller and of account.

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start_with};
use crate::harness::{Database, Options, Prokura, Reply, opaque_resource};

const ALL: &str = "management:all";
const READ: &str = "management:service-accounts:read";
const ROTATE: &str = "management:service-accounts:rotate";
const WRITE: &str = "management:service-accounts:write";

/// What an operation does to an account.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Effect {
    /// A secret lives that would not.
    GivesSecret,
    /// A secret dies.
    EndsSecret,
    Empowers,
    Weakens,
    Neither,
}
use Effect::{Empowers, EndsSecret, GivesSecret, Neither, Weakens};

/// An operation: its name, its effect, how an administrator prepares the account, and what the caller sends.
type Operation = (
    &'static str,
    Effect,
    Option<Value>,
    Method,
    &'static str,
    Option<Value>,
);

fn operations() -> Vec<Operation> {
    let patch = |body: Value| (Method::PATCH, "", Some(body));
    let post = |path: &'static str| (Method::POST, path, None);
    let soon = "2026-11-24T00:00:00Z";
    let later = "2027-11-24T00:00:00Z";
    let all = [
        ("rotate", GivesSecret, None, post("/rotate-secret")),
        ("add a secret", GivesSecret, None, post("/secrets")),
        (
            "cancel a rotation",
            GivesSecret,
            Some(json!("rotate")),
            post("/cancel-rotation"),
        ),
        (
            "delete a secret",
            EndsSecret,
            None,
            (Method::DELETE, "/secrets/{secret}", None),
        ),
        (
            "enable",
            Empowers,
            Some(json!({ "disabled": true })),
            patch(json!({ "disabled": false })),
        ),
        (
            "extend",
            Empowers,
            Some(json!({ "expiresAt": soon })),
            patch(json!({ "expiresAt": later })),
        ),
        (
            "clear the expiry",
            Empowers,
            Some(json!({ "expiresAt": soon })),
            patch(json!({ "expiresAt": null })),
        ),
        ("disable", Weakens, None, patch(json!({ "disabled": true }))),
        (
            "shorten",
            Weakens,
            Some(json!({ "expiresAt": later })),
            patch(json!({ "expiresAt": soon })),
        ),
        (
            "let expire",
            Weakens,
            None,
            patch(json!({ "expiresAt": later })),
        ),
        (
            "take the scopes",
            Weakens,
            None,
            patch(json!({ "scopes": [] })),
        ),
        ("revoke the tokens", Weakens, None, post("/revoke-tokens")),
        ("delete", Weakens, None, (Method::DELETE, "", None)),
        (
            "rename",
            Neither,
            None,
            patch(json!({ "name": "New", "owner": "Team" })),
        ),
    ];
    all.into_iter()
        .map(|(name, effect, before, (method, path, body))| {
            (name, effect, before, method, path, body)
        })
        .collect()
}

/// A caller: its name, its token, and, for each kind of account, what it lacks to grant all scopes and the management scopes.
struct Caller {
    name: &'static str,
    token: String,
    lacks: fn(&str) -> bool,
    /// It lacks this scope for operations on secrets, and this one for all others.
    needs: [Option<&'static str>; 2],
}

#[tokio::test]
async fn the_rules_hold_for_every_operation_and_every_kind_of_caller() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let new = async |scopes: &[&str], grantable: &[&str]| {
        let body = json!({ "name": "Caller", "scopes": scopes, "grantableScopes": grantable });
        let (_, caller) = prokura.create(&root, body).await;
        prokura.access_token(&caller).await
    };
    let narrow = [("scope", WRITE)];
    let callers = [
        Caller {
            name: "administrator",
            token: root.clone(),
            lacks: |_| false,
            needs: [None, None],
        },
        Caller {
            name: "writer",
            token: new(&[WRITE], &[]).await,
            lacks: |scope| scope != WRITE && scope != ROTATE,
            needs: [None, None],
        },
        Caller {
            name: "narrow token of an administrator",
            token: prokura.access_token_with(&prokura.root, &narrow).await,
            lacks: |scope| scope != WRITE && scope != ROTATE,
            needs: [None, None],
        },
        Caller {
            name: "writer who may grant orders",
            token: new(&[WRITE], &["orders:*"]).await,
            lacks: |scope| scope != WRITE && scope != ROTATE && !scope.starts_with("orders:"),
            needs: [None, None],
        },
        Caller {
            name: "robot",
            token: new(&[ROTATE], &["orders:*", "stock:write"]).await,
            lacks: |scope| {
                scope != ROTATE && !scope.starts_with("orders:") && scope != "stock:write"
            },
            needs: [None, Some(WRITE)],
        },
        Caller {
            name: "reader",
            token: new(&[READ], &["orders:*"]).await,
            lacks: |scope| scope != READ,
            needs: [Some(ROTATE), Some(WRITE)],
        },
    ];
    for scopes in [
        &[][..],
        &["orders:read"],
        &["orders:read", "stock:read"],
        &[WRITE],
        &[ROTATE],
        &[READ, "orders:read"],
        &[ALL],
    ] {
        for caller in &callers {
            for operation in operations() {
                check(&prokura, &root, caller, scopes, &operation).await;
            }
        }
    }
}

async fn check(
    prokura: &Prokura,
    root: &str,
    caller: &Caller,
    scopes: &[&str],
    (name, effect, before, method, path, body): &Operation,
) {
    let (_, account) = prokura
        .create(root, json!({ "name": "Target", "scopes": scopes }))
        .await;
    match before {
        Some(Value::String(_)) => {
            let grace = json!({ "gracePeriodSeconds": 3600 });
            prokura.rotate_with(root, &account.id, grace).await;
        }
        Some(patch) => drop(prokura.update(root, &account.id, patch.clone()).await),
        None => {}
    }
    let secrets = prokura.list_secrets(root, &account.id).await;
    let path = path.replace("{secret}", secrets[0]["id"].as_str().unwrap());
    let sent = prokura.on_account(
        method.clone(),
        &account.id,
        &path,
        &caller.token,
        body.clone(),
    );
    let reply = sent.await;

    let is_about_secrets = matches!(effect, GivesSecret | EndsSecret);
    let needed = caller.needs[usize::from(!is_about_secrets)];
    let is_robot = caller.needs == [None, Some(WRITE)];
    let mut missing = scopes.to_vec();
    missing.retain(|scope| {
        let counts = match effect {
            GivesSecret | Empowers => true,
            // Who may change secrets only does so for accounts that it may empower.
            EndsSecret => is_robot || scope.starts_with("management:"),
            // Of the account without scopes nothing can be taken.
            Weakens => scope.starts_with("management:"),
            Neither => false,
        };
        counts && (caller.lacks)(scope)
    });
    if let Some(needed) = needed {
        missing = vec![needed];
    }
    let what = format!("{}: {name}, {scopes:?}: {reply:?}", caller.name);
    if missing.is_empty() {
        assert!((200..300).contains(&reply.status), "{what}");
    } else {
        assert_eq!(reply.status, 403, "{what}");
        assert_eq!(reply.json()["code"], "insufficient_scope", "{what}");
        assert_eq!(reply.json()["missingScopes"], json!(missing), "{what}");
    }
}

/// Accounts are created with what the caller may grant.
#[tokio::test]
async fn a_caller_grants_what_its_grantable_scopes_cover() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Team", "scopes": [WRITE], "grantableScopes": ["orders:*", "stock:read", "stock:read"] });
    let (team, caller) = prokura.create(&root, body).await;
    assert_eq!(team["grantableScopes"], json!(["orders:*", "stock:read"]));
    let token = prokura.access_token(&caller).await;
    for (scopes, grantable, missing) in [
        (&["orders:read", "stock:read"][..], &[][..], &[][..]),
        (&["orders:write", WRITE], &["orders:read", "orders:*"], &[]),
        (&[ROTATE], &["orders:eu:*"], &[]),
        (&["stock:write"], &[], &["stock:write"]),
        (
            &[],
            &["stock:write", "stock:*"],
            &["stock:*", "stock:write"],
        ),
        (&[READ], &["orders:*", "ordersx:*"], &[READ, "ordersx:*"]),
    ] {
        let body = json!({ "name": "New", "scopes": scopes, "grantableScopes": grantable });
        let reply = prokura.try_create(&token, body).await;
        if missing.is_empty() {
            let created = reply.expect(201).json();
            let mut grantable = grantable.to_vec();
            grantable.sort_unstable();
            assert_eq!(
                created["serviceAccount"]["grantableScopes"],
                json!(grantable)
            );
        } else {
            assert_missing(&reply, missing);
        }
        // A patch is judged alike.
        let (_, plain) = prokura
            .create(&token, json!({ "name": "Plain", "scopes": [] }))
            .await;
        let patch = json!({ "scopes": scopes, "grantableScopes": grantable });
        let reply = prokura.try_update(&token, &plain.id, patch).await;
        if missing.is_empty() {
            reply.expect(200);
        } else {
            assert_missing(&reply, missing);
        }
    }
    // The right ends with the grantable scopes of the caller.
    prokura
        .update(&root, &caller.id, json!({ "grantableScopes": [] }))
        .await;
    let body = json!({ "name": "Late", "scopes": ["orders:read"] });
    assert_missing(&prokura.try_create(&token, body).await, &["orders:read"]);
}

#[tokio::test]
async fn wrong_grantable_scopes_are_refused() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura
        .create(&root, json!({ "name": "CI", "scopes": [] }))
        .await;
    let long = (0..60)
        .map(|n| format!("orders:{}{n}:*", "x".repeat(40)))
        .collect::<Vec<_>>();
    for wrong in [
        json!("orders:*"),
        json!(["*"]),
        json!(["orders*"]),
        json!(["management:*"]),
        json!([ALL]),
        json!(["tokens:*"]),
        json!(["two words"]),
        json!([""]),
        json!([1]),
        json!(["unheard-of"]),
        json!(long),
    ] {
        let body = json!({ "name": "CI", "scopes": [], "grantableScopes": wrong });
        prokura
            .try_create(&root, body)
            .await
            .expect_wrong_field("grantableScopes");
        let patch = json!({ "grantableScopes": wrong });
        let reply = prokura.try_update(&root, &account.id, patch).await;
        reply.expect_wrong_field("grantableScopes");
    }
}

/// The answer to a create holds the secret of an account that may have been given more since.
#[tokio::test]
async fn a_replay_of_a_create_needs_the_rights_that_the_account_has_now() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let (_, writer) = prokura
        .create(&root, json!({ "name": "Writer", "scopes": [WRITE] }))
        .await;
    let token = prokura.access_token(&writer).await;
    let body = json!({ "name": "CI", "scopes": [] });
    let create = async || {
        let body = Some(&body);
        prokura
            .post_once("/service-accounts", &token, "key", body)
            .await
    };
    let first = create().await.expect(201).json();
    assert_eq!(create().await.expect(201).json(), first);
    let id = first["serviceAccount"]["id"].as_str().unwrap();
    prokura.update(&root, id, json!({ "scopes": [ALL] })).await;
    assert_missing(&create().await, &[ALL]);
    prokura
        .update(&root, id, json!({ "scopes": ["orders:read"] }))
        .await;
    assert_missing(&create().await, &["orders:read"]);
    prokura.update(&root, id, json!({ "scopes": [] })).await;
    assert_eq!(create().await.expect(201).json(), first);
}

/// A robot reads the secrets of the accounts that it rotates, and nothing else.
#[tokio::test]
async fn a_robot_lists_the_secrets_of_the_accounts_that_it_rotates() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Robot", "scopes": [ROTATE], "grantableScopes": ["orders:*"] });
    let (_, robot) = prokura.create(&root, body).await;
    let token = prokura.access_token(&robot).await;
    let (_, orders) = prokura
        .create(
            &root,
            json!({ "name": "Orders", "scopes": ["orders:read"] }),
        )
        .await;
    assert_eq!(prokura.list_secrets(&token, &orders.id).await.len(), 1);
    let path = format!("/service-accounts/{}/secrets", prokura.root.id);
    let reply = prokura.api(Method::GET, &path, &token, None).await;
    assert_missing(&reply, &[ALL]);
    let reply = prokura.try_get_account(&token, &orders.id).await;
    assert_missing(&reply, &[READ]);
    // Its own secret it may rotate, as everybody may.
    prokura.rotate(&token, &robot.id).await;
}

/// A rotation is judged by the account as it is when the rotation is written: who may not empower an administrator gets no secret of
/// an account that becomes one at the same time, on another node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_slips_through_while_an_account_is_given_more() {
    let prokura = shop().await;
    let root = prokura.access_token(&prokura.root).await;
    let node = match DATABASE {
        Database::Postgres => Some(prokura.another_node(Options::default()).await),
        Database::Sqlite => None,
    };
    let other = node.as_ref().unwrap_or(&prokura);
    let (_, writer) = prokura
        .create(&root, json!({ "name": "Writer", "scopes": [WRITE] }))
        .await;
    let token = prokura.access_token(&writer).await;
    let mut outcomes = [0, 0];
    for _ in 0..20 {
        let (_, target) = prokura
            .create(&root, json!({ "name": "Target", "scopes": [] }))
            .await;
        let (rotated, _) = join(
            prokura.try_rotate(&token, &target.id, None),
            other.update(&root, &target.id, json!({ "scopes": [ALL] })),
        )
        .await;
        let path = format!("/audit-events?serviceAccountId={}", target.id);
        let events = prokura
            .api(Method::GET, &path, &root, None)
            .await
            .expect(200)
            .json();
        let actions = events["items"].as_array().unwrap().iter();
        let actions = actions.map(|event| event["action"].as_str().unwrap());
        let actions = actions.skip(1).collect::<Vec<_>>();
        if rotated.status == 200 {
            assert_eq!(actions, ["rotate_secret", "update_service_account"]);
            outcomes[0] += 1;
        } else {
            assert_missing(&rotated, &[ALL]);
            assert_eq!(actions, ["update_service_account"]);
            outcomes[1] += 1;
        }
    }
    assert_eq!(outcomes.iter().sum::<i32>(), 20, "{outcomes:?}");
}

#[track_caller]
fn assert_missing(reply: &Reply, scopes: &[&str]) {
    assert_eq!(reply.status, 403, "{reply:?}");
    assert_eq!(reply.json()["missingScopes"], json!(scopes));
}

async fn shop() -> Prokura {
    let orders = opaque_resource("https://orders.example.com", "orders:read orders:write");
    let stock = opaque_resource("https://stock.example.com", "stock:read stock:write");
    start_with(Options::with_resources(vec![orders, stock])).await
}
