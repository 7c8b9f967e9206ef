//! The command line.

mod ask;
mod deliver;
mod durability;
mod edit;
mod hold;
mod keep;
mod make;
mod moving;
mod plan;
mod work;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kanban_core::Durability;

use crate::store::Store;

use self::durability::DurabilityParser;

pub(crate) use self::ask::{
    EventsArgs, GraphArgs, IdsArgs, KinArgs, ListArgs, OfTaskArgs, ReachedArgs, ShowArgs, TasksArgs,
};
pub(crate) use self::deliver::{
    AckArgs, LeaseArgs, NackArgs, SubscribeArgs, SubscriptionsArgs, UnsubscribeArgs,
};
pub(crate) use self::edit::{AssignArgs, TaskByArgs, UpdateArgs};
pub(crate) use self::hold::{BlockArgs, PauseArgs, PromoteArgs, ResumeArgs, ScheduleArgs};
pub(crate) use self::keep::{
    CompletionsArgs, GcArgs, ManArgs, PolicyArgs, PolicyCommand, PurgeArgs,
};
pub(crate) use self::make::{AddArgs, AttachArgs, CommentArgs, DetachArgs, LinkArgs};
pub(crate) use self::moving::{BackupArgs, ExportArgs, ImportBoardArgs, MigrateArgs};
pub(crate) use self::plan::{
    ArchiveArgs, ChangesArgs, DecomposeArgs, ReopenArgs, RequestArgs, ReviewCommand, SpecifyArgs,
};
pub(crate) use self::work::{
    AuthorityArgs, ClaimArgs, CompleteArgs, FailArgs, HeartbeatArgs, ReleaseArgs, RightArgs,
    SpawnedArgs,
};

