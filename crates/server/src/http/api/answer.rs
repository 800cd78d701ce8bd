//! Answers as the management API writes them: whole, or as they are read.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, future::ready, stream};
use serde::Serialize;

use super::ApiError;
use crate::{
    authority::{Origin, RecordedResponse, Unavailable},
    http::door::{self, Cause},
};

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    Answer::json(status, value).into_response()
}

/// `value` as JSON, behind what `text` has already.
pub(super) fn push_json(text: &mut String, value: &impl Serialize) {
    let json = serde_json::to_string(value);
    text.push_str(&json.expect("an answer is made of strings and numbers"));
}

/// A whole answer, of which a copy can be kept.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// How many headers most answers have, with those that the door adds.
const HEADERS: usize = 6;
/// As much as most answers have.
const BODY_BYTES: usize = 1024;

/// An answer as it is kept: status, headers, body.
type Kept<'a> = (u16, Vec<(Cow<'a, str>, Cow<'a, str>)>, Cow<'a, str>);

/// What was kept is no answer: another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("an answer that was kept for a repeat cannot be read: another version of Prokura wrote it")]
struct UnreadableAnswer;

impl Answer {
    /// `value` as JSON.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let mut body = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut body, value).expect("an answer is made of strings and numbers");
        Self::written(status, body)
    }

    /// What is JSON already.
    pub(super) fn written(status: StatusCode, body: impl Into<Vec<u8>>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            status,
            headers: HeaderMap::with_capacity(HEADERS),
            body: body.into(),
        }
        .with(header::CONTENT_TYPE, json)
    }

    /// The same with a further header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The answer as it is kept.
    pub(super) fn to_recorded(&self) -> RecordedResponse {
        // What is in it is made of text.
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
            serde_json::to_vec(&kept).expect("it is made of strings and a number"),
        )
    }

    /// Reads what [`Self::to_recorded`] wrote.
    pub(super) fn from_recorded(kept: &RecordedResponse) -> Result<Self, ApiError> {
        read(kept.expose()).ok_or_else(|| ApiError::Unavailable(Cause(Arc::new(UnreadableAnswer))))
    }
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

/// How a list is written whose items are written one by one.
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

/// A whole list, written as it is read, its items by `push`. The first chunk is read before the answer begins, so that a store
/// that is away is a 503; one that goes away later cuts the answer off.
pub(super) async fn streamed<T: Send + 'static>(
    format: Format,
    origin: Origin,
    chunks: impl Stream<Item = Result<Vec<T>, Unavailable>> + Send + 'static,
    push: fn(&mut String, &T),
) -> Result<Response, ApiError> {
    let mut chunks = Box::pin(chunks);
    let first = chunks.next().await.transpose()?.unwrap_or_default();
    // The door has logged the request by then, as one that went well.
    let rest = chunks.inspect_err(move |error| {
        tracing::error!(
            request_id = origin.request_id.as_deref(),
            cause = door::chain(error),
            "an answer was cut off"
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
    fn an_answer_that_was_kept_is_the_same() {
        let answer = Answer::json(StatusCode::CREATED, &["\"\u{1f600}\n"])
            .with(header::LOCATION, HeaderValue::from_static("http://a/b"))
            .with(header::ETAG, HeaderValue::from_static("\"1\""));
        let again = Answer::from_recorded(&answer.to_recorded()).ok().unwrap();
        assert_eq!(again.status, answer.status);
        assert_eq!(again.headers, answer.headers);
        assert_eq!(again.body, answer.body);
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
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
