//! How long the file of a board is.

use std::fs;

use super::Failed;
use super::figures::count;
use super::shape::BoardFile;
use crate::fill;
use crate::template::Template;

/// How long the file of a filled board is.
pub(super) fn of(filled: &Template, engine: &str) -> Result<BoardFile, Failed> {
    let file = fs::metadata(filled.closed.file());
    let bytes = file.map_err(Failed::io("measuring a board's file"))?.len();
    let text: usize = (0..filled.tasks)
        .map(|number| fill::title(number).len() + fill::body().len())
        .sum();
    Ok(BoardFile {
        engine: engine.to_owned(),
        tasks: filled.tasks,
        bytes,
        bytes_per_task: count(bytes) / count(filled.tasks as u64),
        ratio_to_text: count(bytes) / count(text as u64),
    })
}
