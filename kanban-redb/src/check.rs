//! The engine's own integrity check.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use kanban_core::{
    Attachment, Comment, Error, ErrorKind, Event, GroupRecord, Link, Result, Run, Subscription,
    Task, TaskId, View, Violation,
};
use redb::backends::FileBackend;
use redb::{ConcurrencyMode, Key, ReadTransaction, ReadableTable, Value};

use crate::core::{Core, OpenCheck, Settings};
use crate::engine::RedbEngine;
use crate::error::{contained, storage, system};
use crate::files;
use crate::keys::{self, Indexed};
use crate::rows::{Record, decode};
use crate::schema::{Reading, Row, Slot};
use crate::view::{Board, GoOn};

/// How many rows are looked at between two looks at whether to go on.
const ROWS_AT_ONCE: usize = 1000;
/// Up to which length of the file its pages are checked: meanwhile it is copied, and nobody writes.
const DEEP_LEN_MAX: u64 = 1024 * 1024 * 1024;

/// What was found, up to a limit.
struct Findings {
    found: Vec<Violation>,
    limit: usize,
}

impl Findings {
    fn add(&mut self, invariant: u8, what: String) {
        if self.found.len() < self.limit {
            self.found.push(Violation { invariant, what });
        }
    }
}

/// Rows that can be read, indexes that hold exactly what they say, rows of tasks that are there, and counters that a
/// recount agrees with.
pub(crate) fn rows(txn: &ReadTransaction, go_on: GoOn<'_>, limit: usize) -> Result<Vec<Violation>> {
    let board = Board::of(txn);
    let findings = Findings {
        found: Vec::new(),
        limit,
    };
    let mut check = Check {
        board: &board,
        go_on,
        findings,
    };
    match check.all() {
        // The damage is such that the check itself cannot go on: that is a finding.
        Err(error) if *error.kind() == ErrorKind::Corrupt => check.findings.add(0, told(&error)),
        done => done?,
    }
    Ok(check.findings.found)
}

fn told(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

struct Check<'c, 't> {
    board: &'c Board<'c, Reading<'t>>,
    go_on: GoOn<'c>,
    findings: Findings,
}

impl<'t> Check<'_, 't> {
    fn all(&mut self) -> Result<()> {
        self.board.board()?;
        self.board.policy()?;
        self.board.pauses()?;
        self.tasks()?;
        self.numbered::<Run>(&self.board.tables.run, |run| Some(&run.task))?;
        // An event may be of a task that is gone.
        self.numbered::<Event>(&self.board.tables.event, |_| None)?;
        self.numbered::<Comment>(&self.board.tables.comment, |row| Some(&row.task))?;
        self.numbered::<Attachment>(&self.board.tables.attachment, |row| Some(&row.task))?;
        self.numbered::<Subscription>(&self.board.tables.subscription, |row| row.scope.task())?;
        self.numbered::<GroupRecord>(&self.board.tables.commit_group, |_| None)?;
        self.links()?;
        let Self {
            board,
            go_on,
            findings,
        } = self;
        each(&board.tables.text, go_on, |(task, kind), text| {
            if std::str::from_utf8(text).is_err() {
                findings.add(0, format!("the {kind} of task {task} is no text"));
            }
            owned(board, findings, "text", task)
        })
    }

    fn tasks(&mut self) -> Result<()> {
        let Self {
            board,
            go_on,
            findings,
        } = self;
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut keys = Keys::default();
        each(&board.tables.task, go_on, |id, row| {
            let task: Task = decode(row)?;
            if task.id.as_str() != id {
                findings.add(0, format!("task {} lies under the key {id}", task.id));
            }
            let (status, name) = keys::counted_as(&task);
            *counts
                .entry((status.to_owned(), name.to_owned()))
                .or_default() += 1;
            keys.look_up(board, findings, &task, id)
        })?;
        keys.compare::<Task>(board, findings)?;
        each(&board.tables.count, go_on, |(status, name), kept| {
            let found = counts
                .remove(&(status.to_owned(), name.to_owned()))
                .unwrap_or(0);
            if kept != found || kept == 0 {
                findings.add(
                    11,
                    format!("the counter of {status} and {name:?} is {kept}, found {found}"),
                );
            }
            Ok(())
        })?;
        for ((status, name), found) in counts {
            findings.add(
                11,
                format!("the counter of {status} and {name:?} is 0, found {found}"),
            );
        }
        Ok(())
    }

    fn numbered<T: Record + Indexed>(
        &mut self,
        slot: &Slot<Reading<'t>, u64, Row>,
        owner: impl Fn(&T) -> Option<&TaskId>,
    ) -> Result<()> {
        let Self {
            board,
            go_on,
            findings,
        } = self;
        let mut keys = Keys::default();
        each(slot, go_on, |id, row| {
            let row: T = decode(row)?;
            if let Some(task) = owner(&row) {
                owned(board, findings, slot.name, task.as_str())?;
            }
            keys.look_up(board, findings, &row, &format!("{} {id}", slot.name))
        })?;
        keys.compare::<T>(board, findings)
    }

    fn links(&mut self) -> Result<()> {
        let Self {
            board,
            go_on,
            findings,
        } = self;
        let mut keys = Keys::default();
        each(&board.tables.link, go_on, |(parent, child), ()| {
            owned(board, findings, "link", parent)?;
            owned(board, findings, "link", child)?;
            let valid = |id| {
                TaskId::new(id).map_err(|bad| Error::corrupt("an end of a link").with_source(bad))
            };
            let link = Link {
                parent: valid(parent)?,
                child: valid(child)?,
            };
            keys.look_up(
                board,
                findings,
                &link,
                &format!("the link from {parent} to {child}"),
            )
        })?;
        keys.compare::<Link>(board, findings)
    }
}

