//! An HTTP client of one server. It returns every response as it came.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, TcpStream},
    time::Duration,
};

use reqwest::{Method, RequestBuilder, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    Credentials,
    reply::{Answer, Reply, assert_keeps_secrets},
};

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Client {
    /// The origin of the server, without a slash at the end.
    pub url: String,
    http: reqwest::Client,
}

impl Client {
    pub fn new(url: String) -> Self {
        let http = builder().build().unwrap();
        Self { url, http }
    }

    /// A client of the same server at another address of this machine: 127.0.0.`last`.
    pub fn at_address(&self, last: u8) -> Self {
        let address = IpAddr::from([127, 0, 0, last]);
        let http = builder().local_address(address).build().unwrap();
        let url = self.url.clone();
        Self { url, http }
    }

    /// Begins a request. `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request and reads the whole response.
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

    /// Sends `GET path` without credentials.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form to an OAuth endpoint, with the client's credentials in Basic.
    pub async fn form(&self, path: &str, client: &Credentials, form: &[(&str, &str)]) -> Reply {
        let request = self
            .request(Method::POST, path)
            .header("authorization", client.basic())
            .form(form);
        self.send(request).await
    }

    /// Sends this text as a form, with these further headers.
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

    /// Sends a token request with Basic credentials. `grant_type` is added.
    pub async fn token(&self, client: &Credentials, form: &[(&str, &str)]) -> Reply {
        let mut whole = vec![("grant_type", "client_credentials")];
        whole.extend_from_slice(form);
        self.form("/oauth2/token", client, &whole).await
    }

    /// Gets an access token for the management API with all scopes of the account.
    pub async fn access_token(&self, client: &Credentials) -> String {
        let reply = self.token(client, &[]).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Gets an access token with these parameters.
    pub async fn access_token_with(&self, client: &Credentials, form: &[(&str, &str)]) -> String {
        let reply = self.token(client, form).await.expect(200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Introspects a token as `client`: the body of the response.
    pub async fn introspect(&self, client: &Credentials, token: &str) -> Value {
        let reply = self.introspect_reply(client, token).await;
        reply.expect(200).json()
    }

    /// Introspects a token as `client`: the response.
    pub async fn introspect_reply(&self, client: &Credentials, token: &str) -> Reply {
        let form = [("token", token)];
        self.form("/oauth2/introspect", client, &form).await
    }

    /// Calls the management API. `path` is what follows `/api/v1`.
    pub async fn api(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Reply {
        let mut request = self
            .request(method, &format!("/api/v1{path}"))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    /// Reads a list of the management API page by page: its items. `path` is what follows `/api/v1`, with its query. Every
    /// page but the last must be full.
    pub async fn pages(&self, token: &str, path: &str, limit: usize) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{separator}limit={limit}");
        let mut next = first.clone();
        let mut all = Vec::new();
        loop {
            let page = self.api(Method::GET, &next, token, None).await;
            let cursor = page.json()["nextCursor"].as_str().map(str::to_owned);
            let items = page.items();
            let count = items.len();
            all.extend(items);
            let Some(cursor) = cursor else {
                assert!(count <= limit);
                return all;
            };
            assert_eq!(count, limit);
            next = format!("{first}&cursor={cursor}");
        }
    }

    /// Sends a POST to the management API with this `Idempotency-Key`, which is put in quotes.
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

    /// Sends these bytes on a new connection and returns everything that comes back until the server closes it or sends
    /// nothing for `patience`.
    pub fn raw(&self, bytes: &[u8], patience: Duration) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        // The server may have answered and closed the connection before it has read everything.
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

    /// Sends these bytes on a new connection and reads until the server closes it. The bytes must make the server close
    /// it.
    pub async fn wire(&self, bytes: impl Into<Vec<u8>>) -> Answer {
        let (client, bytes) = (self.clone(), bytes.into());
        tokio::task::spawn_blocking(move || client.raw(&bytes, Duration::from_secs(20)))
            .await
            .map(Answer)
            .unwrap()
    }

    /// Sends `METHOD target` with these header lines on a new connection.
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
