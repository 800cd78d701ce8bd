//! The calls about service accounts.

use prokura_wire::{
    self as wire, ServiceAccount, ServiceAccountCredentials, ServiceAccountEnvelope,
    ServiceAccountList, UsageList,
};
use reqwest::Method;

use crate::{
    Client, Items, Versioned,
    call::{Call, call},
};

/// The default size of a page: the maximum that the server allows.
const PAGE: u32 = 200;

impl Client {
    /// Creates a service account. The response contains its secret, which cannot be read again later.
    pub fn create_service_account(&self, name: impl Into<String>) -> CreateServiceAccount {
        CreateServiceAccount {
            call: Call::new(self, Method::POST, &["service-accounts"]).once(),
            body: wire::CreateServiceAccount(wire::UpdateServiceAccount {
                name: Some(name.into()),
                ..wire::UpdateServiceAccount::default()
            }),
        }
    }

    /// Lists service accounts, oldest first. Await the call to get a page; [`ListServiceAccounts::stream`] returns all accounts.
    pub fn list_service_accounts(&self) -> ListServiceAccounts {
        let call = Call::new(self, Method::GET, &["service-accounts"]);
        ListServiceAccounts { call }.limit(PAGE)
    }

    /// Gets a service account.
    pub fn get_service_account(&self, id: &str) -> GetServiceAccount {
        let call = Call::new(self, Method::GET, &["service-accounts", id]);
        GetServiceAccount { call }
    }

    /// Updates a service account. Settings that the call does not name stay as they are.
    pub fn update_service_account(&self, id: &str) -> UpdateServiceAccount {
        let call = Call::new(self, Method::PATCH, &["service-accounts", id]);
        UpdateServiceAccount {
            call: call.merge_patch(),
            body: wire::UpdateServiceAccount::default(),
        }
    }

    /// Deletes a service account permanently. Its secrets and all its tokens stop working at once.
    pub fn delete_service_account(&self, id: &str) -> DeleteServiceAccount {
        let call = Call::new(self, Method::DELETE, &["service-accounts", id]);
        DeleteServiceAccount { call }
    }

    /// Revokes every token issued to a service account so far. Its secrets keep working.
    pub fn revoke_tokens(&self, id: &str) -> RevokeTokens {
        let path = ["service-accounts", id, "revoke-tokens"];
        let call = Call::new(self, Method::POST, &path);
        RevokeTokens { call }
    }

    /// Counts the tokens issued and refused to a service account, by day.
    pub fn get_usage(&self, id: &str) -> GetUsage {
        let call = Call::new(self, Method::GET, &["service-accounts", id, "usage"]);
        GetUsage { call }
    }
}

/// The settings that a new account and an update have in common. `$settings` is the path from the call to its
/// [`wire::UpdateServiceAccount`].
macro_rules! settings {
    ($call:ident, $($settings:tt)+) => {
        impl $call {
            /// Sets all settings at once, in place of those set before. Without a name in `settings`, the name stays.
            pub fn settings(mut self, settings: wire::UpdateServiceAccount) -> Self {
                let name = self.$($settings)+.name.take();
                self.$($settings)+ = settings;
                let given = &mut self.$($settings)+.name;
                *given = given.take().or(name);
                self
            }

            /// Sets the description: up to 1,024 characters.
            pub fn description(mut self, text: impl Into<String>) -> Self {
                self.$($settings)+.description = Some(Some(text.into()));
                self
            }

            /// Sets all scopes that the account may request. A new account without this gets the management scopes of the
            /// caller.
            pub fn scopes(mut self, scopes: impl IntoIterator<Item: Into<String>>) -> Self {
                let scopes = scopes.into_iter().map(Into::into);
                self.$($settings)+.scopes = Some(scopes.collect());
                self
            }

            /// Sets what the account may grant to others, beside the management scopes that it holds: scopes, and patterns such
            /// as `orders:*`.
            pub fn grantable_scopes(
                mut self,
                scopes: impl IntoIterator<Item: Into<String>>,
            ) -> Self {
                let scopes = scopes.into_iter().map(Into::into);
                self.$($settings)+.grantable_scopes = Some(scopes.collect());
                self
            }

            /// Sets the owner: the person or team that is responsible for the account.
            pub fn owner(mut self, owner: impl Into<String>) -> Self {
                self.$($settings)+.owner = Some(Some(owner.into()));
                self
            }

            /// Sets a label. Other labels stay.
            pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                let labels = self.$($settings)+.labels.get_or_insert_default();
                labels.get_or_insert_default().insert(key.into(), Some(value.into()));
                self
            }

            /// Sets the lifetime of the account's access tokens: 60 to 86,400 seconds.
            pub fn token_lifetime_seconds(mut self, seconds: u32) -> Self {
                self.$($settings)+.token_lifetime_seconds = Some(Some(seconds));
                self
            }

            /// Sets when the account expires: an RFC 3339 instant such as `2027-01-01T00:00:00Z`.
            pub fn expires_at(mut self, instant: impl Into<String>) -> Self {
                self.$($settings)+.expires_at = Some(Some(instant.into()));
                self
            }
        }
    };
}

