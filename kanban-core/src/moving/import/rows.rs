//! Rows as they are read. What an index of an engine would refuse is refused before, with its line.

use crate::change::Change;
use crate::error::{Invalid, Result};
use crate::model::{JsonObject, Label, Link, Run, Scope, Status, TaskDetail, TaskId, TextKind};
use crate::rules::{CHILDREN_MAX, PARENTS_MAX, SUBSCRIPTIONS_MAX};
use crate::verify::violation_of;

use super::super::line::Line;
use super::Taking;

impl Taking<'_> {
    /// Applies a row.
    pub(super) fn row(&mut self, read: Line) -> Result<()> {
        let (change, count) = match read {
            Line::Task(detail) => return self.task(*detail),
            Line::Policy(after) => return self.apply(&Change::Policy { after }),
            Line::Pause(pause) => {
                return self.apply(&Change::Pause {
                    before: None,
                    after: Some(pause),
                });
            }
            Line::Link(link) => {
                self.expect_task(&link.parent)?;
                self.expect_task(&link.child)?;
                self.expect_room(&link)?;
                (Change::AddLink(link), &mut self.moved.links)
            }
            Line::Run(run) => {
                self.expect_claim(&run)?;
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
                    let room = SUBSCRIPTIONS_MAX;
                    let found = self.view().subscriptions_of(&row.scope, None, room)?;
                    self.expect_fewer("subscriptions", found.len(), room)?;
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
        task.waiting = task.must_wait();
        if let Some(violation) = violation_of(&task) {
            return Err(self.unsound(&violation.what));
        }
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

    /// An open run is as its task's claim says, if that is the run's.
    fn expect_claim(&self, run: &Run) -> Result<()> {
        let Some(task) = self.view().task(&run.task)? else {
            return self.expect_task(&run.task);
        };
        let Some(claim) = task.claim.filter(|claim| claim.run == run.id) else {
            return Ok(());
        };
        let is_same = run.claimant.as_ref() == Some(&claim.claimant)
            && run.request_id == claim.request_id
            && run.worker == claim.worker;
        if is_same {
            return Ok(());
        }
        let why = format!(
            "the claim of {} has another claimant, request_id or worker",
            run.task
        );
        Err(self.unsound(&why))
    }

    /// A link's tasks may have one more.
    fn expect_room(&mut self, link: &Link) -> Result<()> {
        if self.children.0.as_ref() != Some(&link.parent) {
            self.children = (Some(link.parent.clone()), 0);
        }
        self.expect_fewer("children", self.children.1, CHILDREN_MAX)?;
        self.children.1 += 1;
        let parents = self.view().parents(&link.child, None, PARENTS_MAX)?;
        self.expect_fewer("parents", parents.len(), PARENTS_MAX)
    }

    fn expect_fewer(&self, field: &'static str, found: usize, limit: usize) -> Result<()> {
        if found < limit {
            return Ok(());
        }
        let invalid = Invalid::too_many(field, limit, found + 1);
        Err(self.unsound(&invalid.to_string()))
    }

    fn expect_free(&self, key: &Label, is_free: bool) -> Result<()> {
        if is_free {
            return Ok(());
        }
        Err(self.unsound(&format!("there twice: {key}")))
    }
}
