//! Prints the credentials of a new administrator once.

use prokura_client::wire::{Credentials, Secret};
use prokura_server::authority::IssuedSecret;
use serde::Serialize;

use super::listed_organization::Organization;
use crate::{failure::Failure, remote::new_secret};

/// A new administrator as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewAdministrator {
    organization: Organization,
    service_account_id: String,
    credentials: Credentials,
}

/// Prints the credentials in `issued`, or writes the secret to the file. `done` says what was done.
pub(super) fn show(
    place: new_secret::Place,
    organization: Organization,
    issued: &IssuedSecret,
    done: &str,
) -> Result<(), Failure> {
    let credentials = || Credentials {
        client_id: issued.account.id.client_id().to_string(),
        client_secret: Secret::new(issued.secret.expose()),
    };
    let again = format!("prokura recover --organization {}", organization.id);
    let id = issued.account.id.to_string();
    let answer = NewAdministrator {
        organization,
        service_account_id: id.clone(),
        credentials: credentials(),
    };
    place.show(&answer, &credentials(), done, &id, &again)
}
