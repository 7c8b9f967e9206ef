//! What a store holds in memory while nobody calls it, measured in a process of its own: this one has held everything
//! that it measured before.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kanban_core::{Durability, List, RootMode};
use serde::{Deserialize, Serialize};

use super::Failed;
use super::run::Bench;
use super::shape::Idle;
use crate::board::open_root;
use crate::subject::{Store, Subject};
use crate::template::Template;
use crate::usage::memory_held;

/// How many tasks are listed, and read one by one.
const TASKS_READ: usize = 200;

/// What the process of its own prints, as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    before_bytes: u64,
    held_bytes: u64,
}

/// Starts the process, and takes what it prints. None where the system does not tell what a process holds.
pub(super) fn of(
    bench: Bench<'_>,
    filled: &Template,
    store: Store,
) -> Result<Option<Idle>, Failed> {
    let mut command = Command::new(bench.program);
    command.args(["idle", "--engine", store.as_str()]);
    command.arg(filled.closed.root());
    let answer = command
        .output()
        .map_err(Failed::io("starting a process that holds one board"))?;
    if !answer.status.success() {
        let words = String::from_utf8_lossy(&answer.stderr).into_owned();
        return Err(Failed::Child(words));
    }
    let held: Option<Held> = serde_json::from_slice(&answer.stdout).map_err(Failed::Json)?;
    Ok(held.map(|held| Idle {
        engine: store.as_str().to_owned(),
        tasks: filled.tasks,
        held_bytes: held.held_bytes,
        before_bytes: held.before_bytes,
    }))
}

/// Opens a root's board, reads a little, and answers as JSON what the process holds then, and held before; `null` where the
/// system does not tell. This is what the process does that [`take`](super::take) starts.
///
/// # Errors
/// The store's.
pub fn hold(store: Store, root: &Path) -> Result<String, Failed> {
    let before_bytes = memory_held();
    let subject = Subject {
        store,
        durability: Durability::Power,
        mode: RootMode::Shared,
    };
    let held_bytes = pollster::block_on(async {
        let boards = open_root(subject, root, &Arc::default())?;
        let store = boards.open(None).await?;
        store.stats().await?;
        let list = List {
            limit: TASKS_READ,
            ..List::default()
        };
        for task in store.list(list).await?.value.items {
            store.task(task.id).await?;
        }
        let held = memory_held();
        boards.close().await?;
        Ok::<_, kanban_core::Error>(held)
    })?;
    let both = before_bytes.zip(held_bytes);
    let held = both.map(|(before_bytes, held_bytes)| Held {
        before_bytes,
        held_bytes,
    });
    serde_json::to_string(&held).map_err(Failed::Json)
}
