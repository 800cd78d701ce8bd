//! The operations of the API, read from the committed API document, so that no test can miss one.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Reply};

/// The committed API document.
pub const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json"));

/// A secret ID that no account has.
const NO_SECRET: &str = "01930a3e-7b1c-7def-8000-0123456789ab";

/// One operation of the API.
#[derive(Debug)]
pub struct Operation {
    /// The operation ID, for example `rotate_secret`.
    pub id: String,
    pub method: Method,
    /// The path, with `{id}` in it if the operation is about one account.
    pub path: String,
    /// The one scope that the operation requires. `None`: it takes no bearer token.
    pub scope: Option<String>,
    takes_json: bool,
    /// The statuses that the document lists.
    statuses: Vec<u16>,
}

/// Every operation. The one that deletes an account comes last.
pub fn every_operation() -> Vec<Operation> {
    let document = serde_json::from_str::<Value>(DOCUMENT).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation::read(path, method, operation));
        }
    }
    operations.sort_by_key(|operation| operation.id == "delete_service_account");
    operations
}

/// The operations of the management API.
pub fn managed_operations() -> Vec<Operation> {
    let mut operations = every_operation();
    operations.retain(|operation| operation.scope.is_some());
    operations
}

/// The operations on one account.
pub fn operations_on_an_account() -> Vec<Operation> {
    let mut operations = managed_operations();
    operations.retain(Operation::is_about_an_account);
    operations
}

/// The operation with this ID.
pub fn operation(id: &str) -> Operation {
    let mut operations = every_operation().into_iter();
    operations.find(|operation| operation.id == id).unwrap()
}

impl Operation {
    fn read(path: &str, method: &str, operation: &Value) -> Self {
        let security = &operation["security"];
        let scopes = &security[0]["bearer"];
        if let Some(scopes) = scopes.as_array() {
            assert_eq!(scopes.len(), 1, "the tests know operations of one scope");
            assert_eq!(security.as_array().unwrap().len(), 1);
        }
        let statuses = operation["responses"].as_object().unwrap().keys();
        Self {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase().parse().unwrap(),
            path: path.to_owned(),
            scope: scopes[0].as_str().map(str::to_owned),
            takes_json: !operation["requestBody"]["content"]["application/json"].is_null(),
            statuses: statuses.map(|status| status.parse().unwrap()).collect(),
        }
    }

    /// Whether the path names an account.
    pub fn is_about_an_account(&self) -> bool {
        self.path.contains("{id}")
    }

    /// The path for the account `id`.
    pub fn path_for(&self, id: &str) -> String {
        let path = self.path.replace("{id}", id);
        let path = path.replace("{secretId}", NO_SECRET);
        assert!(!path.contains('{'), "the tests cannot fill in {path}");
        path
    }

    /// A body with which the operation would succeed.
    fn body(&self) -> Option<Value> {
        self.takes_json.then(|| match &*self.id {
            "create_service_account" | "update_service_account" => json!({ "name": "CI" }),
            "rotate_secret" => json!({ "gracePeriodSeconds": 60 }),
            "add_secret" => json!({ "expiresInSeconds": 60 }),
            other => panic!("say here what body {other} takes"),
        })
    }

    /// Sends the request for the account `id` with these headers. The request ID is always the same. The document must
    /// list the status of the response.
    pub async fn send(&self, client: &Client, id: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = client
            .request(self.method.clone(), &self.path_for(id))
            .header("x-request-id", "always-the-same");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = self.body() {
            request = request.json(&body);
        }
        let reply = client.send(request).await;
        assert!(
            self.statuses.contains(&reply.status),
            "the document does not list the status {} of {}",
            reply.status,
            self.id
        );
        reply
    }

    /// Sends the request for the account `id` with this bearer token.
    pub async fn send_with_token(&self, client: &Client, id: &str, token: &str) -> Reply {
        let authorization = format!("Bearer {token}");
        self.send(client, id, &[("authorization", &authorization)])
            .await
    }
}
