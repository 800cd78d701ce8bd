//! Fresh access tokens.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{RequestBuilder, Response, StatusCode, header::AUTHORIZATION};
use tokio::{sync::watch, time::Instant};
use url::Url;

use crate::{
    access_token::AccessToken,
    credentials::ClientCredentials,
    error::{Error, unreachable},
    http::Http,
    http_options::HttpOptions,
    token_request::TokenRequest,
};

/// After a failed renewal, how long to wait before the next one while the old token is still valid.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// Fresh access tokens from a token endpoint (RFC 6749 §4.4). Cloning is cheap; all clones share one token.
///
/// * The token is reused until shortly before it expires.
/// * It is renewed ahead of that in the background. Callers go on with the old token, even if the renewal fails.
/// * Only one token request is in flight. All callers that need a token wait for it, and a failure goes to all of them. A
///   later call starts a new request. A caller that stops waiting does not end the request for the others.
/// * A token that an API rejects is replaced: [`send`](Self::send) does so and sends the request again once. If you send
///   requests yourself, call [`reject`](Self::reject).
///
/// It works with any server that follows RFC 6749, also if `expires_in` or `scope` is missing from the response. A token
/// of unknown lifetime is used for five minutes. A Tokio runtime is required.
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/server.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = server::start().await;
/// # let (token_endpoint, orders) = (format!("{server}/oauth2/token"), format!("{server}/orders"));
/// use prokura_client::{ClientCredentials, TokenSource};
///
/// let credentials = ClientCredentials::new("sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", "prk_…");
/// let tokens = TokenSource::builder(token_endpoint, credentials)
///     .scope("orders:read")
///     .resource("https://orders.example.com")
///     .build()?;
///
/// // Call an API. The token is added, and replaced if the API rejects it.
/// let http = reqwest::Client::new();
/// let response = tokens.send(http.get(orders)).await?;
/// assert_eq!(response.status(), 200);
///
/// // Or get the token, for another HTTP client.
/// let token = tokens.token().await?;
/// assert_eq!(token.scope(), Some("orders:read"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenSource(Arc<Shared>);

struct Shared {
    request: TokenRequest,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<AccessToken>,
    flight: Option<Flight>,
    no_renewal_before: Option<Instant>,
}

/// A token request in flight. The channel carries its outcome. It is closed without one if the runtime shuts down first.
type Flight = watch::Receiver<Option<Result<AccessToken, Error>>>;

impl TokenSource {
    /// Tokens from this token endpoint for the client with these credentials.
    pub fn builder(
        token_endpoint: impl Into<String>,
        credentials: ClientCredentials,
    ) -> TokenSourceBuilder {
        TokenSourceBuilder {
            token_endpoint: token_endpoint.into(),
            credentials,
            parameters: Vec::new(),
            http: HttpOptions::default(),
        }
    }

    pub(crate) fn new(request: TokenRequest) -> Self {
        Self(Arc::new(Shared {
            request,
            state: Mutex::default(),
        }))
    }

    /// A token that may be used now. Waits for a token request only if there is none.
    pub async fn token(&self) -> Result<AccessToken, Error> {
        let mut flight = match self.held() {
            Ok(token) => return Ok(token),
            Err(flight) => flight,
        };
        match flight.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(Error::Abandoned),
        }
    }

    /// Drops a token that a server rejected with status 401. The next call of [`token`](Self::token) requests a new one.
    /// Does nothing if another token has already replaced it, so that many rejected calls cause only one token request.
    pub fn reject(&self, token: &AccessToken) {
        let mut state = self.0.state();
        if state.current.as_ref().map(AccessToken::expose) == Some(token.expose()) {
            state.current = None;
        }
    }

    /// Sends a request with a token. After status 401 the token is replaced and the request is sent again once, unless its
    /// body is a stream. Returns the last response, whatever its status.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let (client, request) = request.build_split();
        let mut request = request.map_err(|error| {
            Error::invalid(format!("the request is invalid: {}", error.without_url()))
        })?;
        let again = request.try_clone();
        let url = request.url().clone();

        let token = self.token().await?;
        request
            .headers_mut()
            .insert(AUTHORIZATION, token.authorization());
        let sent = client.execute(request).await;
        let response = sent.map_err(|error| unreachable(&url, error))?;
        let Some(mut again) = again.filter(|_| response.status() == StatusCode::UNAUTHORIZED)
        else {
            return Ok(response);
        };

        self.reject(&token);
        let token = self.token().await?;
        again
            .headers_mut()
            .insert(AUTHORIZATION, token.authorization());
        let sent = client.execute(again).await;
        sent.map_err(|error| unreachable(&url, error))
    }

    pub(crate) fn endpoint(&self) -> &Url {
        &self.0.request.endpoint
    }

    /// The current token, or the request to wait for. Starts a renewal that is due.
    fn held(&self) -> Result<AccessToken, Flight> {
        let now = Instant::now();
        let mut state = self.0.state();
        let fresh = state.current.clone().filter(|token| token.is_fresh(now));
        let Some(token) = fresh else {
            return Err(self.flight(&mut state));
        };
        let may_renew = state.no_renewal_before.is_none_or(|instant| instant <= now);
        if token.is_due(now) && may_renew {
            self.flight(&mut state);
        }
        Ok(token)
    }

    /// The request in flight, or a new one.
    fn flight(&self, state: &mut State) -> Flight {
        // The channel of a request whose runtime has shut down is closed.
        let alive = |flight: &&Flight| flight.has_changed().is_ok();
        if let Some(flight) = state.flight.as_ref().filter(alive) {
            return flight.clone();
        }
        let (done, flight) = watch::channel(None);
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let outcome = shared.request.send().await;
            shared.land(&outcome);
            // Fails if nobody waits.
            let _ = done.send(Some(outcome));
        });
        state.flight = Some(flight.clone());
        flight
    }
}

impl Shared {
    /// Keeps the token. After a failure, delays the next renewal.
    fn land(&self, outcome: &Result<AccessToken, Error>) {
        let mut state = self.state();
        state.flight = None;
        match outcome {
            Ok(token) => {
                state.current = Some(token.clone());
                state.no_renewal_before = None;
            }
            Err(_) => state.no_renewal_before = Some(Instant::now() + RENEWAL_PAUSE),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No change of the state can stop halfway, so it is valid even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("endpoint", &self.0.request.endpoint.as_str())
            .field("client_id", &self.0.request.credentials.client_id())
            .finish_non_exhaustive()
    }
}

/// Builds a [`TokenSource`].
#[derive(Clone, Debug)]
pub struct TokenSourceBuilder {
    pub(crate) token_endpoint: String,
    pub(crate) credentials: ClientCredentials,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) http: HttpOptions,
}

impl TokenSourceBuilder {
    /// The scopes to request, separated by spaces. Default: the server decides.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.parameter("scope", scope)
    }

    /// The resource that the tokens are for, a URI (RFC 8707). Can be set several times.
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.parameter("resource", resource)
    }

    /// The audience that the tokens are for, for servers that use this name instead of `resource`.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.parameter("audience", audience)
    }

    /// Adds a parameter to the token request.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Timeouts, retries and the HTTP client.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// Builds the token source. Sends nothing before the first token is needed. The URL must be `https`, or of this machine.
    pub fn build(self) -> Result<TokenSource, Error> {
        let endpoint = self.http.parse_url(&self.token_endpoint)?;
        Ok(TokenSource::new(TokenRequest {
            http: Http::new(self.http, &endpoint)?,
            endpoint,
            credentials: self.credentials,
            parameters: self.parameters,
        }))
    }
}
