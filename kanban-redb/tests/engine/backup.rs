//! Copies that are made while others write, reads that take long, and what the check finds.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use kanban_conformance::engine::{
    ask, existing, id, kind, new_task, task, tasks, try_write, write,
};
use kanban_core::{Backend, Engine, Error, ErrorKind, Unavailable, WriteEnd};
use kanban_redb::RedbBackend;
use redb::{Database, ReadableTable, TableDefinition};

use crate::support::{Fixture, text};

#[test]
fn a_backup_is_one_state_while_others_write() {
    let fixture = Fixture::new();
    for number in 0..500 {
        let name = format!("t_{number}");
        write(&fixture.engine, &[new_task(&task(&name)), text(&name, 100)]);
    }
    let to = fixture.path().join("elsewhere");
    fs::create_dir(&to).unwrap();
    let file = to.join("board.redb");
    let written = Cell::new(0);
    let write_more = |_| {
        written.set(written.get() + 1);
        fixture.add(&format!("later_{}", written.get()));
        Ok(())
    };
    fixture.engine.backup(&file, &write_more).unwrap();
    assert!(written.get() > 5, "found {}", written.get());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let backend = RedbBackend::new();
    let refused = backend.open(&to, &existing());
    assert_eq!(kind(refused), ErrorKind::Corrupt, "a backup is no board");
    backend.accept_backup(&file).unwrap();
    assert_eq!(
        kind(backend.accept_backup(&file)),
        ErrorKind::Corrupt,
        "and no board a backup"
    );
    let copy = backend.open(&to, &existing()).unwrap();
    assert_eq!(tasks(&copy), 500);
    assert_eq!(copy.check(10).unwrap(), []);
    assert_eq!(tasks(&fixture.engine), 500 + written.get());
}

#[test]
fn a_backup_touches_no_file_that_is_there_and_leaves_none_that_is_not_whole() {
    let fixture = Fixture::new();
    fixture.add("t_1");
    let file = fixture.path().join("backup");
    fs::write(&file, "mine").unwrap();
    let refused = fixture.engine.backup(&file, &|_| Ok(()));
    assert_eq!(kind(refused), ErrorKind::Unavailable(Unavailable::Io));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let file = fixture.path().join("stopped");
    let stop = |_| Err(Error::new(ErrorKind::Closed, "stopped"));
    assert_eq!(kind(fixture.engine.backup(&file, &stop)), ErrorKind::Closed);
    assert!(!file.exists());
}

#[test]
fn a_long_read_ends_as_busy_once_the_file_has_grown_too_much_behind_it() {
    let fixture = Fixture::with(RedbBackend::new().with_growth_max(1024 * 1024));
    fixture.add("t_1");
    let mut rounds = 0;
    let read = fixture.engine.read_long(&mut |view| {
        for round in 0..1000 {
            rounds = round;
            view.task(&id("t_1"))?;
            write(&fixture.engine, &[text("t_1", 100_000)]);
        }
        Ok(())
    });
    assert_eq!(kind(read), ErrorKind::Busy);
    println!("ended after {rounds} writes of 100 kB");
    fixture.add("t_2");
    fixture
        .engine
        .read_long(&mut |view| view.board().map(|_| ()))
        .unwrap();
}

#[test]
fn a_panic_undoes_a_transaction_and_the_board_goes_on() {
    let fixture = Fixture::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        fixture.engine.write(&mut |txn| {
            txn.apply(&new_task(&task("t_1")))?;
            panic!("as the test wished");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(tasks(&fixture.engine), 0);
    fixture.add("t_1");
    assert_eq!(fixture.engine.check(10).unwrap(), []);
}

/// Changes the file by hand while no engine has it open.
fn by_hand(fixture: &Fixture, change: impl FnOnce(&redb::WriteTransaction)) -> Vec<(u8, String)> {
    fixture.engine.close().unwrap();
    let database = Database::open(fixture.file()).unwrap();
    let txn = database.begin_write().unwrap();
    change(&txn);
    txn.commit().unwrap();
    database.close().unwrap();
    let engine = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    let found = engine.check(3).unwrap();
    assert!(found.len() <= 3, "{found:?}");
    found
        .into_iter()
        .map(|found| (found.invariant, found.what))
        .collect()
}

#[test]
fn the_check_finds_what_indexes_and_counters_get_wrong() {
    const AGES: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("task_by_age");
    const COUNTS: TableDefinition<'_, (&str, &str), u64> = TableDefinition::new("count");
    const LINKS: TableDefinition<'_, (&str, &str), ()> = TableDefinition::new("link");
    const TASKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("task");
    let spoilt = |change: &dyn Fn(&redb::WriteTransaction)| {
        let fixture = Fixture::new();
        fixture.add("t_1");
        fixture.add("t_2");
        by_hand(&fixture, change)
    };
    let lacking = spoilt(&|txn| {
        txn.open_table(AGES).unwrap().remove((10, "t_1")).unwrap();
    });
    assert_eq!(
        lacking,
        [(13, "the index task_by_age lacks t_1".to_owned())]
    );
    let surplus = spoilt(&|txn| {
        txn.open_table(AGES)
            .unwrap()
            .insert((11, "t_1"), ())
            .unwrap();
    });
    assert_eq!(
        surplus,
        [(
            13,
            "the index task_by_age has 3 keys, the rows 2".to_owned()
        )]
    );
    let miscounted = spoilt(&|txn| {
        txn.open_table(COUNTS)
            .unwrap()
            .insert(("ready", ""), 3)
            .unwrap();
    });
    assert_eq!(miscounted[0].0, 11, "{miscounted:?}");
    let dangling = spoilt(&|txn| {
        txn.open_table(LINKS)
            .unwrap()
            .insert(("t_1", "t_9"), ())
            .unwrap();
    });
    assert_eq!(
        dangling.iter().map(|found| found.0).collect::<Vec<_>>(),
        [0, 13],
        "{dangling:?}"
    );
    let garbled = spoilt(&|txn| {
        txn.open_table(TASKS)
            .unwrap()
            .insert("t_1", [0xff; 9].as_slice())
            .unwrap();
    });
    assert!(garbled[0].1.contains("Task"), "{garbled:?}");
}

#[test]
fn a_row_that_the_model_refuses_is_corrupt_and_named() {
    const TASKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("task");
    let fixture = Fixture::new();
    fixture.add("t_1");
    let found = by_hand(&fixture, |txn| {
        let mut table = txn.open_table(TASKS).unwrap();
        let mut row = table.get("t_1").unwrap().unwrap().value().to_vec();
        // The word `ready`, after the array's head, the id and the title.
        let at = row.windows(5).position(|word| word == b"ready").unwrap();
        row[at] = b'R';
        table.insert("t_1", row.as_slice()).unwrap();
    });
    assert!(
        found[0].1.contains("2 status") && found[0].1.contains("Ready"),
        "{found:?}"
    );
    let engine = RedbBackend::new()
        .open(fixture.path(), &existing())
        .unwrap();
    let read = kanban_conformance::engine::try_ask(&engine, |view| view.task(&id("t_1")));
    assert_eq!(kind(read), ErrorKind::Corrupt);
    let end = try_write(&engine, &[new_task(&task("t_1"))]);
    assert!(
        matches!(end, WriteEnd::NotWritten(ref error) if *error.kind() == ErrorKind::Corrupt),
        "{end:?}"
    );
    assert_eq!(ask(&engine, |view| view.counts()).len(), 1);
}
