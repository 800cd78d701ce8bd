//! `prokura token`.

use prokura_client::TokenSourceBuilder;
use serde::Serialize;

use super::{
    error::CommandError,
    print,
    remote_command::Execute,
    target::Target,
    token_cache::{CachedToken, Slot},
};
use crate::failure::Failure;

/// The environment variable for a token.
pub(crate) const VARIABLE: &str = "PROKURA_ACCESS_TOKEN";

/// The options that describe a token.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// API (resource) that the token is for [default: the API of the scopes, otherwise the management API]
    #[arg(long, value_name = "URI")]
    resource: Option<String>,

    /// Scope of the token; repeat for several, or separate them with spaces [default: all scopes the account has for
    /// the API]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

/// The arguments of `prokura token`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,

    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Raw)]
    format: Format,

    /// Get a new token even if the cached one is still valid
    #[arg(long)]
    fresh: bool,
}

const EXAMPLES: &str = "\
Tokens are cached in prokura/tokens in your cache directory ($XDG_CACHE_HOME or ~/.cache), which only you can read. A cached token is printed again until one minute before it expires.

Examples:
  curl -H \"$(prokura token --format header)\" https://prokura.example.com/api/v1/service-accounts
  prokura token --resource https://orders.example.com --scope orders:read
  eval \"$(prokura token --format env)\"       (sets PROKURA_ACCESS_TOKEN)";

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The token
    Raw,
    /// A header line: Authorization: Bearer …
    Header,
    /// The response of the token endpoint
    Json,
    /// A shell command: export PROKURA_ACCESS_TOKEN=…
    Env,
}

impl Options {
    /// A source of such tokens.
    pub(crate) fn source(&self, target: &Target) -> TokenSourceBuilder {
        let mut source = target.client.token_source();
        if let Some(resource) = &self.resource {
            source = source.resource(resource);
        }
        let scope = self.scope();
        if !scope.is_empty() {
            source = source.scope(scope);
        }
        source
    }

    fn scope(&self) -> String {
        super::values::scopes(&self.scopes).join(" ")
    }

    fn slot(&self, target: &Target) -> Result<Slot, Failure> {
        Ok(Slot::of(&[
            &target.url.value,
            &target.client_id.value,
            target.secret()?.expose(),
            self.resource.as_deref().unwrap_or_default(),
            &self.scope(),
        ]))
    }
}

impl Execute for Arguments {
    async fn execute(self, target: &Target) -> Result<(), CommandError> {
        let slot = self.options.slot(target)?;
        let cached = if self.fresh { None } else { slot.read() };
        let token = match cached {
            Some(token) => token,
            None => {
                let source = self.options.source(target).build()?;
                let token = CachedToken::from(source.token().await?);
                slot.write(&token);
                token
            }
        };
        print::write(&self.format.text(&token)?)?;
        Ok(())
    }
}

impl Format {
    fn text(self, token: &CachedToken) -> Result<String, Failure> {
        let text = token.token.expose();
        Ok(match self {
            Self::Raw => format!("{text}\n"),
            Self::Header => format!("Authorization: Bearer {text}\n"),
            // A token fits a Bearer header (RFC 6750 §2.1), so it needs no shell quoting.
            Self::Env => format!("export {VARIABLE}={text}\n"),
            Self::Json => {
                let response = TokenResponse {
                    access_token: text,
                    token_type: "Bearer",
                    expires_in: token.expires_in(),
                    scope: token.scope.as_deref(),
                };
                serde_json::to_string(&response).map_err(Failure::json)? + "\n"
            }
        })
    }
}

/// RFC 6749 §5.1.
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}
