//! Answers about service accounts: one account, an account with its new secret, a page of accounts.

use axum::http::{StatusCode, header};
use prokura_wire as wire;
use serde::Serialize;

use super::{
    account_json::AccountJson,
    account_tag::account_tag,
    answer::{Answer, push_json},
};
use crate::{authority::IssuedSecret, domain::ServiceAccount};

/// [`wire::ServiceAccountEnvelope`], with the account's ETag.
pub(super) fn account(account: &ServiceAccount) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Envelope<'a> {
        service_account: AccountJson<'a>,
    }
    let envelope = Envelope {
        service_account: account.into(),
    };
    Answer::json(StatusCode::OK, &envelope).with(header::ETAG, account_tag(account))
}

/// [`wire::ServiceAccountCredentials`], with the account's ETag.
pub(super) fn account_with_secret(status: StatusCode, issued: &IssuedSecret) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct WithSecret<'a> {
        service_account: AccountJson<'a>,
        credentials: wire::Credentials,
    }
    let with_secret = WithSecret {
        service_account: (&issued.account).into(),
        credentials: credentials(issued),
    };
    Answer::json(status, &with_secret).with(header::ETAG, account_tag(&issued.account))
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
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Page<'a> {
        items: Vec<AccountJson<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<&'a str>,
    }
    let page = Page {
        items: accounts.iter().map(AccountJson::from).collect(),
        next_cursor,
    };
    Answer::json(StatusCode::OK, &page)
}

/// Appends one item of a streamed list.
pub(super) fn push_account(json: &mut String, account: &ServiceAccount) {
    push_json(json, &AccountJson::from(account));
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

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
