//! Adds the headers that every response has: the request id, and what browsers and caches must know.

use std::net::IpAddr;

use axum::{
    http::{HeaderValue, Uri, header},
    response::Response,
};

use crate::http::{exchange::Exchange, request_id::X_REQUEST_ID};

/// The headers of every response of a server.
pub(in crate::http) struct ResponseHeaders {
    /// Whether responses carry `Strict-Transport-Security` (RFC 6797).
    is_strict: bool,
}

impl ResponseHeaders {
    /// `over_tls`: every connection to the server is TLS.
    pub(in crate::http) fn new(public_url: &str, over_tls: bool) -> Self {
        Self {
            is_strict: over_tls && is_https_on_a_name(public_url),
        }
    }

    /// Adds the headers.
    pub(in crate::http) fn add(&self, exchange: &Exchange, response: &mut Response) {
        let headers = response.headers_mut();
        let request_id = HeaderValue::from_str(exchange.request_id.as_str());
        headers.insert(X_REQUEST_ID, request_id.expect("an id fits a header"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if self.is_strict {
            headers.insert(
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000"),
            );
        }
        // Responses hold tokens and secrets, so only what is declared public may be cached. `Pragma` says so to caches of
        // HTTP/1.0 (RFC 6749 §5.1).
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        }
    }
}

/// Whether browsers may be told to use nothing but TLS for the host of a URL. They ignore it for IP addresses (RFC 6797
/// §8.1.1), and `localhost` is shared with other servers.
fn is_https_on_a_name(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else {
        return false;
    };
    let host = url.host().unwrap_or_default();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    let is_local = host == "localhost" || host.ends_with(".localhost");
    url.scheme_str() == Some("https") && !is_address && !is_local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_transport_security_is_for_https_on_a_name_of_its_own() {
        assert!(is_https_on_a_name("https://prokura.example"));
        assert!(is_https_on_a_name("https://prokura.example:8443/p"));
        for url in [
            "http://prokura.example",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "https://127.0.0.1:8443",
            "https://localhost:8443",
            "https://prokura.localhost",
        ] {
            assert!(!is_https_on_a_name(url), "{url}");
        }
    }
}
