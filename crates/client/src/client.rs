//! A client of one Prokura.

use std::{fmt, sync::Arc};

use prokura_wire::IntrospectionResponse;
use url::Url;

use crate::{
    Error, TokenSource, TokenSourceBuilder,
    answer::Answer,
    credentials::ClientCredentials,
    http::{Http, Repeat},
    http_options::HttpOptions,
    token_request::{TokenRequest, form_request, oauth_error},
};

/// A client of one Prokura: its management API, introspection and revocation. Cloning it is cheap, and all clones share one
/// token and the connections.
///
/// Each operation of the API is a method of its name. It makes a call, which says what else can be asked, and which happens
/// when it is awaited:
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/server.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let url = server::start().await;
/// use prokura_client::{Client, ClientCredentials};
///
/// let credentials = ClientCredentials::new("sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", "prk_…");
/// let prokura = Client::new(url, credentials)?;
///
/// let created = prokura
///     .create_service_account("CI Pipeline")
///     .description("Used by GitHub Actions")
///     .label("environment", "production")
///     .await?;
/// let id = &created.service_account.id;
/// let secret = created.credentials.client_secret.expose(); // shown this once
/// # assert_eq!(secret.len(), 53);
///
/// let mut accounts = prokura.list_service_accounts().label("environment", "production").stream();
/// while let Some(account) = accounts.try_next().await? {
///     println!("{} {}", account.id, account.name);
/// }
///
/// prokura.delete_service_account(id).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Retries
///
/// Reading is tried again when the server is unreachable, overloaded or restarting, and so is whatever can do no harm when
/// done twice. Creating an account, rotating and adding a secret can, so each such call carries an `Idempotency-Key` of its
/// own, which makes the server do it once. Other changes are tried again only if the first attempt surely did nothing.
/// [`HttpOptions`] says how often and how long. If a deletion that may have happened is tried again and finds nothing, that
/// is a success.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: Http,
    base: Url,
    credentials: ClientCredentials,
    options: HttpOptions,
    tokens: TokenSource,
}

impl Client {
    /// A client of the Prokura at `url`, its public URL, as this service account.
    pub fn new(url: impl Into<String>, credentials: ClientCredentials) -> Result<Self, Error> {
        Self::builder(url, credentials).build()
    }

    /// The same, to say more.
    pub fn builder(url: impl Into<String>, credentials: ClientCredentials) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            credentials,
            scope: None,
            http: HttpOptions::default(),
        }
    }

    /// The tokens with which it calls the management API.
    pub fn tokens(&self) -> &TokenSource {
        &self.0.tokens
    }

    /// Other tokens from the same server and for the same service account: for another API, which is to be named with
    /// [`resource`](TokenSourceBuilder::resource), or for fewer scopes.
    pub fn token_source(&self) -> TokenSourceBuilder {
        let endpoint = self.endpoint(&["oauth2", "token"]);
        TokenSource::builder(endpoint, self.0.credentials.clone()).http(self.0.options.clone())
    }

    /// Asks whether a token lives, and what it says (RFC 7662). It needs the scope `tokens:introspect`.
    ///
    /// A token that does not live, or of another organization, is answered with `active: false`, and that is no error.
    pub async fn introspect_token(&self, token: &str) -> Result<IntrospectionResponse, Error> {
        let answer = self.oauth("introspect", token).await?;
        answer.json()
    }

    /// Ends one of the service account's own tokens before its time (RFC 7009). A token that does not live is a success.
    pub async fn revoke_token(&self, token: &str) -> Result<(), Error> {
        self.oauth("revoke", token).await?;
        Ok(())
    }

    async fn oauth(&self, endpoint: &str, token: &str) -> Result<Answer, Error> {
        let url = self.endpoint(&["oauth2", endpoint]);
        let form = vec![("token".to_owned(), token.to_owned())];
        let request = form_request(&url, &self.0.credentials, form)?;
        // Neither does more the second time.
        let deadline = self.0.http.deadline();
        let answer = self
            .0
            .http
            .send(&request, Repeat::Harmless, deadline)
            .await?;
        if !answer.status.is_success() {
            return Err(oauth_error(&answer));
        }
        Ok(answer)
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    /// The URL of these segments behind that of the server.
    pub(crate) fn endpoint(&self, segments: &[&str]) -> Url {
        endpoint(&self.0.base, segments)
    }
}

fn endpoint(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only a URL that cannot be a base has no segments, and this one is http or https.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.0.base.as_str())
            .field("client_id", &self.0.credentials.client_id())
            .finish_non_exhaustive()
    }
}

/// Says what a [`Client`] is to be like.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    url: String,
    credentials: ClientCredentials,
    scope: Option<String>,
    http: HttpOptions,
}

impl ClientBuilder {
    /// The management scopes to ask for, separated by spaces, for a client that is to be able to do no more. Without it, all
    /// that the service account has.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// How requests are made.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// The client. Nothing is asked before the first call. The URL must be `https`, or on this machine.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.http.parse_url(&self.url)?;
        if base.query().is_some() {
            return Err(Error::invalid(format!("{:?} must have no query", self.url)));
        }
        let http = Http::new(self.http.clone(), &base)?;
        let tokens = TokenSource::new(TokenRequest {
            http: http.clone(),
            endpoint: endpoint(&base, &["oauth2", "token"]),
            credentials: self.credentials.clone(),
            parameters: self
                .scope
                .map(|scope| ("scope".to_owned(), scope))
                .into_iter()
                .collect(),
        });
        Ok(Client(Arc::new(Inner {
            http,
            base,
            credentials: self.credentials,
            options: self.http,
            tokens,
        })))
    }
}
