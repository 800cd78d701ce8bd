//! The five operations on service accounts, as a client of the API sees them.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, call, operations, operations_on, start, start_with};
use crate::harness::{
    Credentials, Database, Options, Prokura, Reply, jwt_resource, opaque_resource,
};

const ALL: &str = "management:all";
const READ: &str = "management:service-accounts:read";
const WRITE: &str = "management:service-accounts:write";
const INTROSPECT: &str = "tokens:introspect";
const NOBODY: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

async fn create(prokura: &Prokura, token: &str, scopes: Value) -> Reply {
    let body = json!({ "name": "CI", "scopes": scopes });
    prokura
        .api(Method::POST, "/service-accounts", token, Some(body))
        .await
}

async fn rotate(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let path = format!("/service-accounts/{id}/rotate-secret");
    prokura.api(Method::POST, &path, token, None).await
}

async fn delete(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let path = format!("/service-accounts/{id}");
    prokura.api(Method::DELETE, &path, token, None).await
}

#[track_caller]
fn assert_missing(reply: Reply, scopes: &[&str]) {
    let reply = reply.expect_api_error(403, "insufficient_scope");
    assert_eq!(reply.json()["missingScopes"], json!(scopes));
    assert_eq!(
        reply.header("www-authenticate"),
        format!(
            r#"Bearer realm="prokura", error="insufficient_scope", scope="{}""#,
            scopes.join(" ")
        )
    );
}

/// G1, R2: the whole life of an account.
#[tokio::test]
async fn an_account_is_created_read_listed_rotated_and_deleted() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI Pipeline", "description": "Used by GitHub Actions to manage integrations" });
    let created = prokura
        .api(Method::POST, "/service-accounts", &token, Some(body))
        .await
        .expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    let (account, credentials) = {
        let body = created.json();
        (body["serviceAccount"].clone(), body["credentials"].clone())
    };
    let id = account["id"].as_str().unwrap().to_owned();
    assert_eq!(
        created.header("location"),
        format!("{}/api/v1/service-accounts/{id}", prokura.issuer)
    );
    assert_eq!(
        account,
        json!({
            "id": id,
            "clientId": format!("sa_{id}"),
            "name": "CI Pipeline",
            "description": "Used by GitHub Actions to manage integrations",
            "scopes": ["management:all"],
            "createdAt": "2026-11-23T12:00:00.000Z",
            "updatedAt": "2026-11-23T12:00:00.000Z",
            "createdBy": prokura.root.id,
            "lastUsedAt": null,
        })
    );
    assert_eq!(credentials["clientId"], account["clientId"]);

    let path = format!("/service-accounts/{id}");
    let got = prokura.api(Method::GET, &path, &token, None).await;
    assert_eq!(got.expect(200).json(), json!({ "serviceAccount": account }));
    let listed = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"][1], account);
    assert_eq!(listed.get("nextCursor"), None);

    prokura.advance(1000);
    let rotated = prokura.rotate(&token, &id).await;
    assert_ne!(credentials["clientSecret"], rotated.client_secret.as_str());
    let deleted = prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    assert!(deleted.body.is_empty());
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect_api_error(404, "service_account_not_found");
}

/// G1: read your write, on every node: the credentials work at once, and the account is there.
#[tokio::test]
async fn new_credentials_work_at_once() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for number in 0..20 {
        let body = json!({ "name": format!("{number}") });
        let (account, credentials) = prokura.create(&token, body).await;
        let own = prokura.access_token(&credentials).await;
        let path = format!("/service-accounts/{}", credentials.id);
        let got = prokura.api(Method::GET, &path, &own, None).await;
        assert_eq!(got.expect(200).json()["serviceAccount"], account);
    }
}

