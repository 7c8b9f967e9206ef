//! What a store gains by `Durability::Lazy` in an exclusive root, and how much the file grows by it.
//!
//! `cargo run -p kanban-redb --example lazy -- [DIRECTORY]`: the figures of
//! `docs/decisions/0008-the-writer-flushes-lazy-boards.md`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures"
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kanban_conformance::calls;
use kanban_core::{BoardStore, Boards, Durability, Options, RootMode, TaskId};
use kanban_redb::RedbBackend;
use pollster::block_on;

const SPAN: Duration = Duration::from_secs(3);
const TASKS: usize = 2000;

/// Claims and releases tasks for a while, on so many threads. Answers the writes.
fn work(store: &dyn BoardStore, clients: usize, tasks: &[TaskId]) -> u64 {
    let (begun, writes) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for client in 0..clients {
            let writes = &writes;
            scope.spawn(move || {
                for task in tasks.iter().skip(client).step_by(clients).cycle() {
                    if begun.elapsed() >= SPAN {
                        break;
                    }
                    let claimed = block_on(store.claim(calls::claim(task))).unwrap();
                    block_on(store.release(calls::release(&claimed.value))).unwrap();
                    writes.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
    });
    writes.into_inner()
}

fn measure(directory: &Path, mode: RootMode, durability: Durability, clients: usize) {
    let root = tempfile::tempdir_in(directory).unwrap();
    let options = Options {
        durability,
        mode: Some(mode),
        ..Options::default()
    };
    let boards = Boards::open_root(root.path(), RedbBackend::new(), options).unwrap();
    let store = block_on(boards.open(None)).unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            block_on(store.create(calls::new("a task")))
                .unwrap()
                .value
                .id
        })
        .collect();
    let writes = work(&*store, clients, &tasks);
    let len = std::fs::metadata(boards.file(None)).unwrap().len();
    println!(
        "{mode:9} {durability:?}, {clients:2} clients: {} writes/s, {} bytes of file per write",
        writes / SPAN.as_secs(),
        len / writes
    );
    block_on(boards.close()).unwrap();
}

fn main() {
    let directory = std::env::args().nth(1);
    let directory = directory.map_or_else(std::env::temp_dir, PathBuf::from);
    let lazy = |millis| Durability::Lazy {
        interval: Duration::from_millis(millis),
    };
    for clients in [1, 64] {
        for (mode, durability) in [
            (RootMode::Shared, Durability::Power),
            (RootMode::Exclusive, Durability::Power),
            (RootMode::Exclusive, lazy(100)),
            (RootMode::Exclusive, lazy(1000)),
        ] {
            measure(&directory, mode, durability, clients);
        }
    }
}
