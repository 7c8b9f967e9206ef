//! Arguments of the commands that hold work back, and let it go on.

use clap::Args;
use kanban_core::WorkerBlockKind;

use super::work::RightArgs;

#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) right: RightArgs,
    /// What is missing
    #[arg(long, default_value = "other", value_parser = block_kinds())]
    pub(crate) kind: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// A task that it waits for from now on, with --kind dependency; may be given many times
    #[arg(long = "on", value_name = "ID")]
    pub(crate) on: Vec<String>,
    /// Refused unless the card has this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) right: RightArgs,
    /// Until this time, or for a duration from now [default: until somebody unblocks it]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Refused unless the card has this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
    /// Removes the links to unfinished parents, instead of being refused
    #[arg(long)]
    pub(crate) unlink: bool,
    /// Only says what would become of the task, or why it would be refused
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// Only tasks of this assignee [default: the whole board]
    #[arg(long, value_name = "NAME")]
    pub(crate) assignee: Option<String>,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The pause of this assignee [default: that of the whole board]
    #[arg(long, value_name = "NAME")]
    pub(crate) assignee: Option<String>,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
}

fn block_kinds() -> clap::builder::PossibleValuesParser {
    WorkerBlockKind::ALL.iter().map(|kind| kind.as_str()).into()
}
