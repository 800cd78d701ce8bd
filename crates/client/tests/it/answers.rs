//! How answers of the management API are read.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::stream;
use prokura_client::{Client, ClientCredentials, Error};
use serde_json::json;

use crate::server::{Asked, Server, answer, answer_with, ok};

const ID: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

fn client(server: &Server) -> Client {
    Client::new(&server.url, ClientCredentials::new("client", "hunter2")).unwrap()
}

fn account(number: usize) -> serde_json::Value {
    json!({
        "id": format!("{number}"), "clientId": "sa", "name": "CI", "description": null, "scopes": [], "createdAt": "",
        "updatedAt": "", "createdBy": null, "lastUsedAt": null, "owner": null, "labels": {}, "disabled": false, "tokenLifetimeSeconds": null,
        "expiresAt": null, "somethingNew": { "from": "a later version" },
    })
}

fn event(sequence: i64) -> serde_json::Value {
    json!({
        "organizationId": "o", "sequence": sequence, "at": "", "actor": "operator", "action": "rotate_secret",
        "target": "t", "requestId": null, "address": null, "changes": { "name": "two\nlines" }, "previousHash": "",
        "hash": "",
    })
}

#[tokio::test]
async fn an_api_error_has_everything_that_the_server_sent() {
    let server = Server::with_tokens(async |asked: Asked| {
        let mut body = json!({ "message": "no", "statusCode": 403, "code": "insufficient_scope", "requestId": "r-9" });
        if asked.method == "POST" {
            body["errors"] = json!([{ "field": "name", "message": "is required" }]);
            return answer(400, &body);
        }
        body["missingScopes"] = json!(["management:service-accounts:read"]);
        answer_with(403, ("retry-after", "4"), &body)
    })
    .await;
    let error = client(&server).get_service_account(ID).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert_eq!(error.code(), Some("insufficient_scope"));
    assert_eq!(error.request_id(), Some("r-9"));
    assert_eq!(error.missing_scopes(), ["management:service-accounts:read"]);
    assert_eq!(error.retry_after().unwrap().as_secs(), 4);
    assert_eq!(error.to_string(), "no (403 insufficient_scope)");
    assert!(error.field_errors().is_empty());

    let error = client(&server)
        .create_service_account("")
        .await
        .unwrap_err();
    assert_eq!(error.field_errors()[0].field, "name");
    assert_eq!(error.field_errors()[0].message, "is required");
}

#[tokio::test]
async fn an_error_page_of_a_proxy_is_an_unexpected_response() {
    let server = Server::with_tokens(async |_| {
        let mut response = Response::new(Body::from("<html>hunter2</html>"));
        *response.status_mut() = axum::http::StatusCode::NOT_FOUND;
        response
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        response
            .headers_mut()
            .insert("x-request-id", "p-1".parse().unwrap());
        response
    })
    .await;
    let error = client(&server).get_service_account(ID).await.unwrap_err();
    assert!(
        matches!(error, Error::UnexpectedResponse { .. }),
        "{error:?}"
    );
    assert_eq!(error.status(), Some(404));
    assert_eq!(error.request_id(), Some("p-1"));
    assert!(
        error.to_string().contains("20 bytes of text/html"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("proxy"));
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_with_the_filters_on_every_page() {
    let server = Server::with_tokens(async |asked: Asked| {
        let page = asked.number;
        let mut body = json!({ "items": [account(2 * page), account(2 * page + 1)] });
        if page < 2 {
            body["nextCursor"] = format!("c/{page}").into();
        }
        ok(&body)
    })
    .await;
    let list = client(&server)
        .list_service_accounts()
        .label("a", "b")
        .label("c", "d:e");
    let mut accounts = list.name("CI").name("CD").disabled(false).limit(2).stream();
    let mut ids = Vec::new();
    while let Some(account) = accounts.try_next().await.unwrap() {
        ids.push(account.id);
    }
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(accounts.try_next().await.unwrap(), None);
    let queries = server
        .asked("/api/v1/service-accounts")
        .iter()
        .map(|asked| asked.query.clone())
        .collect::<Vec<_>>();
    let filters = "label=a%3Ab&label=c%3Ad%3Ae&name=CD&disabled=false&limit=2";
    assert_eq!(
        queries,
        [
            filters.to_owned(),
            format!("{filters}&cursor=c%2F0"),
            format!("{filters}&cursor=c%2F1"),
        ]
    );
}

#[tokio::test]
async fn a_list_ends_after_an_error() {
    let server = Server::with_tokens(async |asked: Asked| match asked.number {
        0 => ok(&json!({ "items": [account(0)], "nextCursor": "c" })),
        _ => answer(500, &json!({ "message": "no", "statusCode": 500, "code": "server_error", "requestId": "r" })),
    })
    .await;
    let mut accounts = client(&server).list_service_accounts().stream();
    assert_eq!(accounts.try_next().await.unwrap().unwrap().id, "0");
    assert_eq!(
        accounts.try_next().await.unwrap_err().code(),
        Some("server_error")
    );
    assert!(accounts.try_next().await.unwrap().is_none());
}

/// An export in pieces that are not its lines.
fn export(text: &str, is_whole: bool) -> Response {
    let pieces = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)));
    let mut pieces = pieces.collect::<Vec<_>>();
    if !is_whole {
        pieces.push(Err(std::io::Error::other("gone")));
    }
    Response::new(Body::from_stream(stream::iter(pieces)))
}

#[tokio::test]
async fn an_export_is_read_line_by_line() {
    for end in ["\n", ""] {
        let server = Server::with_tokens(move |_| async move {
            export(&format!("{}\n{}{end}", event(1), event(2)), true)
        })
        .await;
        let mut events = client(&server)
            .export_audit_events()
            .await
            .unwrap()
            .events();
        for sequence in 1..=2 {
            let event = events.try_next().await.unwrap().unwrap();
            assert_eq!(event.sequence, sequence);
            assert_eq!(event.changes["name"], "two\nlines");
        }
        assert!(events.try_next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_export_that_breaks_off_is_an_error() {
    let server = Server::with_tokens(async |_| export(&format!("{}\n", event(1)), false)).await;
    let mut export = client(&server).export_audit_events().await.unwrap();
    let mut read = 0;
    let error = loop {
        match export.chunk().await {
            Ok(Some(bytes)) => read += bytes.len(),
            Ok(None) => panic!("the export ended without an error"),
            Err(error) => break error,
        }
    };
    assert!(read > 0);
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_export_with_a_rejected_token_is_sent_again_with_a_new_one() {
    let server = Server::with_tokens(async |asked: Asked| match asked.number {
        0 => answer(401, &json!({})),
        _ => export(&format!("{}\n", event(1)), true),
    })
    .await;
    let mut export = client(&server).export_audit_events().await.unwrap();
    assert!(export.chunk().await.unwrap().is_some());
    assert_eq!(server.token_requests(), 2);
}
