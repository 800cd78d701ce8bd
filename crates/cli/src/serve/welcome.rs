//! The text that the first start prints.

use std::path::Path;

use crate::first_start;

/// The text. Its commands do not put the secret into the process list or the shell history.
pub(super) fn welcome(url: &str, credentials: &Path) -> String {
    let organization = first_start::ORGANIZATION;
    let account = first_start::SERVICE_ACCOUNT;
    let path = credentials.display();
    let file = shell_quoted(&path.to_string());
    let token_endpoint = shell_quoted(&format!("{url}/oauth2/token"));
    let accounts = shell_quoted(&format!("{url}/api/v1/service-accounts"));
    format!(
        r#"First start: created the organization "{organization}" and the service account "{account}", which has all permissions.
Its credentials are in {path}, which only you can read. Keep them in a safe place.

Next, in another terminal:

  prokura profile add --from {file}
  prokura service-accounts create "My first service account" --scope management:service-accounts:read

Or with curl and jq: get a token, create a service account, list all of them.

TOKEN=$(jq -r '"user = \"\(.clientId):\(.clientSecret)\""' {file} | curl -sS -K - -d grant_type=client_credentials {token_endpoint} | jq -r .access_token)
curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{{"name":"My first service account"}}' {accounts}
curl -sS -H "Authorization: Bearer $TOKEN" {accounts}

"#
    )
}

/// `word` as one word of a POSIX shell.
fn shell_quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_stays_one_word_for_the_shell() {
        assert_eq!(shell_quoted("/var/lib/prokura"), "/var/lib/prokura");
        assert_eq!(shell_quoted("/my data/$x"), "'/my data/$x'");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}
