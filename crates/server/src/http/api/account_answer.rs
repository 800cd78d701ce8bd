//! Answers about service accounts: one account, an account with its new secret, a page of accounts.

use axum::http::{StatusCode, header};
use prokura_wire as wire;

use super::{
    account_json::push_account,
    account_tag::account_tag,
    answer::{Answer, push_json},
};
use crate::{authority::IssuedSecret, domain::ServiceAccount, encoding::push_json_text};

/// The bytes of most accounts.
const ACCOUNT_BYTES: usize = 768;

/// [`wire::ServiceAccountEnvelope`], with the account's ETag.
pub(super) fn account(account: &ServiceAccount) -> Answer {
    let mut json = String::with_capacity(ACCOUNT_BYTES);
    json.push_str(r#"{"serviceAccount":"#);
    push_account(&mut json, account);
    json.push('}');
    Answer::written(StatusCode::OK, json).with(header::ETAG, account_tag(account))
}

/// [`wire::ServiceAccountCredentials`], with the account's ETag.
pub(super) fn account_with_secret(status: StatusCode, issued: &IssuedSecret) -> Answer {
    let mut json = String::with_capacity(ACCOUNT_BYTES);
    json.push_str(r#"{"serviceAccount":"#);
    push_account(&mut json, &issued.account);
    json.push_str(r#","credentials":"#);
    push_json(&mut json, &credentials(issued));
    json.push('}');
    Answer::written(status, json).with(header::ETAG, account_tag(&issued.account))
}

/// The client id and the new secret.
pub(super) fn credentials(issued: &IssuedSecret) -> wire::Credentials {
    wire::Credentials {
        client_id: issued.account.id.client_id().to_string(),
        client_secret: wire::Secret::new(issued.secret.expose()),
    }
}

/// [`wire::ServiceAccountList`].
pub(super) fn page(accounts: &[ServiceAccount], next_cursor: Option<&str>) -> Answer {
    let mut json = String::with_capacity(ACCOUNT_BYTES * accounts.len());
    json.push_str(r#"{"items":["#);
    for (number, account) in accounts.iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        push_account(&mut json, account);
    }
    json.push(']');
    if let Some(cursor) = next_cursor {
        json.push_str(r#","nextCursor":"#);
        push_json_text(&mut json, cursor);
    }
    json.push('}');
    Answer::written(StatusCode::OK, json)
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};

    use super::*;
    use crate::domain::{
        ClientSecret, Description, Labels, LabelsPatch, Name, OrganizationId, ScopeSet,
        ServiceAccountId, Timestamp,
    };

    /// Whether `answer` is, to the byte, what its own description `T` serializes to.
    fn is_described_by<T: DeserializeOwned + Serialize>(answer: &Answer) -> bool {
        let read: T = serde_json::from_slice(&answer.body).unwrap();
        serde_json::to_vec(&read).unwrap() == answer.body
    }

    #[test]
    fn the_answers_are_those_that_the_api_document_describes() {
        let id = ServiceAccountId::from_bytes([1; 16]);
        let name = |text: &str| Name::parse(text.to_owned()).unwrap();
        let bare = ServiceAccount::new(
            id,
            OrganizationId::from_bytes([2; 16]),
            name("CI \"\\ é"),
            Timestamp::from_millis(3),
            None,
        );
        let merge = LabelsPatch::Merge(vec![
            ("b".to_owned(), Some("\"".to_owned())),
            ("a".to_owned(), Some(String::new())),
        ]);
        let full = ServiceAccount {
            description: Some(Description::parse("a\nb".to_owned()).unwrap()),
            scopes: ScopeSet::parse("a b").unwrap(),
            owner: Some(name("owner")),
            labels: Labels::default().patched(&merge).unwrap(),
            token_lifetime_seconds: Some(60),
            expires_at: Some(Timestamp::from_millis(4)),
            disabled_at: Some(Timestamp::from_millis(5)),
            created_by: Some(id),
            last_used_at: Some(Timestamp::from_millis(6)),
            ..bare.clone()
        };
        for written in [&bare, &full] {
            assert!(is_described_by::<wire::ServiceAccountEnvelope>(&account(
                written
            )));
            let issued = IssuedSecret {
                account: written.clone(),
                secret: ClientSecret::from_random([7; 32]),
            };
            let answer = account_with_secret(StatusCode::OK, &issued);
            assert!(is_described_by::<wire::ServiceAccountCredentials>(&answer));
        }
        for accounts in [&[][..], std::slice::from_ref(&bare), &[bare.clone(), full]] {
            for next_cursor in [None, Some("next\"")] {
                let answer = page(accounts, next_cursor);
                assert!(is_described_by::<wire::ServiceAccountList>(&answer));
            }
        }
    }
}
