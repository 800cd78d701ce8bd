//! Reads the body of a request whole, within a limit and a time.
//!
//! The body is read before the caller is authenticated. A token that expires or is revoked while its bearer sends the body
//! slowly is then judged when the body is complete.

use std::{error::Error, pin::pin, task::Poll, time::Duration};

use axum::body::HttpBody;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::http::{
    exchange::{Exchange, Protocol},
    refusal::Refusal,
};

/// The longest body of an OAuth request, in bytes. The form parser has a lower limit of its own and says which parameter is
/// too long.
const OAUTH_LIMIT_BYTES: usize = 128 * 1024;
/// The longest body elsewhere, in bytes: room for every field at its longest.
const MANAGEMENT_LIMIT_BYTES: usize = 64 * 1024;
/// How long a body may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads `body`.
pub(in crate::http) async fn read<B>(exchange: &Exchange, body: B) -> Result<Bytes, Refusal>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let limit = match exchange.protocol {
        Protocol::OAuth => OAUTH_LIMIT_BYTES,
        Protocol::Management => MANAGEMENT_LIMIT_BYTES,
    };
    let mut reading = pin!(read_whole(Limited::new(body, limit)));
    // Most bodies arrive together with the head and need no timer.
    let read = match futures_util::poll!(reading.as_mut()) {
        Poll::Ready(read) => read,
        Poll::Pending => tokio::time::timeout(TIMEOUT, reading)
            .await
            .map_err(|_| Refusal::Timeout)?,
    };
    read.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Refusal::TooLarge
        } else {
            Refusal::Incomplete
        }
    })
}

/// The data of a body. A body of one frame is not copied. Trailers are ignored.
async fn read_whole<B: HttpBody<Data = Bytes>>(body: B) -> Result<Bytes, B::Error> {
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.into()
    })
}
