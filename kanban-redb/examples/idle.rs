//! How much memory an idle board of many tasks takes.
//!
//! `cargo run --release -p kanban-redb --example idle -- DIRECTORY [TASKS]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures"
)]

use std::path::Path;
use std::process::Command;

use kanban_conformance::engine::{create, existing, id, new_task, task, write};
use kanban_core::{Backend, Engine, ListIndex, ListOrder, Status, View};
use kanban_redb::RedbBackend;

fn name(number: u64) -> String {
    format!("t_{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What the process holds in memory, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes / 1024
}

fn fill(directory: &Path, tasks: u64) {
    let engine = RedbBackend::new().open(directory, &create()).unwrap();
    for first in (0..tasks).step_by(20_000) {
        let group = first..(first + 20_000).min(tasks);
        let changes: Vec<_> = group.map(|number| new_task(&task(&name(number)))).collect();
        write(&engine, &changes);
    }
    engine.close().unwrap();
}

fn ask(directory: &Path, tasks: u64) {
    let before = resident();
    let engine = RedbBackend::new().open(directory, &existing()).unwrap();
    let opened = resident();
    for number in (0..tasks).step_by(7) {
        let read = engine.read(&mut |view: &dyn View| {
            assert!(view.task(&id(&name(number)))?.is_some());
            if number % 1000 == 0 {
                view.listed(&ListIndex::All(ListOrder::Newest), None, 100)?;
                view.count_in_status(Status::Ready)?;
            }
            Ok(())
        });
        read.unwrap();
    }
    let length = std::fs::metadata(directory.join("board.redb"))
        .unwrap()
        .len()
        >> 20;
    println!(
        "{tasks} tasks, {length} MiB: {before} MiB before, {opened} MiB opened, {} MiB after reading every seventh",
        resident()
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let directory = Path::new(args.first().expect("a directory"));
    let tasks = args.get(1).map_or(1_000_000, |text| text.parse().unwrap());
    if args.len() > 2 {
        return ask(directory, tasks);
    }
    fill(directory, tasks);
    let status = Command::new(std::env::current_exe().unwrap())
        .args([args.first().unwrap(), &tasks.to_string(), "ask"])
        .status()
        .unwrap();
    assert!(status.success());
}
