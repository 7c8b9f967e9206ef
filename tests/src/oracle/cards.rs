//! Editing the card.

use kanban_core::{AssignTask, EventKind, Status, Task, UpdateTask};
use serde_json::Value;

use super::board::applied;
use super::create::{as_it_is, millis, spanned};
use super::log::Told;
use super::settle::begin_anew;
use super::{Board, Ruled};

const NOT_ARCHIVED: &[Status] = &[
    Status::Triage,
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Running,
    Status::Blocked,
    Status::Review,
    Status::Done,
];

/// Takes a new value. Answers whether it is another.
fn take<T: PartialEq>(place: &mut T, new: Option<T>) -> bool {
    match new {
        Some(new) if new != *place => {
            *place = new;
            true
        }
        _ => false,
    }
}

impl Board {
    pub(crate) fn update(&mut self, call: UpdateTask) -> Ruled<Task> {
        if let Some(Some(span)) = call.max_runtime {
            spanned(span)?;
        }
        self.known(&call.task)?;
        self.expect_version(&call.task, call.expected_version)?;
        self.expect_status(&call.task, NOT_ARCHIVED)?;
        let id = call.task;
        let row = self.detail_mut(&id);
        let max_runtime = call.max_runtime.map(|span| span.map(millis));
        let changed = [
            ("title", take(&mut row.task.title, call.title)),
            ("body", take(&mut row.body, call.body)),
            ("priority", take(&mut row.task.priority, call.priority)),
            ("tenant", take(&mut row.task.tenant, call.tenant)),
            ("attributes", take(&mut row.attributes, call.attributes)),
            ("max_runtime", take(&mut row.task.max_runtime, max_runtime)),
            (
                "failure_limit",
                take(&mut row.task.failure_limit, call.failure_limit),
            ),
        ];
        let mut fields: Vec<Value> = changed
            .iter()
            .filter(|(_, is_changed)| *is_changed)
            .map(|(field, _)| Value::from(*field))
            .collect();
        fields.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        if fields.is_empty() {
            return as_it_is(self.task(&id));
        }
        let told = Told::by(call.actor.as_ref()).with("fields", fields);
        self.tell(&id, EventKind::Updated, told);
        applied(self.task(&id).clone())
    }

    pub(crate) fn assign(&mut self, call: AssignTask) -> Ruled<Task> {
        let id = call.task;
        self.known(&id)?;
        self.expect_version(&id, call.expected_version)?;
        let allowed: Vec<Status> = NOT_ARCHIVED
            .iter()
            .copied()
            .filter(|status| *status != Status::Running)
            .collect();
        self.expect_status(&id, &allowed)?;
        let task = self.task_mut(&id);
        if task.assignee == call.assignee {
            return as_it_is(self.task(&id));
        }
        let from = std::mem::replace(&mut task.assignee, call.assignee.clone());
        begin_anew(task);
        let name = |who: Option<kanban_core::Assignee>| who.map(String::from);
        let told = Told::by(call.actor.as_ref())
            .with("from", name(from))
            .with("to", name(call.assignee));
        self.tell(&id, EventKind::Assigned, told);
        applied(self.task(&id).clone())
    }
}
