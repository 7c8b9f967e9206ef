//! Arguments of the commands of upkeep, and of those that write what belongs beside the program.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

/// The board's limits.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Prints the board's limits
    #[command(after_help = "Example:\n  kanban policy show --json")]
    Show,
    /// Sets some of the board's limits; of two who do so at once, the last one's others stand too
    #[command(
        after_help = "Example:\n  kanban policy set --claim-ttl 30m --failure-limit 3 --as anna"
    )]
    Set(PolicyArgs),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("limits").required(true).multiple(true).args([
    "claim_ttl", "failure_limit", "backoff_base", "backoff_max", "block_streak_limit", "review_round_limit",
]))]
pub(crate) struct PolicyArgs {
    /// How long a claim holds without a heartbeat: 1s to 30d
    #[arg(long, value_name = "DURATION")]
    pub(crate) claim_ttl: Option<String>,
    /// Failures in a row that block a task: 1 to 1,000
    #[arg(long, value_name = "N")]
    pub(crate) failure_limit: Option<u32>,
    /// The first wait after a failure; it doubles
    #[arg(long, value_name = "DURATION")]
    pub(crate) backoff_base: Option<String>,
    /// The longest wait after a failure
    #[arg(long, value_name = "DURATION")]
    pub(crate) backoff_max: Option<String>,
    /// Blocks of one kind in a row that send a task to triage: 1 to 1,000
    #[arg(long, value_name = "N")]
    pub(crate) block_streak_limit: Option<u32>,
    /// Requests for changes that block a task: 1 to 1,000
    #[arg(long, value_name = "N")]
    pub(crate) review_round_limit: Option<u32>,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
}

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Of tasks that have been done or archived for this long
    #[arg(long, value_name = "DURATION")]
    pub(crate) older_than: String,
    /// Also the events that are otherwise kept: creation, claims, completion, and what a subscription still waits for
    #[arg(long)]
    pub(crate) covered: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    /// Of tasks that have been done or archived for this long
    #[arg(long, value_name = "DURATION")]
    pub(crate) older_than: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The directory that they go to; made if it is not there
    pub(crate) directory: PathBuf,
}
