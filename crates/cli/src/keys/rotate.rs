//! `prokura keys rotate`.

use prokura_server::{
    domain::{SigningAlgorithm, SigningKeyState},
    store::SqliteAccess,
};

use super::listed_key::{self, ListedKey};
use crate::{
    authority,
    config::{Config, Options},
    failure::Failure,
    key_steps,
    remote::print::{self, Format},
};

/// The arguments of `prokura keys rotate`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rotate only the key of this algorithm: ES256, EdDSA or RS256 [default: all that have a key]
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    algorithm: Option<SigningAlgorithm>,

    /// Let the next key sign at once; APIs that cache the published keys may reject its tokens for some minutes
    #[arg(long)]
    now: bool,

    #[command(flatten)]
    output: print::Options,

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) const EXAMPLES: &str = "\
Repeated, the command changes nothing until the next key signs. With --now, an API that verifies tokens offline rejects new
tokens until it has loaded the published keys again. If a key has leaked, use `prokura keys revoke KID`.

Examples:
  prokura keys rotate
  prokura keys rotate --algorithm ES256
  prokura keys rotate --now";

fn algorithm(text: &str) -> Result<SigningAlgorithm, &'static str> {
    SigningAlgorithm::parse(text).ok_or("expected ES256, EdDSA or RS256")
}

/// Rotates, and prints the next key of each algorithm.
pub(crate) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let authority = authority::open(config, config.listen, SqliteAccess::Command).await?;
    let (before, now) = authority.list_signing_keys().await?;
    let mut algorithms = match arguments.algorithm {
        Some(algorithm) => vec![algorithm],
        None => SigningAlgorithm::ALL.to_vec(),
    };
    algorithms.retain(|algorithm| before.signing(*algorithm, now).is_some());
    if algorithms.is_empty() {
        let which = arguments.algorithm.map(SigningAlgorithm::as_str);
        return Err(Failure::new(match which {
            Some(name) => format!("there is no signing key for {name}"),
            None => "there are no signing keys".to_owned(),
        })
        .hint("the first key is created when a resource needs the algorithm for its JWTs"));
    }
    let done = authority
        .rotate_signing_keys(&algorithms, arguments.now)
        .await?;
    key_steps::log(&done);

    let (keys, now) = authority.list_signing_keys().await?;
    let newest = algorithms.iter().filter_map(|algorithm| {
        let of_algorithm = keys.keys.iter().filter(|key| key.algorithm == *algorithm);
        let mut live = of_algorithm.filter(|key| keys.state(key, now) != SigningKeyState::Revoked);
        live.next_back().map(|key| ListedKey::new(key, &keys, now))
    });
    let newest = newest.collect::<Vec<_>>();
    match arguments.output.format() {
        Format::Table => newest
            .iter()
            .try_for_each(|key| print::say(&key.sentence())),
        format => listed_key::print(format, &newest),
    }
}
