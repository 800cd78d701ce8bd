//! The fields of a service account on the command line: the flags that set them, and the lines that show them.

use clap::{ArgGroup, Args as _, Command};
use prokura_client::wire::{ServiceAccount, UpdateServiceAccount};

use crate::remote::{
    print::Cell,
    rows::{instant, joined, labels, state, text},
    values::{label, scopes, seconds},
};

/// The settings that `create` and `update` have in common.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Settings {
    /// Description of the service account
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Scope to grant; the given scopes replace all others; repeat for several, or separate them with spaces; '' grants none
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Option<Vec<String>>,

    /// Scope that the account may grant to others, or a pattern such as orders:*; the given ones replace all others; repeat for
    /// several; '' grants none
    #[arg(long = "grantable-scope", value_name = "SCOPE")]
    grantable_scopes: Option<Vec<String>>,

    /// Owner, such as a team or a person
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,

    /// Label to set; repeat for several
    #[arg(long = "label", value_name = "KEY:VALUE", value_parser = label)]
    labels: Vec<(String, String)>,

    /// Lifetime of its access tokens, such as 15m; 60s to 1d [default: that of the resource]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    token_lifetime: Option<u32>,

    /// Time at which the account expires, such as 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
}

/// The changes of `update`. The command needs the group [`any_change`], too.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Changes {
    /// New name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    #[command(flatten)]
    settings: Settings,

    /// Remove the description
    #[arg(long, conflicts_with = "description")]
    clear_description: bool,

    /// Remove the owner
    #[arg(long, conflicts_with = "owner")]
    clear_owner: bool,

    /// Label to remove; repeat for several
    #[arg(long = "clear-label", value_name = "KEY")]
    cleared_labels: Vec<String>,

    /// Remove all labels
    #[arg(long, conflicts_with_all = ["labels", "cleared_labels"])]
    clear_labels: bool,

    /// Use the token lifetime of the resource
    #[arg(long, conflicts_with = "token_lifetime")]
    clear_token_lifetime: bool,

    /// Remove the expiry
    #[arg(long, conflicts_with = "expires_at")]
    clear_expires_at: bool,

    /// Disable the account: it gets no tokens, and its existing tokens stop working
    #[arg(long, conflicts_with = "enable")]
    disable: bool,

    /// Enable the account again
    #[arg(long)]
    enable: bool,
}

/// Requires at least one flag of [`Changes`].
pub(super) fn any_change() -> ArgGroup {
    let changes = Changes::augment_args(Command::new("update"));
    let flags = changes.get_arguments().map(|flag| flag.get_id().clone());
    ArgGroup::new("changes")
        .args(flags)
        .required(true)
        .multiple(true)
}

impl From<Settings> for UpdateServiceAccount {
    fn from(settings: Settings) -> Self {
        let labels = settings.labels.into_iter();
        let labels = labels.map(|(key, value)| (key, Some(value)));
        Self {
            description: settings.description.map(Some),
            scopes: settings.scopes.map(|given| scopes(&given)),
            grantable_scopes: settings.grantable_scopes.map(|given| scopes(&given)),
            owner: settings.owner.map(Some),
            labels: (labels.len() > 0).then(|| Some(labels.collect())),
            token_lifetime_seconds: settings.token_lifetime.map(Some),
            expires_at: settings.expires_at.map(Some),
            ..Self::default()
        }
    }
}

impl From<Changes> for UpdateServiceAccount {
    fn from(changes: Changes) -> Self {
        let mut update = Self::from(changes.settings);
        update.name = changes.name;
        if changes.clear_description {
            update.description = Some(None);
        }
        if changes.clear_owner {
            update.owner = Some(None);
        }
        for key in changes.cleared_labels {
            let labels = update.labels.get_or_insert_default();
            labels.get_or_insert_default().entry(key).or_default();
        }
        if changes.clear_labels {
            update.labels = Some(None);
        }
        if changes.clear_token_lifetime {
            update.token_lifetime_seconds = Some(None);
        }
        if changes.clear_expires_at {
            update.expires_at = Some(None);
        }
        if changes.disable || changes.enable {
            update.disabled = Some(changes.disable);
        }
        update
    }
}

