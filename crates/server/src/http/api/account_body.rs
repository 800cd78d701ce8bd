//! What the body of a request may say of an account.

use prokura_wire as wire;
use serde_json::Value;

use super::{ApiError, json::JsonObject};
use crate::{
    authority::NewServiceAccount,
    domain::{AccountPatch, Description, Labels, LabelsPatch, Name, ScopeSet, Timestamp},
};

/// How long the tokens of one account may be made to live, in seconds.
const TOKEN_LIFETIMES: std::ops::RangeInclusive<u64> =
    wire::MIN_TOKEN_LIFETIME_SECONDS as u64..=wire::MAX_TOKEN_LIFETIME_SECONDS as u64;

const SCOPES: &str = "must be an array of strings";

/// What a new account is to be. Null is absence.
pub(super) fn new_service_account(mut body: JsonObject) -> Result<NewServiceAccount, ApiError> {
    let name = body
        .string("name")
        .and_then(|text| or_error(&mut body, "name", Name::parse(text)));
    let patch = common(&mut body);
    let scopes = body
        .nullable("scopes", SCOPES, into_strings)
        .flatten()
        .and_then(|scopes| read_scopes(&mut body, &scopes));
    let labels = patch
        .labels
        .and_then(|labels| or_error(&mut body, "labels", Labels::default().patched(&labels)));
    body.finish()?;
    let name = name.ok_or_else(|| ApiError::field("name", "is required"))?;
    Ok(NewServiceAccount {
        name,
        scopes,
        description: patch.description.flatten(),
        owner: patch.owner.flatten(),
        labels: labels.unwrap_or_default(),
        token_lifetime_seconds: patch.token_lifetime_seconds.flatten(),
        expires_at: patch.expires_at.flatten(),
    })
}

/// What is to change of an account (RFC 7396). Null takes a value away where there need not be one.
pub(super) fn account_patch(mut body: JsonObject) -> Result<AccountPatch, ApiError> {
    let name = body
        .present("name", "must be a string", into_string)
        .and_then(|text| or_error(&mut body, "name", Name::parse(text)));
    let scopes = body
        .present("scopes", SCOPES, into_strings)
        .and_then(|scopes| read_scopes(&mut body, &scopes));
    let disabled = body.present("disabled", "must be true or false", |value| value.as_bool());
    let patch = AccountPatch {
        name,
        scopes,
        disabled,
        ..common(&mut body)
    };
    body.finish()?;
    Ok(patch)
}

/// What a new account and a change have in common: all that an account may do without.
fn common(body: &mut JsonObject) -> AccountPatch {
    const TEXT: &str = "must be a string or null";
    let description = body
        .nullable("description", TEXT, into_string)
        .and_then(|text| parsed(body, "description", text, Description::parse));
    let owner = body
        .nullable("owner", TEXT, into_string)
        .and_then(|text| parsed(body, "owner", text, Name::parse));
    let labels = body.nullable(
        "labels",
        "must be an object of strings; null takes a label away",
        into_labels,
    );
    let (least, most) = TOKEN_LIFETIMES.into_inner();
    let token_lifetime_seconds = body.nullable(
        "tokenLifetimeSeconds",
        &format!("must be a whole number from {least} to {most}, or null"),
        |value| {
            let seconds = value.as_u64().filter(|it| TOKEN_LIFETIMES.contains(it))?;
            u32::try_from(seconds).ok()
        },
    );
    let expires_at = body.nullable(
        "expiresAt",
        "must be an RFC 3339 instant such as 2026-11-23T12:00:00Z, or null",
        into_instant,
    );
    AccountPatch {
        description,
        owner,
        labels: labels.map(|labels| labels.unwrap_or(LabelsPatch::Clear)),
        token_lifetime_seconds,
        expires_at,
        ..AccountPatch::default()
    }
}

fn parsed<T, E: std::fmt::Display>(
    body: &mut JsonObject,
    name: &str,
    text: Option<String>,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => or_error(body, name, parse(text)).map(Some),
    }
}

fn read_scopes(body: &mut JsonObject, scopes: &[String]) -> Option<ScopeSet> {
    let scopes = ScopeSet::from_tokens(scopes.iter().map(|scope| &**scope));
    let expected = "must each be one scope: printable ASCII without spaces, quotes and backslashes";
    or_error(body, "scopes", scopes.map_err(|_| expected))
}

fn or_error<T, E: std::fmt::Display>(
    body: &mut JsonObject,
    name: &str,
    outcome: Result<T, E>,
) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => body.error(name, error.to_string()),
    }
}

fn into_string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn into_strings(value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.into_iter().map(into_string).collect(),
        _ => None,
    }
}

fn into_labels(value: Value) -> Option<LabelsPatch> {
    let Value::Object(members) = value else {
        return None;
    };
    let changes = members.into_iter().map(|(key, value)| match value {
        Value::Null => Some((key, None)),
        Value::String(text) => Some((key, Some(text))),
        _ => None,
    });
    changes.collect::<Option<_>>().map(LabelsPatch::Merge)
}

fn into_instant(value: Value) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(value.as_str()?)
}
