//! Updates a profile when the secret of its service account is rotated.

use prokura_client::wire::Credentials;

use super::{
    print,
    profile::Profiles,
    target::{Origin, Target},
};
use crate::failure::Failure;

/// Stores the new secret in the profile that was used, if the rotated account is the profile's own. Otherwise the profile would
/// stop working.
pub(crate) fn keep_new_secret(target: &Target, credentials: &Credentials) -> Result<(), Failure> {
    let Origin::Profile(name) = &target.secret.origin else {
        return Ok(());
    };
    if credentials.client_id != target.client_id.value {
        return Ok(());
    }
    let mut all = Profiles::load()?;
    if let Some(profile) = all.profiles.get_mut(name) {
        profile.client_secret = credentials.client_secret.clone();
        all.save()?;
        print::note(&format!("Updated the secret in the profile {name:?}."));
    }
    Ok(())
}
