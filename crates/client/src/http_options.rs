//! Timeouts, retries and the HTTP client.

use std::time::Duration;

use url::{Host, Url};

use crate::error::Error;

/// Timeouts, retries and the HTTP client.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) plain_http: bool,
    pub(crate) client: Option<reqwest::Client>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            attempt_timeout: Duration::from_secs(10),
            max_retries: 3,
            plain_http: false,
            client: None,
        }
    }
}

impl HttpOptions {
    /// The defaults: 30 s for a call, 10 s for an attempt, 3 retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long a call may take: the token request, every retry, and every pause before a retry. Default: 30 s. If a pause
    /// would pass this time, the call fails at once.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long one attempt may take. Default: 10 s.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How often a request is sent again. Default: 3. [`Client`](crate::Client#retries) lists which requests are. The pause
    /// before a retry doubles from 0.25 s to 10 s at most, and `Retry-After` is added to it.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Accepts `http://` URLs of other machines, to which secrets and tokens are sent unencrypted. For networks that encrypt
    /// below HTTP. URLs of this machine are always accepted.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// The HTTP client that sends the requests: to set a proxy or CA certificates, or to share connections. It must not
    /// follow redirects, which would carry secrets and tokens to another server.
    ///
    /// The default client trusts the system's CA certificates (on Linux also those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// name) and uses the proxy that `HTTPS_PROXY` and the like name.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Parses a URL to which secrets are sent. Errors do not quote credentials in it.
    pub(crate) fn parse_url(&self, text: &str) -> Result<Url, Error> {
        let invalid = |what: &str| Error::invalid(format!("{text:?} {what}"));
        let url = Url::parse(text).map_err(|error| invalid(&format!("is not a URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid_with_hint(
                "the URL must not contain credentials",
                "pass the client ID and secret as ClientCredentials",
            ));
        }
        match url.scheme() {
            _ if url.fragment().is_some() => Err(invalid("must not have a fragment")),
            "https" => Ok(url),
            "http" if self.plain_http || is_loopback(&url) => Ok(url),
            "http" => Err(Error::invalid_with_hint(
                format!("{text:?} must begin with https://, because secrets are sent to it"),
                "allow plain HTTP if the network encrypts below HTTP",
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