/// A kanban board for agents: tasks, claims, runs and a log, in one directory.
#[derive(Debug, Parser)]
#[command(
    name = "kanban",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 refused or not found, 2 usage or invalid, 3 unavailable or unknown, \
                  4 busy, 5 nothing to claim or to lease.\n\n\
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
    /// The store of a new root; an old one has its own, and no other is taken [default: the root's]
    #[arg(long, global = true, env = "KANBAN_STORE", value_enum)]
    pub(crate) store: Option<Store>,
    /// How openers share a new root; an old one has its own mode, and no other is taken [default: the root's]
    #[arg(long, global = true, env = "KANBAN_ROOT_MODE", value_enum)]
    pub(crate) root_mode: Option<RootModeArg>,
    /// What an answered write survives; lazy takes how much a crash may cost, as in lazy=200ms, which is 1s otherwise. A
    /// single command gains nothing by process or lazy, for it flushes all the same
    #[arg(
        long,
        global = true,
        env = "KANBAN_DURABILITY",
        value_parser = DurabilityParser,
        default_value = "power"
    )]
    pub(crate) durability: Durability,
    /// Prints one JSON envelope instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How openers share a root.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RootModeArg {
    /// All at once
    Shared,
    /// One at a time; the next is refused
    Exclusive,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the boards under the root
    #[command(after_help = "Example:\n  kanban boards --json")]
    Boards,
    /// Makes boards, and puts them away
    #[command(subcommand, after_help = "Example:\n  kanban board create website")]
    Board(BoardCommand),
    /// Adds a task, or many of them from a file
    ///
    /// A file is a list in YAML or JSON, added as a whole or not at all. Each item has a title, and may have name, after (names
    /// of items that it waits for), parents (tasks of the board that it waits for), body, assignee, priority, tenant, triage,
    /// parked, `wake_at`, `created_by`, `created_from`, `max_runtime`, `failure_limit`, attributes and `idempotency_key`.
    #[command(
        after_help = "Example:\n  kanban add 'Write the report' --body-file report.md \
                            --assignee writer --parent t_01jz3v9gq4x7h2m5n8p0r6s1tw\n  \
                            kanban add --graph plan.yaml --json"
    )]
    Add(AddArgs),
    /// Edits a task: what is not named stays as it is
    #[command(
        after_help = "Example:\n  kanban update t_01jz3v9gq4x7h2m5n8p0r6s1tw --title 'Write the yearly report' \
                            --priority 5\n  kanban update t_01jz3v9gq4x7h2m5n8p0r6s1tw --no-body --if-version 3 --as \
                            anna"
    )]
    Update(UpdateArgs),
    /// Says who is to do a task next
    #[command(
        after_help = "Example:\n  kanban assign t_01jz3v9gq4x7h2m5n8p0r6s1tw writer --as anna\n  kanban assign \
                            t_01jz3v9gq4x7h2m5n8p0r6s1tw --nobody"
    )]
    Assign(AssignArgs),
    /// Shows a task with its surroundings
    #[command(after_help = "Example:\n  kanban show t_01jz3v9g")]
    Show(ShowArgs),
    /// Prints tasks by their ids, in the order asked; unknown ones are left out
    #[command(
        after_help = "Example:\n  kanban tasks t_01jz3v9gq4x7h2m5n8p0r6s1tw t_01jz3vb2k8d1f5g9j3m7q4s6vy --json"
    )]
    Tasks(TasksArgs),
    /// Prints the ids that begin with a text
    #[command(after_help = "Example:\n  kanban ids t_01jz --limit 10")]
    Ids(IdsArgs),
    /// Lists tasks, a page at a time
    #[command(
        after_help = "Example:\n  kanban list --status ready,running --order oldest --limit 20"
    )]
    List(ListArgs),
    /// Prints what a task waits for directly
    #[command(after_help = "Example:\n  kanban parents t_01jz3v9g")]
    Parents(KinArgs),
    /// Prints what waits for a task directly
    #[command(after_help = "Example:\n  kanban children t_01jz3v9g --limit 1000 --json")]
    Children(KinArgs),
    /// Draws what a task waits for, and what waits for it
    #[command(
        after_help = "Example:\n  kanban graph t_01jz3v9g\n  kanban graph t_01jz3v9g --depth 3 --dot"
    )]
    Graph(GraphArgs),
    /// Prints the runs of a task
    #[command(after_help = "Example:\n  kanban runs t_01jz3v9g --json")]
    Runs(OfTaskArgs),
    /// Prints the comments on a task
    #[command(after_help = "Example:\n  kanban comments t_01jz3v9g --after 17")]
    Comments(OfTaskArgs),
    /// Prints the attachments of a task
    #[command(after_help = "Example:\n  kanban attachments t_01jz3v9g")]
    Attachments(OfTaskArgs),
    /// Prints the newest summary of each of these tasks
    #[command(
        after_help = "Example:\n  kanban summaries t_01jz3v9gq4x7h2m5n8p0r6s1tw t_01jz3vb2k8d1f5g9j3m7q4s6vy"
    )]
    Summaries(TasksArgs),
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
    /// Tells which process works on a run
    #[command(
        after_help = "Example:\n  kanban spawned t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 --host build-3 --pid \
                            4711"
    )]
    Spawned(SpawnedArgs),
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
    /// Says that a task cannot go on
    #[command(
        after_help = "Example:\n  kanban block t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 --kind needs_input \
                            --reason 'Which logo?'\n  kanban block t_01jz3v9gq4x7h2m5n8p0r6s1tw --operator anna \
                            --kind dependency --on t_01jz3vb2k8d1f5g9j3m7q4s6vy"
    )]
    Block(BlockArgs),
    /// Lets a blocked or scheduled task go on
    #[command(after_help = "Example:\n  kanban unblock t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna")]
    Unblock(TaskByArgs),
    /// Puts a task off
    #[command(
        after_help = "Example:\n  kanban schedule t_01jz3v9gq4x7h2m5n8p0r6s1tw --operator anna --at \
                            2030-01-07T09:00:00Z --reason 'Not before January'\n  kanban schedule \
                            t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 --at 2h"
    )]
    Schedule(ScheduleArgs),
    /// Lets a task start now, whatever held it
    #[command(
        after_help = "Example:\n  kanban promote t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --dry-run\n  kanban \
                            promote t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --unlink"
    )]
    Promote(PromoteArgs),
    /// Refuses claims, of the board or of one assignee; running work goes on
    #[command(
        after_help = "Example:\n  kanban pause --as anna --reason 'Deploying'\n  kanban pause --assignee \
                            writer --as anna"
    )]
    Pause(PauseArgs),
    /// Ends a pause
    #[command(
        after_help = "Example:\n  kanban resume --as anna\n  kanban resume --assignee writer --as anna"
    )]
    Resume(ResumeArgs),
    /// Prints what is paused
    #[command(after_help = "Example:\n  kanban pauses")]
    Pauses,
    /// Hands work in for review, or gives it back
    #[command(
        subcommand,
        after_help = "Example:\n  kanban review request t_01jz3v9gq4x7h2m5n8p0r6s1tw --run 12 --reviewer anna"
    )]
    Review(ReviewCommand),
    /// Says that a done task is not done, and what was built on it neither
    #[command(
        after_help = "Example:\n  kanban reopen t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --reason 'It does not \
                            work'"
    )]
    Reopen(ReopenArgs),
    /// Turns a raw idea into a task
    #[command(
        after_help = "Example:\n  kanban specify t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --body-file report.md \
                            --assignee writer"
    )]
    Specify(SpecifyArgs),
    /// Divides a raw idea into subtasks that it waits for
    ///
    /// A file is a list in YAML or JSON. Each item has a title, and may have name, after (names of items that it waits for),
    /// body, assignee, priority, attributes and `idempotency_key`.
    #[command(
        after_help = "Example:\n  kanban decompose t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --subtask Draft --subtask Print --in-order\n  \
                            kanban decompose t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna --file subtasks.yaml"
    )]
    Decompose(DecomposeArgs),
    /// Puts a task out of sight
    #[command(
        after_help = "Example:\n  kanban archive t_01jz3v9gq4x7h2m5n8p0r6s1tw --operator anna --reason 'Not \
                            needed any more'"
    )]
    Archive(ArchiveArgs),
    /// Brings a task back from the archive
    #[command(after_help = "Example:\n  kanban restore t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna")]
    Restore(TaskByArgs),
    /// Removes an archived task for good, with all that belongs to it
    #[command(after_help = "Example:\n  kanban delete t_01jz3v9gq4x7h2m5n8p0r6s1tw --as anna")]
    Delete(TaskByArgs),
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
    /// Attaches a pointer to a file
    #[command(
        after_help = "Example:\n  kanban attach t_01jz3v9gq4x7h2m5n8p0r6s1tw https://example.com/report.pdf \
                            --media-type application/pdf"
    )]
    Attach(AttachArgs),
    /// Removes an attachment
    #[command(after_help = "Example:\n  kanban detach t_01jz3v9gq4x7h2m5n8p0r6s1tw 3 --as anna")]
    Detach(DetachArgs),
    /// Makes sure that somebody hears of events
    #[command(
        after_help = "Example:\n  kanban subscribe t_01jz3v9gq4x7h2m5n8p0r6s1tw --channel mail --address anna@example.com \
                            --kind completed,blocked\n  \
                            kanban subscribe --all --channel chat --address room-7 --mode wake"
    )]
    Subscribe(SubscribeArgs),
    /// Ends a subscription
    #[command(after_help = "Example:\n  kanban unsubscribe 3 --as anna")]
    Unsubscribe(UnsubscribeArgs),
    /// Lists subscriptions
    #[command(
        after_help = "Example:\n  kanban subscriptions --task t_01jz3v9g\n  kanban subscriptions --pending --json"
    )]
    Subscriptions(SubscriptionsArgs),
    /// Takes the events that a subscription has not been told yet; exit code 5 if there are none
    #[command(after_help = "Example:\n  kanban lease 3 --ttl 1m --limit 50 --json")]
    Lease(LeaseArgs),
    /// Says that leased events were delivered
    #[command(after_help = "Example:\n  kanban ack 3 17")]
    Ack(AckArgs),
    /// Says that leased events were not delivered: they are to be leased again
    #[command(after_help = "Example:\n  kanban nack 3 17 --retry-after 30s")]
    Nack(NackArgs),
    /// Prints the board's log
    #[command(after_help = "Example:\n  kanban events --after 120 --follow --json")]
    Events(EventsArgs),
    /// Prints the board in numbers
    #[command(after_help = "Example:\n  kanban stats --json")]
    Stats,
    /// Waits until the board has a write with this number, by whatever process
    #[command(after_help = "Example:\n  kanban reached 120 --json")]
    Reached(ReachedArgs),
    /// Wakes what is due and takes back what expired
    #[command(after_help = "Example:\n  kanban tick --json")]
    Tick,
    /// Prints or sets the board's limits
    #[command(
        subcommand,
        after_help = "Example:\n  kanban policy set --claim-ttl 30m --as anna"
    )]
    Policy(PolicyCommand),
    /// Removes old events of tasks that are done or archived
    #[command(after_help = "Example:\n  kanban gc --older-than 90d")]
    Gc(GcArgs),
    /// Removes the subscriptions of tasks that are done or archived, once all is delivered
    #[command(after_help = "Example:\n  kanban purge --older-than 30d")]
    Purge(PurgeArgs),
    /// Checks the board's file and every rule; exit code 1 if something is wrong
    #[command(after_help = "Example:\n  kanban verify --json")]
    Verify,
    /// Copies the board into a file, while others write
    #[command(after_help = "Example:\n  kanban --board team backup team.db\n  \
                            kanban --board restored import backup team.db")]
    Backup(BackupArgs),
    /// Writes the whole board as lines of JSON, while others write
    #[command(after_help = "Example:\n  kanban --board team export team.jsonl")]
    Export(ExportArgs),
    /// Takes over whole boards: exports, backups, and those of other programs
    #[command(
        subcommand,
        after_help = "Example:\n  kanban --board team import hermes ~/.hermes/kanban.db --json"
    )]
    Import(ImportCommand),
    /// Gives all boards of the root to another store: all of them, or none
    ///
    /// Ids, claims and numbers stay as they are. Nobody else may have the root open. The old files go when every new board
    /// was verified and says the same, byte for byte; until then they are not touched.
    #[command(after_help = "Example:\n  kanban migrate --to sqlite")]
    Migrate(MigrateArgs),
    /// Shows the board at work: 8 workers, a crash, a late one, a rate limit
    ///
    /// On a new board of the root that is given, else in a temporary root.
    #[command(after_help = "Example:\n  kanban demo\n  kanban --root /tmp/boards demo")]
    Demo,
    /// Prints the completions of a shell
    #[command(after_help = "Example:\n  kanban completions bash")]
    Completions(CompletionsArgs),
    /// Writes the man pages into a directory
    #[command(after_help = "Example:\n  kanban man target/man")]
    Man(ManArgs),
}

