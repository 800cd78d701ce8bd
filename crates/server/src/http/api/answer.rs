//! Answers as the management API writes them: whole, or as they are read.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, future::ready, stream};
use serde::Serialize;

use super::ApiError;
use crate::{
    authority::{Origin, Unavailable},
    http::door,
};

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("an answer is made of strings and numbers");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
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

/// A whole list, written as it is read. The first chunk is read before the answer begins, so that a store that is away is
/// a 503; one that goes away later cuts the answer off.
pub(super) async fn streamed<T: Send + 'static, W: Serialize + 'static>(
    format: Format,
    origin: Origin,
    chunks: impl Stream<Item = Result<Vec<T>, Unavailable>> + Send + 'static,
    item: fn(&T) -> W,
) -> Result<Response, ApiError> {
    let mut chunks = Box::pin(chunks);
    let first = chunks.next().await.transpose()?.unwrap_or_default();
    // The door has logged the request by then, as one that went well.
    let rest = chunks.inspect_err(move |error| {
        tracing::error!(
            request_id = origin.request_id,
            cause = door::chain(error),
            "an answer was cut off"
        );
    });
    let mut is_first = true;
    let items = stream::once(ready(Ok(first)))
        .chain(rest)
        .map(move |chunk| {
            let mut text = Vec::new();
            for found in chunk? {
                if !std::mem::take(&mut is_first) {
                    text.extend_from_slice(format.between.as_bytes());
                }
                serde_json::to_writer(&mut text, &item(&found))
                    .map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)?;
                text.extend_from_slice(format.after_each.as_bytes());
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Bytes::from(text))
        });
    let text = |text: &'static str| stream::once(ready(Ok(Bytes::from_static(text.as_bytes()))));
    let body = text(format.open).chain(items).chain(text(format.close));
    Ok((
        [(header::CONTENT_TYPE, format.content_type)],
        Body::from_stream(body),
    )
        .into_response())
}
