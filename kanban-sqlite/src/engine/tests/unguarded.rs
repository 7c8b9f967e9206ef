//! What happens without both shields: plain locks, and nobody compares the files. This is the fault of the field report,
//! and the reason for each line of the cure.
//!
//! The switch exists in this crate's own tests only. A cargo feature would be united over a workspace and end up in the
//! command; a hidden constructor could be called by anybody.

use std::path::Path;

use kanban_core::{Backend, Boards, OpenBoard, Options, Result};

use crate::{Locks, SqliteBackend, SqliteEngine};

use self::cycles::{attack, back_up_and_write, hold, part};

#[path = "../../../tests/attack/cycles.rs"]
mod cycles;

/// The test that plays the parts of other processes.
const PLAYER: &str = "engine::tests::unguarded::a_child_plays_its_part";
/// The name of the part; it is printed with the figures.
const NEITHER: &str = "naive backup, plain locks, inodes not compared";
const CYCLES: u64 = 200;

/// The engine, which looks away.
#[derive(Debug)]
struct Unguarded(SqliteBackend);

impl Backend for Unguarded {
    type Engine = SqliteEngine;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn file_name(&self) -> &'static str {
        self.0.file_name()
    }

    fn open(&self, directory: &Path, how: &OpenBoard) -> Result<SqliteEngine> {
        let engine = self.0.open(directory, how)?;
        engine.core().look_away();
        Ok(engine)
    }

    fn accept_backup(&self, copy: &Path) -> Result<()> {
        self.0.accept_backup(copy)
    }
}

#[test]
fn a_child_plays_its_part() {
    let Some((part, place)) = part() else {
        return;
    };
    assert_eq!(part, NEITHER, "no such part");
    let backend = Unguarded(SqliteBackend::new().with_locks(Locks::Posix));
    let boards = Boards::open_root(&place, backend, Options::default()).unwrap();
    let mut foreign = 0;
    hold(&boards, CYCLES, &mut |directory| {
        foreign += back_up_and_write(directory);
        foreign
    });
}

#[test]
fn without_both_shields_acknowledged_writes_are_lost() {
    let open = |root: &Path| Boards::open_root(root, SqliteBackend::new(), Options::default());
    let figures = attack(NEITHER, open);
    assert!(
        figures.deleted > 0 && figures.lost > 0,
        "the fault that the shields are for is gone; are they still needed? {figures}"
    );
}