/// G2, P1: what a secret is, where it is shown, and where it is not. That no answer of any test shows one elsewhere is
/// checked by the client of the tests (`assert_keeps_secrets`).
#[tokio::test]
async fn a_secret_is_shown_by_create_and_rotate_alone() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let rotated = prokura.rotate(&token, &account.id).await;
    let secrets = [&prokura.root, &account, &rotated].map(|client| &client.client_secret);
    assert_ne!(secrets[1], secrets[2]);
    let digests = prokura.rows("SELECT digest FROM secrets").await;
    let own = prokura.access_token(&rotated).await;
    let mut shown = String::new();
    for operation in &operations(&account.id)[..3] {
        if operation.0 == Method::GET {
            let authorization = format!("Bearer {own}");
            let headers = [("authorization", &*authorization)];
            let reply = call(&prokura, operation, &headers).await.expect(200);
            shown.push_str(&format!("{:?}", reply.essence()));
        }
    }
    let text = prokura.introspect(&prokura.root, &own).await.to_string();
    shown.push_str(&text);
    for secret in secrets {
        // Nor a part of it that would be of use.
        assert!(!shown.contains(&secret[4..12]));
        assert!(!shown.contains(&secret[secret.len() - 8..]));
    }
    for digest in digests {
        assert!(!shown.contains(digest[0].as_str().unwrap()));
    }
    assert!(shown.contains(&account.client_id));
}

/// G3, P2.
#[tokio::test]
async fn a_rotated_secret_stops_working_at_once_and_tokens_live_on() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (created, mut account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let issued = prokura.access_token(&account).await;
    for _ in 0..3 {
        prokura.advance(1000);
        let rotated = prokura.rotate(&token, &account.id).await;
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            let form = [("grant_type", "client_credentials"), ("token", &issued)];
            prokura
                .form(path, &account, &form)
                .await
                .expect_oauth_error(401, "invalid_client");
        }
        prokura.access_token(&rotated).await;
        account = rotated;
    }
    let path = format!("/service-accounts/{}", account.id);
    let got = prokura.api(Method::GET, &path, &issued, None).await;
    let got = got.expect(200).json()["serviceAccount"].clone();
    assert_eq!(got["updatedAt"], "2026-11-23T12:00:03.000Z");
    assert_eq!(got["createdAt"], created["createdAt"]);
    assert_eq!(got["clientId"], created["clientId"]);

    let seen = prokura.introspect(&prokura.root, &issued).await;
    assert_eq!(seen["active"], true);
    prokura.advance(3_600_000);
    let seen = prokura.introspect(&prokura.root, &issued).await;
    assert_eq!(seen, json!({ "active": false }));
}

