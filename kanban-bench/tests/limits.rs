//! A limit writes what the store writes: after the same work every table and every index holds as many entries, and about as
//! many bytes. Otherwise the loop would be fast for what it leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kanban_bench::board::{Board, Closed};
use kanban_bench::subject::{LAZY, Store, Subject};
use kanban_bench::template::Template;
use kanban_bench::workload::point::{Needs, Point};
use kanban_bench::workload::{claim_next, creation, mixed, transitions};
use kanban_core::{SubscriptionId, Task};
use pollster::block_on;
use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};

const CLIENTS: usize = 4;
const CALLS: usize = 16;
/// So many that the numbers of events are as long as on a large board.
const TASKS: usize = 320;

/// What a table or an index holds.
#[derive(Debug, Clone, Copy, Default)]
struct Entries {
    count: u64,
    bytes: u64,
}

/// What each of them holds, by its name.
type Held = BTreeMap<String, Entries>;

fn held(store: Store, file: &Path) -> Held {
    match store {
        Store::Sqlite => held_by_sqlite(file).expect("SQLite counts"),
        Store::Redb => held_by_redb(file).expect("redb counts"),
    }
}

fn held_by_sqlite(file: &Path) -> rusqlite::Result<Held> {
    let database = rusqlite::Connection::open(file)?;
    // A row of a table lies in a leaf; a key of an index, or of a table without numbers of its rows, in any page.
    let text = "SELECT d.name, sum(CASE WHEN s.type = 'table' AND s.sql NOT LIKE '%WITHOUT ROWID%' \
        AND d.pagetype <> 'leaf' THEN 0 ELSE d.ncell END), sum(d.payload) \
        FROM dbstat d JOIN sqlite_schema s USING (name) WHERE d.pagetype <> 'overflow' GROUP BY d.name";
    let mut statement = database.prepare(text)?;
    let rows = statement.query_map([], |row| {
        let (entries, bytes): (i64, i64) = (row.get(1)?, row.get(2)?);
        let entries = Entries {
            count: entries.cast_unsigned(),
            bytes: bytes.cast_unsigned(),
        };
        Ok((row.get(0)?, entries))
    })?;
    rows.collect()
}

fn held_by_redb(file: &Path) -> Result<Held, redb::Error> {
    let database = redb::Database::open(file)?;
    let txn = database.begin_read()?;
    let mut held = Held::new();
    for table in txn.list_tables()? {
        let name = table.name().to_owned();
        let table = txn.open_untyped_table(table)?;
        let (count, bytes) = (table.len()?, table.stats()?.stored_bytes());
        held.insert(name, Entries { count, bytes });
    }
    Ok(held)
}

type ByStore = dyn Fn(&Board, &Template, &[SubscriptionId]);
type ByHand = dyn Fn(Subject, &Path, &[Task], &[SubscriptionId]);

/// What the store and the hand do with two copies of a board.
struct Work<'a> {
    name: &'static str,
    by_store: &'a ByStore,
    by_hand: &'a ByHand,
}

/// By how many bytes a table may differ, besides a twenty-fifth of what was written to it: the loop gives one number to all, so
/// that those of runs and comments are longer.
const BYTES_APART: u64 = 16;

fn open(closed: Closed) -> Board {
    block_on(closed.open()).expect("a copy is a board")
}

fn close(board: Board) -> Closed {
    block_on(board.close()).expect("the board is closed")
}

fn compare(subject: Subject, work: &Work<'_>) {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let template = block_on(Template::make(subject, place.path(), TASKS)).expect("it is filled");
    let tasks = block_on(template.tasks(TASKS)).expect("the tasks are read");
    let copy = || template.copy(subject).expect("the files are copied");
    let listen = |board: &Board| mixed::listen(&*board.store, CLIENTS).expect("they listen");

    let board = open(copy());
    let subscriptions = listen(&board);
    let fresh = close(board);
    let before = held(subject.store, &fresh.file());
    (work.by_hand)(subject, &fresh.file(), &tasks, &subscriptions);
    let by_hand = held(subject.store, &fresh.file());

    let board = open(copy());
    let subscriptions = listen(&board);
    let board = open(close(board));
    (work.by_store)(&board, &template, &subscriptions);
    let by_store = held(subject.store, &close(board).file());

    expect_alike(work.name, subject, &[before, by_store, by_hand]);
    expect_sound(work.name, subject, fresh);
}

