//! A service account in JSON: how its settings are read from a request, and how it is written into an answer.

use std::fmt::Write as _;

use prokura_wire as wire;
use serde_json::Value;

use super::{
    ApiError,
    json_object::JsonObject,
    json_types::{Wrong, boolean, number, string, strings},
};
use crate::{
    domain::{
        AccountPatch, ClientId, Description, GrantableScopes, Labels, LabelsPatch, Name, ScopeSet,
        ServiceAccount, Timestamp,
    },
    encoding::push_json_text,
};

/// Reads the name and the other settings of a new account.
pub(super) fn read_new_account(mut body: JsonObject) -> Result<(Name, AccountPatch), ApiError> {
    body.require("name");
    let mut settings = read_settings(&mut body);
    settings.scopes = body.nullable("scopes", scopes).flatten();
    settings.grantable_scopes = body.nullable("grantableScopes", grantable_scopes).flatten();
    let name = settings.name.take();
    body.finish()?;
    // `finish` has refused a body without a valid name.
    let name = name.ok_or_else(|| ApiError::field("name", "is required"))?;
    Ok((name, settings))
}

/// Reads a change of an account's settings (RFC 7396).
pub(super) fn read_patch(mut body: JsonObject) -> Result<AccountPatch, ApiError> {
    let mut patch = read_settings(&mut body);
    patch.scopes = body.optional("scopes", scopes);
    patch.grantable_scopes = body.optional("grantableScopes", grantable_scopes);
    patch.disabled = body.optional("disabled", boolean);
    body.finish()?;
    Ok(patch)
}

/// Reads the settings that mean the same in a new account and in a change.
fn read_settings(body: &mut JsonObject) -> AccountPatch {
    AccountPatch {
        name: body.optional("name", name),
        description: body.nullable("description", description),
        scopes: None,
        grantable_scopes: None,
        owner: body.nullable("owner", name),
        labels: body
            .nullable("labels", labels)
            .map(|labels| labels.unwrap_or(LabelsPatch::Clear)),
        token_lifetime_seconds: body.nullable(
            "tokenLifetimeSeconds",
            number(wire::ACCOUNT_TOKEN_LIFETIME_SECONDS),
        ),
        expires_at: body.nullable("expiresAt", instant),
        disabled: None,
    }
}

fn name(value: Value) -> Result<Name, Wrong> {
    Ok(Name::parse(string(value)?)?)
}

fn description(value: Value) -> Result<Description, Wrong> {
    Ok(Description::parse(string(value)?)?)
}

fn scopes(value: Value) -> Result<ScopeSet, Wrong> {
    let scopes = strings(value)?;
    ScopeSet::from_tokens(scopes.iter().map(|scope| &**scope)).map_err(|_| {
        let each = "must each be one scope: printable ASCII without spaces, quotes and backslashes";
        Wrong::Rule(each.to_owned())
    })
}

fn grantable_scopes(value: Value) -> Result<GrantableScopes, Wrong> {
    let entries = strings(value)?;
    GrantableScopes::parse(entries.iter().map(|entry| &**entry))
        .map_err(|error| Wrong::Rule(error.to_string()))
}

fn labels(value: Value) -> Result<LabelsPatch, Wrong> {
    let wrong = || Wrong::Rule("must be an object of strings; null removes a label".to_owned());
    let Value::Object(members) = value else {
        return Err(wrong());
    };
    let changes = members.into_iter().map(|(key, value)| match value {
        Value::Null => Ok((key, None)),
        Value::String(text) => Ok((key, Some(text))),
        _ => Err(wrong()),
    });
    let patch = LabelsPatch::Merge(changes.collect::<Result<_, _>>()?);
    // The labels that the account has already cannot make an invalid patch valid.
    Labels::default().patched(&patch)?;
    Ok(patch)
}

fn instant(value: Value) -> Result<Timestamp, Wrong> {
    let instant = value.as_str().and_then(Timestamp::parse_rfc3339);
    instant.ok_or_else(|| Wrong::Not("an RFC 3339 instant such as 2026-11-23T12:00:00Z".into()))
}

/// Appends an account as [`wire::ServiceAccount`] describes it.
///
/// Written by hand: serde over borrowed texts takes some 3,500 instructions more, a twelfth of a `GET`. A test compares it with the
/// description.
pub(super) fn push_account(json: &mut String, account: &ServiceAccount) {
    let id = &mut [0; 36];
    let id = account.id.encode(id);
    let mut members = Members::begin(json);
    members.plain("id", [id]);
    members.plain("clientId", [ClientId::PREFIX, id]);
    members.text("name", Some(account.name.as_str()));
    let description = account.description.as_ref();
    members.text("description", description.map(Description::as_str));
    members.scopes("scopes", &account.scopes);
    members.scopes("grantableScopes", account.grantable_scopes.entries());
    members.instant("createdAt", Some(account.created_at));
    members.instant("updatedAt", Some(account.updated_at));
    match account.created_by {
        Some(creator) => members.plain("createdBy", [creator.encode(&mut [0; 36])]),
        None => members.raw("createdBy", "null"),
    }
    members.instant("lastUsedAt", account.last_used_at);
    members.text("owner", account.owner.as_ref().map(Name::as_str));
    members.labels("labels", &account.labels);
    let is_disabled = account.disabled_at.is_some();
    members.raw("disabled", if is_disabled { "true" } else { "false" });
    members.number("tokenLifetimeSeconds", account.token_lifetime_seconds);
    members.instant("expiresAt", account.expires_at);
    members.end();
}

