//! Rows as they are read. What an index of an engine would refuse is refused before, with its line.

use crate::change::Change;
use crate::error::Result;
use crate::model::{JsonObject, Label, Scope, Status, TaskDetail, TaskId, TextKind};

use super::super::line::Line;
use super::Taking;

impl Taking<'_> {
    /// Applies a row.
    pub(super) fn row(&mut self, read: Line) -> Result<()> {
        let (change, count) = match read {
            Line::Task(detail) => return self.task(*detail),
            Line::Policy(after) => {
                after
                    .check()
                    .map_err(|invalid| self.unsound(&invalid.to_string()))?;
                return self.apply(&Change::Policy { after });
            }
            Line::Pause(pause) => {
                return self.apply(&Change::Pause {
                    before: None,
                    after: Some(pause),
                });
            }
            Line::Link(link) => {
                self.expect_task(&link.parent)?;
                self.expect_task(&link.child)?;
                (Change::AddLink(link), &mut self.moved.links)
            }
            Line::Run(run) => {
                self.expect_task(&run.task)?;
                let change = Change::Run {
                    before: None,
                    after: run,
                };
                (change, &mut self.moved.runs)
            }
            Line::Comment(comment) => {
                self.expect_task(&comment.task)?;
                if let Some(key) = &comment.request_id {
                    let found = self.view().comment_by_request(&comment.task, key)?;
                    self.expect_free(key, found.is_none())?;
                }
                let change = Change::AddComment(Box::new(comment));
                (change, &mut self.moved.comments)
            }
            Line::Attachment(attachment) => {
                self.expect_task(&attachment.task)?;
                if let Some(key) = &attachment.request_id {
                    let found = self.view().attachment_by_request(&attachment.task, key)?;
                    self.expect_free(key, found.is_none())?;
                }
                let change = Change::AddAttachment(Box::new(attachment));
                (change, &mut self.moved.attachments)
            }
            Line::Subscription(row) => {
                if let Scope::Task(task) = &row.scope {
                    self.expect_task(task)?;
                }
                let (thread, view) = (row.thread.as_ref(), self.view());
                let found = view.subscription_at(&row.scope, &row.channel, &row.address, thread)?;
                self.expect_free(&row.channel, found.is_none())?;
                let change = Change::Subscription {
                    before: None,
                    after: Some(row),
                };
                (change, &mut self.moved.subscriptions)
            }
            Line::Event(event) => {
                let change = Change::AddEvent(Box::new(event));
                (change, &mut self.moved.events)
            }
            Line::Header(_) | Line::Board(_) | Line::Footer(_) => {
                unreachable!("the caller takes these itself")
            }
        };
        *count += 1;
        self.apply(&change)
    }

    fn task(&mut self, detail: TaskDetail) -> Result<()> {
        let TaskDetail {
            mut task,
            body,
            result,
            attributes,
        } = detail;
        if let Some(key) = &task.idempotency_key
            && task.status != Status::Archived
        {
            let found = self.view().task_by_key(key)?;
            self.expect_free(key, found.is_none())?;
        }
        let claim = task.claim.as_ref();
        if let Some(key) = claim.and_then(|claim| claim.request_id.as_ref()) {
            let found = self.view().claimed_by_request(key)?;
            self.expect_free(key, found.is_none())?;
        }
        if task.max_runtime == Some(0) {
            return Err(self.unsound("max_runtime_ms must be greater than zero"));
        }
        task.waiting = task.is_waiting_at(self.now);
        // gc looks at every settled task once, and finds out whether there is something for it.
        task.collectable = task.settled_at.is_some();
        let id = task.id.clone();
        self.apply(&Change::Task {
            before: None,
            after: Some(Box::new(task)),
        })?;
        let texts = [
            (TextKind::Body, body.map(String::from)),
            (TextKind::Result, result.map(String::from)),
            (
                TextKind::Attributes,
                attributes.as_ref().map(JsonObject::to_text),
            ),
        ];
        for (kind, after) in texts {
            if after.is_some() {
                let task = id.clone();
                self.apply(&Change::Text { task, kind, after })?;
            }
        }
        self.moved.tasks += 1;
        Ok(())
    }

    fn view(&self) -> &dyn crate::view::View {
        self.txn.view()
    }

    fn expect_task(&self, id: &TaskId) -> Result<()> {
        if self.view().task(id)?.is_none() {
            return Err(self.unsound(&format!("no such task: {id}")));
        }
        Ok(())
    }

    fn expect_free(&self, key: &Label, is_free: bool) -> Result<()> {
        if is_free {
            return Ok(());
        }
        Err(self.unsound(&format!("there twice: {key}")))
    }
}
