//! The command `kanban`: a board store on the command line.
//!
//! With `--json` every command prints one line, its envelope: `{"seq":…,"data":…}` for a question,
//! `{"seq":…,"effect":…,"data":…}` for a write, `{"error":{"kind":…,"reason":…,"message":…, …}}` for what was not
//! done. Names are in snake case, times in milliseconds since 1970. `seq` is null where a command is not about one
//! board.

mod cli;
mod commands;
mod demo;
mod failure;
#[cfg(feature = "hermes")]
mod hermes;
mod output;
// The examples name both stores, of which a program may lack one.
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod reference;
mod store;
mod values;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => {
            let mut output = Output::new(cli.global.json);
            let ended = commands::run(cli, &mut output);
            output.end(ended).into()
        }
        Err(error) => output::usage(&error).into(),
    }
}
