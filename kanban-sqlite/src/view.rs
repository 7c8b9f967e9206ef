//! The questions of the domain, each answered by one index.

mod tasks;

use std::cell::RefCell;
use std::collections::BTreeMap;

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, BoardState, Comment, CommentId, Error, Event,
    EventId, GroupRecord, Label, Lane, LaneHead, Link, ListIndex, ListKey, Millis, Pause,
    PauseTarget, Phase, Policy, PriorityKey, Result, Run, RunId, Scope, StatsRow, Status,
    Subscription, SubscriptionId, Task, TaskId, TextKind, View,
};
use rusqlite::{Connection, Params, Row};

use crate::error::{storage, too_long};
use crate::prepared::Prepared;
use crate::rows::subscription::{scope_key, thread_key};
use crate::rows::{Fields, Record, board::pause_key};
use crate::statements as sql;
use crate::wait::Alarm;

const ASKING: &str = "asking the board";

/// One snapshot, or one open transaction: a connection on which a transaction has begun.
#[derive(Debug)]
pub(crate) struct Board<'c> {
    pub(crate) statements: Prepared<'c>,
    /// When a reader must have finished.
    pub(crate) alarm: &'c Alarm,
    /// By how much each counter, by status and assignee, is to move: not written yet.
    pub(crate) moves: RefCell<BTreeMap<(&'static str, String), i64>>,
}

impl<'c> Board<'c> {
    pub(crate) fn on(connection: &'c Connection, alarm: &'c Alarm) -> Self {
        Self {
            statements: Prepared::on(connection),
            alarm,
            moves: RefCell::default(),
        }
    }
}

impl Board<'_> {
    /// The first row of an answer.
    fn first<T>(
        &self,
        text: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.in_time()?;
        let doing = |error| storage(ASKING, error);
        self.statements.with(ASKING, text, |statement| {
            let mut rows = statement.query(params).map_err(doing)?;
            rows.next().map_err(doing)?.map(read).transpose()
        })
    }

    /// All rows of an answer.
    fn all<T>(
        &self,
        text: &'static str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.in_time()?;
        let doing = |error| storage(ASKING, error);
        self.statements.with(ASKING, text, |statement| {
            let mut rows = statement.query(params).map_err(doing)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(doing)? {
                found.push(read(row)?);
            }
            Ok(found)
        })
    }

    /// SQLite looks at the alarm only every so many steps of one statement: many short ones never hear it.
    fn in_time(&self) -> Result<()> {
        if self.alarm.rings() {
            return Err(too_long());
        }
        Ok(())
    }

    fn record<T: Record>(&self, text: &'static str, params: impl Params) -> Result<Option<T>> {
        self.first(text, params, |row| T::read(&mut Fields::new(row, T::TABLE)))
    }

    fn records<T: Record>(&self, text: &'static str, params: impl Params) -> Result<Vec<T>> {
        self.all(text, params, |row| T::read(&mut Fields::new(row, T::TABLE)))
    }

    /// A row that every board has.
    fn only<T: Record>(&self, text: &'static str) -> Result<T> {
        self.record(text, [])?
            .ok_or_else(|| Error::corrupt(format!("the table {} is empty", T::TABLE.name)))
    }
}

/// A number of the board as a column holds it. None is as large as one that no column holds.
fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A place before all numbers, or after one.
fn after(number: Option<u64>) -> i64 {
    number.map_or(-1, key)
}

fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn id_after(after: Option<&TaskId>) -> &str {
    after.map_or("", TaskId::as_str)
}

