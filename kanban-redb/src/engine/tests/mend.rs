//! Reads after an error of the file, and beside others who open it anew.

use std::io;
use std::sync::{Arc, RwLock, mpsc};

use kanban_conformance::engine::{new_task, task, try_ask, try_write};
use kanban_core::{Engine, ErrorKind, Unavailable, Verdict, WriteEnd};

use super::{Faults, Op, group, landed, open, try_open_with};
use crate::core::Settings;
use crate::engine::RedbEngine;

const MODES: [redb::ConcurrencyMode; 2] = [
    redb::ConcurrencyMode::MultiWriter,
    redb::ConcurrencyMode::ExclusiveWriter,
];

/// A board with one group, of which nothing stays in memory.
fn cold(mode: redb::ConcurrencyMode) -> (RedbEngine, Arc<Faults>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let settings = Settings {
        mode,
        cache_len_max: 0,
        ..Settings::default()
    };
    let engine = try_open_with(directory.path(), settings, &faults).unwrap();
    let end = try_write(&engine, &group(1));
    assert!(matches!(end, WriteEnd::Done(_)), "{end:?}");
    (engine, faults, directory)
}

fn try_tasks(engine: &RedbEngine) -> kanban_core::Result<usize> {
    try_ask(engine, |view| Ok(view.tasks(None, 10)?.len()))
}

#[test]
fn after_a_read_error_reads_work_again_without_a_write() {
    for mode in MODES {
        let (engine, faults, _directory) = cold(mode);
        faults.plan(1, io::ErrorKind::Other, false);
        let error = try_tasks(&engine).expect_err("the disk failed");
        let io = ErrorKind::Unavailable(Unavailable::Io);
        assert_eq!(*error.kind(), io, "{mode:?}: {error:?}");
        assert_eq!(faults.end(), Some(Op::Read));
        assert_eq!(try_tasks(&engine).unwrap(), 1, "{mode:?}");
        let end = try_write(&engine, &group(2));
        assert!(matches!(end, WriteEnd::Done(_)), "{mode:?}: {end:?}");
        assert_eq!(engine.check(10).unwrap(), []);
    }
}

#[test]
fn while_the_disk_fails_reads_say_so_and_work_once_it_does_not() {
    for mode in MODES {
        let (engine, faults, _directory) = cold(mode);
        faults.plan(1, io::ErrorKind::Other, true);
        for round in 0..3 {
            let error = try_tasks(&engine).expect_err("the disk fails");
            let io = ErrorKind::Unavailable(Unavailable::Io);
            assert_eq!(*error.kind(), io, "{mode:?}, round {round}: {error:?}");
        }
        let end = try_write(&engine, &group(2));
        assert!(matches!(end, WriteEnd::Uncertain(_)), "{mode:?}: {end:?}");
        faults.end();
        let error = try_tasks(&engine).expect_err("the commit must be found out first");
        assert!(matches!(error.kind(), ErrorKind::Unavailable(_)));
        engine.reopen().unwrap();
        assert_eq!((try_tasks(&engine).unwrap(), landed(&engine)), (1, 1));
        assert!(matches!(try_write(&engine, &group(2)), WriteEnd::Done(_)));
    }
}

#[test]
fn a_read_error_beside_an_open_write_leaves_it_its_file() {
    for mode in MODES {
        let (engine, faults, _directory) = cold(mode);
        let end = engine.write(&mut |txn| {
            faults.plan(1, io::ErrorKind::Other, false);
            assert!(try_tasks(&engine).is_err());
            faults.end();
            // The write holds the file, and redb does nothing more with it.
            assert!(try_tasks(&engine).is_err());
            assert!(txn.apply(&new_task(&task("t_2"))).is_err());
            Ok(Verdict::RollBack)
        });
        assert!(
            matches!(end, WriteEnd::Done(Verdict::RollBack)),
            "{mode:?}: {end:?}"
        );
        assert_eq!(try_tasks(&engine).unwrap(), 1, "{mode:?}");
    }
}

#[test]
fn a_closed_board_is_not_opened_anew_by_a_read() {
    let (engine, faults, directory) = cold(redb::ConcurrencyMode::ExclusiveWriter);
    faults.plan(1, io::ErrorKind::Other, false);
    assert!(try_tasks(&engine).is_err());
    faults.end();
    engine.close().unwrap();
    let error = try_tasks(&engine).expect_err("it is closed");
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error:?}");
    open(
        directory.path(),
        redb::ConcurrencyMode::ExclusiveWriter,
        &faults,
    );
}

/// How many of some reads were answered. The others say that the disk failed, or that the file was opened anew.
fn read_often(engine: &RedbEngine, gate: &RwLock<()>) -> usize {
    let answered = (0..5).filter(|_| {
        let _gate = gate.read().unwrap();
        match try_ask(engine, |view| view.tasks(None, 1000)) {
            Ok(_) => true,
            Err(error) => {
                let is_told = [ErrorKind::Busy, ErrorKind::Unavailable(Unavailable::Io)];
                assert!(is_told.contains(error.kind()), "{error:?}");
                false
            }
        }
    });
    answered.count()
}

#[test]
fn readers_and_a_writer_on_a_disk_that_fails_now_and_then_lose_nothing() {
    const GROUPS: u64 = 60;
    for mode in MODES {
        let (engine, faults, _directory) = cold(mode);
        // The executor keeps readers out while the writer opens the file anew, and not while a reader does.
        let gate = RwLock::new(());
        let answered: usize = std::thread::scope(|scope| {
            let (turns, readers): (Vec<_>, Vec<_>) = (0..3)
                .map(|_| {
                    let (turn, turns) = mpsc::sync_channel(1);
                    let (engine, gate) = (&engine, &gate);
                    let read = move || turns.iter().map(|()| read_often(engine, gate)).sum();
                    (turn, scope.spawn::<_, usize>(read))
                })
                .unzip();
            let mut rng = fastrand::Rng::with_seed(7);
            for number in 2..=GROUPS {
                faults.plan(rng.u64(1..60), io::ErrorKind::Other, false);
                for turn in &turns {
                    turn.send(()).unwrap();
                }
                while !matches!(try_write(&engine, &group(number)), WriteEnd::Done(_)) {
                    let _alone = gate.write().unwrap();
                    faults.end();
                    engine.reopen().unwrap();
                    if landed(&engine) == number {
                        break;
                    }
                }
            }
            drop(turns);
            readers
                .into_iter()
                .map(|reader| reader.join().unwrap())
                .sum()
        });
        faults.end();
        println!(
            "{mode:?}: {answered} of {} reads answered",
            3 * 5 * (GROUPS - 1)
        );
        assert!(answered > 0);
        assert_eq!(landed(&engine), GROUPS);
        assert_eq!(
            try_ask(&engine, |view| view.tasks(None, 1000))
                .unwrap()
                .len(),
            60
        );
        assert_eq!(engine.check(10).unwrap(), []);
    }
}
