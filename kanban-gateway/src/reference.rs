//! What must be true of all commands at once: each has its operations and its examples.

mod examples;
mod operations;

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
