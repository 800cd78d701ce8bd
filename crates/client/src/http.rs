//! One request and its answer, tried again where that is safe.

use std::time::Duration;

use reqwest::{Request, Response, StatusCode, redirect, retry};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::{
    Error, HttpOptions,
    answer::{Answer, Body},
    error::{unreachable, without_query},
};

/// Prokura closes a connection that was idle for 30 s; one that it is about to close must not be used again.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);
/// The longest pause before the first retry; it doubles with each, up to [`LONGEST_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// When a call must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    length: Duration,
}

impl Deadline {
    /// So long from now; what is longer than any program runs is as good as that.
    pub(crate) fn after(length: Duration) -> Self {
        const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        Self {
            at: Instant::now() + length.min(FOR_EVER),
            length,
        }
    }

    /// Whether there is time for another attempt after `pause`.
    fn allows(self, pause: Duration) -> bool {
        pause < self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for `future`, which asks `url`.
    pub(crate) async fn bound<T>(
        self,
        url: &Url,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match timeout_at(self.at, future).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut {
                url: without_query(url),
                after: self.length,
            }),
        }
    }
}

/// What a second request could do if the first one arrived without an answer coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing: it may be sent again.
    Harmless,
    /// Something: it is sent again only if the first one surely did nothing.
    Harmful,
}

/// Makes requests.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    options: HttpOptions,
}

impl Http {
    /// For servers whose URLs are like `url`.
    pub(crate) fn new(options: HttpOptions, url: &Url) -> Result<Self, Error> {
        let client = match &options.client {
            Some(client) => client.clone(),
            None => new_client(url)?,
        };
        Ok(Self { client, options })
    }

    /// The deadline of a call that has none of its own.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.options.deadline)
    }

    /// Sends a request until there is an answer that says more than "try again", or no time for another attempt.
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
                may_be_done |= may_have_been_done(&outcome);
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

    /// The same for an answer that is read bit by bit; one that is a refusal is read whole.
    pub(crate) async fn open(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> Result<Result<Body, Answer>, Error> {
        let mut retries = 0;
        loop {
            let opened = self.begin(request, deadline).await;
            let outcome = match opened {
                Ok(response) if response.status() == StatusCode::OK => {
                    return Ok(Ok(Body::new(response, self.options.attempt_timeout)));
                }
                Ok(response) => Answer::read(response, self.attempt_deadline(deadline)).await,
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
        let deadline = self.attempt_deadline(deadline);
        let response = self.begin(request, deadline).await?;
        Answer::read(response, deadline).await
    }

    async fn begin(&self, request: &Request, deadline: Deadline) -> Result<Response, Error> {
        let url = request.url();
        let request = request
            .try_clone()
            .ok_or_else(|| Error::invalid("a request that is a stream cannot be sent twice"))?;
        let url = url.clone();
        let sent = async {
            let sent = self.client.execute(request).await;
            sent.map_err(|error| unreachable(&url, error))
        };
        self.attempt_deadline(deadline).bound(&url, sent).await
    }

    fn attempt_deadline(&self, whole: Deadline) -> Deadline {
        let attempt = Deadline::after(self.options.attempt_timeout);
        if attempt.at < whole.at {
            attempt
        } else {
            whole
        }
    }

    /// How long to wait before trying again. `None`: this is the outcome.
    fn pause(
        &self,
        outcome: &Result<Answer, Error>,
        repeat: Repeat,
        retries: u32,
        deadline: Deadline,
    ) -> Option<Duration> {
        let says_again = match outcome {
            Ok(answer) => matches!(
                answer.status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
            Err(error) => matches!(error, Error::Unreachable { .. } | Error::TimedOut { .. }),
        };
        let again = says_again && (repeat == Repeat::Harmless || !may_have_been_done(outcome));
        let asked = outcome.as_ref().ok().and_then(Answer::retry_after);
        let pause = asked.unwrap_or_default().saturating_add(backoff(retries));
        (again && retries < self.options.max_retries && deadline.allows(pause)).then_some(pause)
    }
}

/// Whether what was asked for may have been done, though the answer is none or says nothing of it.
fn may_have_been_done(outcome: &Result<Answer, Error>) -> bool {
    match outcome {
        // RFC 6585 §4: it was not looked at.
        Ok(answer) => answer.status != StatusCode::TOO_MANY_REQUESTS,
        Err(Error::Unreachable {
            may_have_arrived, ..
        }) => *may_have_arrived,
        Err(_) => true,
    }
}

fn new_client(url: &Url) -> Result<reqwest::Client, Error> {
    let mut client = reqwest::Client::builder()
        .user_agent(concat!("prokura-client/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .pool_idle_timeout(IDLE_CONNECTION)
        .tcp_nodelay(true);
    if url.scheme() == "http" {
        // A machine that has no certificates does not need them here.
        client = client.tls_certs_only([]);
    }
    client.build().map_err(|error| {
        Error::invalid(format!(
            "TLS cannot be set up; are the system's certificates installed (ca-certificates)? {error}"
        ))
    })
}

/// Between half and all of a pause that doubles with each retry, so that those who failed together do not come back
/// together.
fn backoff(retries: u32) -> Duration {
    let longest = FIRST_BACKOFF
        .saturating_mul(1 << retries.min(16))
        .min(LONGEST_BACKOFF);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}
