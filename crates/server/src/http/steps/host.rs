//! Requires one well-formed `Host` header (RFC 9110 §7.2, RFC 9112 §3.2).

use axum::http::{HeaderMap, header, uri::Authority};

use crate::http::refusal::Refusal;

/// Refuses a request whose `Host` is missing, repeated or malformed. Which host it names does not matter: every URL that the
/// server sends is made of the configured public URL.
pub(in crate::http) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Refusal::BadHost);
    };
    host.to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok())
        // Userinfo is part of a URI's authority, but not of `Host`.
        .filter(|host| !host.as_str().contains('@') && !host.host().is_empty())
        .map(|_| ())
        .ok_or(Refusal::BadHost)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_has_exactly_one_well_formed_host() {
        let check = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::HOST, HeaderValue::from_static(value));
            }
            check(&headers)
        };
        for host in ["prokura.example", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(check(&[host]), Ok(()), "{host}");
        }
        assert_eq!(check(&[]), Err(Refusal::BadHost));
        assert_eq!(check(&["a", "b"]), Err(Refusal::BadHost));
        assert_eq!(check(&["a", "a"]), Err(Refusal::BadHost));
        for host in ["", "a b", "user@host", "a/b", "http://a", ":80"] {
            assert_eq!(check(&[host]), Err(Refusal::BadHost), "{host:?}");
        }
    }
}
