//! What every operation costs in redb: counted where the engine asks it, and under it at the file. Told in
//! `docs/costs.md`.

use std::cell::RefCell;

use kanban_conformance::costs::{Column, Probe, Told, measure};

use crate::RedbBackend;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");

/// Something that is counted, per thread.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cost {
    /// A table opened in a transaction.
    Table,
    /// A key looked up, or an entry passed in a range.
    Entry,
    /// An entry written or removed.
    Put,
    /// A flush of the file.
    Flush,
    /// A change of the file's length; redb flushes that by itself.
    Resize,
    /// A write to the file.
    Write,
    /// A byte of these.
    Byte,
}

const COSTS: usize = 7;

thread_local! {
    static COUNTS: RefCell<[u64; COSTS]> = const { RefCell::new([0; COSTS]) };
}

pub(crate) fn count(what: Cost, times: usize) {
    COUNTS.with_borrow_mut(|counts| counts[what as usize] += times as u64);
}

const fn column(name: &'static str, told: Told) -> Column {
    Column { name, told }
}

const PROBE: Probe = Probe {
    columns: &[
        column("tables", Told::Exactly),
        column("entries", Told::Exactly),
        column("puts", Told::Exactly),
        column("flushes", Told::Exactly),
        column("writes", Told::AtMost),
        column("KiB", Told::AtMost),
    ],
    take: || {
        let [tables, entries, puts, flushes, resizes, writes, bytes] = COUNTS.take();
        let flushes = flushes.saturating_sub(resizes);
        vec![tables, entries, puts, flushes, writes, bytes.div_ceil(1024)]
    },
};

#[test]
fn every_operation_costs_what_is_told() {
    let costs = measure(&RedbBackend::new(), PROBE);
    costs.assert_told(PAGE.as_ref(), "rules");
    costs.assert_told(PAGE.as_ref(), "redb");
}