/// The lines that show an account.
pub(super) fn lines(account: &ServiceAccount) -> Vec<(&'static str, Cell)> {
    let lifetime = account.token_lifetime_seconds;
    let lifetime = lifetime.map(|seconds| format!("{seconds} s"));
    vec![
        ("ID", Cell::plain(&account.id)),
        ("Client ID", Cell::plain(&account.client_id)),
        ("Name", Cell::plain(&account.name)),
        ("Description", text(account.description.as_deref(), "-")),
        (
            "Scopes",
            joined(account.scopes.iter().cloned(), " ", "none"),
        ),
        (
            "May grant",
            joined(account.grantable_scopes.iter().cloned(), " ", "none"),
        ),
        ("Owner", text(account.owner.as_deref(), "-")),
        ("Labels", labels(&account.labels)),
        ("State", state(account.disabled)),
        ("Expires", instant(account.expires_at.as_deref(), "never")),
        (
            "Token lifetime",
            text(lifetime.as_deref(), "default of the resource"),
        ),
        ("Created", instant(Some(&account.created_at), "")),
        (
            "Created by",
            text(account.created_by.as_deref(), "the server"),
        ),
        ("Updated", instant(Some(&account.updated_at), "")),
        (
            "Last used",
            instant(account.last_used_at.as_deref(), "never"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::{Value, json};

    use super::*;

    #[derive(clap::Parser)]
    #[command(group = any_change())]
    struct Update {
        #[command(flatten)]
        changes: Changes,
    }

    fn update(flags: &[&str]) -> Result<Value, clap::Error> {
        let flags = ["update"].iter().chain(flags);
        let update = Update::try_parse_from(flags)?;
        Ok(json!(UpdateServiceAccount::from(update.changes)))
    }

    /// A new member of the API's `UpdateServiceAccount` needs a flag.
    #[test]
    fn every_setting_has_a_flag() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
        let document = std::fs::read(document).unwrap();
        let document = serde_json::from_slice::<Value>(&document).unwrap();
        let members = &document["components"]["schemas"]["UpdateServiceAccount"]["properties"];
        let set = [
            "--name=a",
            "--description=b",
            "--scope=c d",
            "--grantable-scope=c:*",
            "--owner=e",
            "--label=f:g",
            "--token-lifetime=1m",
            "--expires-at=2027-01-01T00:00:00Z",
            "--disable",
        ];
        let clear = [
            "--name=a",
            "--clear-description",
            "--scope=",
            "--grantable-scope=",
            "--clear-owner",
            "--clear-labels",
            "--clear-token-lifetime",
            "--clear-expires-at",
            "--enable",
        ];
        for flag in set.iter().chain(&clear) {
            assert!(update(&[flag]).is_ok(), "{flag} alone is no update");
        }
        let (set, cleared) = (update(&set).unwrap(), update(&clear).unwrap());
        for (name, schema) in members.as_object().unwrap() {
            assert!(!set[name].is_null(), "no flag sets {name}");
            assert!(cleared.get(name).is_some(), "no flag clears {name}");
            let is_nullable = schema["type"].to_string().contains("null");
            assert_eq!(cleared[name].is_null(), is_nullable, "{name}");
        }
    }

    #[test]
    fn an_update_changes_something() {
        assert!(update(&[]).is_err());
        assert_eq!(update(&["--owner=a"]).unwrap(), json!({ "owner": "a" }));
        assert_eq!(update(&["--enable"]).unwrap(), json!({ "disabled": false }));
        assert_eq!(
            update(&["--label=a:b", "--clear-label=c", "--label=d:e"]).unwrap(),
            json!({ "labels": { "a": "b", "c": null, "d": "e" } })
        );
    }
}
