//! Access tokens that are always fresh.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{RequestBuilder, Response, StatusCode, header::AUTHORIZATION};
use tokio::{sync::watch, time::Instant};
use url::Url;

use crate::{
    AccessToken, Error, credentials::ClientCredentials, error::unreachable, http::Http,
    http_options::HttpOptions, token_request::TokenRequest,
};

/// How long a renewal that failed is left alone while the token still lives.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// Access tokens from a token endpoint (RFC 6749 §4.4), always fresh. Cloning it is cheap, and all clones share one token.
///
/// * A token is kept and given to everybody until shortly before it expires.
/// * It is renewed ahead of that, in the background: nobody waits while the old one lives, whatever becomes of the renewal.
/// * However many wait for a token, one request is under way. It runs on its own: who gives up waiting does not take it from
///   the others. Its failure is given to all who waited, and is not remembered: who comes later asks anew.
/// * A token that a server refuses before its time is replaced: [`send`](Self::send) does so and tries once more, and
///   [`reject`](Self::reject) is for those who send themselves.
///
/// It needs a Tokio runtime, and nothing of the server that is not in the standard: `expires_in` and `scope` may be missing
/// from the answer. A token of unknown lifetime is used for five minutes.
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
/// // A call to an API: the token is added, and replaced if the API refuses it.
/// let http = reqwest::Client::new();
/// let response = tokens.send(http.get(orders)).await?;
/// assert_eq!(response.status(), 200);
///
/// // Or the token itself, for a client that is not reqwest.
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

/// A token request under way. Its end brings an outcome, or closes the channel if the runtime ended first.
type Flight = watch::Receiver<Option<Result<AccessToken, Error>>>;

impl TokenSource {
    /// Tokens from this token endpoint for this client.
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

    /// A token that may be used now.
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

    /// Says that a server refused this token with 401, so that it is not given out again. The next call of
    /// [`token`](Self::token) gets another. Nothing happens if another has taken its place already, so a hundred who were
    /// refused at once cause one request.
    pub fn reject(&self, token: &AccessToken) {
        let mut state = self.0.state();
        if state.current.as_ref().map(AccessToken::expose) == Some(token.expose()) {
            state.current = None;
        }
    }

    /// Sends a request with a token. If it is answered with 401, the token is replaced, and the request sent once more,
    /// unless its body is a stream; whatever is answered then is the answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let (client, request) = request.build_split();
        let mut request = request.map_err(|error| {
            Error::invalid(format!(
                "the request cannot be made: {}",
                error.without_url()
            ))
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

    /// The token that is at hand, or the request to wait for.
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

    /// The request under way, or a new one.
    fn flight(&self, state: &mut State) -> Flight {
        // The channel of a request that died with its runtime is closed.
        let alive = |flight: &&Flight| flight.has_changed().is_ok();
        if let Some(flight) = state.flight.as_ref().filter(alive) {
            return flight.clone();
        }
        let (done, flight) = watch::channel(None);
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let outcome = shared.request.send().await;
            shared.land(&outcome);
            // It may be that nobody waits.
            let _ = done.send(Some(outcome));
        });
        state.flight = Some(flight.clone());
        flight
    }
}

impl Shared {
    /// Keeps a token; remembers of a failure only that renewing can wait.
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
        // Each change of the state is whole, so a panic elsewhere leaves it as good as it was.
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

/// Says what the tokens of a [`TokenSource`] are to be like.
#[derive(Clone, Debug)]
pub struct TokenSourceBuilder {
    pub(crate) token_endpoint: String,
    pub(crate) credentials: ClientCredentials,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) http: HttpOptions,
}

impl TokenSourceBuilder {
    /// The scopes to ask for, separated by spaces. Without it the server decides.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.parameter("scope", scope)
    }

    /// The resource that the tokens are for (RFC 8707), a URI; said twice, for two of them.
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.parameter("resource", resource)
    }

    /// The audience that the tokens are for, where a server calls it so.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.parameter("audience", audience)
    }

    /// A further parameter of the token request.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// How requests to the token endpoint are made.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// The source. Nothing is asked for before the first token is. The URL must be `https`, or on this machine.
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
