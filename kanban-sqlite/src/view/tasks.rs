//! Lists, lanes and counters.

use kanban_core::{
    Assignee, Error, Invalid, Label, Lane, LaneHead, Link, ListIndex, ListKey, ListOrder, Millis,
    Phase, PriorityKey, Result, StatsRow, Status, Task, TaskId,
};
use rusqlite::{Params, Row};

use super::{Board, rows_max};
use crate::error::storage;
use crate::statements as sql;

/// After every task id: the largest of their bytes is `z`.
const AFTER_ALL_IDS: &str = "~";

/// A place in the order of priority, age, id.
type Place<'a> = (i64, i64, &'a str);

const BEFORE_ALL: Place<'static> = (i64::MIN, i64::MIN, "");

impl Board<'_> {
    pub(super) fn ids_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<TaskId>> {
        let end = format!("{prefix}{AFTER_ALL_IDS}");
        self.all(
            sql::TASK_IDS_BY_PREFIX,
            (prefix, end.as_str(), rows_max(limit)),
            id,
        )
    }

    pub(super) fn in_list(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let limit = rows_max(limit);
        let (rank, at, from) = after.map_or(BEFORE_ALL, |key| {
            (-i64::from(key.priority), key.at.get(), key.id.as_str())
        });
        let (last, before) = after.map_or((i64::MAX, AFTER_ALL_IDS), |key| {
            (key.at.get(), key.id.as_str())
        });
        match index {
            ListIndex::All(ListOrder::Priority) => {
                self.records(sql::LISTED_BY_PRIORITY, (rank, at, from, limit))
            }
            ListIndex::All(ListOrder::Oldest) => {
                self.records(sql::LISTED_OLDEST, (at, from, limit))
            }
            ListIndex::All(ListOrder::Newest) => {
                self.records(sql::LISTED_NEWEST, (last, before, limit))
            }
            ListIndex::All(ListOrder::Updated) => {
                self.records(sql::LISTED_UPDATED, (last, before, limit))
            }
            ListIndex::Status(status) => {
                let params = (status.as_str(), rank, at, from, limit);
                self.records(sql::LISTED_IN_STATUS, params)
            }
            ListIndex::Assignee(assignee) => {
                let name = assignee.as_ref().map(Assignee::as_str);
                self.records(sql::LISTED_OF_ASSIGNEE, (name, rank, at, from, limit))
            }
            ListIndex::Tenant(tenant) => {
                let params = (tenant.as_str(), rank, at, from, limit);
                self.records(sql::LISTED_OF_TENANT, params)
            }
        }
    }

    pub(super) fn in_lane(
        &self,
        lane: &Lane,
        after: Option<&PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let status = lane.phase.claimable_status().as_str();
        let assignee = lane.assignee.as_ref().map(Assignee::as_str);
        let limit = rows_max(limit);
        let (rank, at, from) = after.map_or(BEFORE_ALL, |key| {
            (
                -i64::from(key.priority),
                key.created_at.get(),
                key.id.as_str(),
            )
        });
        match &lane.tenant {
            None => self.records(sql::CLAIMABLE, (status, assignee, rank, at, from, limit)),
            Some(tenant) => {
                let tenant = tenant.as_str();
                let params = (status, assignee, rank, at, from, limit, tenant);
                self.records(sql::CLAIMABLE_OF_TENANT, params)
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
        let status = phase.claimable_status().as_str();
        let tenant = tenant.map(Label::as_str);
        let mut lanes = Vec::new();
        if after.is_none() && limit > 0 {
            lanes.extend(match tenant {
                None => self.first(sql::LANE_OF_NOBODY, [status], head)?,
                Some(tenant) => {
                    self.first(sql::LANE_OF_NOBODY_OF_TENANT, (status, tenant), head)?
                }
            });
        }
        let mut last = after.cloned().flatten();
        while lanes.len() < limit {
            let from = last.as_ref().map_or("", Assignee::as_str);
            let found = match tenant {
                None => self.first(sql::LANE_AFTER, (status, from), head)?,
                Some(tenant) => {
                    self.first(sql::LANE_AFTER_OF_TENANT, (status, from, tenant), head)?
                }
            };
            let Some(found) = found else { break };
            last.clone_from(&found.assignee);
            lanes.push(found);
        }
        Ok(lanes)
    }

    pub(super) fn all_counts(&self) -> Result<Vec<StatsRow>> {
        let mut rows = self.all(sql::COUNTS, [], |row| {
            let doing = |error| storage("reading a counter", error);
            let status: String = row.get(0).map_err(doing)?;
            let assignee: String = row.get(1).map_err(doing)?;
            let tasks: i64 = row.get(2).map_err(doing)?;
            counted(&status, &assignee, tasks).ok_or_else(|| {
                Error::corrupt(format!(
                    "task_count of {status} and {assignee:?} is {tasks}"
                ))
            })
        })?;
        // The file's order of statuses is that of their words.
        rows.sort_by(|a, b| (a.status, &a.assignee).cmp(&(b.status, &b.assignee)));
        Ok(rows)
    }

    /// A number that is 0 where there is no row.
    pub(super) fn count(&self, text: &'static str, params: impl Params) -> Result<u64> {
        Ok(self.number(text, params)?.unwrap_or(0))
    }

    pub(super) fn number(&self, text: &'static str, params: impl Params) -> Result<Option<u64>> {
        self.first(text, params, |row| {
            let found: i64 = row
                .get(0)
                .map_err(|error| storage("reading a number", error))?;
            u64::try_from(found)
                .map_err(|error| Error::corrupt("a number is below 0").with_source(error))
        })
    }
}

fn counted(status: &str, assignee: &str, tasks: i64) -> Option<StatsRow> {
    let assignee = match assignee {
        "" => None,
        name => Some(Assignee::new(name).ok()?),
    };
    Some(StatsRow {
        status: Status::parse(status)?,
        assignee,
        tasks: u64::try_from(tasks).ok()?,
    })
}

/// The first place of a lane, from a key of the index.
fn head(row: &Row<'_>) -> Result<LaneHead> {
    let doing = |error| storage("reading a place in a lane", error);
    let wrong = |invalid| Error::corrupt("a place in a lane is not valid").with_source(invalid);
    let assignee: Option<String> = row.get(0).map_err(doing)?;
    let (rank, at): (i64, i64) = (row.get(1).map_err(doing)?, row.get(2).map_err(doing)?);
    let id: String = row.get(3).map_err(doing)?;
    let priority = rank.checked_neg().and_then(|rank| i32::try_from(rank).ok());
    let priority = priority.ok_or_else(|| Error::corrupt("a priority is out of bounds"))?;
    Ok(LaneHead {
        assignee: assignee.map(Assignee::new).transpose().map_err(wrong)?,
        first: PriorityKey {
            priority,
            created_at: Millis::new(at),
            id: TaskId::new(id).map_err(wrong)?,
        },
    })
}

/// The task id in the first column.
pub(super) fn id(row: &Row<'_>) -> Result<TaskId> {
    word(row, "id of a task", TaskId::new)
}

/// A link from its two columns.
pub(super) fn link(row: &Row<'_>) -> Result<Link> {
    let doing = |error| storage("reading a link", error);
    let valid = |id: String| {
        TaskId::new(id).map_err(|invalid| Error::corrupt("an end of a link").with_source(invalid))
    };
    Ok(Link {
        parent: valid(row.get(0).map_err(doing)?)?,
        child: valid(row.get(1).map_err(doing)?)?,
    })
}

fn word<T>(row: &Row<'_>, what: &str, new: impl FnOnce(String) -> Result<T, Invalid>) -> Result<T> {
    let text: String = row.get(0).map_err(|error| storage(what, error))?;
    new(text)
        .map_err(|invalid| Error::corrupt(format!("the {what} is not valid")).with_source(invalid))
}
