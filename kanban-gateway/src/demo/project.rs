//! The project: eight parts, each to be designed, built and tested, then joined and released.

use kanban_core::{
    BoardStore, CreateMany, Label, NewItem, NewTask, ParentRef, Start, TaskId, Title,
};
use pollster::block_on;

use crate::failure::Failure;

const PARTS: [&str; 8] = [
    "login", "search", "billing", "mail", "reports", "upload", "settings", "help",
];

/// Puts the project on the board, in one transaction.
pub(super) fn build(store: &dyn BoardStore) -> Result<Vec<TaskId>, Failure> {
    let mut items: Vec<NewItem> = Vec::new();
    let mut add = |title: String, priority: i32, parents: Vec<usize>| -> Result<usize, Failure> {
        items.push(NewItem {
            task: NewTask {
                priority,
                created_by: Some(Label::new("created_by", "demo")?),
                start: Start::Landing,
                ..NewTask::new(Title::new(title)?)
            },
            parents: parents.into_iter().map(ParentRef::Item).collect(),
        });
        Ok(items.len() - 1)
    };
    let mut tested = Vec::new();
    for part in PARTS {
        let design = add(format!("Design {part}"), 0, vec![])?;
        let build = add(format!("Build {part}"), 1, vec![design])?;
        tested.push(add(format!("Test {part}"), 2, vec![build])?);
    }
    let mut joined = Vec::new();
    for (number, pair) in tested.chunks(2).enumerate() {
        joined.push(add(format!("Join pair {}", number + 1), 3, pair.to_vec())?);
    }
    let docs = add("Write the manual".to_owned(), 3, joined.clone())?;
    joined.push(docs);
    add("Release".to_owned(), 5, joined)?;
    let written = block_on(store.create_many(CreateMany { items }))?;
    Ok(written.value)
}
