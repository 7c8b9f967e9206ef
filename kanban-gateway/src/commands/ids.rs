//! Task ids on the command line: whole, or for questions a unique beginning.

use kanban_core::{Error, Subject, TaskId};
use pollster::block_on;

use crate::failure::Failure;

use super::Board;

/// The shortest beginning of an id that may stand for it.
const PREFIX_MIN: usize = 8;
/// How many of an ambiguous prefix's ids are named.
const NAMED_MAX: usize = 10;

/// The whole id of a task.
pub(super) fn whole(text: &str) -> Result<TaskId, Failure> {
    Ok(TaskId::new(text)?)
}

pub(super) fn whole_all(texts: &[String]) -> Result<Vec<TaskId>, Failure> {
    texts.iter().map(|text| whole(text)).collect()
}

/// The id of a task that is there: itself, or the only one that begins with the text, of 8 characters or more.
pub(super) fn known(board: &Board, text: &str) -> Result<TaskId, Failure> {
    let id = whole(text)?;
    let found = block_on(board.store.ids_by_prefix(text.to_owned(), NAMED_MAX))?.value;
    if found.first() == Some(&id) {
        return Ok(id);
    }
    if text.len() < PREFIX_MIN {
        return Err(Error::not_found(Subject::Task(id)).into());
    }
    match found.as_slice() {
        [] => Err(Error::not_found(Subject::Task(id)).into()),
        [only] => Ok(only.clone()),
        _ => Err(Failure::Ambiguous {
            prefix: text.to_owned(),
            ids: found,
        }),
    }
}
