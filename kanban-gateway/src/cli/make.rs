//! Arguments of the commands that make and join tasks.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Its title: 1 to 500 bytes
    #[arg(required_unless_present = "graph")]
    pub(crate) title: Option<String>,
    /// Adds the tasks of a file, in YAML or JSON; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "title", "body", "body_file", "parents", "assignee", "priority", "tenant", "key", "start", "created_by",
        "created_from", "max_runtime", "failure_limit", "attributes",
    ])]
    pub(crate) graph: Option<String>,
    /// What is to be done
    #[arg(long, value_name = "TEXT")]
    pub(crate) body: Option<String>,
    /// What is to be done, from a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub(crate) body_file: Option<String>,
    /// A task that it waits for; may be given many times
    #[arg(long = "parent", value_name = "ID")]
    pub(crate) parents: Vec<String>,
    /// Who is to do it
    #[arg(long, value_name = "NAME")]
    pub(crate) assignee: Option<String>,
    /// Higher first
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) priority: i32,
    /// Whose task it is; else its first parent's
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// The task with this key that is not archived is answered instead of making another
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Starts as a raw idea
    #[arg(long, group = "start")]
    pub(crate) triage: bool,
    /// Starts blocked, to be started by hand
    #[arg(
        long,
        group = "start",
        value_name = "REASON",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub(crate) parked: Option<String>,
    /// Starts scheduled until a time, or for a duration from now
    #[arg(long, group = "start", value_name = "TIME")]
    pub(crate) wake_at: Option<String>,
    /// Who creates it
    #[arg(long, value_name = "NAME")]
    pub(crate) created_by: Option<String>,
    /// The task during which it is created
    #[arg(long, value_name = "ID")]
    pub(crate) created_from: Option<String>,
    /// How long a run may take
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_runtime: Option<String>,
    /// Failures in a row that block it: 1 to 1,000
    #[arg(long, value_name = "N")]
    pub(crate) failure_limit: Option<u32>,
    /// A JSON object that the board keeps and never reads
    #[arg(long, value_name = "JSON")]
    pub(crate) attributes: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// Must be finished first
    pub(crate) parent: String,
    /// Waits
    pub(crate) child: String,
    /// Who says so
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CommentArgs {
    /// The whole id
    pub(crate) id: String,
    /// What is said; - is standard input
    pub(crate) text: String,
    /// Who says it
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) author: String,
    /// A repeat with the same one gets the same comment
    #[arg(long, value_name = "KEY")]
    pub(crate) request_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The whole id
    pub(crate) id: String,
    /// Where the file is; the board keeps this, not the file
    pub(crate) uri: String,
    /// The file's name [default: the last part of the URI]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What is in it, such as text/plain
    #[arg(long, value_name = "TYPE")]
    pub(crate) media_type: Option<String>,
    /// How large it is
    #[arg(long, value_name = "BYTES")]
    pub(crate) size: Option<u64>,
    /// Who attaches it
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// A repeat with the same one gets the same attachment
    #[arg(long, value_name = "KEY")]
    pub(crate) request_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DetachArgs {
    /// The whole id
    pub(crate) id: String,
    /// The attachment's number
    #[arg(value_name = "N")]
    pub(crate) attachment: u64,
    /// Who detaches it
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
}
