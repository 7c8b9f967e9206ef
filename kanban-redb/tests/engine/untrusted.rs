//! Files from hostile hands, and from disks that go bad: thousands of seeded mutations. None panics out of the engine.
//!
//! redb verifies no checksum when it reads, so what a flipped bit changes inside a row can be an answer; the check
//! finds it.

use std::fs;
use std::os::unix::fs::FileExt;

use kanban_conformance::engine::{ask, existing, kind, new_task, task, try_write, write};
use kanban_core::{Backend, Engine, ErrorKind, EventId, Result, TaskId};
use kanban_redb::{OpenCheck, RedbBackend, RedbEngine};
use redb::{Database, TableDefinition};

use crate::support::{Fixture, text};

/// How many files are spoiled.
const FILES: u64 = 400;

/// Everything that a board is asked, as text.
fn answers(engine: &RedbEngine) -> Result<String> {
    let mut told = String::new();
    engine.read(&mut |view| {
        told = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            view.board()?,
            view.policy()?,
            view.tasks(None, usize::MAX)?,
            view.counts()?,
            view.events(EventId::new(0), usize::MAX)?,
            view.text(&TaskId::new("t_3").unwrap(), kanban_core::TextKind::Body)?,
        );
        Ok(())
    })?;
    Ok(told)
}

fn board() -> Fixture {
    let fixture = Fixture::new();
    for number in 0..60 {
        let name = format!("t_{number}");
        write(&fixture.engine, &[new_task(&task(&name)), text(&name, 300)]);
    }
    fixture
}

fn spoil(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) -> &'static str {
    let at = rng.usize(..bytes.len());
    match rng.u32(..6) {
        0 => {
            bytes.truncate(at);
            "cut"
        }
        1 => {
            bytes[rng.usize(..512)] ^= 1 << rng.u32(..8);
            "a bit of the header"
        }
        2 => {
            let end = (at + rng.usize(1..4096)).min(bytes.len());
            bytes[at..end].fill_with(|| rng.u8(..));
            "noise"
        }
        3 => {
            let end = (at + 4096).min(bytes.len());
            bytes[at..end].fill(0);
            "zeros"
        }
        _ => {
            bytes[at] ^= 1 << rng.u32(..8);
            "a bit"
        }
    }
}

#[test]
fn hundreds_of_spoiled_files_are_told_answered_right_or_found_by_the_check() {
    let fixture = board();
    let right = answers(&fixture.engine).unwrap();
    // A backup has few pages that nothing uses.
    let compact = fixture.path().join("compact");
    fixture.engine.backup(&compact, &|_| Ok(())).unwrap();
    RedbBackend::new().accept_backup(&compact).unwrap();
    let whole = fs::read(compact).unwrap();
    fixture.engine.close().unwrap();
    let careful = RedbBackend::new().with_open_check(OpenCheck::Verify);
    let unspoiled = careful.open(fixture.path(), &existing()).unwrap();
    assert_eq!(answers(&unspoiled).unwrap(), right);
    unspoiled.close().unwrap();
    let (mut refused, mut told, mut same, mut wrong, mut found) = (0, 0, 0, 0, 0);
    for seed in 0..FILES {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        let how = spoil(&mut bytes, &mut rng);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("board.redb");
        fs::write(&file, &bytes).unwrap();
        let engine = match RedbBackend::new().open(directory.path(), &existing()) {
            Ok(engine) => engine,
            Err(error) => {
                let is_told =
                    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unavailable(_));
                assert!(is_told, "seed {seed}, {how}: {error:?}");
                assert!(
                    fs::read(&file).unwrap() == bytes,
                    "seed {seed}, {how}: other bytes"
                );
                refused += 1;
                continue;
            }
        };
        match answers(&engine) {
            Err(_) => told += 1,
            Ok(answer) if answer == right => same += 1,
            Ok(_) => {
                wrong += 1;
                engine.close().unwrap();
                fs::write(&file, &bytes).unwrap();
                assert_eq!(
                    kind(careful.open(directory.path(), &existing())),
                    ErrorKind::Corrupt
                );
                fs::write(&file, &bytes).unwrap();
                let engine = RedbBackend::new()
                    .open(directory.path(), &existing())
                    .unwrap();
                let finds = engine.check(10).map_or(1, |findings| findings.len());
                assert!(finds > 0, "seed {seed}, {how}: neither told nor found");
                found += 1;
            }
        }
        // Whatever becomes of it: no panic, no hang.
        let _ = try_write(&engine, &[new_task(&task("t_new"))]);
        engine.close().unwrap();
    }
    println!(
        "{FILES} spoiled files: {refused} refused, {told} told when asked, {same} answered right, \
         {wrong} answered wrong, of which the check finds {found}"
    );
    assert!(refused > 0 && same > 0);
}

#[test]
fn a_board_of_an_older_format_or_without_a_table_is_refused() {
    const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    let refused = |change: &dyn Fn(&redb::WriteTransaction)| {
        let fixture = Fixture::new();
        fixture.engine.close().unwrap();
        let database = Database::open(fixture.file()).unwrap();
        let txn = database.begin_write().unwrap();
        change(&txn);
        txn.commit().unwrap();
        drop(database);
        kind(RedbBackend::new().open(fixture.path(), &existing()))
    };
    let older = refused(&|txn| {
        txn.open_table(META).unwrap().insert("format", 0).unwrap();
    });
    assert_eq!(older, ErrorKind::Corrupt);
    let lacking = refused(&|txn| {
        txn.delete_table(TableDefinition::<&str, &[u8]>::new("task"))
            .unwrap();
    });
    assert_eq!(lacking, ErrorKind::Corrupt);
}

#[test]
fn a_page_that_is_spoiled_while_the_board_is_open_is_found_by_the_check() {
    let fixture = board();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(fixture.file())
        .unwrap();
    let len = file.metadata().unwrap().len();
    for page in 1..len / 4096 {
        file.write_all_at(&[0; 64], page * 4096 + 512).unwrap();
    }
    let found = fixture.engine.check(10).unwrap();
    assert!(!found.is_empty());
    assert_eq!(found[0].invariant, 0, "{found:?}");
    // What is in memory is answered.
    assert!(!ask(&fixture.engine, |view| view.counts()).is_empty());
}