/// The members of a JSON object that is being written.
struct Members<'j> {
    json: &'j mut String,
    /// In front of the next member.
    separator: &'static str,
}

impl<'j> Members<'j> {
    fn begin(json: &'j mut String) -> Self {
        Self {
            json,
            separator: "{\"",
        }
    }

    fn end(self) {
        self.json.push('}');
    }

    fn key(&mut self, key: &str) {
        self.json.extend([self.separator, key, "\":"]);
        self.separator = ",\"";
    }

    /// A value that is JSON already.
    fn raw(&mut self, key: &str, value: &str) {
        self.key(key);
        self.json.push_str(value);
    }

    /// A text in parts, none of which needs escaping.
    fn plain<const N: usize>(&mut self, key: &str, parts: [&str; N]) {
        self.raw(key, "\"");
        self.json.extend(parts);
        self.json.push('"');
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => push_json_text(self.json, text),
            None => self.json.push_str("null"),
        }
    }

    fn instant(&mut self, key: &str, instant: Option<Timestamp>) {
        self.key(key);
        match instant {
            Some(instant) => write!(self.json, "\"{instant}\"").expect("a string takes any text"),
            None => self.json.push_str("null"),
        }
    }

    fn number(&mut self, key: &str, number: Option<u32>) {
        let mut buffer = itoa::Buffer::new();
        self.raw(key, number.map_or("null", |number| buffer.format(number)));
    }

    /// Scopes need no escaping (RFC 6749 §3.3).
    fn scopes(&mut self, key: &str, scopes: &ScopeSet) {
        self.raw(key, "[");
        for (number, scope) in scopes.iter().enumerate() {
            let before = if number > 0 { ",\"" } else { "\"" };
            self.json.extend([before, scope, "\""]);
        }
        self.json.push(']');
    }

    fn labels(&mut self, key: &str, labels: &Labels) {
        self.raw(key, "{");
        for (number, (key, value)) in labels.iter().enumerate() {
            if number > 0 {
                self.json.push(',');
            }
            push_json_text(self.json, key);
            self.json.push(':');
            push_json_text(self.json, value);
        }
        self.json.push('}');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema;

    use super::*;

    /// Why a body with this member is refused, beside what `base` needs. `None`: it is accepted.
    fn refusal(
        base: &Value,
        member: &str,
        value: &Value,
        read: fn(JsonObject) -> Result<(), ApiError>,
    ) -> Option<String> {
        let mut body = base.clone();
        body[member] = value.clone();
        let body = JsonObject::parse(body.to_string().as_bytes()).ok().unwrap();
        match read(body) {
            Ok(()) => None,
            Err(ApiError::Invalid(errors)) => {
                let errors = errors.iter().map(|error| {
                    assert_eq!(error.field, member);
                    &*error.message
                });
                Some(errors.collect::<Vec<_>>().join("; "))
            }
            Err(_) => panic!("a body is valid or invalid"),
        }
    }

    /// Every member of the schema is read, with the types and limits of the schema.
    fn is_read_as_described<T: PartialSchema>(
        base: &Value,
        read: fn(JsonObject) -> Result<(), ApiError>,
    ) {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let limit = |member: &Value, name: &str| member.get(name).and_then(Value::as_u64);
        for (name, member) in schema["properties"].as_object().unwrap() {
            let refusal = |value: &Value| refusal(base, name, value, read);
            let types = member["type"].to_string();
            assert_eq!(
                refusal(&Value::Null).is_none(),
                types.contains("null"),
                "{name}: null"
            );
            for (kind, value) in [
                ("string", json!("x")),
                ("integer", json!(60)),
                ("boolean", json!(true)),
                ("array", json!([])),
                ("object", json!({})),
            ] {
                let instant = member["format"] == "date-time" && kind == "string";
                let value = if instant {
                    json!("2026-11-23T12:00:00Z")
                } else {
                    value
                };
                let is_accepted = refusal(&value).is_none();
                assert_eq!(is_accepted, types.contains(kind), "{name}: {value}");
            }
            if let Some(most) = limit(member, "maxLength") {
                let text = |chars: u64| json!("é".repeat(usize::try_from(chars).unwrap()));
                assert_eq!(refusal(&text(most)), None, "{name}");
                let message = refusal(&text(most + 1)).unwrap();
                assert!(message.contains(&most.to_string()), "{name} {message}");
            } else {
                let is_free = types.contains("string") && member["format"] != "date-time";
                assert!(!is_free, "{name} has no maxLength");
            }
            if limit(member, "minLength") == Some(1) {
                assert!(refusal(&json!("")).is_some(), "{name}: empty");
            }
            if let (Some(least), Some(most)) = (limit(member, "minimum"), limit(member, "maximum"))
            {
                for accepted in [least, most] {
                    assert_eq!(refusal(&json!(accepted)), None, "{name}");
                }
                for refused in [least - 1, most + 1] {
                    let message = refusal(&json!(refused)).unwrap();
                    assert!(
                        message.contains(&format!("{least} to {most}")),
                        "{name} {message}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_body_is_read_as_the_api_document_describes_it() {
        is_read_as_described::<wire::UpdateServiceAccount>(&json!({}), |body| {
            read_patch(body).map(drop)
        });
        let base = json!({ "name": "CI" });
        is_read_as_described::<wire::CreateServiceAccount>(&base, |body| {
            read_new_account(body).map(drop)
        });
    }
}
