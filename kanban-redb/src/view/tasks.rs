//! Lists, lanes, times and counters.

use std::ops::Bound;

use kanban_core::{
    Assignee, Error, Label, Lane, LaneHead, ListIndex, ListKey, ListOrder, Millis, Phase,
    PriorityKey, Result, StatsRow, Status, Task, TaskId,
};

use super::{Board, Bounds, LAST, id};
use crate::keys;
use crate::schema::{Slot, Source};

/// A place in the order of priority, age, id.
type Place<'k> = (i32, i64, &'k str);

const FIRST_PLACE: Place<'static> = (i32::MIN, i64::MIN, "");
const LAST_PLACE: Place<'static> = (i32::MAX, i64::MAX, LAST);

/// Ids found in keys, as words: a key lives no longer than the look at it.
fn word(word: &str) -> String {
    word.to_owned()
}

impl<S: Source> Board<'_, S> {
    /// The tasks that an index has found: they are there.
    fn tasks_found(&self, index: &str, ids: &[String]) -> Result<Vec<Task>> {
        let task = |id: &String| {
            let row: Option<Task> = self.row(&self.tables.task, id.as_str())?;
            row.ok_or_else(|| {
                Error::corrupt(format!("{index} finds task {id}, which is not there"))
            })
        };
        ids.iter().map(task).collect()
    }

    /// The task of the first key with a label.
    pub(super) fn first_of(
        &self,
        index: &Slot<S, (&'static str, &'static str), ()>,
        label: &Label,
    ) -> Result<Option<TaskId>> {
        let range = (
            Bound::Included((label.as_str(), "")),
            Bound::Included((label.as_str(), LAST)),
        );
        self.first(index, range, |(_, task), ()| id(task))
    }

    /// Tasks of an index by time, after a place, up to a time.
    pub(super) fn by_time(
        &self,
        index: &Slot<S, (i64, &'static str), ()>,
        after: Option<(Millis, &TaskId)>,
        until: Millis,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let end = (until.get(), LAST);
        let from = after.map_or((i64::MIN, ""), |(at, id)| (at.get(), id.as_str()));
        if from >= end {
            return Ok(Vec::new());
        }
        let range = (Bound::Excluded(from), Bound::Excluded(end));
        let found = self.walk(index, range, limit, |(_, id), ()| Ok(word(id)))?;
        self.tasks_found(index.name, &found)
    }

    pub(super) fn in_list(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let tables = &self.tables;
        let place = after.map_or(FIRST_PLACE, |key| {
            (keys::rank(key.priority), key.at.get(), key.id.as_str())
        });
        let at = after.map(|key| (key.at.get(), key.id.as_str()));
        match index {
            ListIndex::All(ListOrder::Priority) => {
                let range = (Bound::Excluded(place), Bound::Unbounded);
                let index = &tables.task_by_priority;
                let found = self.walk(index, range, limit, |(_, _, id), ()| Ok(word(id)))?;
                self.tasks_found(index.name, &found)
            }
            ListIndex::All(ListOrder::Oldest) => {
                let from = at.map_or(Bound::Unbounded, Bound::Excluded);
                let index = &tables.task_by_age;
                let range = (from, Bound::Unbounded);
                let found = self.walk(index, range, limit, |(_, id), ()| Ok(word(id)))?;
                self.tasks_found(index.name, &found)
            }
            ListIndex::All(ListOrder::Newest) => self.newest(&tables.task_by_age, at, limit),
            ListIndex::All(ListOrder::Updated) => self.newest(&tables.task_by_update, at, limit),
            ListIndex::Status(status) => {
                self.by_word(&tables.task_by_status, status.as_str(), place, limit)
            }
            ListIndex::Assignee(assignee) => {
                let name = keys::assignee(assignee.as_ref());
                self.by_word(&tables.task_by_assignee, name, place, limit)
            }
            ListIndex::Tenant(tenant) => {
                self.by_word(&tables.task_by_tenant, tenant.as_str(), place, limit)
            }
        }
    }

    /// Tasks of an index by time, backwards, before a place.
    fn newest(
        &self,
        index: &Slot<S, (i64, &'static str), ()>,
        before: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let range = (
            Bound::Unbounded,
            before.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let found = self.walk_back(index, range, limit, |(_, id), ()| Ok(word(id)))?;
        self.tasks_found(index.name, &found)
    }

    /// Tasks of an index by a word and then by priority, after a place.
    fn by_word(
        &self,
        index: &Slot<S, (&'static str, i32, i64, &'static str), ()>,
        of: &str,
        after: Place<'_>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let key = |(rank, at, id)| (of, rank, at, id);
        let range = (
            Bound::Excluded(key(after)),
            Bound::Excluded(key(LAST_PLACE)),
        );
        let found = self.walk(index, range, limit, |(_, _, _, id), ()| Ok(word(id)))?;
        self.tasks_found(index.name, &found)
    }

    pub(super) fn in_lane(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let name = keys::assignee(lane.assignee.as_ref());
        let from = after.map_or(FIRST_PLACE, |key| {
            (
                keys::rank(key.priority),
                key.created_at.get(),
                key.id.as_str(),
            )
        });
        let range = (
            Bound::Excluded((name, from)),
            Bound::Excluded((name, LAST_PLACE)),
        );
        let found = self.lane_keys(
            lane.phase,
            lane.tenant.as_ref(),
            range,
            limit,
            |_, (_, _, id)| Ok(word(id)),
        )?;
        self.tasks_found("task_claimable", &found)
    }

    /// Walks the claimable tasks of a phase (of a tenant) between two places of assignees.
    fn lane_keys<T>(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        (from, to): Bounds<(&str, Place<'_>)>,
        limit: usize,
        read: impl Fn(&str, Place<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let status = phase.claimable_status().as_str();
        match tenant {
            None => {
                let key = |(name, (rank, at, id))| (status, name, rank, at, id);
                let range = (from.map(key), to.map(key));
                self.walk(
                    &self.tables.task_claimable,
                    range,
                    limit,
                    |(_, name, rank, at, id), ()| read(name, (rank, at, id)),
                )
            }
            Some(tenant) => {
                let key = |(name, (rank, at, id))| (tenant.as_str(), status, name, rank, at, id);
                let range = (from.map(key), to.map(key));
                let index = &self.tables.task_claimable_of_tenant;
                self.walk(index, range, limit, |(_, _, name, rank, at, id), ()| {
                    read(name, (rank, at, id))
                })
            }
        }
    }

    pub(super) fn seek_lanes(
        &self,
        phase: Phase,
        tenant: Option<&Label>,
        after: Option<&Option<Assignee>>,
        limit: usize,
    ) -> Result<Vec<LaneHead>> {
        let mut lanes: Vec<LaneHead> = Vec::new();
        // Behind all tasks of the last lane, or before those of nobody.
        let mut from = after.map_or_else(
            || (String::new(), FIRST_PLACE),
            |after| (word(keys::assignee(after.as_ref())), LAST_PLACE),
        );
        while lanes.len() < limit {
            let start = Bound::Excluded((from.0.as_str(), from.1));
            let range = (start, Bound::Excluded((LAST, FIRST_PLACE)));
            let head = |name: &str, (rank, at, id_of_task): Place<'_>| {
                Ok(LaneHead {
                    assignee: name_of(name)?,
                    first: PriorityKey {
                        priority: keys::priority(rank),
                        created_at: Millis::new(at),
                        id: id(id_of_task)?,
                    },
                })
            };
            let mut found = self.lane_keys(phase, tenant, range, 1, head)?;
            let Some(lane) = found.pop() else { break };
            from = (word(keys::assignee(lane.assignee.as_ref())), LAST_PLACE);
            lanes.push(lane);
        }
        Ok(lanes)
    }

    pub(super) fn all_counts(&self) -> Result<Vec<StatsRow>> {
        let all = (Bound::Unbounded, Bound::Unbounded);
        let mut rows = self.walk(
            &self.tables.count,
            all,
            usize::MAX,
            |(status, name), tasks| {
                let status = Status::parse(status)
                    .ok_or_else(|| Error::corrupt(format!("a counter of the status {status:?}")))?;
                Ok(StatsRow {
                    status,
                    assignee: name_of(name)?,
                    tasks,
                })
            },
        )?;
        // The file's order of statuses is that of their words.
        rows.sort_by(|a, b| (a.status, &a.assignee).cmp(&(b.status, &b.assignee)));
        Ok(rows)
    }
}

/// An assignee out of a key, where the empty text is nobody.
fn name_of(word: &str) -> Result<Option<Assignee>> {
    if word.is_empty() {
        return Ok(None);
    }
    let name = Assignee::new(word);
    name.map(Some)
        .map_err(|invalid| Error::corrupt("an assignee in a key").with_source(invalid))
}
