//! `public_url`: the URL of the server, as clients see it.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::Deserialize;
use url::{Host, ParseError, Url};

/// The URL under which clients reach the server: `http` or `https`, without query, fragment, user and trailing slash. It is
/// normalized, because clients compare issuers as strings (RFC 8414 §3.3).
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PublicUrl(Url);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| match error {
            ParseError::RelativeUrlWithoutBase => {
                "must be a complete URL, such as https://prokura.example.com".to_owned()
            }
            error => format!("must be a valid URL: {error}"),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must begin with https:// or http://".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must not have a query or a fragment".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not have a user or a password".to_owned());
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl PublicUrl {
    /// The default for a server that listens on `address` with `scheme`.
    pub(crate) fn of_listener(scheme: &str, address: SocketAddr) -> Self {
        let url = Url::parse(&format!("{scheme}://{address}"));
        Self(url.expect("a socket address is a valid URL authority"))
    }

    /// The host name, or the IP address without brackets.
    pub(crate) fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => self.0.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether the scheme is `https`.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether the scheme is `https` or the host is this machine, so that no secret crosses a network in clear.
    pub(crate) fn is_https_or_loopback(&self) -> bool {
        self.is_https()
            || match self.0.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }

    /// The same URL with `localhost` instead of `127.0.0.1`, or the reverse. `None` for any other host.
    pub(crate) fn loopback_twin(&self) -> Option<Self> {
        let twin = match self.0.host()? {
            Host::Domain("localhost") => "127.0.0.1",
            Host::Ipv4(Ipv4Addr::LOCALHOST) => "localhost",
            _ => return None,
        };
        let mut url = self.0.clone();
        url.set_host(Some(twin)).ok()?;
        Some(Self(url))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_one_spelling() {
        for (given, kept) in [
            ("https://Auth.Example.com:443/", "https://auth.example.com"),
            (
                "https://example.com/prokura/",
                "https://example.com/prokura",
            ),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080//", "http://[::1]:8080"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().unwrap().to_string(), kept);
        }
        for refused in [
            "",
            "example.com",
            "/api",
            "ftp://example.com",
            "https://example.com?",
            "https://example.com/#",
            "https://user@example.com",
            "https://:pass@example.com",
            "https://",
        ] {
            assert!(refused.parse::<PublicUrl>().is_err(), "{refused:?}");
        }
    }

    #[test]
    fn plain_http_is_only_allowed_on_loopback() {
        for (url, fine) in [
            ("https://example.com", true),
            ("http://localhost", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]", true),
            ("http://example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            let url = url.parse::<PublicUrl>().unwrap();
            assert_eq!(url.is_https_or_loopback(), fine, "{url}");
        }
    }

    #[test]
    fn localhost_and_127_0_0_1_are_each_others_twin() {
        let twin = |url: &str| {
            url.parse::<PublicUrl>()
                .unwrap()
                .loopback_twin()
                .map(|url| url.to_string())
        };
        assert_eq!(
            twin("http://127.0.0.1:8080/p").as_deref(),
            Some("http://localhost:8080/p")
        );
        assert_eq!(
            twin("https://localhost").as_deref(),
            Some("https://127.0.0.1")
        );
        assert_eq!(twin("http://[::1]:8080"), None);
        assert_eq!(twin("https://example.com"), None);
    }
}
