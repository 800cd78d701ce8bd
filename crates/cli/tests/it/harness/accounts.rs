//! The calls of the management API that many tests make, and the questions that they ask about an account.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Credentials, Prokura, Reply};

/// A well-formed account ID that no account has.
pub const NO_ACCOUNT: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

impl Client {
    /// Sends a request to create an account.
    pub async fn try_create(&self, token: &str, body: Value) -> Reply {
        self.api(Method::POST, "/service-accounts", token, Some(body))
            .await
    }

    /// Creates an account: its record and its credentials.
    pub async fn create(&self, token: &str, body: Value) -> (Value, Credentials) {
        let reply = self.try_create(token, body).await.expect(201);
        (reply.json()["serviceAccount"].clone(), reply.credentials())
    }

    /// Creates an account named `CI` with these scopes.
    pub async fn create_with_scopes(&self, token: &str, scopes: &[&str]) -> Credentials {
        let body = json!({ "name": "CI", "scopes": scopes });
        self.create(token, body).await.1
    }

    /// Lists all accounts of the caller's organization.
    pub async fn list_accounts(&self, token: &str) -> Vec<Value> {
        let list = self.api(Method::GET, "/service-accounts", token, None);
        list.await.items()
    }

    /// Sends a request about one account. `operation` is what follows the account ID in the path, with its slash; empty
    /// for the account itself.
    pub async fn on_account(
        &self,
        method: Method,
        id: &str,
        operation: &str,
        token: &str,
        body: Option<Value>,
    ) -> Reply {
        let path = format!("/service-accounts/{id}{operation}");
        self.api(method, &path, token, body).await
    }

    /// Sends a request for one account.
    pub async fn try_get_account(&self, token: &str, id: &str) -> Reply {
        self.on_account(Method::GET, id, "", token, None).await
    }

    /// The record of an account.
    pub async fn get_account(&self, token: &str, id: &str) -> Value {
        let reply = self.try_get_account(token, id).await;
        reply.expect(200).json()["serviceAccount"].clone()
    }

    /// Sends a patch of an account.
    pub async fn try_update(&self, token: &str, id: &str, patch: Value) -> Reply {
        self.on_account(Method::PATCH, id, "", token, Some(patch))
            .await
    }

    /// Patches an account: its record afterwards.
    pub async fn update(&self, token: &str, id: &str, patch: Value) -> Value {
        let reply = self.try_update(token, id, patch).await;
        reply.expect(200).json()["serviceAccount"].clone()
    }

    /// Sends a request to delete an account.
    pub async fn try_delete(&self, token: &str, id: &str) -> Reply {
        self.on_account(Method::DELETE, id, "", token, None).await
    }

    /// Deletes an account.
    pub async fn delete(&self, token: &str, id: &str) {
        self.try_delete(token, id).await.expect(204);
    }

    /// Sends a request to rotate an account's secret.
    pub async fn try_rotate(&self, token: &str, id: &str, body: Option<Value>) -> Reply {
        self.on_account(Method::POST, id, "/rotate-secret", token, body)
            .await
    }

    /// Rotates an account's secret without a grace period: its new credentials.
    pub async fn rotate(&self, token: &str, id: &str) -> Credentials {
        let reply = self.try_rotate(token, id, None).await;
        reply.expect(200).credentials()
    }

    /// Rotates an account's secret with these options: its new credentials.
    pub async fn rotate_with(&self, token: &str, id: &str, options: Value) -> Credentials {
        let reply = self.try_rotate(token, id, Some(options)).await;
        reply.expect(200).credentials()
    }

    /// Sends a request to add a secret to an account.
    pub async fn try_add_secret(&self, token: &str, id: &str, options: Option<Value>) -> Reply {
        self.on_account(Method::POST, id, "/secrets", token, options)
            .await
    }

    /// Adds a secret to an account: its record and the credentials.
    pub async fn add_secret(&self, token: &str, id: &str) -> (Value, Credentials) {
        let reply = self.try_add_secret(token, id, None).await.expect(201);
        (reply.json()["secret"].clone(), reply.credentials())
    }

    /// Lists the secrets of an account, newest first.
    pub async fn list_secrets(&self, token: &str, id: &str) -> Vec<Value> {
        let list = self.on_account(Method::GET, id, "/secrets", token, None);
        list.await.items()
    }

    /// The states of an account's secrets, newest first.
    pub async fn secret_states(&self, token: &str, id: &str) -> Vec<String> {
        let secrets = self.list_secrets(token, id).await;
        let states = secrets.iter().map(|secret| secret["state"].as_str());
        states.map(|state| state.unwrap().to_owned()).collect()
    }

    /// Sends a request to cancel the last rotation of an account.
    pub async fn cancel_rotation(&self, token: &str, id: &str) -> Reply {
        self.on_account(Method::POST, id, "/cancel-rotation", token, None)
            .await
    }

    /// Whether these credentials get a token. If they do not, the refusal must be `invalid_client`.
    pub async fn authenticates(&self, client: &Credentials) -> bool {
        let reply = self.token(client, &[]).await;
        let is_issued = reply.status == 200;
        if !is_issued {
            reply.expect_oauth_error(401, "invalid_client");
        }
        is_issued
    }
}

impl Prokura {
    /// Whether introspection by the first account says that the token is active.
    pub async fn is_active(&self, token: &str) -> bool {
        self.introspect(&self.root, token).await["active"] == true
    }

    /// How many rows there are in `from`, a table that a condition may follow.
    pub async fn count(&self, from: &str) -> i64 {
        let rows = self.rows(&format!("SELECT count(*) FROM {from}")).await;
        rows[0][0].as_i64().unwrap()
    }
}
