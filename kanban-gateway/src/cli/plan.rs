//! Arguments of the commands of review, of planning, and of the archive.

use clap::{Args, Subcommand};

use super::work::{AuthorityArgs, RightArgs};

/// Handing work in, and giving it back.
#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Hands the work in for review
    #[command(
        after_help = "Example:\n  kanban review request t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 \
                            --summary 'Ready to be read' --reviewer anna"
    )]
    Request(RequestArgs),
    /// Gives the work back to whoever did it
    #[command(
        after_help = "Example:\n  kanban review changes t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 13 \
                            --reason 'The figures are last year’s'"
    )]
    Changes(ChangesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// In short; kept with the run
    #[arg(long, value_name = "TEXT")]
    pub(crate) summary: Option<String>,
    /// A JSON object; kept with the run
    #[arg(long, value_name = "JSON")]
    pub(crate) metadata: Option<String>,
    /// Who is to review it [default: who did so last, else nobody new]
    #[arg(long, value_name = "NAME")]
    pub(crate) reviewer: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) right: RightArgs,
    /// What is to be changed
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReopenArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SpecifyArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
    /// Its new title
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// What is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// What is to be done, from a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub(crate) body_file: Option<String>,
    /// Who is to do it
    #[arg(long, value_name = "NAME")]
    pub(crate) assignee: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct DecomposeArgs {
    /// The whole id
    pub(crate) id: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: String,
    /// The subtasks, in YAML or JSON; - is standard input
    #[arg(long, value_name = "FILE", group = "what")]
    pub(crate) file: Option<String>,
    /// A subtask's title; may be given many times
    #[arg(long = "subtask", value_name = "TITLE", group = "what")]
    pub(crate) subtasks: Vec<String>,
    /// Each subtask waits for the one before
    #[arg(long, requires = "subtasks")]
    pub(crate) in_order: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    /// The whole id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// Refused unless the card has this version
    #[arg(long, value_name = "N")]
    pub(crate) if_version: Option<u64>,
}
