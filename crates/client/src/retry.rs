//! Which requests are sent again, and after what pause. `sdk/behaviour.json` lists the rules, which are those of the TypeScript
//! SDK.

use std::time::Duration;

use reqwest::StatusCode;

use crate::{answer::Answer, error::Error};

/// The longest pause before the first retry. It doubles with each retry, up to [`LONGEST_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// What a second request does if the server has already processed the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It does no harm: the request can be sent again.
    Harmless,
    /// It may do harm: the request is sent again only if the server has certainly not processed the first one.
    Harmful,
}

/// The pause before the request is sent again. `None`: the request must not be sent again.
pub(crate) fn pause(
    outcome: &Result<Answer, Error>,
    repeat: Repeat,
    retries: u32,
) -> Option<Duration> {
    let is_transient = match outcome {
        Ok(answer) => matches!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => matches!(error, Error::Unreachable { .. } | Error::TimedOut { .. }),
    };
    if !is_transient || (repeat == Repeat::Harmful && may_have_been_done(outcome)) {
        return None;
    }
    let asked = outcome.as_ref().ok().and_then(Answer::retry_after);
    Some(asked.unwrap_or_default().saturating_add(backoff(retries)))
}

/// Whether the server may have done what the request asks for, although the request failed.
pub(crate) fn may_have_been_done(outcome: &Result<Answer, Error>) -> bool {
    match outcome {
        // RFC 6585 §4: a request that is answered with 429 was not processed.
        Ok(answer) => answer.status != StatusCode::TOO_MANY_REQUESTS,
        Err(Error::Unreachable {
            may_have_arrived, ..
        }) => *may_have_arrived,
        Err(_) => true,
    }
}

/// A random pause between half and all of the longest, so that clients that failed together do not retry together.
fn backoff(retries: u32) -> Duration {
    let longest = FIRST_BACKOFF
        .saturating_mul(1 << retries.min(16))
        .min(LONGEST_BACKOFF);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}
