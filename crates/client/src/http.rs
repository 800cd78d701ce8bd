//! Sends requests, and sends them again where that is safe.

use std::time::Duration;

use reqwest::{Request, Response, StatusCode, redirect};
use tokio::time::sleep;
use url::Url;

use crate::{
    answer::{Answer, Body},
    deadline::Deadline,
    error::{Error, unreachable},
    http_options::HttpOptions,
    retry::{self, Repeat},
};

/// Prokura closes connections that are idle for 30 s. A connection that is about to be closed must not be reused.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

/// Sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    options: HttpOptions,
}

impl Http {
    /// Sends requests to the server at `url`.
    pub(crate) fn new(options: HttpOptions, url: &Url) -> Result<Self, Error> {
        let client = match &options.client {
            Some(client) => client.clone(),
            None => new_client(url)?,
        };
        Ok(Self { client, options })
    }

    /// The deadline of a call that has no timeout of its own.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.options.timeout)
    }

    /// Sends a request until it succeeds, must not be sent again, or has no time for another attempt.
    pub(crate) async fn send(
        &self,
        request: &Request,
        repeat: Repeat,
        deadline: Deadline,
    ) -> Result<Answer, Error> {
        let mut retries = 0;
        let mut may_be_done = false;
        loop {
            let mut outcome = self.attempt(request, deadline).await;
            if let Some(pause) = self.pause(&outcome, repeat, retries, deadline) {
                may_be_done |= retry::may_have_been_done(&outcome);
                sleep(pause).await;
            } else {
                if let Ok(answer) = &mut outcome {
                    answer.may_be_done_before = may_be_done;
                }
                return outcome;
            }
            retries += 1;
        }
    }

    /// Like [`send`](Self::send), but the body of a success is read as a stream.
    pub(crate) async fn open(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Result<Body, Answer>, Error> {
        let mut retries = 0;
        loop {
            let attempt = self.attempt_deadline(deadline);
            let outcome = match self.begin(request, attempt).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    return Ok(Ok(Body::new(response, self.options.attempt_timeout)));
                }
                Ok(response) => Answer::read(response, attempt).await,
                Err(error) => Err(error),
            };
            match self.pause(&outcome, Repeat::Harmless, retries, deadline) {
                Some(pause) => sleep(pause).await,
                None => return outcome.map(Err),
            }
            retries += 1;
        }
    }

    async fn attempt(&self, request: &Request, deadline: Deadline) -> Result<Answer, Error> {
        let attempt = self.attempt_deadline(deadline);
        let response = self.begin(request, attempt).await?;
        Answer::read(response, attempt).await
    }

    async fn begin(&self, request: &Request, attempt: Deadline) -> Result<Response, Error> {
        let url = request.url().clone();
        let request = request
            .try_clone()
            .ok_or_else(|| Error::invalid("a request with a streaming body cannot be retried"))?;
        let sent = async {
            let sent = self.client.execute(request).await;
            sent.map_err(|error| unreachable(&url, error))
        };
        attempt.bound(&url, sent).await
    }

    fn attempt_deadline(&self, deadline: Deadline) -> Deadline {
        deadline.or_after(self.options.attempt_timeout)
    }

    /// How long to wait before another attempt. `None`: the outcome is final.
    fn pause(
        &self,
        outcome: &Result<Answer, Error>,
        repeat: Repeat,
        retries: u32,
        deadline: Deadline,
    ) -> Option<Duration> {
        if retries >= self.options.max_retries {
            return None;
        }
        retry::pause(outcome, repeat, retries).filter(|pause| deadline.allows(*pause))
    }
}

fn new_client(url: &Url) -> Result<reqwest::Client, Error> {
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("prokura-client/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(IDLE_CONNECTION)
        .tcp_nodelay(true);
    if url.scheme() == "http" {
        // Plain HTTP must work on a machine without CA certificates.
        client = client.tls_certs_only([]);
    }
    client.build().map_err(|error| {
        Error::invalid_with_hint(
            format!("cannot set up TLS: {error}"),
            "install the system's CA certificates (package ca-certificates)",
        )
    })
}
