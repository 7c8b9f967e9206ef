//! Moving boards.

use std::path::PathBuf;

use clap::Args;

/// Where an export goes.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to make; it must not exist [default: standard output]
    pub(crate) file: Option<PathBuf>,
}

/// What an import of an export takes.
#[derive(Debug, Args)]
pub(crate) struct ImportLinesArgs {
    /// What `kanban export` wrote
    pub(crate) file: PathBuf,
    /// Keeps the open claims and all numbers: a move, after which the other board is never written again
    #[arg(long)]
    pub(crate) keep_claims: bool,
    /// Who imports
    #[arg(long = "as", value_name = "NAME", default_value = "import")]
    pub(crate) actor: String,
}