/// Expects of each table and each index that it holds as much by the store as by hand. `all` is what they held before, and
/// what they hold by both.
fn expect_alike(name: &str, subject: Subject, [before, by_store, by_hand]: &[Held; 3]) {
    assert_eq!(by_store.len(), by_hand.len(), "{name}");
    let differ: Vec<_> = by_store
        .iter()
        .filter_map(|(table, by_store)| {
            // An index that held nothing has no page to tell of.
            let was = before.get(table).copied().unwrap_or_default();
            let by_hand = by_hand.get(table).copied().unwrap_or_default();
            difference(was, *by_store, by_hand).map(|how| format!("{table}: {how}"))
        })
        .collect();
    assert!(differ.is_empty(), "{name} on {subject}: {differ:#?}");
}

/// Expects a board that was written by hand to break no invariant. On SQLite rows by hand are whole; on redb they are of the
/// right length only.
fn expect_sound(name: &str, subject: Subject, by_hand: Closed) {
    if subject.store == Store::Sqlite {
        let board = open(by_hand);
        let found = block_on(board.store.verify()).expect("the board is checked");
        assert!(found.value.is_empty(), "{name} by hand: {found:?}");
        close(board);
    }
}

/// What the rows of SQLite say, without ids, numbers and times: of these only whether they are there.
const WORDS: &str = "SELECT said, count(*) FROM (
    SELECT concat_ws('|', 'task', title, status, phase, priority, quote(assignee), quote(implementer),
        version, open_parents, failures, quote(last_error), quote(block_kind), quote(block_by),
        block_at IS NULL, quote(block_streak_kind), quote(block_streak_count), started_at IS NULL,
        completed_at IS NULL, settled_at IS NULL, not_before IS NULL, claim_run IS NULL,
        quote(claim_claimant), claim_heartbeat_at IS NULL, waiting, collectable) AS said FROM task
    UNION ALL SELECT concat_ws('|', 'run', phase, assignee, claimant, ended_at IS NULL,
        quote(outcome), quote(summary), quote(error)) FROM run
    UNION ALL SELECT concat_ws('|', 'event', task IS NULL, run IS NULL, quote(actor), kind,
        (SELECT group_concat(key) FROM json_each(data))) FROM event
    UNION ALL SELECT concat_ws('|', 'subscription', task = '', channel, address, thread, kinds,
        mode, attempts, lease_id IS NULL, lease_until IS NULL, lease_through IS NULL,
        acked IS NULL) FROM subscription
) GROUP BY said";

