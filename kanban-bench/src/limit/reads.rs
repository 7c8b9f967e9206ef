//! What loops read, each time in one snapshot, whatever the engine.

use std::collections::HashMap;

use super::{Limit, Result};

/// What a read has looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many rows it answers.
    pub(crate) rows: usize,
    /// How many bytes of theirs: of text on SQLite, whole rows on redb.
    pub(crate) bytes: usize,
}

impl Limit {
    /// Reads a task and its texts, every column.
    ///
    /// # Errors
    /// The engine's; a task that is not there.
    pub(crate) fn read(&self, id: &str) -> Result<Seen> {
        match self {
            Self::Sqlite(database) => Ok(database.read(id)?),
            Self::Redb(database) => database.read(id),
        }
    }

    /// Reads the first rows of the board by priority, every column.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn list(&self, rows: usize) -> Result<Seen> {
        match self {
            Self::Sqlite(database) => Ok(database.list(rows)?),
            Self::Redb(database) => database.list(rows),
        }
    }

    /// Reads the first events after a number, every column.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn events(&self, after: u64, rows: usize) -> Result<Seen> {
        match self {
            Self::Sqlite(database) => Ok(database.events(after, rows)?),
            Self::Redb(database) => database.events(after, rows),
        }
    }

    /// Reads all counters, and seeks the oldest ready task.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) fn stats(&self) -> Result<Seen> {
        match self {
            Self::Sqlite(database) => Ok(database.stats()?),
            Self::Redb(database) => database.stats(),
        }
    }

    /// Reads the subscriptions, every column, and of each the events after its cursor as far as the first of the kind that is
    /// news. Answers those that have news. Nobody leases, and all want that kind. On redb the loop knows the cursors by
    /// heart, by the subscriptions' numbers, and looks for the word in the rows rather than decode them.
    ///
    /// # Errors
    /// The engine's; on redb a subscription whose cursor it does not know.
    pub(crate) fn pending(&self, cursors: &HashMap<u64, u64>, rows: usize) -> Result<Seen> {
        match self {
            Self::Sqlite(database) => Ok(database.pending(rows)?),
            Self::Redb(database) => database.pending(cursors, rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use kanban_core::{BoardStore, Event, EventFilter, EventId, Events, Status};
    use pollster::block_on;

    use super::*;
    use crate::board::Board;
    use crate::fill;
    use crate::subject::{Store, Subject};
    use crate::workload::point::{LIST_LEN, Needs, Point};

    const TASKS: usize = 60;

    fn text_of(event: &Event) -> usize {
        let task = event.task.as_ref().map_or(0, |task| task.as_str().len());
        let actor = event.actor.as_ref().map_or(0, |actor| actor.as_str().len());
        task + actor + event.kind.as_str().len() + event.data.to_text().len()
    }

    fn first_events(store: &dyn BoardStore, after: u64, limit: usize) -> Vec<Event> {
        let call = Events {
            after: EventId::new(after),
            limit,
            filter: EventFilter::default(),
        };
        block_on(store.events(call)).unwrap().value.events
    }

    #[test]
    fn what_is_read_by_hand_is_what_the_store_answers() {
        let place = tempfile::tempdir().expect("there is room for a folder");
        for engine in Store::ALL {
            let subject = Subject::new(*engine);
            let board = block_on(Board::make(subject, place.path())).expect("it is made");
            let store = &*board.store;
            let tasks = block_on(fill::tasks(store, TASKS)).expect("it is filled");
            let needs = Needs::make(store, Point::Pending, 1, 1).expect("some listen");
            let cursors = needs.cursors();

            let detail = block_on(store.task(tasks[7].clone())).unwrap().value;
            let pages = [(0, 100), (20, 10), (TASKS as u64, 100), (10_000, 100)];
            let pages = pages.map(|page| (page, first_events(store, page.0, page.1)));
            let stats = block_on(store.stats()).unwrap().value;
            let pending = block_on(store.pending(100)).unwrap().value;
            assert_eq!(stats.in_status(Status::Ready), TASKS as u64 + 1);
            assert_eq!(pending.len(), cursors.len(), "{subject}");

            let closed = block_on(board.close()).expect("it is closed");
            let limit = Limit::open(subject, &closed.file()).unwrap();
            let seen = limit.read(tasks[7].as_str()).unwrap();
            let texts = detail.body.map_or(0, |body| body.as_str().len())
                + detail.task.title.as_str().len();
            assert!(seen.rows == 1 && seen.bytes > texts, "{subject}: {seen:?}");
            assert_eq!(limit.list(LIST_LEN).unwrap().rows, LIST_LEN, "{subject}");
            for ((after, rows), events) in pages {
                let seen = limit.events(after, rows).unwrap();
                let text: usize = events.iter().map(text_of).sum();
                assert_eq!(seen.rows, events.len(), "{subject} after {after}");
                match engine {
                    Store::Sqlite => assert_eq!(seen.bytes, text, "after {after}"),
                    Store::Redb => assert!(seen.bytes >= text, "after {after}: {seen:?}"),
                }
            }
            assert_eq!(limit.stats().unwrap().rows, stats.rows.len(), "{subject}");
            let seen = limit.pending(&cursors, 100).unwrap();
            assert_eq!(seen.rows, pending.len(), "{subject}");
        }
    }
}