/// What makes boards, and puts them away.
#[derive(Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// Makes a board
    #[command(after_help = "Example:\n  kanban board create website")]
    Create(SlugArgs),
    /// Puts a board out of use; what it holds is kept
    #[command(after_help = "Example:\n  kanban board archive website")]
    Archive(SlugArgs),
    /// Makes an archived board usable again
    #[command(after_help = "Example:\n  kanban board restore website")]
    Restore(SlugArgs),
    /// Removes an archived board for good, with all that it holds
    #[command(after_help = "Example:\n  kanban board delete website --json")]
    Delete(SlugArgs),
}

/// The board that is made or put away.
#[derive(Debug, Args)]
pub(crate) struct SlugArgs {
    /// Its name: `[a-z0-9][a-z0-9_-]{0,62}`
    pub(crate) slug: String,
}

/// What takes over whole boards.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Takes an export over, into a board on which nothing was ever written
    ///
    /// All of it or nothing. Open runs are closed and all numbers raised, so that the two boards never accept the
    /// same run, unless it is a move.
    #[command(
        after_help = "Example:\n  kanban --board copy import jsonl team.jsonl\n  \
                            kanban --board team import jsonl team.jsonl --keep-claims"
    )]
    Jsonl(ImportBoardArgs),
    /// Restores a backup, into a board on which nothing was ever written
    ///
    /// All of it or nothing. Open runs are closed and all numbers raised, so that the two boards never accept the
    /// same run, unless it is a move.
    #[command(after_help = "Example:\n  kanban --board restored import backup team.db")]
    Backup(ImportBoardArgs),
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
