//! What an export and an import hold at once does not grow with the board. In a test binary of its own, as it counts
//! what the whole process allocates. SQLite's own memory is not counted: its caches have bounds of their own.
//!
//! A million tasks: `KANBAN_MOVED_THOUSANDS=1000 cargo test --release -p kanban-sqlite --test memory -- --nocapture`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kanban_conformance::calls;
use kanban_core::{BoardStore, Boards, ImportLines, KeepClaims, Options};
use kanban_sqlite::SqliteBackend;
use pollster::block_on;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator that counts is one that allocates")]
// SAFETY: everything is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the memory came from `alloc` above, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How much more than before is held at the worst moment.
fn peak_of(work: impl FnOnce()) -> usize {
    let before = LIVE.load(Ordering::SeqCst);
    PEAK.store(before, Ordering::SeqCst);
    work();
    PEAK.load(Ordering::SeqCst) - before
}

fn board(boards: &Boards, name: &str, thousands: usize) -> Arc<dyn BoardStore> {
    let slug = calls::slug(name);
    let store = block_on(boards.open(Some(&slug))).unwrap();
    for _ in 0..thousands {
        let items = (0..1000).map(|_| calls::item("one of many", Vec::new()));
        block_on(store.create_many(calls::many(items.collect()))).unwrap();
    }
    store
}

fn export(store: &dyn BoardStore, to: &Path) {
    let file = File::create(to).unwrap();
    block_on(store.export(Box::new(file))).unwrap();
}

#[test]
fn a_larger_board_is_moved_in_the_same_memory() {
    // Far less than the rows that there are more of: each has an event, both have their texts.
    const MORE: usize = 256 * 1024;
    let root = tempfile::tempdir().unwrap();
    let boards = Boards::open_root(
        root.path().join("root"),
        SqliteBackend::new(),
        Options::default(),
    )
    .unwrap();
    let many = std::env::var("KANBAN_MOVED_THOUSANDS").map_or(10, |thousands| {
        thousands.parse().expect("thousands of tasks are a number")
    });
    let mut peaks = Vec::new();
    for thousands in [1, many] {
        let store = board(&boards, &format!("from-{thousands}"), thousands);
        let file = root.path().join(thousands.to_string());
        let exported = peak_of(|| export(&*store, &file));
        let target = board(&boards, &format!("to-{thousands}"), 0);
        let lines = ImportLines {
            source: Box::new(File::open(&file).unwrap()),
            claims: KeepClaims::No,
            actor: calls::label("olga"),
        };
        let imported = peak_of(|| {
            let answer = block_on(target.import_lines(lines)).unwrap();
            assert_eq!(answer.value.tasks, 1000 * thousands as u64);
        });
        println!("{thousands},000 tasks: export {exported} bytes at most, import {imported}");
        peaks.push((exported, imported));
    }
    let (few, many) = (peaks[0], peaks[1]);
    assert!(
        many.0 <= few.0 + MORE && many.1 <= few.1 + MORE,
        "expected about the same memory, found {few:?} and, for more tasks, {many:?}"
    );
    block_on(boards.close()).unwrap();
}
