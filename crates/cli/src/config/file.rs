//! Reads configuration files.

use std::{fs, path::Path};

use super::settings::Settings;
use crate::failure::Failure;

/// The reference: every key with its default and a description.
const DEFAULTS: &str = include_str!("../config.default.toml");

/// A longer list of choices does not fit a hint.
const LONGEST_CHOICE: usize = 150;

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Settings, Failure> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!(
            "cannot read the configuration file {name}: {error}"
        ))
        .hint("check the path given with --config or PROKURA_CONFIG")
    })?;
    parse(&text).map_err(|error| error.of(&name))
}

/// The built-in defaults.
pub(super) fn defaults() -> Result<Settings, Failure> {
    parse(DEFAULTS).map_err(|error| error.of("config.default.toml"))
}

/// What is wrong in a file. It never contains the line itself, which may have a password.
#[derive(Debug)]
struct SyntaxError {
    /// Line, key and problem.
    problem: String,
    /// What the parser expected instead.
    expected: Option<String>,
}

impl SyntaxError {
    fn new(line: usize, key: Option<&str>, message: &str) -> Self {
        let message = message
            .replace('\n', " ")
            .replace("unknown field", "unknown key")
            .replace("unknown variant", "unknown value");
        let (problem, expected) = match message.split_once(", expected ") {
            Some((problem, expected)) => (problem, Some(expected)),
            None => (&*message, None),
        };
        let expected = expected.map(|expected| match expected.strip_prefix("one of ") {
            Some(choices) if choices.len() > LONGEST_CHOICE => {
                "run `prokura check` without the file to see every key".to_owned()
            }
            Some(choices) => format!("use one of {}", choices.replace('`', "")),
            None => format!("expected {expected}"),
        });
        // The message itself names an unknown key.
        let key = key.filter(|key| !problem.contains(&format!("`{key}`")));
        let key = key.map_or(String::new(), |key| format!("{key}: "));
        Self {
            problem: format!("line {line}: {key}{problem}"),
            expected,
        }
    }

    fn of(self, file: &str) -> Failure {
        let failure = Failure::usage(format!("{file}, {}", self.problem));
        match self.expected {
            Some(expected) => failure.hint(expected),
            None => failure,
        }
    }
}

fn parse(text: &str) -> Result<Settings, SyntaxError> {
    let line = |error: &toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = &text.as_bytes()[..start];
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    };
    let document = toml::Deserializer::parse(text)
        .map_err(|error| SyntaxError::new(line(&error), None, error.message()))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        let error = error.into_inner();
        SyntaxError::new(line(&error), Some(&key), error.message())
    })
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;
    use crate::config::Options;

    #[test]
    fn every_top_level_key_is_a_flag_and_an_environment_variable_and_the_help_names_its_default() {
        let reference = uncommented_reference();
        let command = Options::augment_args(clap::Command::new("any"));
        let arguments = command
            .get_arguments()
            .filter(|argument| argument.get_id() != "config")
            .collect::<Vec<_>>();
        for argument in &arguments {
            let key = argument.get_id().as_str();
            assert_eq!(argument.get_long(), Some(&*key.replace('_', "-")));
            assert_eq!(
                argument.get_env().unwrap().to_str(),
                Some(&*format!("PROKURA_{}", key.to_uppercase()))
            );
            let help = argument.get_help().unwrap().to_string();
            if let Some(default) = DEFAULTS.parse::<toml::Table>().unwrap().get(key) {
                let default = default
                    .as_str()
                    .map_or_else(|| default.to_string(), str::to_owned);
                assert!(
                    help.contains(&format!("[default: {default}]")),
                    "{key}: {help}"
                );
            }
            assert!(
                reference.contains_key(key),
                "{key} is not in config.default.toml"
            );
        }
        let scalars = reference
            .values()
            .filter(|value| !value.is_table() && !value.is_array())
            .count();
        assert_eq!(scalars, arguments.len());
    }

    #[test]
    fn the_reference_has_every_key_and_the_real_defaults_of_a_resource() {
        let reference = uncommented_reference();
        let shown = parse(&reference.to_string())
            .unwrap()
            .resources
            .unwrap()
            .remove(0);
        let least = parse("[[resources]]\nidentifier = \"https://orders.example.com\"\nscopes = [\"orders:read\", \"orders:write\"]")
            .unwrap()
            .resources
            .unwrap()
            .remove(0);
        assert_eq!(format!("{shown:?}"), format!("{least:?}"));
        assert_eq!(reference["resources"][0].as_table().unwrap().len(), 6);
        assert_eq!(reference["management_api"].as_table().unwrap().len(), 4);
        assert_eq!(reference["rotation"].as_table().unwrap().len(), 2);
        assert_eq!(reference["tls"].as_table().unwrap().len(), 2);
    }

    #[test]
    fn an_error_in_a_file_names_line_and_key() {
        for (text, message) in [
            ("\nlistne = 1", "line 2: unknown key `listne`"),
            (
                "listen = 8080",
                "line 1: listen: invalid type: integer `8080`",
            ),
            (
                "listen = \"8080\"",
                "line 1: listen: must be an IP address and a port",
            ),
            (
                "[management_api]\ntoken_format = \"paseto\"",
                "line 2: management_api.token_format: unknown value `paseto`",
            ),
            (
                "[[resources]]\nidentifier = \"urn:x\"\nscopes = []",
                "line 3: resources[0].scopes: must contain at least one",
            ),
            (
                "[[resources]]\nidentifier = \"urn:x\"",
                "line 1: resources[0]: missing field `scopes`",
            ),
            ("a = ", "line 1: "),
            (
                "log_level = \"loud\"",
                "line 1: log_level: unknown value `loud`",
            ),
            ("database_connections = 0", "line 1: database_connections: "),
        ] {
            let error = parse(text).unwrap_err().of("p.toml").error;
            let error = error.strip_prefix("p.toml, ").unwrap();
            assert!(error.starts_with(message), "{text:?}: {error}");
            assert!(!error.contains('\n'), "{error:?}");
        }
    }

    /// The reference, including the keys that are commented out.
    fn uncommented_reference() -> toml::Table {
        let is_shown = |line: &str| {
            line.starts_with("[[")
                || line.split_once(" = ").is_some_and(|(key, _)| {
                    key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
                })
        };
        let lines = DEFAULTS.lines().map(|line| match line.strip_prefix("# ") {
            Some(shown) if is_shown(shown) => shown,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n").parse().unwrap()
    }
}
