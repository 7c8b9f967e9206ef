//! What a write fills ends with the write.

use kanban_core::{Engine, Txn, Verdict};
use kanban_sqlite::SqliteEngine;

fn keep(engine: &SqliteEngine) {
    let mut kept: Option<&mut dyn Txn> = None;
    engine.write(&mut |txn| {
        kept = Some(txn);
        Ok(Verdict::RollBack)
    });
    drop(kept);
}

fn main() {
    let _: fn(&SqliteEngine) = keep;
}
