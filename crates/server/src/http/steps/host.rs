//! Requires one well-formed `Host` header (RFC 9110 §7.2, RFC 9112 §3.2).

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

use crate::http::refusal::Refusal;

/// Checks the `Host` of requests.
pub(in crate::http) struct HostCheck {
    /// The host and port of the public URL. Most clients send them, and comparing them instead of parsing saves 3 % of a token
    /// request.
    public: Option<Authority>,
}

impl HostCheck {
    pub(in crate::http) fn new(public_url: &str) -> Self {
        let url = public_url.parse::<Uri>().ok();
        Self {
            public: url.and_then(|url| url.authority().cloned()),
        }
    }

    /// Refuses a request whose `Host` is missing, repeated or malformed. Which host it names does not matter: every URL that
    /// the server sends is made of the public URL.
    pub(in crate::http) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::BadHost);
        };
        let is_public = self
            .public
            .as_ref()
            .is_some_and(|public| host == public.as_str());
        if is_public || is_well_formed(host) {
            Ok(())
        } else {
            Err(Refusal::BadHost)
        }
    }
}

fn is_well_formed(host: &HeaderValue) -> bool {
    host.to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok())
        // The authority of a URI may have userinfo, `Host` may not.
        .is_some_and(|host| !host.as_str().contains('@') && !host.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_exactly_one_well_formed_host() {
        let step = HostCheck::new("http://prokura.example/tenant");
        let check = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::HOST, HeaderValue::from_static(value));
            }
            step.check(&headers)
        };
        for host in [
            "prokura.example",
            "127.0.0.1:8080",
            "[::1]:8080",
            "elsewhere",
        ] {
            assert_eq!(check(&[host]), Ok(()), "{host}");
        }
        assert_eq!(check(&[]), Err(Refusal::BadHost));
        assert_eq!(check(&["a", "b"]), Err(Refusal::BadHost));
        let twice = ["prokura.example", "prokura.example"];
        assert_eq!(check(&twice), Err(Refusal::BadHost));
        for host in ["", "a b", "user@host", "a/b", "http://a", ":80"] {
            assert_eq!(check(&[host]), Err(Refusal::BadHost), "{host:?}");
        }
    }
}