/// G4, P3: not the latest token alone, but every one it ever got, whatever its format and wherever it is asked for.
#[tokio::test]
async fn deleting_an_account_ends_its_tokens() {
    let stock = "https://stock.example.com";
    let prokura = start_with(Options {
        resources: vec![jwt_resource(stock, "stock:read", SigningAlgorithm::Es256)],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let reply = create(&prokura, &token, json!([ALL, "stock:read"])).await;
    let credentials = reply.expect(201).json()["credentials"].clone();
    let client_id = credentials["clientId"].as_str().unwrap().to_owned();
    let account = Credentials {
        id: client_id["sa_".len()..].to_owned(),
        client_id,
        client_secret: credentials["clientSecret"].as_str().unwrap().to_owned(),
    };
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(prokura.access_token(&account).await);
        let form = [("resource", stock)];
        tokens.push(prokura.access_token_with(&account, &form).await);
        prokura.advance(1000);
    }
    for issued in &tokens {
        let seen = prokura.introspect(&prokura.root, issued).await;
        assert_eq!(seen["active"], true);
    }

    let deleted = delete(&prokura, &token, &account.id).await.expect(204);
    assert!(deleted.body.is_empty());
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let form = [("grant_type", "client_credentials"), ("token", &token)];
        prokura
            .form(path, &account, &form)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    for issued in &tokens {
        let seen = prokura.introspect(&prokura.root, issued).await;
        assert_eq!(seen, json!({ "active": false }));
        prokura
            .api(Method::GET, "/service-accounts", issued, None)
            .await
            .expect_api_error(401, "invalid_token");
    }
    let authorization = format!("Bearer {token}");
    for operation in operations_on(&account.id) {
        call(&prokura, &operation, &[("authorization", &authorization)])
            .await
            .expect_api_error(404, "service_account_not_found");
    }
    let list = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// G3, G4: what one node has answered holds on every other. On SQLite there is one node.
#[tokio::test]
async fn what_one_node_ends_is_over_on_all() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let one = start().await;
    let two = one.another_node(Options::default()).await;
    let token = one.access_token(&one.root).await;
    for _ in 0..10 {
        let (_, account) = one.create(&token, json!({ "name": "CI" })).await;
        // Both have seen it, in case they remember.
        let issued = two.access_token(&account).await;
        for node in [&one, &two] {
            node.access_token(&account).await;
            assert_eq!(node.introspect(&one.root, &issued).await["active"], true);
        }
        let rotated = one.rotate(&token, &account.id).await;
        two.token(&account, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        two.access_token(&rotated).await;
        two.api(Method::GET, "/service-accounts", &issued, None)
            .await
            .expect(200);
        delete(&one, &token, &account.id).await.expect(204);
        two.token(&rotated, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        let seen = two.introspect(&one.root, &issued).await;
        assert_eq!(seen, json!({ "active": false }));
        two.api(Method::GET, "/service-accounts", &issued, None)
            .await
            .expect_api_error(401, "invalid_token");
    }
}

/// G5, G17: an id has one spelling. Everything else that is an account's id to a lenient eye is refused, and never
/// something else's id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_has_one_spelling() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let authorization = format!("Authorization: Bearer {token}");
    let id = prokura.root.id.clone();
    let ask = async |spelling: &str| {
        let request = format!("GET /api/v1/service-accounts/{spelling}");
        prokura.wire_request(&request, &[&authorization]).await
    };
    assert_eq!(ask(&id).await.status(), 200);

    let bare = id.replace('-', "");
    for spelling in [
        format!("sa_{id}"),
        id.to_uppercase(),
        format!("{}{}", id[..9].to_uppercase(), &id[9..]),
        format!("{{{id}}}"),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        bare.clone(),
        format!("{bare}0000"),
        id[..35].to_owned(),
        format!("{id}0"),
        format!("0{id}"),
        format!("{id}%20"),
        format!("%20{id}"),
        format!("{id}+"),
        format!("{id}%00"),
        format!("%00{id}"),
        format!("{id}%0a"),
        format!("{id};v=1"),
        format!("{id}%2f"),
        format!("{id}.json"),
        format!("{id},{id}"),
        id.replace('-', "%2d"),
        id.replace('-', "%2D"),
        id.replace('-', "_"),
        id.replace('-', "%E2%80%90"),
        format!("%{:02x}{}", id.as_bytes()[0], &id[1..]),
        format!("{}%D9%A1", &id[..35]),
        format!("{}\u{661}", &id[..35]),
        format!("{}g", &id[..35]),
        "..".to_owned(),
        ".".to_owned(),
        "%2e%2e".to_owned(),
        "..%2f..%2f".to_owned(),
        "..%2f..%2fhealthz".to_owned(),
        "%2e%2e%2f%2e%2e%2fhealthz".to_owned(),
        "..;".to_owned(),
        "%".to_owned(),
        "%zz".to_owned(),
        "*".to_owned(),
        "null".to_owned(),
        "0".to_owned(),
        "1'%20OR%20'1'='1".to_owned(),
        "%ff".to_owned(),
        "x".repeat(5000),
    ] {
        let answer = ask(&spelling).await;
        assert_eq!(answer.status(), 400, "{spelling} {answer:?}");
        let body = serde_json::from_str::<Value>(answer.body()).unwrap();
        assert_eq!(body["errors"][0]["field"], "id", "{spelling}");
    }
    // Canonical, of every version and variant, and nobody's.
    for nobody in [
        NOBODY,
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "000003e8-9414-21ec-b300-325096b39f47",
        "5df41881-3aed-3515-88a7-2f4a814cf09e",
        "919108f7-52d1-4320-9bac-f847db4148a8",
        "2ed6657d-e927-568b-95e1-2665a8aea6a2",
        "1ec9414c-232a-6b00-b3c8-9f6bdeced846",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "320c3d4d-cc00-875b-8ec9-32d5f69181c0",
        "019ab0f4-5d2e-7c11-0a52-3b1f6b0d2c47",
    ] {
        let answer = ask(nobody).await;
        assert_eq!(answer.status(), 404, "{nobody} {answer:?}");
        assert!(answer.body().contains("service_account_not_found"));
    }
    // The other operations read it the same way.
    for operation in operations_on(&prokura.root.client_id) {
        let headers = [("authorization", &*authorization["Authorization: ".len()..])];
        call(&prokura, &operation, &headers)
            .await
            .expect_wrong_field("id");
    }
    prokura.access_token(&prokura.root).await;
}

/// G7: a rotation whose answer is lost is made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_whose_answer_is_lost_is_made_again() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    // No body, no Content-Type, no Content-Length.
    let request = format!("POST /api/v1/service-accounts/{}/rotate-secret", account.id);
    let authorization = format!("Authorization: Bearer {token}");
    let lost = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(lost.status(), 200);
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    let again = prokura.rotate(&token, &account.id).await;
    prokura.access_token(&again).await;
    let lost = serde_json::from_str::<Value>(lost.body()).unwrap();
    let lost = Credentials {
        client_secret: lost["credentials"]["clientSecret"]
            .as_str()
            .unwrap()
            .to_owned(),
        ..account
    };
    prokura
        .token(&lost, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// G9: nobody grants a management scope that he does not hold.
#[tokio::test]
async fn nobody_creates_an_account_that_may_more_than_he() {
    let orders = opaque_resource("https://orders.example.com", "orders:read orders:write");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    let writer = prokura
        .create(&root, json!({ "name": "Writer", "scopes": [WRITE] }))
        .await
        .1;
    // The same holds of a token that may less than its account.
    let narrowed = prokura
        .access_token_with(&prokura.root, &[("scope", WRITE)])
        .await;
    for token in [prokura.access_token(&writer).await, narrowed] {
        let token = &token;
        let before = prokura.rows("SELECT count(*) FROM service_accounts").await;
        for (scopes, missing) in [
            (json!([ALL]), &[ALL][..]),
            (json!([READ]), &[READ]),
            (json!([INTROSPECT]), &[INTROSPECT]),
            (json!([WRITE, READ, INTROSPECT]), &[READ, INTROSPECT]),
            (json!(["orders:read"]), &[ALL]),
            (json!(["orders:read", "orders:write", ALL]), &[ALL]),
        ] {
            assert_missing(create(&prokura, token, scopes).await, missing);
        }
        // What nobody can have is wrong, whoever asks.
        create(&prokura, token, json!([ALL, "unheard-of"]))
            .await
            .expect_wrong_field("scopes");
        let after = prokura.rows("SELECT count(*) FROM service_accounts").await;
        assert_eq!(after, before);

        for (scopes, granted) in [
            (json!([WRITE]), json!([WRITE])),
            (json!([WRITE, WRITE]), json!([WRITE])),
            (json!([]), json!([])),
            // By default what the caller's token holds, not what his account does.
            (Value::Null, json!([WRITE])),
        ] {
            let created = create(&prokura, token, scopes).await.expect(201).json();
            assert_eq!(created["serviceAccount"]["scopes"], granted);
        }
    }
    // Whoever holds all of them grants all of them, and those of other resources.
    let everything = json!(["orders:write", INTROSPECT, ALL, "orders:read", WRITE, READ]);
    let created = create(&prokura, &root, everything).await.expect(201).json();
    assert_eq!(
        created["serviceAccount"]["scopes"],
        json!([ALL, READ, WRITE, "orders:read", "orders:write", INTROSPECT])
    );
    let created = create(&prokura, &root, Value::Null)
        .await
        .expect(201)
        .json();
    assert_eq!(created["serviceAccount"]["scopes"], json!([ALL]));
}

/// G9: nor does he rotate his way to one.
#[tokio::test]
async fn nobody_rotates_an_account_that_may_more_than_he() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    let new = async |scopes: Value| {
        let body = json!({ "name": "CI", "scopes": scopes });
        prokura.create(&root, body).await.1
    };
    let writer = new(json!([WRITE])).await;
    let reader = new(json!([READ])).await;
    let orderer = new(json!(["orders:read"])).await;
    let powerless = new(json!([])).await;
    let token = prokura.access_token(&writer).await;
    for (account, missing) in [(&prokura.root, ALL), (&reader, READ), (&orderer, ALL)] {
        assert_missing(rotate(&prokura, &token, &account.id).await, &[missing]);
    }
    for account in [&prokura.root, &reader] {
        prokura.access_token(account).await;
    }
    prokura
        .token(&orderer, &[("scope", "orders:read")])
        .await
        .expect(200);
    rotate(&prokura, &token, &powerless.id).await.expect(200);
    for account in [&reader, &orderer, &powerless, &writer] {
        rotate(&prokura, &root, &account.id).await.expect(200);
    }
    // Reading needs the scope to read, whatever the account that is read may do.
    let reader = prokura.rotate(&root, &reader.id).await;
    let token = prokura.access_token(&reader).await;
    let path = format!("/service-accounts/{}", prokura.root.id);
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect(200);
}

/// G9: authorization comes before everything that could tell what is there, or what a request must look like.
#[tokio::test]
async fn who_may_not_write_learns_nothing_by_trying() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    for id in [&*prokura.root.id, NOBODY, "no-id", "%2e%2e"] {
        assert_missing(rotate(&prokura, &token, id).await, &[WRITE]);
        assert_missing(delete(&prokura, &token, id).await, &[WRITE]);
    }
    for body in [None, Some(json!({})), Some(json!({ "name": "CI", "x": 1 }))] {
        let reply = prokura
            .api(Method::POST, "/service-accounts", &token, body)
            .await;
        assert_missing(reply, &[WRITE]);
    }
}

/// G11: an account rotates itself; the token that did it lives on, as all that were issued.
#[tokio::test]
async fn an_account_may_rotate_itself() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let prokura = start_with(Options {
        resources: vec![orders],
        ..Options::default()
    })
    .await;
    let root = prokura.access_token(&prokura.root).await;
    // The scopes of other resources do not hinder it: it has them.
    let body = json!({ "name": "CI", "scopes": [WRITE, "orders:read"] });
    let (_, account) = prokura.create(&root, body).await;
    let token = prokura.access_token(&account).await;
    let rotated = prokura.rotate(&token, &account.id).await;
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    prokura.access_token(&rotated).await;
    let again = prokura.rotate(&token, &account.id).await;
    prokura.access_token(&again).await;

    // A token that may less than its account must not rotate itself into more.
    let narrowed = prokura
        .access_token_with(&prokura.root, &[("scope", WRITE)])
        .await;
    assert_missing(rotate(&prokura, &narrowed, &prokura.root.id).await, &[ALL]);
    prokura.access_token(&prokura.root).await;
    prokura.rotate(&root, &prokura.root.id).await;
}

