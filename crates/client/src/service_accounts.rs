//! The calls about service accounts.

use prokura_wire::{
    ServiceAccount, ServiceAccountCredentials, ServiceAccountEnvelope, ServiceAccountList,
    UsageList,
};
use reqwest::Method;
use serde_json::Value;

use crate::{
    Client, Items, Versioned,
    call::{Call, call},
};

/// How many accounts a page has unless another limit is given: as many as the server allows.
const PAGE: u32 = 200;

impl Client {
    /// Creates a service account. The answer holds its secret, which is shown this once.
    pub fn create_service_account(&self, name: impl Into<String>) -> CreateServiceAccount {
        let mut call = Call::new(self, Method::POST, &["service-accounts"]).once();
        call.member("name", name.into());
        CreateServiceAccount { call }
    }

    /// Lists service accounts, oldest first. Awaited, it answers a page; [`ListServiceAccounts::stream`] gives all.
    pub fn list_service_accounts(&self) -> ListServiceAccounts {
        let call = Call::new(self, Method::GET, &["service-accounts"]);
        ListServiceAccounts { call }.limit(PAGE)
    }

    /// Gets a service account.
    pub fn get_service_account(&self, id: &str) -> GetServiceAccount {
        let call = Call::new(self, Method::GET, &["service-accounts", id]);
        GetServiceAccount { call }
    }

    /// Changes a service account. What is not named stays as it is.
    pub fn update_service_account(&self, id: &str) -> UpdateServiceAccount {
        let call = Call::new(self, Method::PATCH, &["service-accounts", id]);
        UpdateServiceAccount {
            call: call.merge_patch(),
        }
    }

    /// Deletes a service account, for good: its secrets and every token it ever got are dead from then on.
    pub fn delete_service_account(&self, id: &str) -> DeleteServiceAccount {
        let call = Call::new(self, Method::DELETE, &["service-accounts", id]);
        DeleteServiceAccount { call }
    }

    /// Ends every token issued to a service account so far, and nothing else.
    pub fn revoke_tokens(&self, id: &str) -> RevokeTokens {
        let path = ["service-accounts", id, "revoke-tokens"];
        let call = Call::new(self, Method::POST, &path);
        RevokeTokens { call }
    }

    /// Counts the tokens that a service account got and was refused, day by day.
    pub fn get_usage(&self, id: &str) -> GetUsage {
        let call = Call::new(self, Method::GET, &["service-accounts", id, "usage"]);
        GetUsage { call }
    }
}

call! {
    /// Creates a service account: [`Client::create_service_account`].
    CreateServiceAccount -> Versioned<ServiceAccountCredentials>, versioned, idempotency_key
}

impl CreateServiceAccount {
    /// What it is for: up to 1,024 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.call.member("description", text.into());
        self
    }

    /// What it may ask for. Without it: the management scopes of the caller.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item: Into<String>>) -> Self {
        self.call.member("scopes", texts(scopes));
        self
    }

    /// Who answers for it.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.call.member("owner", owner.into());
        self
    }

    /// A label. It may have several, each name once.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.member_of("labels", name.into(), value.into());
        self
    }

    /// How long its tokens live: 60 to 86,400 seconds. Without it: as long as those of the resource.
    pub fn token_lifetime_seconds(mut self, seconds: u32) -> Self {
        self.call.member("tokenLifetimeSeconds", seconds);
        self
    }

    /// When it ends by itself: an instant of RFC 3339, such as `2027-01-01T00:00:00Z`.
    pub fn expires_at(mut self, instant: impl Into<String>) -> Self {
        self.call.member("expiresAt", instant.into());
        self
    }
}

call! {
    /// Lists service accounts: [`Client::list_service_accounts`]. Awaited, it answers a page, which says where the next one
    /// begins. Filters can be combined; an account must pass them all.
    ListServiceAccounts -> ServiceAccountList, json
}

impl ListServiceAccounts {
    /// All accounts, asked for page by page.
    pub fn stream(self) -> Items<ServiceAccount> {
        Items::new(self.call, |call| async move {
            let page = Self { call: call.clone() }.await?;
            let next = page.next_cursor.map(|next| Self { call }.cursor(next).call);
            Ok((page.items, next))
        })
    }

