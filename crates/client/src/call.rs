//! A call of the management API, and the options that calls share.

use std::{fmt, ops::Deref, time::Duration};

use prokura_wire as wire;
use reqwest::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::{
    access_token::AccessToken,
    answer::{Answer, Body},
    client::Client,
    deadline::Deadline,
    error::{ApiError, Error},
    retry::Repeat,
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// An answer about a service account, and the version of the account. Dereferences to the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The version of the account, for `if_match` of a later change. `None`: the server sent none.
    pub etag: Option<String>,
    /// The answer.
    pub value: T,
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A call that has not been sent. `Debug` does not show its idempotency key, for which the server repeats a secret.
#[derive(Clone)]
pub(crate) struct Call {
    client: Client,
    method: Method,
    url: Result<Url, Error>,
    query: Vec<(&'static str, String)>,
    body: Map<String, Value>,
    media_type: &'static str,
    pub(crate) if_match: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

impl Call {
    /// `method` at the path of these segments below `/api/v1`. An ID that is empty or has dots and slashes would change the
    /// path; such a call fails when it is sent.
    pub(crate) fn new(client: &Client, method: Method, segments: &[&str]) -> Self {
        let is_plain = |segment: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !segment.is_empty() && segment.bytes().all(plain)
        };
        let odd = segments.iter().find(|segment| !is_plain(segment));
        let url = match odd {
            Some(odd) => Err(Error::invalid(format!(
                "{odd:?} is not an ID: an ID is a UUID"
            ))),
            None => Ok(client.endpoint(&[&["api", "v1"], segments].concat())),
        };
        Self {
            client: client.clone(),
            method,
            url,
            query: Vec::new(),
            body: Map::new(),
            media_type: "application/json",
            if_match: None,
            idempotency_key: None,
            timeout: None,
        }
    }

    /// Adds a random idempotency key: the server makes the change once, however often the call is sent.
    pub(crate) fn once(mut self) -> Self {
        self.idempotency_key = Some(Uuid::new_v4().to_string());
        self
    }

    /// The body is a merge patch (RFC 7396).
    pub(crate) fn merge_patch(mut self) -> Self {
        self.media_type = "application/merge-patch+json";
        self
    }

    /// Sets the body. A body without members is not sent.
    pub(crate) fn body<B: Serialize>(mut self, body: &B) -> Self {
        self.body = match serde_json::to_value(body) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        self
    }

    /// Sets a query parameter. It replaces an earlier one.
    pub(crate) fn parameter(&mut self, name: &'static str, value: impl ToString) {
        self.query.retain(|(known, _)| *known != name);
        self.further_parameter(name, value.to_string());
    }

    /// Adds a query parameter that may be repeated.
    pub(crate) fn further_parameter(&mut self, name: &'static str, value: String) {
        self.query.push((name, value));
    }

    /// Sends the call and reads a JSON answer and its `ETag`.
    pub(crate) async fn versioned<T: DeserializeOwned>(self) -> Result<Versioned<T>, Error> {
        let answer = self.send().await?;
        Ok(Versioned {
            etag: answer.header(ETAG).map(str::to_owned),
            value: answer.json()?,
        })
    }

    /// Sends the call and reads a JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send().await?.json()
    }

    /// Sends the call and ignores the body of the answer.
    pub(crate) async fn nothing(self) -> Result<(), Error> {
        self.send().await?;
        Ok(())
    }

    /// Sends a deletion. If an earlier attempt may have deleted the object, "not found" is a success.
    pub(crate) async fn gone(self) -> Result<(), Error> {
        let answer = self.answer().await?;
        if answer.status.is_success()
            || (answer.status == StatusCode::NOT_FOUND && answer.may_be_done_before)
        {
            return Ok(());
        }
        Err(refusal(&answer))
    }

    /// Sends the call and opens the body of the answer as a stream.
    pub(crate) async fn stream<T: From<Body>>(self) -> Result<T, Error> {
        let (mut request, deadline) = (self.request()?, self.deadline());
        let token = self.authorize(&mut request, deadline).await?;
        let opened = match self.client.http().open(&request, deadline).await? {
            Err(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                self.client.tokens().reject(&token);
                self.authorize(&mut request, deadline).await?;
                self.client.http().open(&request, deadline).await?
            }
            opened => opened,
        };
        opened.map(T::from).map_err(|answer| refusal(&answer))
    }

    async fn send(self) -> Result<Answer, Error> {
        let answer = self.answer().await?;
        if !answer.status.is_success() {
            return Err(refusal(&answer));
        }
        Ok(answer)
    }

    async fn answer(self) -> Result<Answer, Error> {
        let (mut request, deadline) = (self.request()?, self.deadline());
        let (http, repeat) = (self.client.http(), self.repeat());
        let token = self.authorize(&mut request, deadline).await?;
        let mut answer = http.send(&request, repeat, deadline).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // The token may have been revoked. Nothing was done, so every call can be sent again, once.
            self.client.tokens().reject(&token);
            self.authorize(&mut request, deadline).await?;
            answer = http.send(&request, repeat, deadline).await?;
        }
        Ok(answer)
    }

    async fn authorize(
        &self,
        request: &mut Request,
        deadline: Deadline,
    ) -> Result<AccessToken, Error> {
        let tokens = self.client.tokens();
        let token = deadline.bound(tokens.endpoint(), tokens.token()).await?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, token.authorization());
        Ok(token)
    }

    fn deadline(&self) -> Deadline {
        match self.timeout {
            Some(timeout) => Deadline::after(timeout),
            None => self.client.http().deadline(),
        }
    }

    fn repeat(&self) -> Repeat {
        let harmless = matches!(self.method, Method::GET | Method::DELETE);
        if harmless || self.idempotency_key.is_some() {
            Repeat::Harmless
        } else {
            Repeat::Harmful
        }
    }

    fn request(&self) -> Result<Request, Error> {
        let mut url = self.url.clone()?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = Request::new(self.method.clone(), url);
        let headers = request.headers_mut();
        if let Some(etag) = &self.if_match {
            headers.insert(IF_MATCH, header_value("the ETag", etag)?);
        }
        if let Some(key) = &self.idempotency_key {
            // RFC 9651 §3.3.3: a string is quoted.
            let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
            let mut value = header_value("the idempotency key", &format!("\"{escaped}\""))?;
            value.set_sensitive(true);
            headers.insert(IDEMPOTENCY_KEY, value);
        }
        if !self.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            *request.body_mut() = Some(Value::Object(self.body.clone()).to_string().into());
        }
        Ok(request)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("client", &self.client)
            .field("method", &self.method)
            .field("url", &self.url.as_ref().map(Url::as_str))
            .field("query", &self.query)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