fn words(file: &Path) -> rusqlite::Result<BTreeSet<(String, i64)>> {
    let database = rusqlite::Connection::open(file)?;
    let mut statement = database.prepare(WORDS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Expects as many rows to say the same by the store as by hand.
fn expect_same_words(name: &str, by_store: &Path, by_hand: &Path) {
    let [by_store, by_hand] = [by_store, by_hand].map(|file| words(file).expect("SQLite reads"));
    let only_by_store: Vec<_> = by_store.difference(&by_hand).collect();
    let only_by_hand: Vec<_> = by_hand.difference(&by_store).collect();
    assert!(
        only_by_store.is_empty() && only_by_hand.is_empty(),
        "{name}: by the store {only_by_store:#?}, by hand {only_by_hand:#?}"
    );
}

fn difference(was: Entries, by_store: Entries, by_hand: Entries) -> Option<String> {
    let [more, more_by_hand] = [by_store, by_hand].map(|now| now.bytes.abs_diff(was.bytes));
    let apart = by_store.bytes.abs_diff(by_hand.bytes);
    let is_same = by_store.count == by_hand.count && apart <= BYTES_APART + more / 25;
    let found = format!(
        "{} entries and a change of {more} bytes by the store, {} and {more_by_hand} by hand",
        by_store.count, by_hand.count
    );
    (!is_same).then_some(found)
}

fn compare_on_both(work: &Work<'_>) {
    for store in Store::ALL {
        compare(Subject::new(*store), work);
    }
}

#[test]
fn claims_and_completions_by_hand_write_what_the_store_writes() {
    compare_on_both(&Work {
        name: "transitions",
        by_store: &|board, template, _| {
            transitions::by_store(&*board.store, CLIENTS, &template.ids).unwrap();
        },
        by_hand: &|subject, file, tasks, _| {
            let _ = transitions::by_hand(subject, file, CLIENTS, tasks);
        },
    });
}

/// What waited to be flushed is in the file once the loop has closed it.
#[test]
fn a_lazy_board_by_hand_holds_what_the_store_writes() {
    let work = Work {
        name: "transitions",
        by_store: &|board, template, _| {
            transitions::by_store(&*board.store, CLIENTS, &template.ids).unwrap();
        },
        by_hand: &|subject, file, tasks, _| {
            let _ = transitions::by_hand(subject, file, CLIENTS, tasks);
        },
    };
    compare(Subject::new(Store::Redb).exclusive().at(LAZY), &work);
}

#[test]
fn claims_from_one_column_by_hand_write_what_the_store_writes() {
    compare_on_both(&Work {
        name: "claim_next",
        by_store: &|board, _, _| {
            claim_next::by_store(&*board.store, CLIENTS, CALLS).unwrap();
        },
        by_hand: &|subject, file, tasks, _| {
            let _ = claim_next::by_hand(subject, file, CLIENTS, CLIENTS * CALLS, tasks);
        },
    });
}

#[test]
fn creations_by_hand_write_what_the_store_writes() {
    compare_on_both(&Work {
        name: "creation",
        by_store: &|board, _, _| {
            creation::by_store(&*board.store, CLIENTS, CALLS).unwrap();
        },
        by_hand: &|subject, file, _, _| {
            let _ = creation::by_hand(subject, file, CLIENTS, CLIENTS * CALLS);
        },
    });
}

/// Makes the calls of an operation by the store and by hand, on two copies of a board that holds what they need.
fn compare_point(subject: Subject, template: &Template, tasks: &[Task], point: Point) {
    let board = open(template.copy(subject).expect("the files are copied"));
    let needs = Needs::make(&*board.store, point, CLIENTS, CALLS).expect("it is prepared");
    let made = needs.rows(&*board.store).expect("the tasks are read");
    let ready = close(board);
    let before = held(subject.store, &ready.file());

    let copy = ready.copy(subject).expect("the files are copied");
    let _ = needs.by_hand(subject, &copy.file(), CLIENTS, tasks, &made);
    let by_hand = held(subject.store, &copy.file());

    let board = open(ready);
    let done = needs.by_store(&*board.store, &template.ids);
    done.expect("it is made by the store");
    let closed = close(board);
    let by_store = held(subject.store, &closed.file());

    expect_alike(point.as_str(), subject, &[before, by_store, by_hand]);
    if subject.store == Store::Sqlite {
        expect_same_words(point.as_str(), &closed.file(), &copy.file());
    }
    expect_sound(point.as_str(), subject, copy);
}

#[test]
fn each_operation_by_hand_writes_what_the_store_writes() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    for store in Store::ALL {
        let subject = Subject::new(*store);
        let made = Template::make(subject, place.path(), TASKS);
        let template = block_on(made).expect("it is filled");
        let tasks = block_on(template.tasks(TASKS)).expect("the tasks are read");
        let writes = Point::ALL.iter().filter(|point| point.is_write());
        for point in writes {
            compare_point(subject, &template, &tasks, *point);
        }
    }
}

#[test]
fn the_mixture_by_hand_writes_what_the_store_writes() {
    compare_on_both(&Work {
        name: "mixed",
        by_store: &|board, template, subscriptions| {
            let store = &*board.store;
            mixed::by_store(store, CLIENTS, CALLS, &template.ids, subscriptions).unwrap();
        },
        by_hand: &|subject, file, tasks, subscriptions| {
            let size = (CLIENTS, CALLS);
            let _ = mixed::by_hand(subject, file, CLIENTS, 2, size, tasks, subscriptions);
        },
    });
}
