//! Asking a token endpoint for an access token (RFC 6749 §4.4), whoever's it is.

use std::time::Duration;

use prokura_wire::Secret;
use reqwest::{Method, Request, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::{
    AccessToken, Error, OAuthError,
    answer::Answer,
    credentials::ClientCredentials,
    http::{Http, Repeat},
};

/// What is asked for, and of whom.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    pub(crate) http: Http,
    pub(crate) endpoint: Url,
    pub(crate) credentials: ClientCredentials,
    /// Everything in the form but the grant type and the credentials.
    pub(crate) parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// Asks for a token. Asking twice gives two tokens and does no harm.
    pub(crate) async fn send(&self) -> Result<AccessToken, Error> {
        let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        form.extend_from_slice(&self.parameters);
        let request = form_request(&self.endpoint, &self.credentials, form)?;
        let asked_at = Instant::now();
        let deadline = self.http.deadline();
        let answer = self.http.send(&request, Repeat::Harmless, deadline).await?;
        self.read(&answer, asked_at)
    }

    fn read(&self, answer: &Answer, asked_at: Instant) -> Result<AccessToken, Error> {
        // A server that refuses with 200 is known to exist; without a token it is a refusal.
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
            return Err(
                answer.unintelligible(&format!("a token of the type {other:?}, not Bearer"))
            );
        }
        // RFC 6749 §5.1: a scope that is left out is the one that was asked for.
        let asked = self.parameters.iter().find(|(name, _)| name == "scope");
        let scope = scope.or_else(|| asked.map(|(_, scope)| scope.clone()));
        let lifetime = expires_in.as_ref().and_then(seconds);
        AccessToken::new(token, scope, lifetime, asked_at)
            .ok_or_else(|| answer.unintelligible("a token that fits no header"))
    }
}

/// A form to an OAuth endpoint, authenticated as `credentials`.
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

/// What an OAuth endpoint says that refuses.
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

/// RFC 6749 §5.1, as leniently as servers are different.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Secret>,
    token_type: Option<String>,
    expires_in: Option<Value>,
    scope: Option<String>,
}

/// A number of seconds, also as a text or with a fraction. `None`: it is no lifetime.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.parse().ok()?,
        number => number.as_f64()?,
    };
    // A lifetime of more than some years is no different from one of some years.
    const LONGEST: f64 = 1e9;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lifetime_is_read_however_it_is_written() {
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
