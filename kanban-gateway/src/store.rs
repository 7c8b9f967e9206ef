//! Opens the boards. The only module that names an engine.

#[cfg(feature = "sqlite")]
use kanban_core::{Boards, Options};
use std::path::Path;

use crate::failure::Failure;

#[cfg(not(feature = "sqlite"))]
compile_error!(
    "kanban-gateway needs a store: build it with the cargo feature `sqlite` (it is on by default)"
);

/// The engine that this program is built with.
#[cfg(feature = "sqlite")]
const ENGINE: &str = "sqlite";

/// Opens the boards under a root, made on first use. The root remembers its engine.
#[cfg(feature = "sqlite")]
pub(crate) fn open(root: &Path, engine: Option<&str>, options: Options) -> Result<Boards, Failure> {
    if let Some(engine) = engine.filter(|engine| *engine != ENGINE) {
        return Err(Failure::Usage(format!(
            "this program is built with the store {ENGINE}, not with {engine}"
        )));
    }
    Ok(Boards::open_root(
        root,
        kanban_sqlite::SqliteBackend::new(),
        options,
    )?)
}
