//! Tasks in their orders.

use std::ops::Bound::{Excluded, Unbounded};

use kanban_core::{ListIndex, ListKey, ListOrder, Millis, PriorityKey, Result, Task, TaskId};

use crate::schema::{Set, Tables};

use super::{beyond, row};

impl Tables {
    /// Tasks of an index after a place, in its order.
    pub(super) fn tasks_listed(
        &self,
        index: &ListIndex,
        after: Option<&ListKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let indexes = &self.indexes;
        let after_priority = || after.map(priority_key);
        let after_time = || after.map(|after| (after.at, after.id.clone()));
        match index {
            ListIndex::All(ListOrder::Priority) => {
                self.by_priority(Some(&indexes.by_priority), after_priority(), limit)
            }
            ListIndex::All(ListOrder::Oldest) => {
                let places = indexes.by_age.range(beyond(after_time()));
                self.at(places, limit)
            }
            ListIndex::All(ListOrder::Newest) => {
                self.latest_first(&indexes.by_age, after_time(), limit)
            }
            ListIndex::All(ListOrder::Updated) => {
                self.latest_first(&indexes.by_update, after_time(), limit)
            }
            ListIndex::Status(status) => {
                self.by_priority(indexes.in_status.get(status), after_priority(), limit)
            }
            ListIndex::Assignee(assignee) => {
                self.by_priority(indexes.of_assignee.get(assignee), after_priority(), limit)
            }
            ListIndex::Tenant(tenant) => {
                self.by_priority(indexes.of_tenant.get(tenant), after_priority(), limit)
            }
        }
    }

    pub(super) fn by_priority(
        &self,
        places: Option<&Set<PriorityKey>>,
        after: Option<PriorityKey>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let Some(places) = places else {
            return Ok(Vec::new());
        };
        let places = places.range(beyond(after)).take(limit);
        places.map(|place| row(&self.tasks, &place.id)).collect()
    }

    /// From the earliest time on, up to one.
    pub(super) fn by_time(
        &self,
        places: &Set<(Millis, TaskId)>,
        until: Millis,
        after: Option<(Millis, TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let places = places.range(beyond(after));
        self.at(places.take_while(|(at, _)| *at <= until), limit)
    }

    fn latest_first(
        &self,
        places: &Set<(Millis, TaskId)>,
        after: Option<(Millis, TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let earlier = (Unbounded, after.map_or(Unbounded, Excluded));
        self.at(places.range(earlier).rev(), limit)
    }

    fn at<'p>(
        &self,
        places: impl Iterator<Item = &'p (Millis, TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>> {
        let places = places.take(limit);
        places.map(|(_, id)| row(&self.tasks, id)).collect()
    }
}

fn priority_key(place: &ListKey) -> PriorityKey {
    PriorityKey {
        priority: place.priority,
        created_at: place.at,
        id: place.id.clone(),
    }
}
