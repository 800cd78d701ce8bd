//! A small HTTP server on loopback, in the test's own runtime, with answers that the test chooses.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The number of the request at its path, from 0.
    pub number: usize,
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    /// A header. Empty: it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts a server that answers every request with `answer`.
    pub async fn start<A, F>(answer: A) -> Self
    where
        A: Fn(Asked) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::<Asked>::new()));
        let seen = Arc::clone(&asked);
        let app = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let path = head.uri.path().to_owned();
            let request = {
                let mut seen = seen.lock().unwrap();
                let request = Asked {
                    number: seen.iter().filter(|other| other.path == path).count(),
                    method: head.method,
                    path,
                    query: head.uri.query().unwrap_or_default().to_owned(),
                    headers: head.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                seen.push(request.clone());
                request
            };
            answer(request).await
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, asked }
    }

    /// Starts a server that issues tokens, each different, and answers all other requests with `answer`.
    pub async fn with_tokens<A, F>(answer: A) -> Self
    where
        A: Fn(Asked) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        Self::start(move |asked: Asked| {
            let answer = answer.clone();
            async move {
                if asked.path == "/oauth2/token" {
                    token(asked.number)
                } else {
                    answer(asked).await
                }
            }
        })
        .await
    }

    /// The requests so far at `path`.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.path == path)
            .cloned()
            .collect()
    }

    /// The number of token requests so far.
    pub fn token_requests(&self) -> usize {
        self.asked("/oauth2/token").len()
    }

    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.url)
    }
}

/// The text of the `number`th token.
pub fn token_text(number: usize) -> String {
    format!("token-{number}")
}

/// The response with the `number`th token, whose lifetime is 100 s.
pub fn token(number: usize) -> Response {
    ok(&json!({ "access_token": token_text(number), "token_type": "Bearer", "expires_in": 100 }))
}

pub fn ok(body: &Value) -> Response {
    answer(200, body)
}

pub fn answer(status: u16, body: &Value) -> Response {
    let headers = [("content-type", "application/json")];
    let status = StatusCode::from_u16(status).unwrap();
    (status, headers, Bytes::from(body.to_string())).into_response()
}

/// An answer with a header.
pub fn answer_with(status: u16, header: (&'static str, &str), body: &Value) -> Response {
    let mut response = answer(status, body);
    response
        .headers_mut()
        .insert(header.0, header.1.parse().unwrap());
    response
}

/// An error response of the management API.
pub fn refusal(status: u16, code: &str) -> Value {
    json!({ "message": "no", "statusCode": status, "code": code, "requestId": "r-1" })
}
