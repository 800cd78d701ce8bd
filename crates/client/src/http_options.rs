//! How requests are made.

use std::time::Duration;

use url::{Host, Url};

use crate::Error;

/// How requests are made: how long they may take, and how often they are tried.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub(crate) deadline: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) plain_http: bool,
    pub(crate) client: Option<reqwest::Client>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            max_retries: 3,
            plain_http: false,
            client: None,
        }
    }
}

impl HttpOptions {
    /// A deadline of 30 s, 10 s for each attempt, 3 retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a call may take in all: getting a token, every retry, and every pause before one. A pause that would pass
    /// the deadline is not begun.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long one attempt may take.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How often a request is tried again: when the server could not be reached, or answered 429; and where a second request
    /// can do no harm also after 502, 503, 504 and a broken connection. `Retry-After` is honoured.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Accepts `http:` URLs beyond this machine, over which secrets and tokens travel in clear: for networks that encrypt
    /// below HTTP.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Makes requests with this client, for a proxy, certificates of your own, or to share connections. It must not follow
    /// redirects: they would carry secrets to wherever they point.
    ///
    /// Unless it is given, TLS trusts what the system trusts (on Linux also the files that `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name), and `HTTPS_PROXY` and its like are honoured.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Parses the URL of a server, and refuses what would send secrets where they can be read.
    pub(crate) fn parse_url(&self, text: &str) -> Result<Url, Error> {
        let invalid = |what: &str| Error::invalid(format!("{text:?} {what}"));
        let url = Url::parse(text).map_err(|error| invalid(&format!("is no URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid(
                "credentials do not belong into the URL; give them as client id and secret",
            ));
        }
        match url.scheme() {
            _ if url.fragment().is_some() => Err(invalid("must have no fragment")),
            "https" => Ok(url),
            "http" if self.plain_http || is_loopback(&url) => Ok(url),
            "http" => Err(invalid(
                "would send secrets in clear: use https, or allow plain HTTP explicitly",
            )),
            _ => Err(invalid("must begin with https:// or http://")),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
