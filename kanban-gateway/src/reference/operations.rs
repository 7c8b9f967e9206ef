//! Which command carries out which operation of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kanban_core::{
    Attachment, BoardEntry, Claim, Claimed, Comment, Decomposed, Ended, EventPage, Graph, Imported,
    Moved, Page, Pause, Policy, Reopened, Run, Subscription, Task, TaskId, Title,
};

use super::schema::{Answer, ClaimedNext, boardless, followed, read, written};
use crate::commands::{
    BackedUp, BoardLeft, Leased, ManPages, MigratedRoot, Numbers, PolicySet, ReachedSeq, Removed,
    Served, Shown, Summary, Ticked, Verified,
};
use crate::demo::Report;

/// What a command is called, with the option that makes it call something else, and the operations that it calls: those of
/// `Boards` say so, the others are of `BoardStore`; and what it answers.
pub(super) const OPERATIONS: &[(&str, &[&str], Answer)] = &[
    ("boards", &["Boards::list"], boardless::<Vec<BoardEntry>>),
    ("board create", &["Boards::create"], boardless::<BoardLeft>),
    (
        "board archive",
        &["Boards::archive"],
        boardless::<BoardLeft>,
    ),
    (
        "board restore",
        &["Boards::restore"],
        boardless::<BoardLeft>,
    ),
    ("board delete", &["Boards::delete"], boardless::<BoardLeft>),
    ("add", &["create"], written::<Task>),
    ("add --graph", &["create_many"], written::<Vec<TaskId>>),
    ("update", &["update"], written::<Task>),
    ("assign", &["assign"], written::<Task>),
    ("show", &["task"], read::<Shown>),
    ("tasks", &["tasks"], read::<Vec<Task>>),
    ("ids", &["ids_by_prefix"], read::<Vec<TaskId>>),
    ("list", &["list"], read::<Page<Task>>),
    ("parents", &["parents"], read::<Vec<Task>>),
    ("children", &["children"], read::<Vec<Task>>),
    ("graph", &["graph"], read::<Graph>),
    ("runs", &["runs"], read::<Vec<Run>>),
    ("comments", &["comments"], read::<Vec<Comment>>),
    ("attachments", &["attachments"], read::<Vec<Attachment>>),
    ("summaries", &["latest_summaries"], read::<Vec<Summary>>),
    ("claim", &["claim"], written::<Claimed>),
    ("claim --next", &["claim_next"], written::<ClaimedNext>),
    ("heartbeat", &["heartbeat"], written::<Claim>),
    ("spawned", &["set_worker"], written::<Claim>),
    ("complete", &["complete"], written::<Ended>),
    ("fail", &["fail"], written::<Ended>),
    ("release", &["release"], written::<Ended>),
    ("block", &["block"], written::<Ended>),
    ("unblock", &["unblock"], written::<Task>),
    ("schedule", &["schedule"], written::<Ended>),
    ("promote", &["promote"], written::<Task>),
    ("pause", &["pause"], written::<Pause>),
    ("resume", &["resume"], written::<Option<Pause>>),
    ("pauses", &["pauses"], read::<Vec<Pause>>),
    ("review request", &["request_review"], written::<Ended>),
    ("review changes", &["request_changes"], written::<Ended>),
    ("reopen", &["reopen"], written::<Reopened>),
    ("specify", &["specify"], written::<Task>),
    ("decompose", &["decompose"], written::<Decomposed>),
    ("archive", &["archive"], written::<Ended>),
    ("restore", &["restore"], written::<Task>),
    ("delete", &["delete"], written::<Title>),
    ("link", &["link"], written::<Task>),
    ("unlink", &["unlink"], written::<Task>),
    ("comment", &["comment"], written::<Comment>),
    ("attach", &["attach"], written::<Attachment>),
    ("detach", &["detach"], written::<Attachment>),
    ("subscribe", &["subscribe"], written::<Subscription>),
    ("unsubscribe", &["unsubscribe"], written::<Subscription>),
    (
        "subscriptions",
        &["subscriptions"],
        read::<Vec<Subscription>>,
    ),
    (
        "subscriptions --pending",
        &["pending"],
        read::<Vec<Subscription>>,
    ),
    ("lease", &["lease_events"], written::<Leased>),
    ("ack", &["ack"], written::<Served>),
    ("nack", &["nack"], written::<Served>),
    ("events", &["events"], read::<EventPage>),
    ("events --follow", &["watch"], followed),
    ("stats", &["stats"], read::<Numbers<'static>>),
    ("reached", &["reached"], read::<ReachedSeq>),
    ("tick", &["wake_due", "reclaim_expired"], written::<Ticked>),
    ("policy show", &["policy"], read::<Policy>),
    ("policy set", &["set_policy"], written::<PolicySet>),
    ("gc", &["gc", "collectable_events"], written::<Removed>),
    ("purge", &["purge_settled"], written::<Removed>),
    ("verify", &["verify"], read::<Verified>),
    ("backup", &["backup"], boardless::<BackedUp>),
    ("export", &["export"], read::<Moved>),
    ("import jsonl", &["import_lines"], written::<Moved>),
    (
        "import backup",
        &["Boards::import_backup"],
        written::<Moved>,
    ),
    ("import hermes", &["import_foreign"], written::<Imported>),
    ("migrate", &["Boards::migrate"], boardless::<MigratedRoot>),
];

/// Operations without a command of their own, and why.
const OF_EVERY_COMMAND: &[(&str, &str)] = &[
    ("Boards::open_root", "every command opens the root"),
    ("Boards::mark", "tells every command the store of the root"),
    ("Boards::root", "is what --root says"),
    ("Boards::file", "errors name the file"),
    ("Boards::open", "opens the board of add and import"),
    ("Boards::open_existing", "opens the board of the others"),
    ("Boards::close", "every command closes what it opened"),
    ("close", "closing the boards closes each of them"),
    (
        "with_admission",
        "a command asks one thing at a time: its queue is never full",
    ),
    (
        "with_progress",
        "export, backup, import and verify draw what it tells",
    ),
    ("on_progress", "is for what carries out an import"),
];

/// Commands that ask nothing of a store, and why.
pub(super) const WITHOUT_OPERATION: &[(&str, &str, Option<Answer>)] = &[
    (
        "demo",
        "works as a user of the library does",
        Some(read::<Report>),
    ),
    ("completions", "is about the program", None),
    ("man", "is about the program", Some(boardless::<ManPages>)),
];

/// The public methods of a source text, from a line on, each with its words before the name.
fn methods(source: &str, from: &str, starts: &[&str]) -> BTreeSet<String> {
    let after = source.split_once(from).expect("the source has its type").1;
    let body = after.split_once("\n}\n").expect("the type has an end").0;
    let lines = body.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        starts.iter().find_map(|start| line.strip_prefix(start))
    });
    let name = |rest: &str| -> String {
        let letters = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_');
        letters.collect()
    };
    lines.map(name).collect()
}