fn header_value(what: &str, text: &str) -> Result<HeaderValue, Error> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let value = HeaderValue::from_str(text).ok().filter(|_| printable);
    value.ok_or_else(|| Error::invalid(format!("{what} must be printable ASCII")))
}

/// The error for an error response of the management API.
fn refusal(answer: &Answer) -> Error {
    let refusal = match answer.json::<wire::ApiError>() {
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    ApiError {
        status: answer.status.as_u16(),
        code: refusal.code,
        message: refusal.message,
        request_id: refusal.request_id,
        errors: refusal.errors,
        missing_scopes: refusal.missing_scopes,
        retry_after: answer.retry_after(),
    }
    .into()
}

/// Defines a type for a call: it wraps [`Call`], is sent when it is awaited, and has the options that calls share. The type of
/// the body, if there is one, stands in parentheses.
macro_rules! call {
    ($(#[$doc:meta])* $name:ident $(($body:ty))? -> $answer:ty, $read:ident $(, $option:ident)*) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[must_use = "a call is sent when it is awaited"]
        pub struct $name {
            pub(crate) call: Call,
            $(pub(crate) body: $body,)?
        }

        impl $name {
            /// How long the call may take in all: getting a token, every retry, and every pause before one. Default:
            /// [`HttpOptions::timeout`](crate::HttpOptions::timeout).
            pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
                self.call.timeout = Some(timeout);
                self
            }

            $(call!(@$option);)*
        }

        impl IntoFuture for $name {
            type Output = Result<$answer, crate::error::Error>;
            type IntoFuture = futures_util::future::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                let call = self.call;
                $(let call = call.body::<$body>(&self.body);)?
                Box::pin(call.$read())
            }
        }
    };

    (@if_match) => {
        /// Makes the change only if the account is still in this version, which is the [`etag`](crate::Versioned::etag) of
        /// an earlier answer. Otherwise the call fails with status 412, `precondition_failed`.
        pub fn if_match(mut self, etag: impl Into<String>) -> Self {
            self.call.if_match = Some(etag.into());
            self
        }
    };

    (@idempotency_key) => {
        /// The key by which the server recognizes a repeat of this call. For 24 hours the server answers a repeat as it
        /// answered the first call, including the secret. By default each call has a random key, which its retries share.
        /// Set your own to repeat a call from another process: 1 to 255 characters of printable ASCII that nobody can guess.
        pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
            self.call.idempotency_key = Some(key.into());
            self
        }
    };
}
pub(crate) use call;
