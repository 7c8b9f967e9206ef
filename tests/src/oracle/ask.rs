//! Questions about tasks and what belongs to them.

use kanban_core::{
    Attachment, AttachmentId, Comment, CommentId, ErrorKind, Event, EventId, EventPage, Events,
    Kin, List, ListOrder, Millis, Note, OfTask, Pause, Policy, Run, RunId, Scope, Stats, StatsRow,
    Status, Subscription, SubscriptionsAfter, Task, TaskDetail, TaskId,
};

use super::board::{malformed, within};
use super::{Asked, Board};

impl Board {
    pub(crate) fn task_detail(&self, id: &TaskId) -> Asked<TaskDetail> {
        self.known(id)?;
        Ok(self.find(id).expect("it is known").clone())
    }

    pub(crate) fn tasks_by_ids(&self, ids: &[TaskId]) -> Asked<Vec<Task>> {
        within("ids", ids.len(), 0, 1000)?;
        let found = ids.iter().filter_map(|id| self.find(id));
        Ok(found.map(|detail| detail.task.clone()).collect())
    }

    pub(crate) fn ids_by_prefix(&self, prefix: &str, limit: usize) -> Asked<Vec<TaskId>> {
        within("limit", limit, 1, 1000)?;
        let ids = self.tasks.iter().map(|detail| detail.task.id.clone());
        let mut ids: Vec<_> = ids.filter(|id| id.as_str().starts_with(prefix)).collect();
        ids.sort();
        ids.truncate(limit);
        Ok(ids)
    }

    /// Every page of a list.
    pub(crate) fn list(&self, list: &List) -> Asked<Vec<Task>> {
        within("limit", list.limit, 1, 1000)?;
        if list.after.is_some() {
            // Histories take no cursor of a page: such a one is made up.
            return Err(malformed("after"));
        }
        let tasks = self.tasks.iter().map(|detail| &detail.task);
        let mut found: Vec<Task> = tasks
            .filter(|task| {
                let in_status = if list.statuses.is_empty() {
                    task.status != Status::Archived
                } else {
                    list.statuses.contains(&task.status)
                };
                let is_child = |parent: &TaskId| self.has_link(parent, &task.id);
                in_status
                    && list
                        .assignee
                        .as_ref()
                        .is_none_or(|who| *who == task.assignee)
                    && (list.tenant.is_none() || list.tenant == task.tenant)
                    && list.phase.is_none_or(|phase| phase == task.phase)
                    && list.parent.as_ref().is_none_or(is_child)
            })
            .cloned()
            .collect();
        let order = list.order;
        found.sort_by(|a, b| match order {
            ListOrder::Priority => {
                (b.priority, a.created_at, &a.id).cmp(&(a.priority, b.created_at, &b.id))
            }
            ListOrder::Oldest => (a.created_at, &a.id).cmp(&(b.created_at, &b.id)),
            ListOrder::Newest => (b.created_at, &b.id).cmp(&(a.created_at, &a.id)),
            ListOrder::Updated => (b.updated_at, &b.id).cmp(&(a.updated_at, &a.id)),
        });
        Ok(found)
    }

    pub(crate) fn parents(&self, kin: &Kin) -> Asked<Vec<Task>> {
        self.kin(kin, self.parents_of(&kin.task))
    }

    pub(crate) fn children(&self, kin: &Kin) -> Asked<Vec<Task>> {
        self.kin(kin, self.children_of(&kin.task))
    }

    fn kin(&self, kin: &Kin, ids: Vec<TaskId>) -> Asked<Vec<Task>> {
        within("limit", kin.limit, 1, 1000)?;
        self.known(&kin.task)?;
        let after = ids
            .iter()
            .filter(|id| kin.after.as_ref().is_none_or(|after| *id > after));
        Ok(after
            .take(kin.limit)
            .map(|id| self.task(id).clone())
            .collect())
    }

    pub(crate) fn runs_of(&self, of: &OfTask<RunId>) -> Asked<Vec<Run>> {
        let rows = self.runs.iter().map(|row| &**row);
        let rows = rows.filter(|row| row.task == of.task);
        self.belonging(of, rows.cloned().map(|row| (row.id, row)))
    }

    pub(crate) fn comments_of(&self, of: &OfTask<CommentId>) -> Asked<Vec<Comment>> {
        let rows = self.comments.iter().map(|row| &**row);
        let rows = rows.filter(|row| row.task == of.task);
        self.belonging(of, rows.cloned().map(|row| (row.id, row)))
    }

