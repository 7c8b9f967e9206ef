//! Task ids on the command line: whole, or for questions a unique beginning.

use kanban_core::{Error, ErrorKind, Rejection, Subject, TaskId};
use pollster::block_on;

use crate::failure::Failure;

use super::Board;

/// The shortest beginning of an id that may stand for it.
const PREFIX_MIN: usize = 8;
/// How many of an ambiguous prefix's ids are named.
const NAMED_MAX: usize = 10;

/// What a refusal says of an id that is only the beginning of one.
pub(super) fn explained(board: &Board, failure: Failure) -> Failure {
    let Failure::Store(error) = failure else {
        return failure;
    };
    let unknown = match error.kind() {
        ErrorKind::NotFound(Subject::Task(id)) => Some(id),
        ErrorKind::Rejected(Rejection::UnknownTasks { ids }) => ids.first(),
        _ => None,
    };
    let begun = unknown.is_some_and(|id| begins_another(board, id).unwrap_or(false));
    if begun {
        let hint = "it is the beginning of an id: a write wants the whole one";
        return Failure::Hinted { hint, error };
    }
    Failure::Store(error)
}

fn begins_another(board: &Board, id: &TaskId) -> Result<bool, Failure> {
    let found = block_on(board.store()?.ids_by_prefix(id.to_string(), 1))?.value;
    Ok(found.first().is_some_and(|found| found != id))
}

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
    let found = block_on(board.store()?.ids_by_prefix(text.to_owned(), NAMED_MAX))?.value;
    if found.first() == Some(&id) {
        return Ok(id);
    }
    if text.len() < PREFIX_MIN {
        return Err(Failure::Hinted {
            hint: "give the whole id, or its first 8 characters or more",
            error: Error::not_found(Subject::Task(id)),
        });
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
