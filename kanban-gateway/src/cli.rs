//! The command line.

mod ask;
mod make;
mod work;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::ask::{EventsArgs, ListArgs, ShowArgs};
pub(crate) use self::make::{AddArgs, CommentArgs, LinkArgs};
pub(crate) use self::work::{
    AuthorityArgs, ClaimArgs, CompleteArgs, FailArgs, HeartbeatArgs, ReleaseArgs,
};

/// A kanban board for agents: tasks, claims, runs and a log, in one directory.
#[derive(Debug, Parser)]
#[command(
    name = "kanban",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 refused or not found, 2 usage or invalid, 3 unavailable or unknown, \
                  4 busy, 5 nothing to claim.\n\n\
                  Example:\n  kanban demo\n  kanban add 'Write the report' --assignee writer\n  \
                  kanban claim --next --as worker-1 --json"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The directory of all boards [default: the platform's data directory]
    #[arg(long, global = true, env = "KANBAN_ROOT", value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// The board [default: default]
    #[arg(long, global = true, env = "KANBAN_BOARD", value_name = "SLUG")]
    pub(crate) board: Option<String>,
    /// The store; must be the one that this program is built with
    #[arg(long, global = true, env = "KANBAN_STORE", value_name = "ENGINE")]
    pub(crate) store: Option<String>,
    /// What an answered write survives
    #[arg(
        long,
        global = true,
        env = "KANBAN_DURABILITY",
        value_enum,
        default_value_t
    )]
    pub(crate) durability: DurabilityArg,
    /// Prints one JSON envelope instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What an answered write survives.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// A power cut
    #[default]
    Power,
    /// A killed process
    Process,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the boards under the root
    #[command(after_help = "Example:\n  kanban boards --json")]
    Boards,
    /// Makes boards
    #[command(subcommand, after_help = "Example:\n  kanban board create website")]
    Board(BoardCommand),
    /// Adds a task
    #[command(
        after_help = "Example:\n  kanban add 'Write the report' --body-file report.md \
                            --assignee writer --parent t_01jz3v9gq4x7h2m5n8p0r6s1tw"
    )]
    Add(AddArgs),
    /// Shows a task with its surroundings
    #[command(after_help = "Example:\n  kanban show t_01jz3v9g")]
    Show(ShowArgs),
    /// Lists tasks, a page at a time
    #[command(
        after_help = "Example:\n  kanban list --status ready,running --order oldest --limit 20"
    )]
    List(ListArgs),
    /// Claims a task: the answer's run is the worker's token
    #[command(
        after_help = "Example:\n  kanban claim --next --as worker-1 --ttl 15m --json\n  \
                            kanban claim t_01jz3v9gq4x7h2m5n8p0r6s1tw --as worker-1 --request-id 7f3a"
    )]
    Claim(ClaimArgs),
    /// Shows that a worker lives, and moves the end of its claim
    #[command(
        after_help = "Example:\n  kanban heartbeat t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 --extend 15m"
    )]
    Heartbeat(HeartbeatArgs),
    /// Finishes a task
    #[command(
        after_help = "Example:\n  kanban complete t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 \
                            --summary 'Report written'"
    )]
    Complete(CompleteArgs),
    /// Ends a run as failed
    #[command(
        after_help = "Example:\n  kanban fail t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 \
                            --kind rate_limited --retry-after 5m"
    )]
    Fail(FailArgs),
    /// Gives a claim back
    #[command(
        after_help = "Example:\n  kanban release t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12\n  \
                            kanban release t_01jz3v9gq4x7h2m5n8p0r6s1tw --operator anna --reason 'wrong worker'"
    )]
    Release(ReleaseArgs),
    /// Makes a task wait for another
    #[command(
        after_help = "Example:\n  kanban link t_01jz3v9gq4x7h2m5n8p0r6s1tw t_01jz3vb2k8d1f5g9j3m7q4s6vy"
    )]
    Link(LinkArgs),
    /// Ends the waiting of a task for another
    #[command(
        after_help = "Example:\n  kanban unlink t_01jz3v9gq4x7h2m5n8p0r6s1tw t_01jz3vb2k8d1f5g9j3m7q4s6vy"
    )]
    Unlink(LinkArgs),
    /// Says something about a task
    #[command(
        after_help = "Example:\n  kanban comment t_01jz3v9gq4x7h2m5n8p0r6s1tw 'Use the new logo' --as anna"
    )]
    Comment(CommentArgs),
    /// Prints the board's log
    #[command(after_help = "Example:\n  kanban events --after 120 --follow --json")]
    Events(EventsArgs),
    /// Prints the board in numbers
    #[command(after_help = "Example:\n  kanban stats --json")]
    Stats,
    /// Wakes what is due and takes back what expired
    #[command(after_help = "Example:\n  kanban tick --json")]
    Tick,
    /// Checks the board's file and every rule; exit code 1 if something is wrong
    #[command(after_help = "Example:\n  kanban verify --json")]
    Verify,
    /// Takes over boards of other programs
    #[command(
        subcommand,
        after_help = "Example:\n  kanban --board team import hermes ~/.hermes/kanban.db --json"
    )]
    Import(ImportCommand),
    /// Shows the board at work: 8 workers, a crash, a late one, a rate limit
    ///
    /// On a new board of the root that is given, else in a temporary root.
    #[command(after_help = "Example:\n  kanban demo\n  kanban --root /tmp/boards demo")]
    Demo,
}

/// What makes boards.
#[derive(Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// Makes a board
    #[command(after_help = "Example:\n  kanban board create website")]
    Create {
        /// Its name: `[a-z0-9][a-z0-9_-]{0,62}`
        slug: String,
    },
}

/// What takes over boards of other programs.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Takes over a board of `hermes-agent`; every row that had to be repaired is listed
    #[command(
        after_help = "Example:\n  kanban --board team import hermes ~/.hermes/kanban.db --json"
    )]
    Hermes {
        /// Its database file; it may be in use, and is only read
        file: PathBuf,
        /// Who imports
        #[arg(long = "as", value_name = "NAME", default_value = "import")]
        actor: String,
    },
}
