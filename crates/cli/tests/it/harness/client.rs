//! A client as tests want one: it says exactly what was answered.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, TcpStream},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::{
    Method, RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;

/// What an account authenticates with.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
}

impl Credentials {
    /// The value of a Basic header, as curl sends it.
    pub fn basic(&self) -> String {
        basic(&self.client_id, &self.client_secret)
    }

    /// The same account with a wrong secret of the right shape: `other`'s.
    pub fn with_secret_of(&self, other: &Self) -> Self {
        Self {
            client_secret: other.client_secret.clone(),
            ..self.clone()
        }
    }
}

/// The value of a Basic header, nothing encoded.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; it must be, and say so.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header, which must be there once. Empty if it is not there at all.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    /// Asserts the status and returns itself.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// Asserts an OAuth error: its status, its code, and what every one of them promises (E2, E4, E5).
    #[track_caller]
    pub fn expect_oauth_error(self, status: u16, error: &str) -> Self {
        let reply = self.expect(status);
        let body = reply.json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(reply.header("cache-control"), "no-store");
        for member in ["error", "error_description"] {
            let text = body[member].as_str().unwrap();
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text.bytes().all(allowed), "{text:?}");
        }
        if error == "invalid_client" {
            assert!(reply.header("www-authenticate").starts_with("Basic realm="));
        }
        reply
    }

    /// Asserts an error of the management API: its status, its code, and what every one of them promises (G23).
    #[track_caller]
    pub fn expect_api_error(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        let body = reply.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["statusCode"], status);
        assert_eq!(body["requestId"], reply.header("x-request-id"));
        assert!(!body["message"].as_str().unwrap().is_empty());
        assert_eq!(reply.header("cache-control"), "no-store");
        reply
    }

    /// Asserts that it is an OAuth error, whichever: its status and its code.
    #[track_caller]
    pub fn any_oauth_error(&self) -> (u16, String) {
        let code = text(&self.json()["error"]);
        assert!(self.status >= 400, "{self:?}");
        self.clone().expect_oauth_error(self.status, &code);
        (self.status, code)
    }

    /// Everything in it but the date and the request id, by which alone two answers to two strangers may differ.
    pub fn fingerprint(&self) -> String {
        let mut headers = self.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        format!("{} {headers:?} {:?}", self.status, self.body)
    }

    /// Whether `text` is anywhere in it.
    pub fn mentions(&self, text: &str) -> bool {
        format!("{:?}", self.headers).contains(text)
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// All of it but the date: what must be equal where two answers must not be told apart. Both requests have to carry
    /// one `X-Request-Id`.
    pub fn essence(&self) -> (u16, Vec<(String, String)>, String) {
        let mut headers = self
            .headers
            .iter()
            .filter(|(name, _)| *name != "date")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect::<Vec<_>>();
        headers.sort();
        let body = String::from_utf8(self.body.to_vec()).unwrap();
        (self.status, headers, body)
    }

    /// Asserts that the one thing wrong is this field.
    #[track_caller]
    pub fn expect_wrong_field(self, field: &str) -> Self {
        let reply = self.expect_api_error(400, "invalid_request");
        let body = reply.json();
        let fields = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(fields, [field], "{body}");
        reply
    }
}

/// What came back on a connection of its own.
#[derive(Clone, Debug)]
pub struct Answer(pub String);

impl Answer {
    /// The status of every answer, those that say "continue" apart.
    pub fn statuses(&self) -> Vec<u16> {
        self.0
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| answer[..3].parse().unwrap())
            .filter(|status| *status >= 200)
            .collect()
    }

    /// The status of the one answer.
    #[track_caller]
    pub fn status(&self) -> u16 {
        let statuses = self.statuses();
        assert_eq!(statuses.len(), 1, "{self:?}");
        statuses[0]
    }

    /// A header of the last answer; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.head()
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    /// The body of the last answer.
    pub fn body(&self) -> &str {
        self.last()
            .split_once("\r\n\r\n")
            .map_or("", |parts| parts.1)
    }

    fn head(&self) -> &str {
        self.last().split("\r\n\r\n").next().unwrap_or_default()
    }

    fn last(&self) -> &str {
        let at = self.0.rfind("HTTP/1.1 ").unwrap_or(0);
        &self.0[at..]
    }
}

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its origin, without a slash at the end.
    pub url: String,
    http: reqwest::Client,
}

impl Client {
    pub fn new(url: String) -> Self {
        let http = builder().build().unwrap();
        Self { url, http }
    }

    /// One of the same server at another address of this machine: 127.0.0.`last`.
    pub fn at_address(&self, last: u8) -> Self {
        let address = IpAddr::from([127, 0, 0, last]);
        let http = builder().local_address(address).build().unwrap();
        let url = self.url.clone();
        Self { url, http }
    }

