//! Changes, written into the open transaction.

use std::sync::Arc;
use std::time::Duration;

use kanban_core::{
    Attachment, Change, Comment, Error, ErrorKind, Event, EventId, GroupRecord, Link, Result, Run,
    Scope, Subscription, Task, TaskId, TextKind, Txn, View,
};

use crate::schema::{Map, Tables, drop_key, join, leave, place_of, take};

/// How long the mark of another instance is kept.
const GROUP_LIFE: Duration = Duration::from_hours(24);

impl Txn for Tables {
    fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Board { before, after } => {
                expect("board", Some(&self.board), Some(&**before))?;
                self.board.clone_from(after);
                Ok(())
            }
            Change::Policy { after } => {
                self.policy = after.clone();
                Ok(())
            }
            Change::Pause { before, after } => {
                let (before, after) = (before.as_ref(), after.as_ref());
                let target = |pause: &kanban_core::Pause| pause.target.clone();
                put("pause", &mut self.pauses, target, before, after)
            }
            Change::Task { before, after } => self.put_task(before.as_deref(), after.as_deref()),
            Change::Text { task, kind, after } => {
                self.put_text(task, *kind, after.as_deref());
                Ok(())
            }
            Change::AddLink(link) => self.add_link(link),
            Change::RemoveLink(link) => self.remove_link(link),
            Change::Run { before, after } => self.put_run(before.as_deref(), after),
            Change::AddEvent(event) => self.add_event(event),
            Change::RemoveEvent(id) => self.remove_event(*id),
            Change::AddComment(comment) => self.add_comment(comment),
            Change::AddAttachment(row) => self.put_attachment(None, Some(row)),
            Change::RemoveAttachment(row) => self.put_attachment(Some(row), None),
            Change::Subscription { before, after } => {
                self.put_subscription(before.as_deref(), after.as_deref())
            }
            Change::Forget(task) => {
                self.forget(task);
                Ok(())
            }
            Change::Group(record) => {
                self.mark(*record);
                Ok(())
            }
        }
    }

    fn view(&self) -> &dyn View {
        self
    }
}

impl Tables {
    fn put_task(&mut self, before: Option<&Task>, after: Option<&Task>) -> Result<()> {
        let id = |task: &Task| task.id.clone();
        put("task", &mut self.tasks, id, before, after)?;
        self.indexes.replace(before, after);
        let counter = |task: &Task| (task.status, task.assignee.clone());
        let (left, joined) = (before.map(counter), after.map(counter));
        if left == joined {
            return Ok(());
        }
        if let Some(key) = left {
            match self.counts.get(&key).copied() {
                Some(count) if count > 1 => self.counts.insert_mut(key, count - 1),
                Some(_) => drop(self.counts.remove_mut(&key)),
                None => return Err(mismatch("counter")),
            }
        }
        if let Some(key) = joined {
            let count = self.counts.get(&key).copied().unwrap_or(0);
            self.counts.insert_mut(key, count + 1);
        }
        Ok(())
    }

    fn put_text(&mut self, task: &TaskId, kind: TextKind, after: Option<&str>) {
        let mut texts = self.texts.get(task).cloned().unwrap_or_default();
        match after {
            Some(text) => texts.insert_mut(kind, Arc::from(text)),
            None => texts = texts.remove(&kind),
        }
        if texts.is_empty() {
            drop_key(&mut self.texts, task);
        } else {
            self.texts.insert_mut(task.clone(), texts);
        }
    }

    fn add_link(&mut self, link: &Link) -> Result<()> {
        if self.links.contains(link) {
            return Err(mismatch("link"));
        }
        self.links.insert_mut(link.clone());
        let (parent, child) = (link.parent.clone(), link.child.clone());
        join(&mut self.children_of, parent.clone(), child.clone());
        join(&mut self.parents_of, child, parent);
        Ok(())
    }

    fn remove_link(&mut self, link: &Link) -> Result<()> {
        if !self.links.contains(link) {
            return Err(mismatch("link"));
        }
        self.links.remove_mut(link);
        leave(&mut self.children_of, &link.parent, &link.child);
        leave(&mut self.parents_of, &link.child, &link.parent);
        Ok(())
    }

    fn put_run(&mut self, before: Option<&Run>, after: &Run) -> Result<()> {
        put("run", &mut self.runs, |run| run.id, before, Some(after))?;
        join(&mut self.runs_of, after.task.clone(), after.id);
        if after.summary.is_some() {
            join(&mut self.summarised_of, after.task.clone(), after.id);
        } else {
            leave(&mut self.summarised_of, &after.task, &after.id);
        }
        Ok(())
    }

    fn add_event(&mut self, event: &Event) -> Result<()> {
        put("event", &mut self.events, |row| row.id, None, Some(event))?;
        if let Some(task) = &event.task {
            join(&mut self.events_of, task.clone(), event.id);
        }
        Ok(())
    }

