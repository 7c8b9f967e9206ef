//! Moving boards.

use std::path::PathBuf;

use clap::Args;

use crate::store::Store;

/// Where an export goes.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file to make; it must not exist [default: standard output]
    pub(crate) file: Option<PathBuf>,
}

/// Where a backup goes.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to make, outside of the root; it must not exist
    pub(crate) file: PathBuf,
}

/// What an import of a whole board takes.
#[derive(Debug, Args)]
pub(crate) struct ImportBoardArgs {
    /// What `kanban export`, or `kanban backup`, wrote; `-` is standard input, for an export
    pub(crate) file: PathBuf,
    /// Keeps the open claims and all numbers: a move, after which the other board is never written again
    #[arg(long)]
    pub(crate) keep_claims: bool,
    /// Who imports
    #[arg(long = "as", value_name = "NAME", default_value = "import")]
    pub(crate) actor: String,
}

/// Where the boards of a root go.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The store that is to have them
    #[arg(long, value_enum)]
    pub(crate) to: Store,
}
