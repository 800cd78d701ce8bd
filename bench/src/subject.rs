//! The server under measurement, on a seeded database.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::{
    load,
    process::{Accounts, Server},
    requests::Requests,
    seed::{self, Number},
    work::Kind,
};

/// How many different bearer tokens a load uses in turn.
const TOKENS: Number = 1000;
/// How many accounts' opaque tokens are introspected where there are more accounts.
const TOKENS_AT_MOST: Number = 100_000;
/// The same of JWTs that were seen before: nearly as many as the server remembers.
const SEEN_JWTS_AT_MOST: Number = 90_000;
const CONNECTIONS: usize = 32;
/// Accounts made together to be deleted.
const TOGETHER: usize = 128;

/// A running Prokura with so many accounts.
pub(crate) struct Subject {
    /// Its process.
    pub(crate) server: Server,
    /// How many accounts it began with.
    pub(crate) accounts: Number,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
}

/// How a Prokura is configured.
pub(crate) struct Setup<'a> {
    /// Where it keeps what it keeps; the master key is there.
    pub(crate) directory: &'a Path,
    /// PostgreSQL. `None`: the SQLite database in `directory`.
    pub(crate) database_url: Option<&'a str>,
    /// Further lines for the configuration.
    pub(crate) more: &'a str,
}

