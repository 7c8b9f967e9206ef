//! What a read sees ends with the read: no snapshot or connection leaves the engine.

use kanban_core::{Engine, View};
use kanban_sqlite::SqliteEngine;

fn keep(engine: &SqliteEngine) {
    let mut kept: Option<&dyn View> = None;
    engine
        .read(&mut |view| {
            kept = Some(view);
            Ok(())
        })
        .ok();
    drop(kept);
}

fn main() {
    let _: fn(&SqliteEngine) = keep;
}
