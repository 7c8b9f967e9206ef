//! What the rules ask and change for every operation, whatever engine is underneath.

use kanban_conformance::costs::{Probe, measure};
use kanban_memory::MemoryBackend;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/costs.md");

#[test]
fn every_operation_costs_what_is_told() {
    measure(&MemoryBackend::new(), Probe::NONE).assert_told(PAGE.as_ref(), "rules");
}
