//! What a commit costs in each mode of redb, and what opening a large file costs after its writer was killed.
//!
//! `cargo run --release -p kanban-redb --example commits -- [DIRECTORY] [MIB]`: the figures of
//! `docs/decisions/0006-redb-boards-are-shared-by-default.md`.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use redb::{ConcurrencyMode, Database, ReadableDatabase, TableDefinition};

const ROWS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("rows");
/// As many indexes as a claim moves.
const INDEXES: [TableDefinition<'static, (u64, u64), ()>; 8] = [
    TableDefinition::new("a"),
    TableDefinition::new("b"),
    TableDefinition::new("c"),
    TableDefinition::new("d"),
    TableDefinition::new("e"),
    TableDefinition::new("f"),
    TableDefinition::new("g"),
    TableDefinition::new("h"),
];
const SPAN: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
struct How {
    name: &'static str,
    mode: ConcurrencyMode,
    quick: fn(&mut redb::WriteTransaction),
}

const HOWS: [How; 3] = [
    How {
        name: "exclusive",
        mode: ConcurrencyMode::ExclusiveWriter,
        quick: |_| {},
    },
    How {
        name: "exclusive, quick repair",
        mode: ConcurrencyMode::ExclusiveWriter,
        quick: |txn| txn.set_quick_repair(true),
    },
    How {
        name: "shared",
        mode: ConcurrencyMode::MultiWriter,
        quick: |_| {},
    },
];

fn open(path: &Path, how: How) -> Database {
    let mut builder = Database::builder();
    builder
        .set_cache_size(32 << 20)
        .set_concurrency_mode(how.mode);
    builder.create(path).unwrap()
}

/// One commit of a group: each member rewrites a row and moves it in every index.
fn commit(database: &Database, how: How, round: u64, group: u64, rows: u64) {
    let mut txn = database.begin_write().unwrap();
    (how.quick)(&mut txn);
    {
        let mut table = txn.open_table(ROWS).unwrap();
        for member in 0..group {
            let id = (round * group + member).wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows;
            table.insert(id, [7_u8; 300].as_slice()).unwrap();
        }
        for definition in INDEXES {
            let mut index = txn.open_table(definition).unwrap();
            for member in 0..group {
                let id = (round * group + member).wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows;
                index.remove((round % 7, id)).unwrap();
                index.insert(((round + 1) % 7, id), ()).unwrap();
            }
        }
    }
    txn.commit().unwrap();
}

fn speed(directory: &Path, how: How, group: u64) {
    let path = directory.join("speed.redb");
    let _ = std::fs::remove_file(&path);
    let database = open(&path, how);
    for round in 0..20 {
        commit(&database, how, round, 1000, 20_000);
    }
    let (begun, mut rounds) = (Instant::now(), 0);
    while begun.elapsed() < SPAN {
        commit(&database, how, rounds, group, 20_000);
        rounds += 1;
    }
    let commits = per_second(rounds, begun);
    let (begun, mut reads) = (Instant::now(), 0);
    while begun.elapsed() < SPAN {
        let txn = database.begin_read().unwrap();
        let table = txn.open_table(ROWS).unwrap();
        table.get(reads % 20_000).unwrap();
        reads += 1;
    }
    println!(
        "{:24} groups of {group:2}: {commits:6} commits/s, {:8} rows/s, {:7} reads/s",
        how.name,
        commits * group,
        per_second(reads, begun)
    );
}

fn per_second(count: u64, begun: Instant) -> u64 {
    u64::try_from(u128::from(count) * 1000 / begun.elapsed().as_millis().max(1)).unwrap()
}

/// Fills a file and is gone, as if killed.
fn fill(path: &Path, how: How, mebibytes: u64) -> ! {
    let database = open(path, how);
    let rows = mebibytes * 1024;
    for first in (0..rows).step_by(20_000) {
        let mut txn = database.begin_write().unwrap();
        (how.quick)(&mut txn);
        {
            let mut table = txn.open_table(ROWS).unwrap();
            for id in first..(first + 20_000).min(rows) {
                table.insert(id, [7_u8; 1000].as_slice()).unwrap();
            }
        }
        txn.commit().unwrap();
    }
    std::process::abort();
}

fn killed(directory: &Path, at: usize, mebibytes: u64) {
    let (how, path) = (HOWS[at], directory.join("killed.redb"));
    let _ = std::fs::remove_file(&path);
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args([
            directory.to_str().unwrap(),
            &mebibytes.to_string(),
            &at.to_string(),
        ])
        .output()
        .unwrap();
    assert!(!child.status.success(), "it ends as if killed");
    let begun = Instant::now();
    let mut database = open(&path, how);
    let opened = begun.elapsed();
    let length = std::fs::metadata(&path).unwrap().len() >> 20;
    let begun = Instant::now();
    database.compact().unwrap();
    let compacted = std::fs::metadata(&path).unwrap().len() >> 20;
    println!(
        "{:24} {length} MiB: opened after a kill in {opened:?}; compacted to {compacted} MiB in {:?}",
        how.name,
        begun.elapsed()
    );
    drop(database);
    std::fs::remove_file(&path).unwrap();
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let directory = args.first().map_or_else(std::env::temp_dir, PathBuf::from);
    let mebibytes = args.get(1).map_or(1024, |text| text.parse().unwrap());
    if let Some(at) = args.get(2) {
        fill(
            &directory.join("killed.redb"),
            HOWS[at.parse::<usize>().unwrap()],
            mebibytes,
        );
    }
    for group in [1, 64] {
        for how in HOWS {
            speed(&directory, how, group);
        }
    }
    for at in 0..HOWS.len() {
        killed(&directory, at, mebibytes);
    }
}
