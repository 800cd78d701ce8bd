//! Successful responses of the management API: whole, or streamed while the store is read.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, future::ready, stream};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::{
    authority::{RecordedResponse, Unavailable},
    domain::ServiceAccountId,
    http::{
        cause::{Cause, chain},
        exchange::Exchange,
    },
};

/// `value` as a JSON response.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    Answer::json(status, value).into_response()
}

/// Appends `value` as JSON to `text`.
pub(super) fn push_json(text: &mut String, value: &impl Serialize) {
    let json = serde_json::to_string(value);
    text.push_str(&json.expect("a response is made of strings and numbers"));
}

/// A whole response. It can be stored, for a repeat of an idempotent request.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The headers of most responses, with those that the steps add.
const HEADERS: usize = 6;
/// The size of most bodies, in bytes.
const BODY_BYTES: usize = 1024;

/// A stored response: status, headers, body.
type Kept<'a> = (u16, Vec<(Cow<'a, str>, Cow<'a, str>)>, Cow<'a, str>);

/// A stored response has another format.
#[derive(Debug, thiserror::Error)]
#[error(
    "the response stored for an Idempotency-Key cannot be read; another version of Prokura stored it"
)]
struct UnreadableAnswer;

impl Answer {
    /// `value` as a JSON response.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let mut body = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut body, value).expect("a response is made of strings and numbers");
        Self::written(status, body)
    }

    /// A body that is JSON already.
    pub(super) fn written(status: StatusCode, body: impl Into<Vec<u8>>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            status,
            headers: HeaderMap::with_capacity(HEADERS),
            body: body.into(),
        }
        .with(header::CONTENT_TYPE, json)
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The response as it is stored.
    pub(super) fn to_recorded(&self) -> RecordedResponse {
        // Headers and body are text, so nothing is lost.
        let headers = self.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (Cow::from(name.as_str()), value)
        });
        let kept: Kept<'_> = (
            self.status.as_u16(),
            headers.collect(),
            String::from_utf8_lossy(&self.body),
        );
        RecordedResponse::new(
            serde_json::to_vec(&kept).expect("a response is made of strings and a number"),
        )
    }

    /// The account that a recorded response names: the one whose secret it contains.
    pub(super) fn account_in(recorded: &RecordedResponse) -> Option<ServiceAccountId> {
        let answer = read(recorded.expose())?;
        let named = serde_json::from_slice::<NamesAccount>(&answer.body).ok()?;
        ServiceAccountId::parse(&named.service_account.id)
    }

    /// Reads a response that [`Self::to_recorded`] wrote.
    pub(super) fn from_recorded(recorded: &RecordedResponse) -> Result<Self, ApiError> {
        read(recorded.expose()).ok_or_else(|| ApiError::Unavailable(Cause::new(UnreadableAnswer)))
    }
}

/// The part of a recorded response that names the account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamesAccount {
    service_account: NamedAccount,
}

#[derive(Deserialize)]
struct NamedAccount {
    id: String,
}

fn read(kept: &[u8]) -> Option<Answer> {
    let (status, headers, body) = serde_json::from_slice::<Kept<'_>>(kept).ok()?;
    let headers = headers.into_iter().map(|(name, value)| {
        let name = HeaderName::try_from(&*name).ok()?;
        Some((name, HeaderValue::try_from(&*value).ok()?))
    });
    Some(Answer {
        status: StatusCode::from_u16(status).ok()?,
        headers: headers.collect::<Option<_>>()?,
        body: body.into_owned().into_bytes(),
    })
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The text around the items of a list.
pub(super) struct Format {
    content_type: &'static str,
    open: &'static str,
    between: &'static str,
    after_each: &'static str,
    close: &'static str,
}

/// One JSON object with all items in it.
pub(super) const JSON_LIST: Format = Format {
    content_type: "application/json",
    open: r#"{"items":["#,
    between: ",",
    after_each: "",
    close: "]}",
};

/// One JSON object per line.
pub(super) const JSON_LINES: Format = Format {
    content_type: "application/x-ndjson",
    open: "",
    between: "",
    after_each: "\n",
    close: "",
};

/// A whole list, streamed while the store is read. `push` appends an item. The first chunk is read before the response begins,
/// so an unavailable store is a 503. If the store fails later, the response ends early and the connection is closed.
pub(super) async fn streamed<T: Send + 'static>(
    format: Format,
    exchange: Arc<Exchange>,
    chunks: impl Stream<Item = Result<Vec<T>, Unavailable>> + Send + 'static,
    push: fn(&mut String, &T),
) -> Result<Response, ApiError> {
    let mut chunks = Box::pin(chunks);
    let first = chunks.next().await.transpose()?.unwrap_or_default();
    // The log line of the request has been written by then.
    let rest = chunks.inspect_err(move |error| {
        tracing::error!(
            request_id = exchange.request_id.as_str(),
            cause = chain(error),
            "a streamed response ended early"
        );
    });
    let mut is_first = true;
    let items = stream::once(ready(Ok(first)))
        .chain(rest)
        .map(move |chunk| {
            let mut text = String::new();
            for found in chunk? {
                if !std::mem::take(&mut is_first) {
                    text.push_str(format.between);
                }
                push(&mut text, &found);
                text.push_str(format.after_each);
            }
            Ok::<_, Unavailable>(Bytes::from(text))
        });
    let text = |text: &'static str| stream::once(ready(Ok(Bytes::from_static(text.as_bytes()))));
    let body = text(format.open).chain(items).chain(text(format.close));
    Ok((
        [(header::CONTENT_TYPE, format.content_type)],
        Body::from_stream(body),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_response_is_read_back_unchanged() {
        let answer = Answer::json(StatusCode::CREATED, &["\"\u{1f600}\n"])
            .with(header::LOCATION, HeaderValue::from_static("http://a/b"))
            .with(header::ETAG, HeaderValue::from_static("\"1\""));
        let again = Answer::from_recorded(&answer.to_recorded()).ok().unwrap();
        assert_eq!(again.status, answer.status);
        assert_eq!(again.headers, answer.headers);
        assert_eq!(again.body, answer.body);
    }

    #[test]
    fn a_malformed_stored_response_is_refused() {
        for kept in [
            "",
            "{}",
            "[201,[],1]",
            "[1,[],\"\"]",
            "[201,[[\"\\n\",\"\"]],\"\"]",
        ] {
            let kept = RecordedResponse::new(kept.as_bytes().to_vec());
            assert!(Answer::from_recorded(&kept).is_err());
        }
    }
}
