//! A board is opened with nothing of it in memory, after a close or after its writer was killed, and a first task is read.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kanban_core::{BoardStore, Durability, Error, Result, RootMode, TaskId, Unavailable};
use pollster::block_on;

use crate::board::{Board, Closed, Commits, open_root};
use crate::clients;
use crate::clock::now;
use crate::fill;
use crate::limit::Limit;
use crate::subject::{Store, Subject};

/// The variable that makes a process the child of [`kill_while_writing`].
pub const CHILD_VARIABLE: &str = "KANBAN_BENCH_CHILD";
/// What the child says each time that it has written as much again.
const WRITTEN: &str = "kanban-bench child: written";
/// How many writes that is.
pub const WRITES_TOLD: usize = 64;
/// How many writes of the child are under way at once.
const CHILD_CLIENTS: usize = 8;

/// How long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Until the board could be called, with the recovery if its writer was killed.
    pub open: Duration,
    /// From then until the first task was read.
    pub first_read: Duration,
}

/// Opens a board whose files are in no cache, and reads a task.
///
/// # Errors
/// The store's; `Unavailable(Io)`: the files cannot be put out of the cache.
pub fn by_store(closed: Closed, task: &TaskId) -> Result<(Opened, Board)> {
    put_out_of_cache(closed.root())?;
    let start = now();
    let board = block_on(closed.open())?;
    let open = start.elapsed();
    block_on(board.store.task(task.clone()))?;
    let first_read = start.elapsed().saturating_sub(open);
    Ok((Opened { open, first_read }, board))
}

/// The same by hand: the engine opens the file and reads the last number that the board has given, without which no call can be
/// made; then the row and its texts. SQLite does not look at a file before it is asked, so its recovery is part of the first
/// question.
///
/// # Errors
/// `Unavailable(Io)`: the files cannot be put out of the cache.
///
/// # Panics
/// Where the engine fails: then there is nothing to measure.
pub fn by_hand(subject: Subject, closed: &Closed, task: &TaskId) -> Result<Opened> {
    put_out_of_cache(closed.root())?;
    let start = now();
    let limit = Limit::open(subject, &closed.file()).expect("the engine opens the board");
    let hand = limit.hand().expect("the engine reads the board");
    let open = start.elapsed();
    std::hint::black_box(hand.last);
    let len = limit.read(task.as_str()).expect("the task is there");
    std::hint::black_box(len);
    let first_read = start.elapsed().saturating_sub(open);
    Ok(Opened { open, first_read })
}

/// Lets another process write to a board, and kills it (SIGKILL) while it writes, once it has answered about `writes`. The command
/// starts a program that calls [`be_child_if_told`].
///
/// # Errors
/// `Unavailable(Io)`: the child cannot be started, or ended before.
pub fn kill_while_writing(closed: &Closed, mut command: Command, writes: usize) -> Result<()> {
    let failed = |error| {
        let context = "running the child that is killed";
        Error::unavailable(Unavailable::Io, context).with_source(error)
    };
    command.env(CHILD_VARIABLE, order(closed.subject(), closed.root()));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let lines = child.stdout.take().map(BufReader::new);
    let lines = lines.into_iter().flat_map(BufRead::lines);
    // A test's own words may stand before it in the line.
    let told = lines.filter(|line| line.as_ref().is_ok_and(|line| line.ends_with(WRITTEN)));
    let wanted = writes.div_ceil(WRITES_TOLD).max(1);
    let found = told.take(wanted).count();
    child.kill().map_err(failed)?;
    child.wait().map_err(failed)?;
    match found == wanted {
        true => Ok(()),
        false => Err(failed(std::io::ErrorKind::UnexpectedEof.into())),
    }
}

/// If this process was started by [`kill_while_writing`], writes to its board until it is killed, and never returns. A program
/// that hands its own name to that function calls this one first.
pub fn be_child_if_told() {
    if let Ok(told) = std::env::var(CHILD_VARIABLE) {
        let code = match write_for_ever(&told) {
            Ok(()) => 0,
            Err(error) => {
                // Whoever waits for the words of the child sees the end of them, and why.
                let _ = writeln!(std::io::stderr(), "kanban-bench child: {error:?}");
                1
            }
        };
        std::process::exit(code);
    }
}

fn order(subject: Subject, root: &Path) -> String {
    let mode = subject.mode;
    let durability = match subject.durability {
        Durability::Process => "process",
        _ => "power",
    };
    let store = subject.store.as_str();
    format!("{store} {durability} {mode} {}", root.display())
}

fn understand(told: &str) -> Option<(Subject, &Path)> {
    let mut words = told.splitn(4, ' ');
    let store = words.next()?;
    let store = Store::ALL.iter().find(|known| known.as_str() == store)?;
    let mut subject = Subject::new(*store);
    if words.next()? == "process" {
        subject = subject.at(Durability::Process);
    }
    if words.next()? == RootMode::Exclusive.to_string() {
        subject = subject.exclusive();
    }
    Some((subject, Path::new(words.next()?)))
}

/// Ends without an error only where nobody listens any more.
fn write_for_ever(told: &str) -> Result<()> {
    let Some((subject, root)) = understand(told) else {
        let context = format!("{CHILD_VARIABLE} is not understood: {told}");
        return Err(Error::unavailable(Unavailable::Io, context));
    };
    let boards = open_root(subject, root, &Arc::new(Commits::default()))?;
    let store: Arc<dyn BoardStore> = block_on(boards.open(None))?;
    let calls = WRITES_TOLD / CHILD_CLIENTS;
    loop {
        clients::closed(CHILD_CLIENTS, calls, |client, nth| {
            let store = &store;
            async move {
                store.create(fill::task(client * calls + nth)?).await?;
                Ok(())
            }
        })?;
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{WRITTEN}")
            .and_then(|()| out.flush())
            .is_err()
        {
            return Ok(());
        }
    }
}

/// Asks the system to forget what it has read of all files under a folder. What is not on the disk yet is flushed first.
fn put_out_of_cache(folder: &Path) -> Result<()> {
    forget(folder).map_err(|error| {
        let context = format!("putting {} out of the cache", folder.display());
        Error::unavailable(Unavailable::Io, context).with_source(error)
    })
}

fn forget(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            forget(&entry.path())?;
        } else {
            // Nobody has the board open, so closing this descriptor drops nobody's locks.
            let file = File::open(entry.path())?;
            file.sync_data()?;
            #[cfg(target_os = "linux")]
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_understands_what_it_is_told() {
        let root = Path::new("/a root/with spaces");
        for subject in [
            Subject::new(Store::Sqlite).at(Durability::Process),
            Subject::new(Store::Redb).exclusive(),
        ] {
            let told = order(subject, root);
            assert_eq!(understand(&told), Some((subject, root)), "{told}");
        }
        assert_eq!(understand("memory power shared /root"), None);
    }
}
