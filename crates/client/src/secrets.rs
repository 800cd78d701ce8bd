//! The calls about the secrets of a service account.

use prokura_wire::{
    self as wire, AddedSecret, ServiceAccountCredentials, ServiceAccountEnvelope,
    ServiceAccountSecretList,
};
use reqwest::Method;

use crate::{
    Client, Versioned,
    call::{Call, call},
};

impl Client {
    /// Rotates the secret of a service account. Without a grace period, the old secrets stop working at once. Tokens issued so
    /// far stay active until they expire. The response contains the new secret, which cannot be read again later.
    pub fn rotate_secret(&self, id: &str) -> RotateSecret {
        let path = ["service-accounts", id, "rotate-secret"];
        RotateSecret {
            call: Call::new(self, Method::POST, &path).once(),
            body: wire::RotateSecret::default(),
        }
    }

    /// Cancels a rotation whose grace period has not ended: its secret stops working at once, and the secrets that were
    /// retiring become active again.
    pub fn cancel_rotation(&self, id: &str) -> CancelRotation {
        let path = ["service-accounts", id, "cancel-rotation"];
        let call = Call::new(self, Method::POST, &path);
        CancelRotation { call }
    }

    /// Lists the secrets of a service account, newest first, without the secret texts.
    pub fn list_secrets(&self, id: &str) -> ListSecrets {
        let call = Call::new(self, Method::GET, &["service-accounts", id, "secrets"]);
        ListSecrets { call }
    }

    /// Adds a secret to a service account; the others keep working. The response contains the new secret, which cannot be read
    /// again later.
    pub fn add_secret(&self, id: &str) -> AddSecret {
        AddSecret {
            call: Call::new(self, Method::POST, &["service-accounts", id, "secrets"]).once(),
            body: wire::AddSecret::default(),
        }
    }

    /// Deletes one secret of a service account. It stops working at once.
    pub fn delete_secret(&self, id: &str, secret_id: &str) -> DeleteSecret {
        let path = ["service-accounts", id, "secrets", secret_id];
        let call = Call::new(self, Method::DELETE, &path);
        DeleteSecret { call }
    }
}

call! {
    /// Rotates the secret of a service account: [`Client::rotate_secret`].
    RotateSecret(wire::RotateSecret) -> Versioned<ServiceAccountCredentials>, versioned, idempotency_key, if_match
}

impl RotateSecret {
    /// Sets how long the old secrets keep working, in seconds. Default: they stop working at once.
    pub fn grace_period_seconds(mut self, seconds: u32) -> Self {
        self.body.grace_period_seconds = Some(seconds);
        self
    }

    /// Sets the lifetime of the new secret, in seconds. Default: it does not expire.
    pub fn expires_in_seconds(mut self, seconds: u32) -> Self {
        self.body.expires_in_seconds = Some(seconds);
        self
    }

    /// Also revokes the tokens issued so far.
    pub fn revoke_tokens(mut self) -> Self {
        self.body.revoke_tokens = Some(true);
        self
    }
}

call! {
    /// Cancels a rotation: [`Client::cancel_rotation`].
    CancelRotation -> Versioned<ServiceAccountEnvelope>, versioned, if_match
}

call! {
    /// Lists secrets: [`Client::list_secrets`].
    ListSecrets -> ServiceAccountSecretList, json
}

call! {
    /// Adds a secret: [`Client::add_secret`].
    AddSecret(wire::AddSecret) -> AddedSecret, json, idempotency_key, if_match
}

impl AddSecret {
    /// Sets the lifetime of the secret, in seconds. Default: it does not expire.
    pub fn expires_in_seconds(mut self, seconds: u32) -> Self {
        self.body.expires_in_seconds = Some(seconds);
        self
    }
}

call! {
    /// Deletes a secret: [`Client::delete_secret`].
    DeleteSecret -> (), gone, if_match
}
