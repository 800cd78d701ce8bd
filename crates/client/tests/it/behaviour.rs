//! The rules that both SDKs share, row by row: `sdk/behaviour.json`.

use std::{collections::BTreeMap, time::Duration};

use prokura_client::{Client, ClientCredentials, Error, HttpOptions};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    clock::{Clock, until},
    connections::{Connections, Received, Reply, answer},
};

const ID: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const TOKEN_PATH: &str = "/oauth2/token";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    limits: Limits,
    calls: BTreeMap<String, Class>,
    events: Vec<Event>,
    retry_after: Vec<RetryAfter>,
    tokens: Vec<TokenRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    timeout_seconds: f64,
    attempt_timeout_seconds: f64,
    max_retries: usize,
    renewal_pause_seconds: f64,
    backoff_seconds: Vec<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Class {
    Repeatable,
    Change,
    Export,
    OAuth,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Next {
    #[serde(rename = "pause")]
    Pause,
    #[serde(rename = "new token")]
    NewToken,
    #[serde(rename = "no")]
    No,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event: String,
    repeatable: Next,
    change: Next,
    export: Next,
    oauth: Next,
    delete_then404: Option<String>,
}

impl Event {
    fn next(&self, class: Class) -> Next {
        match class {
            Class::Repeatable => self.repeatable,
            Class::Change => self.change,
            Class::Export => self.export,
            Class::OAuth => self.oauth,
        }
    }

    fn reply(&self) -> Reply {
        match self.event.as_str() {
            "cut before headers" => Reply::Cut(String::new()),
            "cut after headers" => {
                Reply::Cut("HTTP/1.1 200 \r\ncontent-length: 100\r\n\r\n{\"items\":[".to_owned())
            }
            "no answer in time" => Reply::Silence,
            status => refusal(status.parse().unwrap(), ""),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryAfter {
    retry_after: Option<String>,
    date: Option<String>,
    seconds: Option<u64>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRow {
    status: u16,
    response: Value,
    error: Option<String>,
    renewed_between: Option<(f64, f64)>,
    used_until: Option<f64>,
}

fn table() -> Table {
    let text = include_str!("../../../../sdk/behaviour.json");
    serde_json::from_str(text).unwrap()
}

async fn send(client: Client, call: &str) -> Result<(), Error> {
    match call {
        "list_service_accounts" => client.list_service_accounts().await.map(drop),
        "get_service_account" => client.get_service_account(ID).await.map(drop),
        "get_usage" => client.get_usage(ID).await.map(drop),
        "list_secrets" => client.list_secrets(ID).await.map(drop),
        "list_audit_events" => client.list_audit_events().await.map(drop),
        "create_service_account" => client.create_service_account("CI").await.map(drop),
        "rotate_secret" => client.rotate_secret(ID).await.map(drop),
        "add_secret" => client.add_secret(ID).await.map(drop),
        "delete_service_account" => client.delete_service_account(ID).await,
        "delete_secret" => client.delete_secret(ID, ID).await,
        "delete_service_account if_match" => {
            client.delete_service_account(ID).if_match("\"7\"").await
        }
        "update_service_account" => {
            let update = client.update_service_account(ID).name("CD");
            update.await.map(drop)
        }
        "update_service_account if_match" => {
            let update = client.update_service_account(ID).name("CD");
            update.if_match("\"7\"").await.map(drop)
        }
        "cancel_rotation" => client.cancel_rotation(ID).await.map(drop),
        "revoke_tokens" => client.revoke_tokens(ID).await,
        "export_audit_events" => {
            let mut export = client.export_audit_events().await?;
            while export.chunk().await?.is_some() {}
            Ok(())
        }
        "issue_token" => client.tokens().token().await.map(drop),
        "introspect_token" => client.introspect_token("t").await.map(drop),
        "revoke_token" => client.revoke_token("t").await,
        other => panic!("{other} is no call"),
    }
}

/// An answer with every member that a call reads.
fn success() -> Reply {
    let body = json!({
        "serviceAccount": {
            "id": ID, "clientId": "sa", "name": "CI", "description": null, "scopes": [], "createdAt": "", "updatedAt": "",
            "createdBy": null, "lastUsedAt": null, "owner": null, "labels": {}, "disabled": false,
            "tokenLifetimeSeconds": null, "expiresAt": null,
        },
        "credentials": { "clientId": "sa", "clientSecret": "hunter3" },
        "secret": {
            "id": ID, "hint": "41wP", "createdAt": "", "createdBy": null, "expiresAt": null, "lastUsedAt": null,
            "state": "active", "safeToRevoke": false,
        },
        "items": [],
        "active": false,
        "access_token": "t",
    });
    answer(200, "", &body.to_string())
}

fn refusal(status: u16, headers: &str) -> Reply {
    let body = json!({ "message": "no", "statusCode": status, "code": "no", "requestId": "r", "error": "no" });
    answer(status, headers, &body.to_string())
}

fn token(number: usize) -> Reply {
    let body = json!({ "access_token": format!("token-{number}"), "token_type": "Bearer" });
    answer(200, "connection: close\r\n", &body.to_string())
}

/// A server that issues tokens, and answers all other requests with `reply`, given how many came before.
async fn server(mut reply: impl FnMut(usize) -> Reply + Send + 'static) -> Connections {
    let (mut tokens, mut others) = (0, 0);
    Connections::start(move |request| {
        if request.path == TOKEN_PATH {
            tokens += 1;
            return token(tokens);
        }
        others += 1;
        reply(others - 1)
    })
    .await
}

fn client(url: &str, options: HttpOptions) -> Client {
    let credentials = ClientCredentials::new("client", "hunter2");
    let builder = Client::builder(url, credentials).http(options);
    builder.build().unwrap()
}

struct Observed {
    requests: Vec<Received>,
    outcome: Result<(), Error>,
}

/// Makes a call to a server that does this to the first request and answers the second one with `then`.
async fn observe(clock: &Clock, event: &Event, call: &str, then: fn() -> Reply) -> Observed {
    let is_token = call == "issue_token";
    let first = event.clone();
    let reply = move |number| if number == 0 { first.reply() } else { then() };
    let server = if is_token {
        let mut requests = 0;
        Connections::start(move |_| {
            requests += 1;
            reply(requests - 1)
        })
        .await
    } else {
        server(reply).await
    };
    let options = HttpOptions::new().attempt_timeout(Duration::from_secs(1));
    let (client, call) = (client(&server.url, options), call.to_owned());
    let (outcome, _) = clock.run(async move { send(client, &call).await }).await;
    Observed {
        requests: server.received(|path| is_token || path != TOKEN_PATH),
        outcome,
    }
}

#[track_caller]
fn is_between(seconds: f64, least: f64, most: f64, what: &str) {
    assert!((least..=most).contains(&seconds), "{what}: {seconds} s");
}

#[tokio::test]
async fn a_call_is_sent_again_as_the_table_says() {
    let clock = Clock::stop();
    let table = table();
    for event in &table.events {
        for (call, class) in &table.calls {
            if event.event == "cannot connect" {
                assert_eq!(event.next(*class), Next::Pause);
                continue;
            }
            let what = format!("{call} after {:?}", event.event);
            let Observed { requests, outcome } = observe(&clock, event, call, success).await;
            let next = event.next(*class);
            assert_eq!(outcome.is_ok(), next != Next::No, "{what}: {outcome:?}");
            let expected = if next == Next::No { 1 } else { 2 };
            assert_eq!(requests.len(), expected, "{what}");
            match next {
                Next::Pause => {
                    let pause = (requests[1].at - requests[0].at).as_secs_f64();
                    let timeout = f64::from(event.event == "no answer in time");
                    is_between(pause - timeout, 0.125, 0.35, &what);
                    assert_eq!(requests[0].head, requests[1].head, "{what}");
                    assert_eq!(requests[0].body, requests[1].body, "{what}");
                }
                Next::NewToken => {
                    let tokens = requests
                        .iter()
                        .map(|request| request.header("authorization"));
                    let tokens = tokens.collect::<Vec<_>>();
                    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"], "{what}");
                }
                Next::No => {}
            }
        }
    }
}

#[tokio::test]
async fn every_call_is_retried_if_there_was_no_connection() {
    let clock = Clock::stop();
    for call in table().calls.into_keys() {
        let mut server = server(|_| success()).await;
        let client = client(&server.url, HttpOptions::new().max_retries(1));
        if call != "issue_token" {
            client.tokens().token().await.unwrap();
        }
        server.close_port().await;
        let what = call.clone();
        let (outcome, elapsed) = clock.run(async move { send(client, &call).await }).await;
        let error = outcome.unwrap_err();
        let Error::Unreachable {
            may_have_arrived, ..
        } = error
        else {
            panic!("{what}: {error:?}");
        };
        assert!(!may_have_arrived, "{what}");
        is_between(elapsed.as_secs_f64(), 0.125, 0.5, &what);
    }
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_is_a_success_if_it_may_have_happened_before() {
    let clock = Clock::stop();
    let table = table();
    for event in &table.events {
        let Some(expected) = &event.delete_then404 else {
            continue;
        };
        for call in table.calls.keys().filter(|call| call.starts_with("delete")) {
            let Observed { outcome, .. } = observe(&clock, event, call, || refusal(404, "")).await;
            let is_success = expected == "success";
            assert_eq!(outcome.is_ok(), is_success, "{call} after {}", event.event);
        }
    }
}

#[tokio::test]
async fn pauses_double_up_to_the_longest_one() {
    let clock = Clock::stop();
    let backoff = table().limits.backoff_seconds;
    let server = server(|_| refusal(503, "")).await;
    let options = HttpOptions::new()
        .max_retries(backoff.len() as u32)
        .timeout(Duration::from_secs(600));
    let call = client(&server.url, options).get_service_account(ID);
    clock.run(call.into_future()).await.0.unwrap_err();
    let requests = server.received(|path| path != TOKEN_PATH);
    assert_eq!(requests.len(), backoff.len() + 1);
    for (pair, longest) in requests.windows(2).zip(backoff) {
        let pause = (pair[1].at - pair[0].at).as_secs_f64();
        is_between(pause, longest / 2.0, longest + 0.3, "pause");
    }
}

#[tokio::test]
async fn a_client_has_the_limits_of_the_table() {
    let clock = Clock::stop();
    let limits = table().limits;
    let unavailable = server(|_| refusal(503, "")).await;
    let call = client(&unavailable.url, HttpOptions::new()).get_service_account(ID);
    clock.run(call.into_future()).await.0.unwrap_err();
    let requests = unavailable.received(|path| path != TOKEN_PATH);
    assert_eq!(requests.len(), limits.max_retries + 1);

    let silent = server(|_| Reply::Silence).await;
    let call = client(&silent.url, HttpOptions::new()).get_service_account(ID);
    let (outcome, elapsed) = clock.run(call.into_future()).await;
    let error = outcome.unwrap_err().to_string();
    let path = format!("/api/v1/service-accounts/{ID}");
    let ending = format!("{path} did not answer within {} s", limits.timeout_seconds);
    assert!(error.ends_with(&ending), "{error}");
    is_between(
        elapsed.as_secs_f64(),
        limits.timeout_seconds - 0.1,
        limits.timeout_seconds + 0.5,
        "timeout",
    );
    let requests = silent.received(|path| path != TOKEN_PATH);
    assert_eq!(requests.len(), 3);
    let attempt = (requests[1].at - requests[0].at).as_secs_f64();
    let least = limits.attempt_timeout_seconds + 0.125;
    is_between(attempt, least, least + 0.4, "attempt");
}

#[tokio::test]
async fn a_pause_is_as_long_as_the_server_asks() {
    let clock = Clock::stop();
    for row in table().retry_after {
        let what = format!("{:?} with Date {:?}", row.retry_after, row.date);
        let header = |name: &str, value: &Option<String>| match value {
            Some(value) => format!("{name}: {value}\r\n"),
            None => String::new(),
        };
        let headers = header("retry-after", &row.retry_after) + &header("date", &row.date);
        let server = server(move |_| refusal(503, &headers)).await;
        let options = HttpOptions::new().max_retries(1);
        let call = client(&server.url, options).get_service_account(ID);
        let (outcome, _) = clock.run(call.into_future()).await;
        let expected = row.seconds.map(Duration::from_secs);
        assert_eq!(outcome.unwrap_err().retry_after(), expected, "{what}");
        let requests = server.received(|path| path != TOKEN_PATH);
        let pause = (requests[1].at - requests[0].at).as_secs_f64();
        let asked = row.seconds.unwrap_or_default() as f64;
        is_between(pause - asked, 0.125, 0.35, &what);
    }
}

/// A server whose token endpoint answers as the row says. `TOKEN` becomes `token-1`, `token-2` and so on.
async fn issuing(row: &TokenRow) -> Connections {
    let (row, mut issued) = (row.clone(), 0);
    Connections::start(move |request| {
        if request.path != TOKEN_PATH {
            return success();
        }
        issued += 1;
        let body = row.response.to_string();
        let body = body.replace("TOKEN", &format!("token-{issued}"));
        answer(row.status, "", &body)
    })
    .await
}

/// Makes two calls with this much time between them. Which tokens they had, and the server.
async fn tokens_of(clock: &Clock, row: &TokenRow, seconds: f64) -> (Vec<String>, Connections) {
    let server = issuing(row).await;
    let client = client(&server.url, HttpOptions::new());
    client.get_service_account(ID).await.unwrap();
    clock.advance(seconds).await;
    client.get_service_account(ID).await.unwrap();
    let requests = server.received(|path| path != TOKEN_PATH);
    let tokens = requests
        .iter()
        .map(|request| request.header("authorization").to_owned());
    (tokens.collect(), server)
}

#[tokio::test]
async fn a_token_is_renewed_and_replaced_as_the_table_says() {
    let clock = Clock::stop();
    let first = ["Bearer token-1", "Bearer token-1"];
    for row in table().tokens.iter().filter(|row| row.error.is_none()) {
        let what = row.response.to_string();
        let (earliest, latest) = row.renewed_between.unwrap();
        let used_until = row.used_until.unwrap();
        if used_until > 0.0 {
            let (tokens, server) = tokens_of(&clock, row, earliest - 0.001).await;
            assert_eq!(tokens, first, "{what}");
            assert_eq!(
                server.received(|path| path == TOKEN_PATH).len(),
                1,
                "{what}"
            );

            let (tokens, server) = tokens_of(&clock, row, latest).await;
            assert_eq!(tokens, first, "{what}");
            until(async || server.received(|path| path == TOKEN_PATH).len() == 2).await;

            let (tokens, _) = tokens_of(&clock, row, used_until - 0.001).await;
            assert_eq!(tokens, first, "{what}");
        }
        let (tokens, _) = tokens_of(&clock, row, used_until).await;
        assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"], "{what}");
    }
}

#[tokio::test]
async fn a_response_without_a_usable_token_is_an_error() {
    for row in table().tokens {
        let Some(expected) = &row.error else { continue };
        let what = row.response.to_string();
        let server = issuing(&row).await;
        let client = client(&server.url, HttpOptions::new());
        let error = client.get_service_account(ID).await.unwrap_err();
        match error {
            Error::UnexpectedResponse { .. } => {
                assert_eq!(expected, "unexpected response", "{what}")
            }
            error => assert_eq!(error.code(), Some(expected.as_str()), "{what}"),
        }
        assert_eq!(server.received(|_| true).len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_failed_renewal_is_repeated_after_the_pause_of_the_table() {
    let clock = Clock::stop();
    let pause = table().limits.renewal_pause_seconds;
    let mut issued = 0;
    let server = Connections::start(move |request| {
        if request.path != TOKEN_PATH {
            return success();
        }
        issued += 1;
        if issued == 1 {
            token(1)
        } else {
            refusal(400, "")
        }
    })
    .await;
    let client = client(&server.url, HttpOptions::new());
    let token_requests = || server.received(|path| path == TOKEN_PATH).len();
    client.tokens().token().await.unwrap();
    // The lifetime is unknown, so the token is due after 255 s at the latest and used for 290 s.
    clock.advance(256.0).await;
    for requests in [2, 3] {
        client.tokens().token().await.unwrap();
        until(async || token_requests() == requests).await;
        clock.advance(pause - 0.001).await;
        client.tokens().token().await.unwrap();
        clock.advance(0.0).await;
        assert_eq!(token_requests(), requests);
        clock.advance(0.001).await;
    }
}
