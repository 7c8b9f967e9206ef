//! Arguments of the commands that claim tasks and end runs.

use clap::Args;
use clap::builder::PossibleValuesParser;
use kanban_core::{FailKind, Phase};

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct ClaimArgs {
    /// The whole id
    #[arg(group = "which")]
    pub(crate) id: Option<String>,
    /// The best claimable task: priority, then age
    #[arg(long, group = "which")]
    pub(crate) next: bool,
    /// Who claims
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) claimant: String,
    /// A repeat with the same one gets the same run while it is open
    #[arg(long, value_name = "KEY")]
    pub(crate) request_id: Option<String>,
    /// For how long, without a heartbeat [default: the board's policy, 15m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) ttl: Option<String>,
    /// Only tasks in this phase
    #[arg(long, requires = "next", value_parser = phases())]
    pub(crate) phase: Option<String>,
    /// Only tasks of these; may be given many times
    #[arg(long = "assignee", value_name = "NAME", requires = "next")]
    pub(crate) assignees: Vec<String>,
    /// Only unassigned tasks, or also them, with --assignee
    #[arg(long, requires = "next")]
    pub(crate) unassigned: bool,
    /// Only tasks of this tenant
    #[arg(long, value_name = "NAME", requires = "next")]
    pub(crate) tenant: Option<String>,
    /// Nothing, while this many run on the board
    #[arg(long, value_name = "N", requires = "next")]
    pub(crate) max_running: Option<u32>,
    /// No task of an assignee with this many running
    #[arg(long, value_name = "N", requires = "next")]
    pub(crate) max_per_assignee: Option<u32>,
}

/// By what right a run is ended or extended: its worker's, or an operator's.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("authority").required(true).multiple(true))]
pub(crate) struct RightArgs {
    /// The worker's run; with --operator: refused unless this run is the open one
    #[arg(long, value_name = "N", group = "authority")]
    pub(crate) run: Option<u64>,
    /// Who overrides the worker
    #[arg(long, value_name = "NAME", group = "authority")]
    pub(crate) operator: Option<String>,
}

/// The same, of an operation that has no reason of its own.
#[derive(Debug, Args)]
pub(crate) struct AuthorityArgs {
    #[command(flatten)]
    pub(crate) right: RightArgs,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "operator")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HeartbeatArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// The claim holds at least this long from now [default: the board's policy]
    #[arg(long, value_name = "DURATION")]
    pub(crate) extend: Option<String>,
    /// Becomes an event
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SpawnedArgs {
    /// The whole id
    pub(crate) id: String,
    /// The worker's run
    #[arg(long, value_name = "N")]
    pub(crate) run: u64,
    /// The machine that it runs on
    #[arg(long, value_name = "NAME")]
    pub(crate) host: String,
    /// Its process
    #[arg(long, value_name = "N")]
    pub(crate) pid: u32,
    /// When the process started, in the machine's own words: tells it from a later one with its number
    #[arg(long, value_name = "TEXT")]
    pub(crate) started: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// What came out; kept with the task
    #[arg(long, value_name = "TEXT")]
    pub(crate) result: Option<String>,
    /// What came out, from a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "result")]
    pub(crate) result_file: Option<String>,
    /// In short; kept with the run
    #[arg(long, value_name = "TEXT")]
    pub(crate) summary: Option<String>,
    /// A JSON object; kept with the run
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// A task that was created on the way; may be given many times, each is checked
    #[arg(long = "created", value_name = "ID")]
    pub(crate) created: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FailArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// How it failed
    #[arg(long, default_value = "worker_error", value_parser = fail_kinds())]
    pub(crate) kind: String,
    /// The error's text
    #[arg(long, value_name = "TEXT")]
    pub(crate) error: Option<String>,
    /// Not again before this long from now [default: the board's back-off]
    #[arg(long, value_name = "DURATION")]
    pub(crate) retry_after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// Not again before this long from now
    #[arg(long, value_name = "DURATION")]
    pub(crate) retry_after: Option<String>,
}

pub(super) fn phases() -> PossibleValuesParser {
    Phase::ALL.iter().map(|phase| phase.as_str()).into()
}

fn fail_kinds() -> PossibleValuesParser {
    FailKind::ALL
        .iter()
        .map(|kind| kind.outcome().as_str())
        .into()
}
