//! Arguments of the commands that ask.

use clap::{Args, ValueEnum};
use kanban_core::{ListOrder, Status};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The id, or its first 8 characters or more
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only in these statuses, separated by commas [default: all but archived]
    #[arg(long = "status", value_name = "STATUS", value_delimiter = ',', value_parser = statuses())]
    pub(crate) statuses: Vec<String>,
    /// Only of this assignee
    #[arg(long, value_name = "NAME", conflicts_with = "unassigned")]
    pub(crate) assignee: Option<String>,
    /// Only unassigned ones
    #[arg(long)]
    pub(crate) unassigned: bool,
    /// Only of this tenant
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Only children of this task
    #[arg(long, value_name = "ID")]
    pub(crate) parent: Option<String>,
    /// Only in this phase
    #[arg(long, value_parser = super::work::phases())]
    pub(crate) phase: Option<String>,
    /// In this order
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: OrderArg,
    /// At most this many: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// From here on: the `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum OrderArg {
    /// Priority high to low, then the oldest
    #[default]
    Priority,
    /// Created first
    Oldest,
    /// Created last
    Newest,
    /// Updated last
    Updated,
}

impl From<OrderArg> for ListOrder {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Priority => Self::Priority,
            OrderArg::Oldest => Self::Oldest,
            OrderArg::Newest => Self::Newest,
            OrderArg::Updated => Self::Updated,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Those after this event
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) after: u64,
    /// At most this many [default: 100; without end with --follow]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Only of this task
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<String>,
    /// Only of these kinds, separated by commas; refused if there is no such kind
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Waits for more, a line each, until it is stopped
    #[arg(long)]
    pub(crate) follow: bool,
}

/// What belongs to one task, by number.
#[derive(Debug, Args)]
pub(crate) struct OfTaskArgs {
    /// The id, or its first 8 characters or more
    pub(crate) id: String,
    /// Those after this one
    #[arg(long, value_name = "N")]
    pub(crate) after: Option<u64>,
    /// At most this many: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

/// The tasks next to one task.
#[derive(Debug, Args)]
pub(crate) struct KinArgs {
    /// The id, or its first 8 characters or more
    pub(crate) id: String,
    /// Those with a greater id than this
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    /// At most this many: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The id, or its first 8 characters or more
    pub(crate) id: String,
    /// How many links away
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) depth: u32,
    /// Prints a graph for Graphviz
    #[arg(long, conflicts_with = "json")]
    pub(crate) dot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdsArgs {
    /// How they begin
    pub(crate) prefix: String,
    /// At most this many: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct TasksArgs {
    /// The whole ids, at most 1,000
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReachedArgs {
    /// A `seq` that an answer carried
    pub(crate) seq: u64,
}

fn statuses() -> clap::builder::PossibleValuesParser {
    Status::ALL.iter().map(|status| status.as_str()).into()
}