/// Every operation that there is, read from the library's source.
fn there() -> BTreeSet<String> {
    let store = include_str!("../../../kanban-core/src/store.rs");
    let boards = include_str!("../../../kanban-core/src/boards.rs");
    let mut all = methods(store, "pub trait BoardStore", &["async fn ", "fn "]);
    assert!(all.len() > 50, "the trait was read: {all:?}");
    let of_boards = methods(boards, "\nimpl Boards {\n", &["pub async fn ", "pub fn "]);
    assert!(of_boards.len() > 8, "the type was read: {of_boards:?}");
    let backup = include_str!("../../../kanban-core/src/boards/backup.rs");
    let of_backup = methods(backup, "\nimpl Boards {\n", &["pub async fn "]);
    let migrate = include_str!("../../../kanban-core/src/boards/migrate.rs");
    let of_migrate = methods(migrate, "\nimpl Boards {\n", &["pub async fn "]);
    let of_boards = of_boards.into_iter().chain(of_backup).chain(of_migrate);
    all.extend(of_boards.map(|name| format!("Boards::{name}")));
    all
}

#[test]
fn every_operation_has_its_command() {
    let mut named: BTreeMap<&str, &str> = OF_EVERY_COMMAND.iter().copied().collect();
    for (command, operations, _) in OPERATIONS {
        for operation in *operations {
            let before = named.insert(operation, command);
            assert_eq!(before, None, "{operation} has one command");
        }
    }
    let named: BTreeSet<String> = named.into_keys().map(str::to_owned).collect();
    assert_eq!(
        named,
        there(),
        "left: with a command, right: of the library"
    );
}

#[test]
fn every_command_has_its_operation() {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for (command, operations, _) in OPERATIONS {
        assert!(!operations.is_empty(), "{command}");
        let words = command
            .split(" --")
            .next()
            .expect("a split has a first part");
        named.insert(words.to_owned());
    }
    for (command, ..) in WITHOUT_OPERATION {
        assert!(named.insert((*command).to_owned()), "{command} has one");
    }
    let there: BTreeSet<String> = super::commands()
        .into_iter()
        .map(|(words, _)| words)
        .collect();
    assert_eq!(named, there, "left: in the table, right: of the program");
}

/// The table could name an operation that its command forgot.
#[test]
fn every_operation_of_the_table_is_called() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
    let entries = fs::read_dir(directory).expect("the sources are beside the tests");
    let texts = entries.map(|entry| {
        let path = entry.expect("a directory can be read").path();
        fs::read_to_string(path).expect("a source is text")
    });
    // A board is opened by the way: `board.store()?.create(…)`.
    let store = include_str!("../store.rs").to_owned();
    let source = texts.chain([store]).collect::<String>();
    let source = source.replace("()?.", ".").replace("Boards::", "boards.");
    for operation in OPERATIONS.iter().flat_map(|(_, operations, _)| *operations) {
        let call = match operation.strip_prefix("Boards::") {
            Some(name) => format!("boards.{name}("),
            None => format!("store.{operation}("),
        };
        assert!(source.contains(&call), "no command says {call}");
    }
}

#[test]
fn every_option_of_the_table_is_there() {
    let commands: BTreeMap<_, _> = super::commands().into_iter().collect();
    for (command, ..) in OPERATIONS {
        let Some((words, option)) = command.split_once(" --") else {
            continue;
        };
        let known = commands
            .get(words)
            .is_some_and(|it| it.get_arguments().any(|arg| arg.get_long() == Some(option)));
        assert!(known, "{command}");
    }
}
