//! What must be true of all commands at once: each has its operations and its examples, and its
//! place in `docs/cli.md` and `docs/cli.schema.json`, which are made here.

mod examples;
mod operations;
mod page;
mod schema;

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::cli::Cli;

/// Every command that does something, by its words, with clap's knowledge of it; in the order of the help.
fn commands() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    walk("", &whole(), &mut found);
    found.retain(|(_, command)| !command.has_subcommands());
    found
}

/// Every command, also `kanban` itself and those that only have commands below them.
fn all_commands() -> Vec<(String, Command)> {
    let mut found = vec![(String::new(), whole())];
    walk("", &whole(), &mut found);
    found
}

fn whole() -> Command {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    whole
}

fn walk(above: &str, command: &Command, found: &mut Vec<(String, Command)>) {
    for below in command.get_subcommands() {
        let words = format!("{above} {}", below.get_name()).trim().to_owned();
        found.push((words.clone(), below.clone()));
        walk(&words, below, found);
    }
}

/// Compares a file of the documentation with what it must be; with `KANBAN_UPDATE` set, writes it.
fn checked_in(name: &str, expected: &str) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let path = docs.join(name);
    if std::env::var_os("KANBAN_UPDATE").is_some() {
        fs::write(&path, expected).expect("the documentation can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differ = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
    assert!(
        found == expected,
        "docs/{name} is behind: run the tests of kanban-gateway with KANBAN_UPDATE=1; the first line that differs: \
         {differ:?}"
    );
}
