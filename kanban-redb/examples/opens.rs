//! How long a board takes to open: closed before, beside another process's handle, and as a crash has left it.
//!
//! `cargo run --release -p kanban-redb --example opens -- DIRECTORY [TASKS]`
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures"
)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use kanban_conformance::engine::{create, existing, new_task, task, write};
use kanban_core::{Backend, Engine, OpenBoard, RootMode};
use kanban_redb::{RedbBackend, RedbEngine};

const ROUNDS: usize = 51;

fn open(directory: &Path, how: OpenBoard, mode: RootMode) -> RedbEngine {
    let how = OpenBoard { mode, ..how };
    RedbBackend::new().open(directory, &how).unwrap()
}

/// The middle of many times.
fn time(mut once: impl FnMut() -> Duration) -> u128 {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once()).collect();
    times.sort();
    times.get(ROUNDS / 2).unwrap().as_micros()
}

fn open_once(directory: &Path, mode: RootMode) -> Duration {
    let start = Instant::now();
    let engine = open(directory, existing(), mode);
    let took = start.elapsed();
    engine.close().unwrap();
    took
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(args.first().expect("a directory"));
    let tasks: usize = args.get(1).map_or(10_000, |text| text.parse().unwrap());
    for mode in [RootMode::Shared, RootMode::Exclusive] {
        let directory = root.join(mode.to_string());
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("board.redb");
        let engine = open(&directory, create(), mode);
        for first in (0..tasks).step_by(1000) {
            let group = first..(first + 1000).min(tasks);
            let changes: Vec<_> = group
                .map(|number| new_task(&task(&format!("t_{number:x}"))))
                .collect();
            write(&engine, &changes);
        }
        let beside = match mode {
            RootMode::Shared => Some(time(|| open_once(&directory, mode))),
            RootMode::Exclusive => None,
        };
        let crashed = fs::read(&file).unwrap();
        engine.close().unwrap();
        let closed = time(|| open_once(&directory, mode));
        let mended = time(|| {
            fs::write(&file, &crashed).unwrap();
            fs::File::open(&file).unwrap().sync_all().unwrap();
            open_once(&directory, mode)
        });
        println!(
            "{mode}, {} KiB: {closed} µs closed before, {beside:?} µs beside another, {mended} µs after a crash",
            crashed.len() >> 10
        );
    }
}
