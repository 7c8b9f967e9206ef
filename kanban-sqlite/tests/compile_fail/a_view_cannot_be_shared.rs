//! Inside a read the view stays on its thread: nothing of it can be handed to another.

use kanban_core::{Engine, View};
use kanban_sqlite::SqliteEngine;

fn share(engine: &SqliteEngine) {
    engine
        .read(&mut |view| {
            std::thread::scope(|scope| {
                scope.spawn(|| view.board());
            });
            Ok(())
        })
        .ok();
}

fn needs_sync<T: Sync + ?Sized>() {}

fn main() {
    let _: fn(&SqliteEngine) = share;
    needs_sync::<dyn View>();
}
