//! What every operation costs in SQLite, as SQLite itself counts it. Told in `docs/costs.md`.

use std::cell::Cell;
use std::collections::HashMap;

use kanban_conformance::costs::{Column, Probe, Told, measure};
use rusqlite::trace::{StmtRef, TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};

use crate::SqliteBackend;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");

/// What SQLite did on one thread.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// Statements carried out, also those that begin and end the transaction.
    statements: u64,
    /// Of these, the ones that were prepared for it: steady work has its statements prepared.
    prepared: u64,
    /// Rows that statements answered.
    rows: u64,
    /// Rows passed in a scan, sorts, and indexes made for one statement.
    scanned: u64,
    /// Instructions carried out.
    steps: u64,
    /// Pages that commits appended to the `-wal`.
    pages: u64,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts {
        statements: 0, prepared: 0, rows: 0, scanned: 0, steps: 0, pages: 0,
    }) };
    /// Pages in the `-wal` after the last commit of this thread's writer.
    static FRAMES: Cell<u64> = const { Cell::new(0) };
}

const fn exactly(name: &'static str) -> Column {
    let told = Told::Exactly;
    Column { name, told }
}

const PROBE: Probe = Probe {
    columns: &[
        exactly("statements"),
        exactly("prepared"),
        exactly("rows"),
        exactly("scanned"),
        exactly("steps"),
        Column {
            name: "pages",
            told: Told::AtMost,
        },
    ],
    take: || {
        let counts = COUNTS.take();
        vec![
            counts.statements,
            counts.prepared,
            counts.rows,
            counts.scanned,
            counts.steps,
            counts.pages,
        ]
    },
};

fn count(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

/// Counts what a connection does from now on, on the thread that uses it.
pub(crate) fn watch(connection: &mut Connection) -> rusqlite::Result<()> {
    FRAMES.set(0);
    let events = TraceEventCodes::SQLITE_TRACE_PROFILE | TraceEventCodes::SQLITE_TRACE_ROW;
    // SQLite counts per prepared statement, from when it was prepared.
    let mut before: HashMap<String, Seen> = HashMap::new();
    connection.trace_v2(
        events,
        Some(move |event: TraceEvent<'_>| match event {
            TraceEvent::Row(_) => count(|counts| counts.rows += 1),
            TraceEvent::Profile(statement, _) => {
                let now = Seen::of(&statement);
                let last = before.entry(statement.sql().into_owned()).or_default();
                // One that fell out of the cache begins from 0.
                if now.runs == 1 {
                    *last = Seen::default();
                }
                count(|counts| {
                    counts.statements += 1;
                    counts.prepared += u64::from(now.runs == 1);
                    counts.prepared += now.prepared.saturating_sub(last.prepared);
                    counts.steps += now.steps.saturating_sub(last.steps);
                    counts.scanned += now.scanned.saturating_sub(last.scanned);
                });
                *last = now;
            }
            _ => {}
        }),
    )
}

/// What SQLite has counted of a prepared statement so far.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    runs: u64,
    prepared: u64,
    scanned: u64,
    steps: u64,
}

impl Seen {
    fn of(statement: &StmtRef<'_>) -> Self {
        let status = |of| u64::try_from(statement.get_status(of)).unwrap();
        Self {
            runs: status(StatementStatus::Run),
            prepared: status(StatementStatus::RePrepare),
            scanned: status(StatementStatus::FullscanStep)
                + status(StatementStatus::Sort)
                + status(StatementStatus::AutoIndex),
            steps: status(StatementStatus::VmStep),
        }
    }
}

/// After a commit there are so many pages in the `-wal`. It begins anew after a checkpoint, which comes only after
/// many more pages than one commit has.
pub(crate) fn committed(pages: i32) {
    let now = u64::try_from(pages).unwrap();
    let before = FRAMES.replace(now);
    count(|counts| counts.pages += now.checked_sub(before).unwrap_or(now));
}

#[test]
fn every_operation_costs_what_is_told() {
    let costs = measure(&SqliteBackend::new(), PROBE);
    costs.assert_told(PAGE.as_ref(), "rules");
    costs.assert_told(PAGE.as_ref(), "sqlite");
}