call! {
    /// Creates a service account: [`Client::create_service_account`].
    CreateServiceAccount(wire::CreateServiceAccount) -> Versioned<ServiceAccountCredentials>, versioned, idempotency_key
}
settings!(CreateServiceAccount, body.0);

call! {
    /// Updates a service account: [`Client::update_service_account`]. The call is a merge patch (RFC 7396): settings that it does
    /// not name stay as they are, and a `clear_` method sets a setting to null.
    UpdateServiceAccount(wire::UpdateServiceAccount) -> Versioned<ServiceAccountEnvelope>, versioned, if_match
}
settings!(UpdateServiceAccount, body);

impl UpdateServiceAccount {
    /// Sets the display name: one line of 1 to 255 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.body.name = Some(name.into());
        self
    }

    /// Disables or enables the account. A disabled account gets no tokens, and its tokens are inactive.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.body.disabled = Some(disabled);
        self
    }

    /// Removes the description.
    pub fn clear_description(mut self) -> Self {
        self.body.description = Some(None);
        self
    }

    /// Removes the owner.
    pub fn clear_owner(mut self) -> Self {
        self.body.owner = Some(None);
        self
    }

    /// Removes a label. Other labels stay.
    pub fn clear_label(mut self, key: impl Into<String>) -> Self {
        let labels = self.body.labels.get_or_insert_default();
        labels.get_or_insert_default().insert(key.into(), None);
        self
    }

    /// Removes all labels.
    pub fn clear_labels(mut self) -> Self {
        self.body.labels = Some(None);
        self
    }

    /// Removes the token lifetime: tokens get the lifetime of their resource.
    pub fn clear_token_lifetime_seconds(mut self) -> Self {
        self.body.token_lifetime_seconds = Some(None);
        self
    }

    /// Removes the expiry: the account does not expire.
    pub fn clear_expires_at(mut self) -> Self {
        self.body.expires_at = Some(None);
        self
    }
}

call! {
    /// Lists service accounts: [`Client::list_service_accounts`]. Await the call to get a page, which contains the cursor of the
    /// next one. An account must pass all filters.
    ListServiceAccounts -> ServiceAccountList, json
}

impl ListServiceAccounts {
    /// Streams all accounts and requests the pages as needed.
    pub fn stream(self) -> Items<ServiceAccount> {
        Items::new(self.call, |call| async move {
            let page = Self { call: call.clone() }.await?;
            let next = page.next_cursor.map(|next| Self { call }.cursor(next).call);
            Ok((page.items, next))
        })
    }

    /// Only accounts whose name contains this text, ignoring case.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.call.parameter("name", name.into());
        self
    }

    /// Only accounts with this label. Call it several times to require several labels.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.call
            .further_parameter("label", format!("{key}:{value}"));
        self
    }

    /// Only accounts with exactly this owner.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.call.parameter("owner", owner.into());
        self
    }

    /// Only disabled accounts (`true`), or only enabled accounts (`false`).
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.call.parameter("disabled", disabled);
        self
    }

    /// Only accounts that were issued no token for this many days.
    pub fn unused_for_days(mut self, days: u32) -> Self {
        self.call.parameter("unusedForDays", days);
        self
    }

    /// Only accounts with a secret that expires within this many days.
    pub fn secret_expires_within_days(mut self, days: u32) -> Self {
        self.call.parameter("secretExpiresWithinDays", days);
        self
    }

    /// Sets the maximum number of accounts in a page: 1 to 200. Default: 200.
    pub fn limit(mut self, limit: u32) -> Self {
        self.call.parameter("limit", limit);
        self
    }

    /// Sets where the page begins: the `next_cursor` of the previous page, which must have had the same filters.
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
    /// Deletes a service account: [`Client::delete_service_account`].
    DeleteServiceAccount -> (), gone, if_match
}

call! {
    /// Revokes all tokens of a service account: [`Client::revoke_tokens`].
    RevokeTokens -> (), nothing, if_match
}

call! {
    /// Counts tokens: [`Client::get_usage`].
    GetUsage -> UsageList, json
}

impl GetUsage {
    /// Sets the number of days, including today: 1 to 90.
    pub fn days(mut self, days: u32) -> Self {
        self.call.parameter("days", days);
        self
    }
}