impl Setup<'_> {
    /// Writes the configuration down.
    pub(crate) fn write(&self) -> anyhow::Result<PathBuf> {
        let path = self.directory.join("prokura.toml");
        let directory = self.directory.display();
        let url = self.database_url.map_or_else(
            || format!("sqlite:{directory}/prokura.db"),
            ToOwned::to_owned,
        );
        let text = format!(
            "data_dir = {:?}\ndatabase_url = {url:?}\nmaster_key_file = {:?}\nlisten = \"127.0.0.1:0\"\n{}\n{}",
            directory.to_string(),
            format!("{directory}/master.key"),
            self.more,
            seed::RESOURCES,
        );
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Subject {
    /// Starts a server with `command`, which is to run Prokura's binary.
    pub(crate) fn start(
        mut command: Command,
        setup: &Setup<'_>,
        accounts: Number,
    ) -> anyhow::Result<Self> {
        command.arg("serve").arg("--config").arg(setup.write()?);
        let server = Server::start(command, &setup.directory.join("log"))?;
        Ok(Self { server, accounts })
    }

    /// Gets one token.
    pub(crate) async fn first_token(&self) -> anyhow::Result<()> {
        self.tokens(None, 1).await.map(drop)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.server.address
    }

    /// What the operating system says of it.
    pub(crate) fn accounted(&self) -> anyhow::Result<Accounts> {
        self.server.accounts()
    }

    /// Ends it.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.server.stop()
    }

    /// The requests that are this kind of work, spread over all its accounts.
    pub(crate) async fn requests(&self, kind: Kind) -> anyhow::Result<Requests> {
        let accounts = 0..self.accounts;
        Ok(match kind {
            Kind::Issue(resource) => issue(self.address(), resource, accounts),
            Kind::Introspect(resource) => {
                let at_most = match resource {
                    None => TOKENS_AT_MOST,
                    Some(_) => SEEN_JWTS_AT_MOST,
                };
                let count = at_most.min(self.accounts.max(TOKENS));
                let tokens = self.tokens(resource, count).await?;
                let length = "token=".len() + tokens.first().map_or(0, String::len);
                let requests = Requests {
                    texts: [
                        format!(
                            "POST /oauth2/introspect HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
                             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\ntoken=",
                            self.address(),
                            basic(0)
                        ),
                        String::new(),
                        String::new(),
                    ],
                    values: tokens
                        .into_iter()
                        .map(|token| [token, String::new()])
                        .collect(),
                };
                if resource.is_some() {
                    let texts: Vec<_> = (0..requests.values.len())
                        .map(|number| requests.text(number))
                        .collect();
                    load::each_once(self.address(), &texts, CONNECTIONS).await?;
                }
                requests
            }
            Kind::Get => self.on_accounts("GET ", "", accounts).await?,
            Kind::Rotate => {
                self.on_accounts("POST ", "/rotate-secret", accounts)
                    .await?
            }
            Kind::Delete => self.on_accounts("DELETE ", "", accounts).await?,
            Kind::List => {
                self.on_collection("GET ", "?limit=50", String::new())
                    .await?
            }
            Kind::Create => {
                let body = r#"{"name":"CI Pipeline","description":"Used by GitHub Actions to manage integrations"}"#;
                let rest = format!(
                    "\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                self.on_collection("POST ", "", rest).await?
            }
        })
    }

    /// Requests that each delete an account made for it: as many as can be made in so many seconds.
    pub(crate) async fn deletions(&self, seconds: u32) -> anyhow::Result<Vec<Vec<u8>>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            service_account: Account,
        }
        #[derive(Deserialize)]
        struct Account {
            id: String,
        }

        let creation = self.requests(Kind::Create).await?;
        let creations: Vec<_> = (0..TOGETHER).map(|number| creation.text(number)).collect();
        let deletion = self.requests(Kind::Delete).await?;
        let [before, between, behind] = &deletion.texts;
        let mut tokens = deletion.values.iter().map(|[_, token]| token).cycle();
        let end = Instant::now() + Duration::from_secs(seconds.into());
        let mut deletions = Vec::new();
        loop {
            let (created, _) = load::each_once(self.address(), &creations, CONNECTIONS).await?;
            for (created, token) in created.iter().zip(&mut tokens) {
                let id = &serde_json::from_slice::<Created>(created)?
                    .service_account
                    .id;
                let parts = [before, id, between, token, behind];
                deletions.push(parts.map(String::as_bytes).concat());
            }
            if Instant::now() >= end {
                return Ok(deletions);
            }
        }
    }

    /// Up to `at_most` accounts, evenly spread over all.
    fn spread(&self, at_most: Number) -> impl Iterator<Item = Number> + use<> {
        let step = self.accounts.div_ceil(at_most).max(1);
        (0..self.accounts).step_by(step as usize)
    }

    /// So many tokens, of accounts evenly spread over all.
    async fn tokens(&self, resource: Option<&str>, count: Number) -> anyhow::Result<Vec<String>> {
        let requests = issue(self.address(), resource, self.spread(count));
        let texts: Vec<_> = (0..count as usize)
            .map(|number| requests.text(number))
            .collect();
        let (answers, _) = load::each_once(self.address(), &texts, CONNECTIONS).await?;
        answers
            .iter()
            .map(|answer| {
                let answer: TokenResponse = serde_json::from_slice(answer)
                    .context("the answer to a token request has no token")?;
                Ok(answer.access_token)
            })
            .collect()
    }

    async fn on_accounts(
        &self,
        method: &str,
        behind_id: &str,
        accounts: impl Iterator<Item = Number>,
    ) -> anyhow::Result<Requests> {
        let tokens = self.tokens(None, TOKENS).await?;
        Ok(Requests {
            texts: [
                format!("{method}/api/v1/service-accounts/"),
                format!(
                    "{behind_id} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer ",
                    self.address()
                ),
                "\r\n\r\n".to_owned(),
            ],
            values: accounts
                .zip(tokens.iter().cycle())
                .map(|(number, token)| [seed::id(number).to_string(), token.clone()])
                .collect(),
        })
    }

    async fn on_collection(
        &self,
        method: &str,
        query: &str,
        rest: String,
    ) -> anyhow::Result<Requests> {
        let tokens = self.tokens(None, TOKENS).await?;
        let rest = if rest.is_empty() {
            "\r\n\r\n".to_owned()
        } else {
            rest
        };
        Ok(Requests {
            texts: [
                format!(
                    "{method}/api/v1/service-accounts{query} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer ",
                    self.address()
                ),
                rest,
                String::new(),
            ],
            values: tokens
                .into_iter()
                .map(|token| [token, String::new()])
                .collect(),
        })
    }
}

/// Requests for tokens: for `resource` and whatever further parameters are written behind it, or for the management API.
pub(crate) fn issue(
    address: &str,
    resource: Option<&str>,
    accounts: impl Iterator<Item = Number>,
) -> Requests {
    let mut body = "grant_type=client_credentials".to_owned();
    if let Some(resource) = resource {
        body.push_str("&resource=");
        body.push_str(resource);
    }
    Requests {
        texts: [
            format!("POST /oauth2/token HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic "),
            format!(
                "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            String::new(),
        ],
        values: accounts
            .map(|number| [basic(number), String::new()])
            .collect(),
    }
}

/// The Basic credentials of an account (RFC 7617).
pub(crate) fn basic(number: Number) -> String {
    let client_id = seed::id(number).client_id();
    BASE64_STANDARD.encode(format!("{client_id}:{}", seed::secret(number).expose()))
}