/// How many keys the rows have in each index.
#[derive(Default)]
struct Keys(BTreeMap<&'static str, u64>);

impl Keys {
    fn look_up<T: Indexed>(
        &mut self,
        board: &Board<'_, Reading<'_>>,
        findings: &mut Findings,
        row: &T,
        what: &str,
    ) -> Result<()> {
        row.look_up(&board.tables, &mut |index, is_held| {
            *self.0.entry(index).or_default() += 1;
            if !is_held {
                findings.add(13, format!("the index {index} lacks {what}"));
            }
        })
    }

    /// An index that holds every row's key and as many as there are holds no other.
    fn compare<T: Indexed>(
        &self,
        board: &Board<'_, Reading<'_>>,
        findings: &mut Findings,
    ) -> Result<()> {
        T::count(&board.tables, &mut |index, held| {
            let expected = self.0.get(index).copied().unwrap_or(0);
            if held > expected {
                findings.add(
                    13,
                    format!("the index {index} has {held} keys, the rows {expected}"),
                );
            }
        })
    }
}

fn owned(
    board: &Board<'_, Reading<'_>>,
    findings: &mut Findings,
    table: &str,
    task: &str,
) -> Result<()> {
    if board.value(&board.tables.task, task, |_| Ok(()))?.is_none() {
        findings.add(0, format!("a row of {table} refers to no task: {task}"));
    }
    Ok(())
}

/// Looks at every entry of a table.
fn each<K: Key, V: Value>(
    slot: &Slot<Reading<'_>, K, V>,
    go_on: GoOn<'_>,
    mut look: impl FnMut(K::SelfType<'_>, V::SelfType<'_>) -> Result<()>,
) -> Result<()> {
    let table = slot.get()?;
    contained(|| {
        let doing = |error| storage("checking the board", error);
        let all = table.iter().map_err(doing)?;
        for (at, entry) in all.enumerate() {
            if at % ROWS_AT_ONCE == 0 {
                go_on()?;
            }
            let (key, value) = entry.map_err(doing)?;
            look(key.value(), value.value())?;
        }
        Ok(())
    })
}

/// The checksums of all pages. redb mends what it checks and wants it alone, so a copy is checked: it is made while no
/// process writes, and removed again. What no flush has brought to the file yet is not in it: it is in memory, and sound.
pub(crate) fn pages(engine: &RedbEngine, core: &Core) -> Result<Option<Violation>> {
    if core.place.len() > DEEP_LEN_MAX {
        return Ok(None);
    }
    let path = core.place.copy();
    let file = files::make(&path)?;
    // It needs no name, and without one it goes with this process, however that ends.
    files::remove(&path);
    let checked = copy(engine, core, &file).and_then(|()| verify(file));
    match checked {
        Err(error) if *error.kind() == ErrorKind::Corrupt => Ok(Some(Violation {
            invariant: 0,
            what: told(&error),
        })),
        checked => checked.map(|()| None),
    }
}

fn copy(engine: &RedbEngine, core: &Core, mut to: &File) -> Result<()> {
    let doing = |error| system("copying the board's file", error);
    let _alone = engine.alone()?;
    let txn = engine.begin_write()?;
    let copied = core
        .place
        .open()
        .and_then(|mut from| io::copy(&mut from, &mut to).map_err(doing));
    let undone = contained(|| {
        txn.abort()
            .map_err(|error| storage("undoing a transaction", error))
    });
    copied.and(undone)
}

fn verify(file: File) -> Result<()> {
    let doing = |error: redb::Error| storage("checking the file's pages", error);
    contained(|| {
        let settings = Settings {
            mode: ConcurrencyMode::ExclusiveWriter,
            check: OpenCheck::Verify,
            ..Settings::default()
        };
        let backend = FileBackend::new(file).map_err(|error| doing(error.into()))?;
        let database = settings
            .builder()
            .create_with_backend(backend)
            .map_err(|error| doing(error.into()))?;
        database.close().map_err(|error| doing(error.into()))
    })
}
