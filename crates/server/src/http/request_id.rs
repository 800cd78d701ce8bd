//! Request ids: the id that a proxy in front of the server assigned, or one of the server's own.

use std::{
    str,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::http::{HeaderMap, HeaderName};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id accepted from a proxy.
const MAX_CHARS: usize = 128;

/// The id of one request: 1 to 128 ASCII letters, digits, `-`, `_` and `.`, so it is safe in a log and in a header. It is kept
/// inline: a request allocates nothing for it.
pub(super) struct RequestId {
    bytes: [u8; MAX_CHARS],
    length: usize,
}

impl RequestId {
    /// `None`: `text` is not an id.
    fn parse(text: &[u8]) -> Option<Self> {
        let is_allowed =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let length = (1..=MAX_CHARS).contains(&text.len());
        (length && text.iter().all(is_allowed)).then(|| Self::of([text]))
    }

    /// The id made of these parts, which must fit.
    fn of<const N: usize>(parts: [&[u8]; N]) -> Self {
        let mut id = Self {
            bytes: [0; MAX_CHARS],
            length: 0,
        };
        for part in parts {
            let end = id.length + part.len();
            id.bytes[id.length..end].copy_from_slice(part);
            id.length = end;
        }
        id
    }

    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).expect("an id is ASCII")
    }
}

/// Assigns request ids.
pub(super) struct RequestIds {
    /// Random, so that the ids of two nodes or two runs differ.
    prefix: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) const fn new(prefix: String) -> Self {
        Self {
            prefix,
            count: AtomicU64::new(0),
        }
    }

    /// The id in `X-Request-Id` if it is acceptable, else a new one: `PREFIX-NUMBER`.
    pub(super) fn assign(&self, headers: &HeaderMap) -> RequestId {
        headers
            .get(X_REQUEST_ID)
            .and_then(|value| RequestId::parse(value.as_bytes()))
            .unwrap_or_else(|| {
                let number = self.count.fetch_add(1, Ordering::Relaxed);
                let mut buffer = itoa::Buffer::new();
                let number = buffer.format(number).as_bytes();
                RequestId::of([self.prefix.as_bytes(), b"-", number])
            })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_id_of_a_proxy_is_kept_if_it_is_safe_to_log() {
        let ids = RequestIds::new("7b53".to_owned());
        let assign = |id: &str| {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            headers.insert(X_REQUEST_ID, value);
            ids.assign(&headers).as_str().to_owned()
        };
        let longest = "a".repeat(MAX_CHARS);
        for id in ["0b6f-A_.1", &longest] {
            assert_eq!(assign(id), id);
        }
        let too_long = "a".repeat(MAX_CHARS + 1);
        for (id, number) in ["", "a b", "a\t", "\u{e9}", &too_long].iter().zip(0..) {
            assert_eq!(assign(id), format!("7b53-{number}"), "{id:?}");
        }
        assert_eq!(ids.assign(&HeaderMap::new()).as_str(), "7b53-5");
    }
}
