//! Reads answers, at once or as a stream.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{
    Response, StatusCode,
    header::{AsHeaderName, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    deadline::Deadline,
    error::{Error, unreachable, without_query},
};

/// The largest body that is read. A page of 200 accounts is far smaller.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer and its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the server may have processed an earlier attempt.
    pub(crate) may_be_done_before: bool,
}

impl Answer {
    /// Reads the whole body.
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
                    return Err(answer.unexpected("the body is larger than 16 MiB"));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        answer.body = body.freeze();
        Ok(answer)
    }

    /// A header. `None`: it is missing or not text.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `X-Request-Id`.
    pub(crate) fn request_id(&self) -> Option<String> {
        self.header(REQUEST_ID).map(str::to_owned)
    }

    /// `Retry-After` (RFC 9110 §10.2.3). A date is compared with the answer's own `Date`, so the local clock need not be
    /// right. `None`: the header is missing or malformed.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER)?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = |text: &str| httpdate::parse_http_date(text).ok();
        let (until, now) = (date(text)?, date(self.header(DATE)?)?);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// Parses the body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // serde's error is dropped: it may quote the body.
        serde_json::from_slice(&self.body).map_err(|_| {
            let media_type = self.header(CONTENT_TYPE).unwrap_or("unknown type");
            self.unexpected(&format!(
                "the body is not the expected JSON ({} bytes of {media_type})",
                self.body.len()
            ))
        })
    }

    /// The error for an answer that does not have the documented form.
    pub(crate) fn unexpected(&self, reason: &str) -> Error {
        let target = self.header(LOCATION);
        let (reason, hint) = match target.filter(|_| self.status.is_redirection()) {
            Some(target) => (
                format!("a redirect to {target}"),
                "if the redirect leads to the server, use that URL",
            ),
            None => (reason.to_owned(), CHECK_URL),
        };
        Error::UnexpectedResponse {
            url: without_query(&self.url),
            status: self.status.as_u16(),
            reason,
            hint,
            request_id: self.request_id(),
            retry_after: self.retry_after(),
        }
    }
}

const CHECK_URL: &str = "check the server's URL and any proxy in front of the server";

/// The body of an answer, read as a stream.
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    idle_timeout: Duration,
}

impl Body {
    /// The body of `response`. It times out if nothing arrives for `idle_timeout`.
    pub(crate) fn new(response: Response, idle_timeout: Duration) -> Self {
        Self {
            response,
            idle_timeout,
        }
    }

    /// The next bytes. `None`: the body has ended. A body that breaks off is an error.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let url = self.response.url().clone();
        let chunk = async {
            let chunk = self.response.chunk().await;
            chunk.map_err(|error| unreachable(&url, error))
        };
        Deadline::after(self.idle_timeout).bound(&url, chunk).await
    }

    /// The error for a body that does not have the documented form.
    pub(crate) fn unexpected(&self, reason: &str) -> Error {
        let id = self.response.headers().get(REQUEST_ID);
        Error::UnexpectedResponse {
            url: without_query(self.response.url()),
            status: self.response.status().as_u16(),
            reason: reason.to_owned(),
            hint: CHECK_URL,
            request_id: id.and_then(|id| id.to_str().ok()).map(str::to_owned),
            retry_after: None,
        }
    }
}
