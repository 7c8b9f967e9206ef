//! Arguments of the commands that edit a card, and of those that only want to know who.

use clap::Args;

/// A task, and who says so.
#[derive(Debug, Args)]
pub(crate) struct TaskByArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args([
    "title", "body", "body_file", "no_body", "priority", "tenant", "no_tenant", "attributes", "no_attributes",
    "max_runtime", "no_max_runtime", "failure_limit", "no_failure_limit",
]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct UpdateArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who edits
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Refused unless the card has this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
    /// Its title: 1 to 500 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// What is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// What is to be done, from a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub(crate) body_file: Option<String>,
    /// Removes the body
    #[arg(long, conflicts_with_all = ["body", "body_file"])]
    pub(crate) no_body: bool,
    /// Higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i32>,
    /// Whose task it is
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Makes it nobody's
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) no_tenant: bool,
    /// A JSON object that the board keeps and never reads; replaces the whole of the former one
    #[arg(long, value_name = "JSON")]
    pub(crate) attributes: Option<String>,
    /// Removes the attributes
    #[arg(long, conflicts_with = "attributes")]
    pub(crate) no_attributes: bool,
    /// How long a run may take; of the next run, not of an open one
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_runtime: Option<String>,
    /// Lets a run take as long as it likes
    #[arg(long, conflicts_with = "max_runtime")]
    pub(crate) no_max_runtime: bool,
    /// Failures in a row that block it: 1 to 1,000
    #[arg(long, value_name = "N")]
    pub(crate) failure_limit: Option<u32>,
    /// Leaves the limit to the board's policy
    #[arg(long, conflicts_with = "failure_limit")]
    pub(crate) no_failure_limit: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
pub(crate) struct AssignArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who is to do it
    #[arg(group = "whom", value_name = "NAME")]
    pub(crate) assignee: Option<String>,
    /// Takes the task from whoever has it
    #[arg(long, group = "whom")]
    pub(crate) nobody: bool,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Refused unless the card has this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}