/// G11: an account deletes itself; the token that did it is dead with the rest.
#[tokio::test]
async fn an_account_may_delete_itself() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI", "scopes": [WRITE] });
    let (_, account) = prokura.create(&root, body).await;
    let token = prokura.access_token(&account).await;
    delete(&prokura, &token, &account.id).await.expect(204);
    delete(&prokura, &token, &account.id)
        .await
        .expect_api_error(401, "invalid_token");
    delete(&prokura, &root, &account.id)
        .await
        .expect_api_error(404, "service_account_not_found");
    // The last one may go as well; without the scope to write not even oneself.
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&root, body).await;
    let token = prokura.access_token(&reader).await;
    assert_missing(delete(&prokura, &token, &reader.id).await, &[WRITE]);
    assert_missing(rotate(&prokura, &token, &reader.id).await, &[WRITE]);
    delete(&prokura, &root, &prokura.root.id).await.expect(204);
    prokura
        .api(Method::GET, "/service-accounts", &root, None)
        .await
        .expect_api_error(401, "invalid_token");
}

/// G19.
#[tokio::test]
async fn a_path_says_which_methods_it_takes() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let list = "/api/v1/service-accounts".to_owned();
    let one = format!("{list}/{}", prokura.root.id);
    let rotation = format!("{one}/rotate-secret");
    for (path, allowed) in [
        (&list, "GET,HEAD,POST"),
        (&one, "DELETE,GET,HEAD"),
        (&rotation, "POST"),
    ] {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "get", "OPTIONS",
            "QUERY",
        ] {
            let request = prokura.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
            let reply = prokura.send(request.bearer_auth("x")).await;
            if allowed.split(',').any(|known| known == method) {
                reply.expect(401);
                continue;
            }
            let mut allow = reply.header("allow").split(',').collect::<Vec<_>>();
            allow.sort_unstable();
            assert_eq!(allow.join(","), allowed, "{method} {path}");
            if method == "OPTIONS" {
                assert!(reply.expect(204).body.is_empty());
            } else {
                reply.expect_api_error(405, "method_not_allowed");
            }
        }
    }
    // HEAD is GET without the body.
    for path in [&list, &format!("{list}?limit=1"), &one] {
        let ask = async |method| {
            let request = prokura.request(method, path).bearer_auth(&token);
            let reply = prokura.send(request.header("x-request-id", "same")).await;
            let (status, mut headers, body) = reply.essence();
            headers.retain(|(name, _)| name != "transfer-encoding");
            (status, headers, body)
        };
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!((get.0, &get.1), (200, &head.1));
        assert_eq!(head.0, 200);
        assert!(head.2.is_empty() && !get.2.is_empty());
    }
    let request = prokura.request(Method::HEAD, &one);
    assert!(prokura.send(request).await.expect(401).body.is_empty());
    // No other method by a header or a parameter.
    for request in [
        prokura
            .request(Method::POST, &one)
            .header("x-http-method-override", "DELETE"),
        prokura.request(Method::POST, &format!("{one}?_method=DELETE")),
    ] {
        prokura
            .send(request.bearer_auth(&token))
            .await
            .expect_api_error(405, "method_not_allowed");
    }
    prokura.access_token(&prokura.root).await;
}