    pub(crate) fn attachments_of(&self, of: &OfTask<AttachmentId>) -> Asked<Vec<Attachment>> {
        let rows = self.attachments.iter().map(|row| &**row);
        let rows = rows.filter(|row| row.task == of.task);
        self.belonging(of, rows.cloned().map(|row| (row.id, row)))
    }

    fn belonging<I: Copy + PartialOrd, T>(
        &self,
        of: &OfTask<I>,
        rows: impl Iterator<Item = (I, T)>,
    ) -> Asked<Vec<T>> {
        within("limit", of.limit, 1, 1000)?;
        self.known(&of.task)?;
        let after = rows.filter(|(id, _)| of.after.is_none_or(|after| *id > after));
        Ok(after.map(|(_, row)| row).take(of.limit).collect())
    }

    pub(crate) fn latest_summaries(&self, ids: &[TaskId]) -> Asked<Vec<(TaskId, Note)>> {
        within("ids", ids.len(), 0, 1000)?;
        let mut found = Vec::new();
        for id in ids {
            let mut runs = self.runs.iter().rev().filter(|run| run.task == *id);
            if let Some(summary) = runs.find_map(|run| run.summary.clone()) {
                found.push((id.clone(), summary));
            }
        }
        Ok(found)
    }

    pub(crate) fn all_pauses(&self) -> Asked<Vec<Pause>> {
        Ok(self.pauses.clone())
    }

    pub(crate) fn policy_now(&self) -> Asked<Policy> {
        Ok(self.policy.clone())
    }

    pub(crate) fn stats(&self) -> Asked<Stats> {
        let mut rows: Vec<StatsRow> = Vec::new();
        for task in self.tasks.iter().map(|detail| &detail.task) {
            let mut known = rows.iter_mut();
            let row = known.find(|row| row.status == task.status && row.assignee == task.assignee);
            match row {
                Some(row) => row.tasks += 1,
                None => rows.push(StatsRow {
                    status: task.status,
                    assignee: task.assignee.clone(),
                    tasks: 1,
                }),
            }
        }
        rows.sort_by(|a, b| (a.status, &a.assignee).cmp(&(b.status, &b.assignee)));
        let ready = self.tasks.iter().filter(|d| d.task.status == Status::Ready);
        let oldest_ready: Option<Millis> = ready.map(|d| d.task.created_at).min();
        Ok(Stats { rows, oldest_ready })
    }

    pub(crate) fn events_after(&self, ask: &Events) -> Asked<EventPage> {
        within("limit", ask.limit, 1, 1000)?;
        within("kinds", ask.filter.kinds.len(), 0, 100)?;
        let truncated = (self.horizon > ask.after).then_some(self.horizon);
        let events = self.events.iter().map(|event| &**event);
        let wanted = events.filter(|event| {
            let of_task = ask.filter.task.is_none() || ask.filter.task == event.task;
            let of_kind = ask.filter.kinds.is_empty() || ask.filter.kinds.contains(&event.kind);
            event.id > ask.after && of_task && of_kind
        });
        let mut events: Vec<Event> = wanted.cloned().collect();
        let is_full = events.len() >= ask.limit;
        events.truncate(ask.limit);
        let through = match events.last() {
            Some(last) if is_full => last.id,
            _ => self.counters.event.max(ask.after),
        };
        Ok(EventPage {
            truncated,
            events,
            through,
        })
    }

    /// The newest event that is still there.
    pub(super) fn newest_event(&self) -> EventId {
        let ids = self.events.iter().map(|event| event.id);
        ids.max().unwrap_or(EventId::new(0))
    }

    pub(crate) fn subscriptions_after(
        &self,
        ask: &SubscriptionsAfter,
    ) -> Result<Vec<Subscription>, ErrorKind> {
        within("limit", ask.limit, 1, 1000)?;
        let scope = ask.task.clone().map(Scope::Task);
        let rows = self.subscriptions.iter().map(|row| &**row);
        let rows = rows.filter(|row| {
            scope.as_ref().is_none_or(|scope| row.scope == *scope)
                && ask.after.is_none_or(|after| row.id > after)
        });
        Ok(rows.take(ask.limit).cloned().collect())
    }
}
