//! Turns an error of the command-line parser into an `error:` line and a `hint:` line.

use crate::failure::Failure;

/// The failure for `error`, which the parser renders in several lines. `command` is the command that was parsed, such as
/// `prokura audit list`.
pub(crate) fn failure(error: &clap::Error, command: &str) -> Failure {
    let text = error.to_string();
    let mut problem = Vec::new();
    let mut hint = None;
    let lines = text.lines().map(str::trim);
    for line in lines.take_while(|line| !line.starts_with("Usage:")) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            hint.get_or_insert(tip.to_owned());
        } else if let Some(values) = bracketed(line, "possible values: ") {
            hint.get_or_insert(format!("use one of {values}"));
        } else if let Some(commands) = bracketed(line, "subcommands: ") {
            hint.get_or_insert(format!("use one of {commands}"));
        } else if !line.is_empty() && !line.starts_with("For more information") {
            problem.push(line.trim_start_matches("error: "));
        }
    }
    Failure::usage(one_line(&problem))
        .hint(hint.unwrap_or_else(|| format!("see `{command} --help`")))
}

/// The value of `[label value]`.
fn bracketed<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    line.strip_prefix('[')?
        .strip_prefix(label)?
        .strip_suffix(']')
}

/// A sentence, which may be followed by a list of arguments.
fn one_line(problem: &[&str]) -> String {
    let (sentence, arguments) = problem.split_first().unwrap_or((&"wrong usage", &[]));
    if let Some(group) = arguments.iter().find(|argument| argument.contains('|')) {
        let flags = group.trim_matches(['<', '>']).split('|');
        let flags = flags.filter_map(|flag| flag.split(' ').next());
        return match *flags.collect::<Vec<_>>() {
            [one, other] => format!("the command needs {one} or {other}"),
            _ => "the command needs at least one option".to_owned(),
        };
    }
    let sentence = match *sentence {
        "the following required arguments were not provided:" => "missing required arguments:",
        sentence => sentence,
    };
    [&[sentence], arguments].concat().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(arguments: &[&str]) -> (String, String) {
        let command = clap::Command::new("prokura")
            .arg(clap::arg!(--level <LEVEL>).value_parser(["low", "high"]))
            .arg(clap::arg!(<FILE>));
        let error = command.try_get_matches_from(arguments).unwrap_err();
        let failure = failure(&error, "prokura");
        (failure.error, failure.hint.unwrap())
    }

    #[test]
    fn an_error_of_the_parser_becomes_two_lines() {
        for (arguments, error, hint) in [
            (
                &["prokura"][..],
                "missing required arguments: <FILE>",
                "see `prokura --help`",
            ),
            (
                &["prokura", "x", "--level", "top"],
                "invalid value 'top' for '--level <LEVEL>'",
                "use one of low, high",
            ),
            (
                &["prokura", "x", "--leve"],
                "unexpected argument '--leve' found",
                "a similar argument exists: '--level'",
            ),
        ] {
            let (found, found_hint) = rendered(arguments);
            assert_eq!((&*found, &*found_hint), (error, hint));
        }
    }
}
