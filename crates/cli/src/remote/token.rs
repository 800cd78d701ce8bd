//! `prokura token`.

use prokura_client::TokenSourceBuilder;
use serde::Serialize;

use super::{
    Ask, Trouble, print,
    target::Target,
    token_cache::{CachedToken, Slot},
};
use crate::Failure;

/// The variable that holds a token.
pub(crate) const VARIABLE: &str = "PROKURA_ACCESS_TOKEN";

/// What a token is to be like.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The API that it is for, a resource of the server's configuration [default: the one that the scopes are of, or else the
    /// management API]
    #[arg(long, value_name = "URI")]
    resource: Option<String>,

    /// A scope that it is to have; repeat it, or separate several with spaces [default: all that the account has there]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

/// What `prokura token` is asked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: Options,

    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Raw)]
    format: Format,

    /// Get a new one, even if the last one still lives
    #[arg(long)]
    fresh: bool,
}

const EXAMPLE: &str = "\
A token is kept in prokura/tokens in your cache directory ($XDG_CACHE_HOME or ~/.cache), where only you can read it, and is
printed again until shortly before it expires.

Examples:
  curl -H \"$(prokura token --format header)\" https://prokura.example.com/api/v1/service-accounts
  prokura token --resource https://orders.example.com --scope orders:read
  eval \"$(prokura token --format env)\"       sets PROKURA_ACCESS_TOKEN";

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The token alone
    Raw,
    /// A header line: Authorization: Bearer …
    Header,
    /// As the token endpoint answers
    Json,
    /// A line for a shell to evaluate: export PROKURA_ACCESS_TOKEN=…
    Env,
}

impl Options {
    /// Where such a token comes from.
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

impl Ask for Arguments {
    async fn ask(self, target: &Target) -> Result<(), Trouble> {
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
            // A token fits a Bearer header, so nothing in it means anything to a shell.
            Self::Env => format!("export {VARIABLE}={text}\n"),
            Self::Json => {
                let answer = TokenAnswer {
                    access_token: text,
                    token_type: "Bearer",
                    expires_in: token.expires_in(),
                    scope: token.scope.as_deref(),
                };
                serde_json::to_string(&answer).map_err(Failure::json)? + "\n"
            }
        })
    }
}

/// RFC 6749 §5.1.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}