    /// Only accounts with this in their name, in upper or lower case.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.call.parameter("name", name.into());
        self
    }

    /// Only accounts with this label. Said several times, only those with all of them.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.call
            .further_parameter("label", format!("{name}:{value}"));
        self
    }

    /// Only accounts of this owner.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.call.parameter("owner", owner.into());
        self
    }

    /// Only accounts that are switched off, or only those that are not.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.call.parameter("disabled", disabled);
        self
    }

    /// Only accounts that have got no token for so many days.
    pub fn unused_for_days(mut self, days: u32) -> Self {
        self.call.parameter("unusedForDays", days);
        self
    }

    /// Only accounts with a secret that expires within so many days.
    pub fn secret_expires_within_days(mut self, days: u32) -> Self {
        self.call.parameter("secretExpiresWithinDays", days);
        self
    }

    /// How many accounts a page has at most: 1 to 200, which is the default.
    pub fn limit(mut self, limit: u32) -> Self {
        self.call.parameter("limit", limit);
        self
    }

    /// Where the page begins: the `next_cursor` of the page before, which had the same filters.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.call.parameter("cursor", cursor.into());
        self
    }
}

call! {
    /// Gets a service account: [`Client::get_service_account`].
    GetServiceAccount -> Versioned<ServiceAccountEnvelope>, versioned
}

call! {
    /// Changes a service account: [`Client::update_service_account`]. It is a merge patch (RFC 7396): what is not named stays
    /// as it is, and what is cleared is null from then on.
    UpdateServiceAccount -> Versioned<ServiceAccountEnvelope>, versioned, if_match
}

impl UpdateServiceAccount {
    /// Its display name of one line: 1 to 255 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.call.member("name", name.into());
        self
    }

    /// What it is for: up to 1,024 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.call.member("description", text.into());
        self
    }

    /// No description.
    pub fn clear_description(mut self) -> Self {
        self.call.member("description", Value::Null);
        self
    }

    /// What it may ask for, in place of what it may now.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item: Into<String>>) -> Self {
        self.call.member("scopes", texts(scopes));
        self
    }

    /// Switches it off, or on again. Off, it gets no tokens, and those that it has do not count.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.call.member("disabled", disabled);
        self
    }

    /// Who answers for it.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.call.member("owner", owner.into());
        self
    }

    /// No owner.
    pub fn clear_owner(mut self) -> Self {
        self.call.member("owner", Value::Null);
        self
    }

    /// A label, new or with a new value. Its other labels stay.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.call.member_of("labels", name.into(), value.into());
        self
    }

    /// Takes a label away.
    pub fn clear_label(mut self, name: impl Into<String>) -> Self {
        self.call.member_of("labels", name.into(), Value::Null);
        self
    }

    /// Takes all labels away.
    pub fn clear_labels(mut self) -> Self {
        self.call.member("labels", Value::Null);
        self
    }

    /// How long its tokens live from now on: 60 to 86,400 seconds.
    pub fn token_lifetime_seconds(mut self, seconds: u32) -> Self {
        self.call.member("tokenLifetimeSeconds", seconds);
        self
    }

    /// Tokens that live as long as those of the resource.
    pub fn clear_token_lifetime_seconds(mut self) -> Self {
        self.call.member("tokenLifetimeSeconds", Value::Null);
        self
    }

    /// When it ends by itself: an instant of RFC 3339, such as `2027-01-01T00:00:00Z`.
    pub fn expires_at(mut self, instant: impl Into<String>) -> Self {
        self.call.member("expiresAt", instant.into());
        self
    }

    /// No end by itself.
    pub fn clear_expires_at(mut self) -> Self {
        self.call.member("expiresAt", Value::Null);
        self
    }
}

call! {
    /// Deletes a service account: [`Client::delete_service_account`].
    DeleteServiceAccount -> (), gone, if_match
}

call! {
    /// Ends all tokens of a service account: [`Client::revoke_tokens`].
    RevokeTokens -> (), nothing, if_match
}

call! {
    /// Counts tokens: [`Client::get_usage`].
    GetUsage -> UsageList, json
}

impl GetUsage {
    /// How many days, today included: 1 to 90.
    pub fn days(mut self, days: u32) -> Self {
        self.call.parameter("days", days);
        self
    }
}

fn texts(texts: impl IntoIterator<Item: Into<String>>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
