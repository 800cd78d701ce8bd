//! What is answered: read whole, or bit by bit.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    Error,
    error::{unreachable, without_query},
    http::Deadline,
};

/// The most that an answer may hold. A page of 200 accounts is far below.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether an attempt before this one may have done what was asked for.
    pub(crate) may_be_done_before: bool,
}

impl Answer {
    /// Reads the answer whole.
    pub(crate) async fn read(mut response: Response, deadline: Deadline) -> Result<Self, Error> {
        let url = response.url().clone();
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut answer = Self {
            url,
            status,
            headers,
            body: Bytes::new(),
            may_be_done_before: false,
        };
        let mut body = BytesMut::new();
        loop {
            let chunk = async {
                let chunk = response.chunk().await;
                chunk.map_err(|error| unreachable(&answer.url, error))
            };
            match deadline.bound(&answer.url, chunk).await? {
                Some(chunk) if body.len() + chunk.len() > MAX_BODY_BYTES => {
                    return Err(answer.unintelligible("it is too large"));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        answer.body = body.freeze();
        Ok(answer)
    }

    /// A header. `None`: it is not there, or not text.
    pub(crate) fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `X-Request-Id`.
    pub(crate) fn request_id(&self) -> Option<String> {
        request_id(&self.headers)
    }

    /// RFC 9110 §10.2.3: seconds, or a date, which is compared with the answer's own, so that no clock of ours matters.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER)?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        let (until, now): (SystemTime, SystemTime) = (date(text)?, date(self.header(DATE)?)?);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // The cause is not told: it may quote what was in the answer.
        serde_json::from_slice(&self.body).map_err(|_| {
            let media_type = self.header(CONTENT_TYPE).unwrap_or("unknown type");
            self.unintelligible(&format!(
                "{} bytes of {media_type} that are not what was asked for",
                self.body.len()
            ))
        })
    }

    /// The error of an answer that follows no protocol.
    pub(crate) fn unintelligible(&self, what: &str) -> Error {
        let what = match self.header(LOCATION) {
            Some(target) if self.status.is_redirection() => {
                format!("a redirect to {target}; if that is the server, give its URL")
            }
            _ => what.to_owned(),
        };
        Error::Unintelligible {
            url: without_query(&self.url),
            status: self.status.as_u16(),
            what,
            request_id: self.request_id(),
            retry_after: self.retry_after(),
        }
    }
}

/// The body of an answer, read bit by bit.
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    idle_timeout: Duration,
}

impl Body {
    /// The body of `response`, of which some must come within `idle_timeout`.
    pub(crate) fn new(response: Response, idle_timeout: Duration) -> Self {
        Self {
            response,
            idle_timeout,
        }
    }

    /// The next bytes. `None`: that was all of it; a body that broke off is an error.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let url = self.response.url().clone();
        let chunk = async {
            let chunk = self.response.chunk().await;
            chunk.map_err(|error| unreachable(&url, error))
        };
        Deadline::after(self.idle_timeout).bound(&url, chunk).await
    }

    /// The error of a body that follows no protocol.
    pub(crate) fn unintelligible(&self, what: &str) -> Error {
        Error::Unintelligible {
            url: without_query(self.response.url()),
            status: self.response.status().as_u16(),
            what: what.to_owned(),
            request_id: request_id(self.response.headers()),
            retry_after: None,
        }
    }
}

/// `X-Request-Id`.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HeaderName::from_static("x-request-id"))?;
    id.to_str().ok().map(str::to_owned)
}
