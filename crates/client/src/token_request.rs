//! Requests an access token from the token endpoint of any server (RFC 6749 §4.4).

use std::time::Duration;

use prokura_wire::Secret;
use reqwest::{Method, Request, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::{
    access_token::AccessToken,
    answer::Answer,
    credentials::ClientCredentials,
    error::{Error, OAuthError},
    http::Http,
    retry::Repeat,
};

/// What to request, and where.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    pub(crate) http: Http,
    pub(crate) endpoint: Url,
    pub(crate) credentials: ClientCredentials,
    /// The parameters of the form, except the grant type and the credentials.
    pub(crate) parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// Requests a token. A second request does no harm.
    pub(crate) async fn send(&self) -> Result<AccessToken, Error> {
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        form.extend_from_slice(&self.parameters);
        let request = form_request(&self.endpoint, &self.credentials, form)?;
        let requested_at = Instant::now();
        let deadline = self.http.deadline();
        let answer = self.http.send(&request, Repeat::Harmless, deadline).await?;
        self.read(&answer, requested_at)
    }

    fn read(&self, answer: &Answer, requested_at: Instant) -> Result<AccessToken, Error> {
        // Some authorization servers refuse with status 200.
        let Ok(TokenAnswer {
            access_token: Some(token),
            token_type,
            expires_in,
            scope,
        }) = answer.json()
        else {
            return Err(oauth_error(answer));
        };
        // RFC 6749 §7.1: a token of a type that is not understood must not be used.
        if let Some(other) = token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(answer.unexpected(&format!("the token type is {other:?}, not \"Bearer\"")));
        }
        // RFC 6749 §5.1: if the response has no scope, it is the requested one.
        let requested = self.parameters.iter().find(|(name, _)| name == "scope");
        let scope = scope.or_else(|| requested.map(|(_, scope)| scope.clone()));
        let lifetime = expires_in.as_ref().and_then(seconds);
        AccessToken::new(token, scope, lifetime, requested_at)
            .ok_or_else(|| answer.unexpected("no header can hold the token"))
    }
}

/// A form for an OAuth endpoint, authenticated with `credentials`.
pub(crate) fn form_request(
    endpoint: &Url,
    credentials: &ClientCredentials,
    mut form: Vec<(String, String)>,
) -> Result<Request, Error> {
    let authorization = credentials.authenticate(&mut form)?;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form)
        .finish();
    let mut request = Request::new(Method::POST, endpoint.clone());
    let headers = request.headers_mut();
    let media_type = header::HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, media_type);
    let accepted = header::HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, accepted);
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// The error for an error response of an OAuth endpoint.
pub(crate) fn oauth_error(answer: &Answer) -> Error {
    let refusal = match answer.json::<prokura_wire::OAuthError>() {
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    OAuthError {
        status: answer.status.as_u16(),
        error: refusal.error,
        description: refusal.error_description,
        request_id: answer.request_id(),
        retry_after: answer.retry_after(),
    }
    .into()
}

/// RFC 6749 §5.1. Every member is optional here, because some servers omit members.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Secret>,
    token_type: Option<String>,
    expires_in: Option<Value>,
    scope: Option<String>,
}

/// Reads a number of seconds. Some servers send it as a string or with a fraction. `None`: it is not a lifetime.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.parse().ok()?,
        number => number.as_f64()?,
    };
    // Some 30 years, short enough to be added to an instant.
    const LONGEST: f64 = 1e9;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lifetime_can_be_a_number_or_a_string() {
        let hour = Some(Duration::from_secs(3600));
        for value in [json!(3600), json!("3600"), json!(3600.0)] {
            assert_eq!(seconds(&value), hour, "{value}");
        }
        assert_eq!(seconds(&json!(0)), Some(Duration::ZERO));
        for value in [
            json!(-1),
            json!("soon"),
            json!(null),
            json!(f64::NAN),
            json!("NaN"),
        ] {
            assert_eq!(seconds(&value), None, "{value}");
        }
        assert!(seconds(&json!(1e300)) > hour);
    }
}