    fn remove_event(&mut self, id: EventId) -> Result<()> {
        let event = self.events.get(&id).ok_or_else(|| mismatch("event"))?;
        if let Some(task) = event.task.clone() {
            leave(&mut self.events_of, &task, &id);
        }
        self.events.remove_mut(&id);
        Ok(())
    }

    fn add_comment(&mut self, comment: &Comment) -> Result<()> {
        let id = |row: &Comment| row.id;
        put("comment", &mut self.comments, id, None, Some(comment))?;
        join(&mut self.comments_of, comment.task.clone(), comment.id);
        if let Some(request) = comment.request_id.clone() {
            let key = (comment.task.clone(), request);
            self.comment_by_request.insert_mut(key, comment.id);
        }
        Ok(())
    }

    fn put_attachment(
        &mut self,
        before: Option<&Attachment>,
        after: Option<&Attachment>,
    ) -> Result<()> {
        let id = |row: &Attachment| row.id;
        put("attachment", &mut self.attachments, id, before, after)?;
        let key = |row: &Attachment| Some((row.task.clone(), row.request_id.clone()?));
        if let Some(row) = before {
            leave(&mut self.attachments_of, &row.task, &row.id);
            if let Some(key) = key(row) {
                drop_key(&mut self.attachment_by_request, &key);
            }
        }
        if let Some(row) = after {
            join(&mut self.attachments_of, row.task.clone(), row.id);
            if let Some(key) = key(row) {
                self.attachment_by_request.insert_mut(key, row.id);
            }
        }
        Ok(())
    }

    fn put_subscription(
        &mut self,
        before: Option<&Subscription>,
        after: Option<&Subscription>,
    ) -> Result<()> {
        let id = |row: &Subscription| row.id;
        put("subscription", &mut self.subscriptions, id, before, after)?;
        if let Some(row) = before {
            leave(&mut self.subscriptions_of, &row.scope, &row.id);
            drop_key(&mut self.subscription_at, &place_of(row));
        }
        if let Some(row) = after {
            join(&mut self.subscriptions_of, row.scope.clone(), row.id);
            self.subscription_at.insert_mut(place_of(row), row.id);
        }
        Ok(())
    }

    /// Everything that belongs to a task goes, found by the indexes and not by a walk.
    fn forget(&mut self, task: &TaskId) {
        drop_key(&mut self.texts, task);
        drop_key(&mut self.summarised_of, task);
        for id in &take(&mut self.runs_of, task) {
            drop_key(&mut self.runs, id);
        }
        for id in &take(&mut self.events_of, task) {
            drop_key(&mut self.events, id);
        }
        for id in &take(&mut self.comments_of, task) {
            let row = self.comments.get(id).cloned();
            drop_key(&mut self.comments, id);
            if let Some(request) = row.and_then(|row| row.request_id) {
                drop_key(&mut self.comment_by_request, &(task.clone(), request));
            }
        }
        for id in &take(&mut self.attachments_of, task) {
            let row = self.attachments.get(id).cloned();
            drop_key(&mut self.attachments, id);
            if let Some(request) = row.and_then(|row| row.request_id) {
                drop_key(&mut self.attachment_by_request, &(task.clone(), request));
            }
        }
        for id in &take(&mut self.subscriptions_of, &Scope::Task(task.clone())) {
            let place = self.subscriptions.get(id).map(place_of);
            drop_key(&mut self.subscriptions, id);
            if let Some(place) = place {
                drop_key(&mut self.subscription_at, &place);
            }
        }
    }

    fn mark(&mut self, record: GroupRecord) {
        let oldest = record.at.before(GROUP_LIFE);
        let is_old = |other: &&GroupRecord| other.at < oldest && other.instance != record.instance;
        let old: Vec<u64> = self
            .groups
            .values()
            .filter(is_old)
            .map(|r| r.instance)
            .collect();
        for instance in old {
            drop_key(&mut self.groups, &instance);
        }
        self.groups.insert_mut(record.instance, record);
    }
}

/// Replaces a row by another, or adds or removes one, after a look at what is there.
fn put<K, R>(
    kind: &str,
    rows: &mut Map<K, R>,
    key: impl Fn(&R) -> K,
    before: Option<&R>,
    after: Option<&R>,
) -> Result<()>
where
    K: Ord,
    R: Clone + PartialEq,
{
    let Some(key) = before.or(after).map(key) else {
        return Ok(());
    };
    expect(kind, rows.get(&key), before)?;
    match after {
        Some(row) => rows.insert_mut(key, row.clone()),
        None => drop_key(rows, &key),
    }
    Ok(())
}

/// A change names the row that the transaction holds. One that does not was decided on another state.
fn expect<R: PartialEq>(kind: &str, held: Option<&R>, before: Option<&R>) -> Result<()> {
    if held == before {
        Ok(())
    } else {
        Err(mismatch(kind))
    }
}

fn mismatch(kind: &str) -> Error {
    let context = format!("a change names another row than the board holds: {kind}");
    Error::new(ErrorKind::Internal, context)
}
