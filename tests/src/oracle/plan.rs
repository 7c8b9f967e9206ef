//! Raw ideas: specified, or divided.

use kanban_core::{
    DecomposeTask, Decomposed, EventKind, Link, NewTask, Rejection, SpecifyTask, Start, Status,
    Task, TaskId,
};
use serde_json::Value;

use super::board::{applied, malformed, rejected, repeated, within};
use super::create::sorted_by_need;
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn specify(&mut self, call: SpecifyTask) -> Ruled<Task> {
        let id = call.task;
        self.known(&id)?;
        self.expect_status(&id, &[Status::Triage])?;
        let row = self.detail_mut(&id);
        let (mut changed, mut remarks) = (Vec::new(), Vec::new());
        if let Some(title) = call.title
            && title != row.task.title
        {
            let was = std::mem::replace(&mut row.task.title, title);
            remarks.push(format!("title (was: {was})"));
            changed.push("title");
        }
        if call.body.is_some() && call.body != row.body {
            row.body = call.body;
            remarks.push("body".to_owned());
            changed.push("body");
        }
        if call.assignee.is_some() && call.assignee != row.task.assignee {
            let was = std::mem::replace(&mut row.task.assignee, call.assignee);
            row.task.last_error = None;
            row.task.not_before = None;
            remarks.push(match was {
                Some(was) => format!("assignee (was: {was})"),
                None => "assignee".to_owned(),
            });
            changed.push("assignee");
        }
        row.task.failures = 0;
        row.task.deferrals = 0;
        row.task.block_streak = None;
        row.task.review_rounds = 0;
        let (from, to) = self.land(&id);
        let fields: Vec<Value> = changed.iter().map(|field| Value::from(*field)).collect();
        let told = Told::by(Some(&call.actor)).with("fields", fields);
        self.tell(&id, EventKind::Specified, told.moved(from, to));
        if !changed.is_empty() {
            let text = format!("Specified; changed: {}", remarks.join(", "));
            self.remark(&id, &call.actor, &text);
        }
        applied(self.task(&id).clone())
    }

    pub(crate) fn decompose(&mut self, call: DecomposeTask) -> Ruled<Decomposed> {
        let count = call.subtasks.len();
        within("subtasks", count, 1, 1000)?;
        for (number, subtask) in call.subtasks.iter().enumerate() {
            let key = &subtask.idempotency_key;
            let mut before = call.subtasks.iter().take(number);
            if key.is_some() && before.any(|other| other.idempotency_key == *key) {
                return Err(malformed("idempotency_key").into());
            }
            for index in &subtask.after {
                within("after", *index, 0, count as u64 - 1)?;
            }
        }
        let id = call.task.clone();
        self.known(&id)?;
        if let Some(ids) = self.divided_before(&call) {
            let root = self.task(&id).clone();
            return repeated(Decomposed {
                root,
                subtasks: ids,
            });
        }
        self.expect_status(&id, &[Status::Triage])?;
        if self.task(&id).decomposed_at.is_some() {
            return Err(rejected(Rejection::AlreadyDecomposed).into());
        }
        for subtask in &call.subtasks {
            if let Some(task) = self.keyed(subtask.idempotency_key.as_ref()) {
                let task = task.id.clone();
                return Err(rejected(Rejection::KeyTaken { task }).into());
            }
        }
        let waits: Vec<Vec<usize>> = call.subtasks.iter().map(|s| s.after.clone()).collect();
        let Some(order) = sorted_by_need(&waits) else {
            return Err(rejected(Rejection::CycleAmongItems { path: vec![] }).into());
        };
        let ids = self.divide(&call, &order);
        applied(Decomposed {
            root: self.task(&id).clone(),
            subtasks: ids,
        })
    }

    /// Makes the subtasks and lets the root wait for them. [10.7] [10.8]
    fn divide(&mut self, call: &DecomposeTask, order: &[usize]) -> Vec<TaskId> {
        let id = &call.task;
        let root = self.task(id).clone();
        let above = self.parents_of(id);
        let ids: Vec<TaskId> = call.subtasks.iter().map(|_| self.new_task_id()).collect();
        for number in order {
            let subtask = &call.subtasks[*number];
            let mut parents: Vec<TaskId> = Vec::new();
            for index in &subtask.after {
                if !parents.contains(&ids[*index]) {
                    parents.push(ids[*index].clone());
                }
            }
            if parents.is_empty() {
                parents.clone_from(&above);
            }
            let new = NewTask {
                body: subtask.body.clone(),
                start: Start::Landing,
                priority: subtask.priority.unwrap_or(root.priority),
                assignee: subtask.assignee.clone(),
                tenant: root.tenant.clone(),
                created_by: Some(call.actor.clone()),
                created_from: Some(id.clone()),
                idempotency_key: subtask.idempotency_key.clone(),
                attributes: subtask.attributes.clone(),
                ..NewTask::new(subtask.title.clone())
            };
            self.make(&ids[*number], new, &parents);
        }
        for subtask in &ids {
            self.links.push(Link {
                parent: subtask.clone(),
                child: id.clone(),
            });
        }
        self.count_parents(id);
        let now = self.now;
        self.task_mut(id).decomposed_at = Some(now);
        let (from, to) = self.land(id);
        let told = Told::by(Some(&call.actor)).with("subtasks", ids.len());
        self.tell(id, EventKind::Decomposed, told.moved(from, to));
        ids
    }

    /// The subtasks of a repeat. [10.9]
    fn divided_before(&self, call: &DecomposeTask) -> Option<Vec<TaskId>> {
        self.task(&call.task).decomposed_at?;
        let parents = self.parents_of(&call.task);
        let mut made: Vec<&Task> = parents.iter().map(|id| self.task(id)).collect();
        made.retain(|task| task.created_from.as_ref() == Some(&call.task));
        made.sort_by_key(|task| task.status == Status::Archived);
        let ids = call.subtasks.iter().map(|subtask| {
            let key = Some(subtask.idempotency_key.as_ref()?);
            let mut with_key = made.iter();
            let known = with_key.find(|task| task.idempotency_key.as_ref() == key)?;
            Some(known.id.clone())
        });
        ids.collect()
    }
}
