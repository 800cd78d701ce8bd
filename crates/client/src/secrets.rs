//! The calls about the secrets of a service account.

use prokura_wire::{
    AddedSecret, ServiceAccountCredentials, ServiceAccountEnvelope, ServiceAccountSecretList,
};
use reqwest::Method;

use crate::{
    Client, Versioned,
    call::{Call, call},
};

impl Client {
    /// Rotates the secret of a service account. Unless a grace is asked for, the old secrets are refused from then on; tokens
    /// already issued live until they expire. The answer holds the new secret, which is shown this once.
    pub fn rotate_secret(&self, id: &str) -> RotateSecret {
        let path = ["service-accounts", id, "rotate-secret"];
        let call = Call::new(self, Method::POST, &path).once();
        RotateSecret { call }
    }

    /// Takes back a rotation whose grace has not ended: the secret that it made ends at once, and those that were to retire
    /// live on as before.
    pub fn cancel_rotation(&self, id: &str) -> CancelRotation {
        let path = ["service-accounts", id, "cancel-rotation"];
        let call = Call::new(self, Method::POST, &path);
        CancelRotation { call }
    }

    /// Lists the secrets of a service account, newest first, without the secrets themselves.
    pub fn list_secrets(&self, id: &str) -> ListSecrets {
        let call = Call::new(self, Method::GET, &["service-accounts", id, "secrets"]);
        ListSecrets { call }
    }

    /// Gives a service account a further secret beside those that live. The answer holds it, and it is shown this once.
    pub fn add_secret(&self, id: &str) -> AddSecret {
        let call = Call::new(self, Method::POST, &["service-accounts", id, "secrets"]).once();
        AddSecret { call }
    }

    /// Ends one secret of a service account at once.
    pub fn delete_secret(&self, id: &str, secret_id: &str) -> DeleteSecret {
        let path = ["service-accounts", id, "secrets", secret_id];
        let call = Call::new(self, Method::DELETE, &path);
        DeleteSecret { call }
    }
}

call! {
    /// Rotates the secret of a service account: [`Client::rotate_secret`].
    RotateSecret -> Versioned<ServiceAccountCredentials>, versioned, idempotency_key, if_match
}

impl RotateSecret {
    /// How long the old secrets live on, in seconds. Without it they end at once.
    pub fn grace_period_seconds(mut self, seconds: u32) -> Self {
        self.call.member("gracePeriodSeconds", seconds);
        self
    }

    /// How long the new secret is to live, in seconds. Without it, it does not expire.
    pub fn expires_in_seconds(mut self, seconds: u32) -> Self {
        self.call.member("expiresInSeconds", seconds);
        self
    }

    /// Ends the tokens issued so far as well.
    pub fn revoke_tokens(mut self) -> Self {
        self.call.member("revokeTokens", true);
        self
    }
}

call! {
    /// Takes back a rotation: [`Client::cancel_rotation`].
    CancelRotation -> Versioned<ServiceAccountEnvelope>, versioned, if_match
}

call! {
    /// Lists secrets: [`Client::list_secrets`].
    ListSecrets -> ServiceAccountSecretList, json
}

call! {
    /// Adds a secret: [`Client::add_secret`].
    AddSecret -> AddedSecret, json, idempotency_key, if_match
}

impl AddSecret {
    /// How long it is to live, in seconds. Without it, it does not expire.
    pub fn expires_in_seconds(mut self, seconds: u32) -> Self {
        self.call.member("expiresInSeconds", seconds);
        self
    }
}

call! {
    /// Ends a secret: [`Client::delete_secret`].
    DeleteSecret -> (), gone, if_match
}