    /// A request to be completed; `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request and reads the answer whole.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let path = request.url().path().to_owned();
        let response = self.http.execute(request).await.unwrap();
        let reply = Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap(),
        };
        assert_keeps_secrets(&path, &reply);
        reply
    }

    /// `GET path` without credentials.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// A form to an OAuth endpoint, as this client by Basic.
    pub async fn form(&self, path: &str, client: &Credentials, form: &[(&str, &str)]) -> Reply {
        let request = self
            .request(Method::POST, path)
            .header("authorization", client.basic())
            .form(form);
        self.send(request).await
    }

    /// A body as it is, labelled as a form, with these further headers.
    pub async fn raw_form(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// A token request by Basic; `grant_type` is added.
    pub async fn token(&self, client: &Credentials, form: &[(&str, &str)]) -> Reply {
        let mut whole = vec![("grant_type", "client_credentials")];
        whole.extend_from_slice(form);
        self.form("/oauth2/token", client, &whole).await
    }

    /// An access token for the management API with all that the account has.
    pub async fn access_token(&self, client: &Credentials) -> String {
        let reply = self.token(client, &[]).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// An access token with these parameters.
    pub async fn access_token_with(&self, client: &Credentials, form: &[(&str, &str)]) -> String {
        let reply = self.token(client, form).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// What introspection says of a token, asked by `client`.
    pub async fn introspect(&self, client: &Credentials, token: &str) -> Value {
        let reply = self.introspect_reply(client, token).await;
        reply.expect(200).json()
    }

    /// The answer to an introspection, asked by `client`.
    pub async fn introspect_reply(&self, client: &Credentials, token: &str) -> Reply {
        let form = [("token", token)];
        self.form("/oauth2/introspect", client, &form).await
    }

    /// A call of the management API; `path` is what follows `/api/v1`.
    pub async fn api(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Reply {
        let mut request = self
            .request(method, &format!("/api/v1{path}"))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// A `POST` of the management API with this `Idempotency-Key`, which is put in quotes.
    pub async fn post_once(
        &self,
        path: &str,
        token: &str,
        key: &str,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = self
            .request(Method::POST, &format!("/api/v1{path}"))
            .bearer_auth(token)
            .header("idempotency-key", format!("\"{key}\""));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// Creates an account, which must succeed: its record and its credentials.
    pub async fn create(&self, token: &str, body: Value) -> (Value, Credentials) {
        let reply = self
            .api(Method::POST, "/service-accounts", token, Some(body))
            .await
            .expect(201)
            .json();
        let credentials = Credentials {
            id: text(&reply["serviceAccount"]["id"]),
            client_id: text(&reply["credentials"]["clientId"]),
            client_secret: text(&reply["credentials"]["clientSecret"]),
        };
        (reply["serviceAccount"].clone(), credentials)
    }

    /// Rotates an account's secret, which must succeed: its new credentials.
    pub async fn rotate(&self, token: &str, id: &str) -> Credentials {
        let path = format!("/service-accounts/{id}/rotate-secret");
        let reply = self
            .api(Method::POST, &path, token, None)
            .await
            .expect(200)
            .json();
        Credentials {
            id: id.to_owned(),
            client_id: text(&reply["credentials"]["clientId"]),
            client_secret: text(&reply["credentials"]["clientSecret"]),
        }
    }

    /// Sends these bytes on a connection of their own and returns all that comes back until the server closes it or says
    /// nothing for `patience`.
    pub fn raw(&self, bytes: &[u8], patience: Duration) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        // The server may have answered and closed before it has read everything.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(read) = stream.read(&mut buffer) {
            if read == 0 {
                break;
            }
            answer.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends these bytes on a connection of their own and waits for the server to close it, which they have to ask for
    /// or to provoke.
    pub async fn wire(&self, bytes: impl Into<Vec<u8>>) -> Answer {
        let (client, bytes) = (self.clone(), bytes.into());
        tokio::task::spawn_blocking(move || client.raw(&bytes, Duration::from_secs(20)))
            .await
            .map(Answer)
            .unwrap()
    }

    /// `METHOD target` with these header lines, as they are written.
    pub async fn wire_request(&self, request: &str, headers: &[&str]) -> Answer {
        let host = self.url.trim_start_matches("http://");
        let mut text = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        self.wire(text).await
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
}

/// G2: whatever a test asks, no answer but those of create and rotate has a secret in it.
#[track_caller]
fn assert_keeps_secrets(path: &str, reply: &Reply) {
    let may_show = match reply.status {
        201 => path.ends_with("/service-accounts") || path.ends_with("/secrets"),
        200 => path.ends_with("/rotate-secret"),
        _ => false,
    };
    let text = format!(
        "{:?} {}",
        reply.headers,
        String::from_utf8_lossy(&reply.body)
    );
    let shows = text.match_indices("prk_").any(|(at, _)| {
        let rest = text[at + 4..].bytes();
        rest.take_while(u8::is_ascii_alphanumeric).count() >= 49
    });
    assert!(may_show || !shows, "{path} shows a secret");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