/// G22: each answer is as long as it says, and an empty one says nothing of a length or a type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_the_right_lengths() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let authorization = format!("Authorization: Bearer {token}");
    let body = r#"{"name":"CI"}"#;
    let length = format!("Content-Length: {}", body.len());
    let host = prokura.url.trim_start_matches("http://");
    let created = prokura
        .wire(format!(
            "POST /api/v1/service-accounts HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{authorization}\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n{body}"
        ))
        .await;
    assert_eq!(created.status(), 201);
    let id = created
        .header("location")
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/service-accounts/{id}");
    let mut answers = vec![created];
    for request in [format!("GET {path}"), format!("POST {path}/rotate-secret")] {
        answers.push(prokura.wire_request(&request, &[&authorization]).await);
    }
    for answer in &answers {
        let length = answer.header("content-length").parse::<usize>();
        assert_eq!(length, Ok(answer.body().len()), "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let request = format!("DELETE {path}");
    let deleted = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(deleted.status(), 204);
    assert_eq!(deleted.body(), "");
    for name in ["content-length", "transfer-encoding", "content-type"] {
        assert_eq!(deleted.header(name), "", "{name}");
    }
    // Again: nothing is left to be deleted, and that is said.
    let request = format!("DELETE {path}");
    let again = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(again.status(), 404);
}

/// G23: one shape for all errors, the status in it the status of the answer, a code that programs can rely on, and not a
/// word about the inside.
#[tokio::test]
async fn every_error_has_the_same_shape() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Reader", "scopes": [READ] });
    let (_, reader) = prokura.create(&token, body).await;
    let reader = prokura.access_token(&reader).await;
    let list = "/api/v1/service-accounts";
    let request = |method, path: &str| {
        prokura
            .request(method, path)
            .header("accept-language", "de")
    };
    let nobody = format!("{list}/{NOBODY}");
    let long = format!("{list}?{}", "x".repeat(9000));
    for (request, status, code, more) in [
        (
            request(Method::GET, &format!("{list}/x")).bearer_auth(&token),
            400,
            "invalid_request",
            "errors",
        ),
        (
            request(Method::POST, list)
                .bearer_auth(&token)
                .json(&json!({})),
            400,
            "invalid_request",
            "errors",
        ),
        (
            request(Method::GET, list).bearer_auth("\""),
            400,
            "invalid_request",
            "",
        ),
        (request(Method::GET, list), 401, "unauthorized", ""),
        (
            request(Method::GET, list).bearer_auth("x"),
            401,
            "invalid_token",
            "",
        ),
        (
            request(Method::DELETE, &nobody).bearer_auth(&reader),
            403,
            "insufficient_scope",
            "missingScopes",
        ),
        (
            request(Method::GET, &nobody).bearer_auth(&token),
            404,
            "service_account_not_found",
            "",
        ),
        (
            request(Method::GET, "/api/v1/nothing"),
            404,
            "not_found",
            "",
        ),
        (request(Method::GET, "/"), 404, "not_found", ""),
        (request(Method::PUT, list), 405, "method_not_allowed", ""),
        (
            request(Method::POST, list).body("x".repeat(70_000)),
            413,
            "request_too_large",
            "",
        ),
        (request(Method::GET, &long), 414, "uri_too_long", ""),
        (
            request(Method::POST, list).bearer_auth(&token).body("x"),
            415,
            "unsupported_media_type",
            "",
        ),
    ] {
        let reply = prokura.send(request).await.expect_api_error(status, code);
        let body = reply.json();
        let members = body.as_object().unwrap().keys().map(String::as_str);
        let mut members = members.collect::<Vec<_>>();
        let mut expected = vec!["message", "statusCode", "code", "requestId", more];
        expected.retain(|member| !member.is_empty());
        members.sort_unstable();
        expected.sort_unstable();
        assert_eq!(members, expected);
        let has_challenge = !reply.header("www-authenticate").is_empty();
        let needs_challenge = matches!(status, 401 | 403);
        assert!(has_challenge || !needs_challenge, "{body}");
        let text = body.to_string().to_lowercase();
        for inside in [
            "sql", "rusqlite", "postgres", "serde", "axum", "hyper", "panic", ".rs", "crates/",
            "select ",
        ] {
            assert!(!text.contains(inside), "{text}");
        }
    }
    prokura.watch.fail_after(0);
    let reply = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await;
    let body = reply
        .expect_api_error(503, "temporarily_unavailable")
        .json();
    assert!(!body.to_string().contains("told to fail"), "{body}");
}

/// The scopes of an account go into its tokens, so there is an end to them.
#[tokio::test]
async fn an_account_can_have_only_so_many_scopes() {
    let scopes = (0..60).map(|number| format!("{number:02}:{}", "x".repeat(50)));
    let scopes = scopes.collect::<Vec<_>>();
    let prokura = start_with(Options {
        resources: vec![opaque_resource(
            "https://many.example.com",
            &scopes.join(" "),
        )],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    create(&prokura, &token, json!(scopes[..30]))
        .await
        .expect(201);
    create(&prokura, &token, json!(scopes))
        .await
        .expect_wrong_field("scopes");
}