impl View for Board<'_> {
    fn board(&self) -> Result<BoardState> {
        self.only(sql::BOARD)
    }

    fn policy(&self) -> Result<Policy> {
        self.only(sql::POLICY)
    }

    fn pauses(&self) -> Result<Vec<Pause>> {
        self.records(sql::PAUSES, [])
    }

    fn pause(&self, target: &PauseTarget) -> Result<Option<Pause>> {
        self.record(sql::PAUSE, [pause_key(target)])
    }

    fn group(&self, instance: u64) -> Result<Option<GroupRecord>> {
        self.record(sql::GROUP, [instance.cast_signed()])
    }

    fn task(&self, id: &TaskId) -> Result<Option<Task>> {
        self.record(sql::TASK, [id.as_str()])
    }

    fn text(&self, id: &TaskId, kind: TextKind) -> Result<Option<String>> {
        self.first(sql::TEXT, (id.as_str(), kind.as_str()), |row| {
            row.get(0)
                .map_err(|error| storage("reading a text of a task", error))
        })
    }

    fn task_by_key(&self, key: &Label) -> Result<Option<TaskId>> {
        self.first(sql::TASK_BY_KEY, [key.as_str()], tasks::id)
    }

    fn task_ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>> {
        self.ids_by_prefix(prefix, limit)
    }

    fn tasks(&self, after: Option<&TaskId>, limit: usize) -> Result<Vec<Task>> {
        self.records(sql::TASKS, (id_after(after), rows_max(limit)))
    }

    fn listed(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.in_list(index, after, limit)
    }

    fn claimed_by_request(&self, request_id: &Label) -> Result<Option<TaskId>> {
        self.first(sql::CLAIMED_BY_REQUEST, [request_id.as_str()], tasks::id)
    }

    fn claimable(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        self.in_lane(lane, after, limit)
    }

    fn lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<LaneHead>> {
        self.seek_lanes(phase, tenant, after, limit)
    }

    fn waiting(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.records(sql::WAITING, (until.get(), rows_max(limit)))
    }

    fn expired(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.records(sql::EXPIRED, (until.get(), rows_max(limit)))
    }

    fn due(&self, until: Millis, limit: usize) -> Result<Vec<Task>> {
        self.records(sql::DUE, (until.get(), rows_max(limit)))
    }

    fn collectable(
        &self,
        until: Millis,
        after: Option<(Millis, &TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let (at, id) = after.map_or((i64::MIN, ""), |(at, id)| (at.get(), id.as_str()));
        self.records(sql::COLLECTABLE, (until.get(), at, id, rows_max(limit)))
    }

    fn count_in_status(&self, status: Status) -> Result<u64> {
        self.write_counters()?;
        self.count(sql::COUNT_IN_STATUS, [status.as_str()])
    }

    fn count_of(&self, status: Status, assignee: Option<&Assignee>) -> Result<u64> {
        self.write_counters()?;
        let name = assignee.map_or("", Assignee::as_str);
        self.count(sql::COUNT_OF, (status.as_str(), name))
    }

    fn counts(&self) -> Result<Vec<StatsRow>> {
        self.write_counters()?;
        self.all_counts()
    }

    fn oldest_ready(&self) -> Result<Option<Millis>> {
        self.first(sql::OLDEST_READY, [i64::MIN], |row| {
            row.get(0)
                .map(Millis::new)
                .map_err(|error| storage("reading the age of a task", error))
        })
    }

    fn has_link(&self, link: &Link) -> Result<bool> {
        let ends = (link.parent.as_str(), link.child.as_str());
        let found = self.first(sql::HAS_LINK, ends, |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn parents(&self, child: &TaskId, after: Option<&TaskId>, limit: usize) -> Result<Vec<TaskId>> {
        let params = (child.as_str(), id_after(after), rows_max(limit));
        self.all(sql::PARENTS, params, tasks::id)
    }

    fn children(
        &self,
        parent: &TaskId,
        after: Option<&TaskId>,
        limit: usize,
    ) -> Result<Vec<TaskId>> {
        let params = (parent.as_str(), id_after(after), rows_max(limit));
        self.all(sql::CHILDREN, params, tasks::id)
    }

    fn count_children(&self, parent: &TaskId, at_most: usize) -> Result<usize> {
        let found = self.count(sql::COUNT_CHILDREN, (parent.as_str(), rows_max(at_most)))?;
        Ok(usize::try_from(found).unwrap_or(at_most))
    }

    fn links(&self, after: Option<&Link>, limit: usize) -> Result<Vec<Link>> {
        let (parent, child) =
            after.map_or(("", ""), |link| (link.parent.as_str(), link.child.as_str()));
        self.all(sql::LINKS, (parent, child, rows_max(limit)), tasks::link)
    }

    fn run(&self, id: RunId) -> Result<Option<Run>> {
        self.record(sql::RUN, [key(id.get())])
    }

    fn runs_of(&self, task: &TaskId, from: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let from = after(from.map(RunId::get));
        self.records(sql::RUNS_OF, (task.as_str(), from, rows_max(limit)))
    }

    fn last_summarised_run(&self, task: &TaskId) -> Result<Option<Run>> {
        self.record(sql::LAST_SUMMARISED_RUN, [task.as_str()])
    }

    fn runs(&self, from: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let from = after(from.map(RunId::get));
        self.records(sql::RUNS, (from, rows_max(limit)))
    }

    fn events(&self, from: EventId, limit: usize) -> Result<Vec<Event>> {
        self.records(sql::EVENTS, (key(from.get()), rows_max(limit)))
    }

    fn events_of(&self, task: &TaskId, from: EventId, limit: usize) -> Result<Vec<Event>> {
        let params = (task.as_str(), key(from.get()), rows_max(limit));
        self.records(sql::EVENTS_OF, params)
    }

    fn last_event_of(&self, task: &TaskId) -> Result<Option<EventId>> {
        let found: Option<u64> = self.number(sql::LAST_EVENT_OF, [task.as_str()])?;
        Ok(found.map(EventId::new))
    }

    fn comment(&self, id: CommentId) -> Result<Option<Comment>> {
        self.record(sql::COMMENT, [key(id.get())])
    }

    fn comment_by_request(&self, task: &TaskId, request_id: &Label) -> Result<Option<Comment>> {
        self.record(
            sql::COMMENT_BY_REQUEST,
            (task.as_str(), request_id.as_str()),
        )
    }

    fn comments_of(
        &self,
        task: &TaskId,
        from: Option<CommentId>,
        limit: usize,
    ) -> Result<Vec<Comment>> {
        let from = after(from.map(CommentId::get));
        self.records(sql::COMMENTS_OF, (task.as_str(), from, rows_max(limit)))
    }

    fn comments(&self, from: Option<CommentId>, limit: usize) -> Result<Vec<Comment>> {
        let from = after(from.map(CommentId::get));
        self.records(sql::COMMENTS, (from, rows_max(limit)))
    }

    fn attachment(&self, id: AttachmentId) -> Result<Option<Attachment>> {
        self.record(sql::ATTACHMENT, [key(id.get())])
    }

    fn attachment_by_request(
        &self,
        task: &TaskId,
        request_id: &Label,
    ) -> Result<Option<Attachment>> {
        let params = (task.as_str(), request_id.as_str());
        self.record(sql::ATTACHMENT_BY_REQUEST, params)
    }

    fn attachments_of(
        &self,
        task: &TaskId,
        from: Option<AttachmentId>,
        limit: usize,
    ) -> Result<Vec<Attachment>> {
        let from = after(from.map(AttachmentId::get));
        self.records(sql::ATTACHMENTS_OF, (task.as_str(), from, rows_max(limit)))
    }

    fn attachments(&self, from: Option<AttachmentId>, limit: usize) -> Result<Vec<Attachment>> {
        let from = after(from.map(AttachmentId::get));
        self.records(sql::ATTACHMENTS, (from, rows_max(limit)))
    }

    fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>> {
        self.record(sql::SUBSCRIPTION, [key(id.get())])
    }

    fn subscription_at(
        &self,
        scope: &Scope,
        channel: &Label,
        address: &Address,
        thread: Option<&Label>,
    ) -> Result<Option<Subscription>> {
        let place = (
            scope_key(scope),
            channel.as_str(),
            address.as_str(),
            thread_key(thread),
        );
        self.record(sql::SUBSCRIPTION_AT, place)
    }

    fn subscriptions_of(
        &self,
        scope: &Scope,
        from: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let from = after(from.map(SubscriptionId::get));
        let params = (scope_key(scope), from, rows_max(limit));
        self.records(sql::SUBSCRIPTIONS_OF, params)
    }

    fn subscriptions(
        &self,
        from: Option<SubscriptionId>,
        limit: usize,
    ) -> Result<Vec<Subscription>> {
        let from = after(from.map(SubscriptionId::get));
        self.records(sql::SUBSCRIPTIONS, (from, rows_max(limit)))
    }

    fn count_rows(&self) -> Result<u64> {
        let rows = self.first(sql::ROWS, [], |row| {
            let rows: i64 = row
                .get(0)
                .map_err(|error| storage("counting the rows", error))?;
            Ok(u64::try_from(rows).unwrap_or_default())
        })?;
        Ok(rows.unwrap_or_default())
    }
}
