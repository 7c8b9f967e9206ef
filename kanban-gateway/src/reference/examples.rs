//! The examples of the help.

use clap::{Command, Parser};

use crate::cli::Cli;

/// The examples that a command's help ends with.
pub(super) fn examples(command: &Command) -> Vec<String> {
    let after = command.get_after_help().map(ToString::to_string);
    let after = after.unwrap_or_default();
    let Some((_, examples)) = after.split_once("Example:\n") else {
        return Vec::new();
    };
    examples
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The words of a line, as a shell splits it. Single quotes are all that the examples use.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    assert!(
        line.matches('\'').count().is_multiple_of(2),
        "a quote has an end: {line}"
    );
    words
}

#[test]
fn every_help_has_an_example_of_its_command() {
    for (name, command) in super::all_commands() {
        let examples = examples(&command);
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            let is_its_own =
                name.is_empty() || format!("{example} ").contains(&format!(" {name} "));
            assert!(is_its_own, "of {name}: {example}");
        }
    }
}

#[test]
fn every_example_is_a_command_line() {
    for (name, command) in super::all_commands() {
        for example in examples(&command) {
            if let Err(error) = Cli::try_parse_from(words(&example)) {
                panic!("of {name}: {example}: {error}");
            }
        }
    }
}

#[test]
fn every_option_is_explained() {
    for (name, command) in super::all_commands() {
        let unexplained = command
            .get_arguments()
            .filter(|arg| arg.get_help().is_none())
            .map(|arg| arg.get_id().as_str().to_owned());
        assert_eq!(
            unexplained.collect::<Vec<_>>(),
            Vec::<String>::new(),
            "{name}"
        );
        assert!(command.get_about().is_some(), "{name}");
    }
}
