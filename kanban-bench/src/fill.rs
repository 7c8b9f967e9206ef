//! Boards with tasks in them, the same every time.

use kanban_core::{
    Assignee, BoardStore, CreateMany, LongText, NewItem, NewTask, Result, TaskId, Title,
};

use crate::subject::Subject;

/// How many tasks one call creates.
pub(crate) const BATCH: usize = 1000;
/// How many assignees share the tasks.
pub(crate) const ASSIGNEES: usize = 16;
/// How long a task's body is, in bytes.
pub(crate) const BODY_LEN: usize = 300;

/// Creates tasks that may start, and answers their ids in the order of creation. Priorities 0 to 9, assignees in
/// turns, a body of `BODY_LEN` bytes.
///
/// # Errors
/// The store's.
pub async fn tasks(store: &dyn BoardStore, count: usize) -> Result<Vec<TaskId>> {
    let mut ids = Vec::with_capacity(count);
    while ids.len() < count {
        let from = ids.len();
        let items = (from..count.min(from + BATCH))
            .map(item)
            .collect::<Result<_>>();
        let created = store.create_many(CreateMany { items: items? }).await?;
        ids.extend(created.value);
    }
    Ok(ids)
}

fn item(number: usize) -> Result<NewItem> {
    Ok(NewItem {
        task: task(number)?,
        parents: Vec::new(),
    })
}

/// The task with a number.
///
/// # Errors
/// None in fact: its fields are within bounds.
pub(crate) fn task(number: usize) -> Result<NewTask> {
    let mut new = NewTask::new(Title::new(title(number))?);
    new.priority = priority(number);
    new.assignee = Some(assignee(number)?);
    new.body = Some(LongText::new("body", body())?);
    Ok(new)
}

/// The title of the task with a number.
#[must_use]
pub(crate) fn title(number: usize) -> String {
    format!("Task number {number} of the bench")
}

/// The priority of the task with a number.
#[must_use]
pub(crate) fn priority(number: usize) -> i32 {
    i32::try_from(number % 10).unwrap_or(0)
}

/// The body of every task.
#[must_use]
pub(crate) fn body() -> String {
    "lorem ipsum ".repeat(BODY_LEN / 12)
}

/// Whose task a number is.
///
/// # Errors
/// None in fact: the name is within bounds.
pub(crate) fn assignee(number: usize) -> Result<Assignee> {
    Ok(Assignee::new(assignee_name(number))?)
}

/// The name of whose task a number is.
#[must_use]
pub(crate) fn assignee_name(number: usize) -> String {
    format!("worker-{}", number % ASSIGNEES)
}

/// A name for a board of a size in an id: `10k_tasks`.
#[must_use]
pub fn size_name(tasks: usize) -> String {
    match tasks {
        0..1_000 => format!("{tasks}_tasks"),
        1_000..1_000_000 => format!("{}k_tasks", tasks / 1_000),
        _ => format!("{}m_tasks", tasks / 1_000_000),
    }
}

/// The id of a measurement: `claim/redb/power/10k_tasks/64_clients`.
#[must_use]
pub(crate) fn id(what: &str, subject: Subject, tasks: usize, clients: usize) -> String {
    format!("{what}/{}", id_rest(subject, tasks, clients))
}

/// The id of a measurement without the name of the workload.
#[must_use]
pub fn id_rest(subject: Subject, tasks: usize, clients: usize) -> String {
    let size = size_name(tasks);
    let plural = if clients == 1 { "" } else { "s" };
    format!("{subject}/{size}/{clients}_client{plural}")
}
