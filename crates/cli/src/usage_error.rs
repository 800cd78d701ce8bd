//! Turns an error of the command-line parser into an `error:` line and a `hint:` line.

use crate::failure::Failure;

/// The failure for `error`, which the parser renders in several lines.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let mut problem = Vec::new();
    let mut hint = None;
    let mut help = "prokura --help".to_owned();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(usage) = line.strip_prefix("Usage: ") {
            help = format!("{} --help", command_in(usage));
        } else if let Some(tip) = line.strip_prefix("tip: ") {
            hint.get_or_insert(tip.to_owned());
        } else if let Some(values) = bracketed(line, "possible values: ") {
            hint.get_or_insert(format!("use one of {values}"));
        } else if let Some(commands) = bracketed(line, "subcommands: ") {
            hint.get_or_insert(format!("use one of {commands}"));
        } else if !line.starts_with("For more information") {
            problem.push(line.trim_start_matches("error: "));
        }
    }
    // A list of arguments follows a colon.
    let (first, rest) = problem.split_first().unwrap_or((&"wrong usage", &[]));
    let separator = if first.ends_with(':') { " " } else { "; " };
    let problem = match rest {
        [] => (*first).to_owned(),
        rest => format!("{first}{separator}{}", rest.join(", ")),
    };
    Failure::usage(problem).hint(hint.unwrap_or_else(|| format!("see `{help}`")))
}

/// The value of `[label value]`.
fn bracketed<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    line.strip_prefix('[')?
        .strip_prefix(label)?
        .strip_suffix(']')
}

/// The command at the beginning of a usage line, without its arguments.
fn command_in(usage: &str) -> String {
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let words = usage.split_whitespace().take_while(is_name);
    words.collect::<Vec<_>>().join(" ")
}
