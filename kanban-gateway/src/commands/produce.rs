//! What belongs beside the program: completions and man pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use serde::Serialize;

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Prints the script of a shell, also with `--json`: it is read by the shell.
pub(super) fn completions(args: &CompletionsArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kanban", &mut script);
    let script = String::from_utf8_lossy(&script);
    output.line(script.trim_end())?;
    Ok(Exit::Done)
}

/// The man pages that were written.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ManPages {
    files: Vec<String>,
}

pub(super) fn man(args: &ManArgs, output: &mut Output) -> Result<Exit, Failure> {
    let files =
        write_pages(&args.directory).map_err(|error| Failure::unmade(&args.directory, error))?;
    output.answer(None, None, &ManPages { files }, |pages, _| {
        pages.files.join("\n")
    })?;
    Ok(Exit::Done)
}

/// One page for each command, also for those of several words.
fn write_pages(directory: &Path) -> Result<Vec<String>, io::Error> {
    fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), directory)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_page = Path::new(&name).extension().is_some_and(|end| end == "1");
        if is_page && name.starts_with("kanban") {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}
