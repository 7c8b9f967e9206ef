//! The commands.

mod ask;
mod batch;
mod board;
mod deliver;
mod edit;
mod graph;
mod hold;
mod ids;
mod keep;
mod log;
mod look;
mod make;
mod migrate;
mod moving;
mod plan;
mod policy;
mod produce;
mod show;
mod work;

#[cfg(all(test, feature = "sqlite"))]
pub(crate) use self::{
    ask::Numbers,
    deliver::{Leased, Served},
    keep::{BoardLeft, Removed, Ticked, Verified},
    log::Truncated,
    look::{ReachedSeq, Summary},
    migrate::MigratedRoot,
    moving::BackedUp,
    policy::PolicySet,
    produce::ManPages,
    show::Shown,
    work::NothingToClaim,
};

use std::path::{Path, PathBuf};

use directories::BaseDirs;
use kanban_core::{BoardSlug, Options, RootMode};

use crate::cli::{Cli, Command, Global, ImportCommand, RootModeArg};
use crate::demo;
use crate::failure::{self, Exit, Failure};
use crate::output::{self, Output};

use self::board::{Board, Missing};

/// Runs a command to its end.
pub(crate) fn run(cli: Cli, output: &mut Output) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    let slug = slug(&global)?;
    if matches!(command, Command::Demo) {
        return demo::run(&global, slug.as_ref(), output);
    }
    match &command {
        Command::Completions(args) => return produce::completions(args, output),
        Command::Man(args) => return produce::man(args, output),
        Command::Migrate(args) => {
            return migrate::migrate(&root(&global)?, options(&global), args, output);
        }
        _ => {}
    }
    let board = Board::new(
        root(&global)?,
        global.store,
        options(&global),
        slug,
        Missing::of(&command),
    );
    let ended = on_board(&board, command, output)
        .map_err(|failure| ids::explained(&board, failure).at(board.file()));
    let exit = failure::closed(ended, board.close(), || board.file())?;
    if let Some(root) = board.missing_root().filter(|_| !output.is_json()) {
        output::note(&format!("there is nothing yet in {}", root.display()));
    }
    Ok(exit)
}

fn on_board(board: &Board, command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Boards => keep::boards(board, output),
        Command::Board(command) => keep::board(board, &command, output),
        Command::Add(args) => make::add(board, args, output),
        Command::Update(args) => edit::update(board, &args, output),
        Command::Assign(args) => edit::assign(board, &args, output),
        Command::Link(args) => make::link(board, &args, output),
        Command::Unlink(args) => make::unlink(board, &args, output),
        Command::Comment(args) => make::comment(board, &args, output),
        Command::Attach(args) => make::attach(board, &args, output),
        Command::Detach(args) => make::detach(board, &args, output),
        Command::Show(args) => show::show(board, &args, output),
        Command::List(args) => ask::list(board, &args, output),
        Command::Tasks(args) => look::tasks(board, &args, output),
        Command::Ids(args) => look::ids(board, &args, output),
        Command::Parents(args) => look::parents(board, &args, output),
        Command::Children(args) => look::children(board, &args, output),
        Command::Graph(args) => graph::graph(board, &args, output),
        Command::Runs(args) => look::runs(board, &args, output),
        Command::Comments(args) => look::comments(board, &args, output),
        Command::Attachments(args) => look::attachments(board, &args, output),
        Command::Summaries(args) => look::summaries(board, &args, output),
        Command::Reached(args) => look::reached(board, &args, output),
        Command::Events(args) => log::events(board, &args, output),
        Command::Stats => ask::stats(board, output),
        Command::Claim(args) => work::claim(board, &args, output),
        Command::Heartbeat(args) => work::heartbeat(board, &args, output),
        Command::Spawned(args) => work::spawned(board, &args, output),
        Command::Complete(args) => work::complete(board, &args, output),
        Command::Fail(args) => work::fail(board, &args, output),
        Command::Release(args) => work::release(board, &args, output),
        Command::Block(args) => hold::block(board, &args, output),
        Command::Unblock(args) => hold::unblock(board, &args, output),
        Command::Schedule(args) => hold::schedule(board, &args, output),
        Command::Promote(args) => hold::promote(board, &args, output),
        Command::Pause(args) => hold::pause(board, &args, output),
        Command::Resume(args) => hold::resume(board, &args, output),
        Command::Pauses => hold::pauses(board, output),
        Command::Review(command) => plan::review(board, &command, output),
        Command::Reopen(args) => plan::reopen(board, &args, output),
        Command::Specify(args) => plan::specify(board, &args, output),
        Command::Decompose(args) => batch::decompose(board, &args, output),
        Command::Archive(args) => plan::archive(board, &args, output),
        Command::Restore(args) => plan::restore(board, &args, output),
        Command::Delete(args) => plan::delete(board, &args, output),
        Command::Subscribe(args) => deliver::subscribe(board, &args, output),
        Command::Unsubscribe(args) => deliver::unsubscribe(board, &args, output),
        Command::Subscriptions(args) => deliver::subscriptions(board, &args, output),
        Command::Lease(args) => deliver::lease(board, &args, output),
        Command::Ack(args) => deliver::ack(board, &args, output),
        Command::Nack(args) => deliver::nack(board, &args, output),
        Command::Policy(command) => policy::policy(board, &command, output),
        Command::Gc(args) => keep::gc(board, &args, output),
        Command::Purge(args) => keep::purge(board, &args, output),
        Command::Tick => keep::tick(board, output),
        Command::Verify => keep::verify(board, output),
        Command::Export(args) => moving::export(board, &args, output),
        Command::Backup(args) => moving::backup(board, args, output),
        Command::Import(ImportCommand::Backup(args)) => moving::restore(board, &args, output),
        Command::Import(ImportCommand::Jsonl(args)) => moving::import(board, &args, output),
        Command::Import(args) => keep::import(board, &args, output),
        Command::Demo | Command::Completions(_) | Command::Man(_) | Command::Migrate(_) => {
            unreachable!("these need no board, and were run above")
        }
    }
}

pub(crate) fn options(global: &Global) -> Options {
    Options {
        durability: global.durability,
        mode: global.root_mode.map(|mode| match mode {
            RootModeArg::Shared => RootMode::Shared,
            RootModeArg::Exclusive => RootMode::Exclusive,
        }),
        // One command asks one thing at a time.
        reader_threads: 1,
        ..Options::default()
    }
}

fn slug(global: &Global) -> Result<Option<BoardSlug>, Failure> {
    Ok(global.board.as_deref().map(BoardSlug::new).transpose()?)
}

fn root(global: &Global) -> Result<PathBuf, Failure> {
    match &global.root {
        Some(root) => Ok(root.clone()),
        None => BaseDirs::new()
            .map(|dirs| default_root(dirs.data_dir()))
            .ok_or_else(|| {
                Failure::Usage("this user has no home directory: give --root DIR".to_owned())
            }),
    }
}

fn default_root(data: &Path) -> PathBuf {
    data.join("kanban")
}
