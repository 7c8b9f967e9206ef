//! The table of open boards, and which of them is being moved.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Rejection, Result};
use crate::model::BoardSlug;
use crate::sync::{Mutex, lock};

use super::cell::Cell;
use super::closed;
use super::guest::Stay;

/// All that a `Boards` has open. An entry stays while its board is being moved: who closes the boards waits for it.
#[derive(Debug, Default)]
pub(super) struct Table {
    is_closed: bool,
    /// The board on its way into the archive, or out of it; there is one at most, the root being held alone for it.
    moving: Option<BoardSlug>,
    /// Of every board that was ever asked for.
    by_slug: BTreeMap<BoardSlug, Arc<Cell>>,
    guests: Vec<Arc<Stay>>,
}

impl Table {
    pub(super) fn check_open(&self) -> Result<()> {
        if self.is_closed {
            return Err(closed());
        }
        Ok(())
    }

    /// The cell of a board that is not being moved.
    pub(super) fn cell(&mut self, slug: &BoardSlug) -> Result<Arc<Cell>> {
        self.refuse_moving(slug)?;
        Ok(Arc::clone(self.by_slug.entry(slug.clone()).or_default()))
    }

    /// Refuses a board that is being moved.
    pub(super) fn refuse_moving(&self, slug: &BoardSlug) -> Result<()> {
        self.check_open()?;
        if self.moving.as_ref() == Some(slug) {
            return Err(Rejection::BoardArchived(slug.clone()).into());
        }
        Ok(())
    }

    /// Opens nothing from here on. Answers what is to be closed; it stays, so that a second close waits for the same
    /// ends.
    pub(super) fn close(&mut self) -> (Vec<Arc<Cell>>, Vec<Arc<Stay>>) {
        self.is_closed = true;
        (
            self.by_slug.values().cloned().collect(),
            self.guests.clone(),
        )
    }

    /// Gives a guest its place.
    pub(super) fn seat(&mut self) -> Result<Arc<Stay>> {
        self.check_open()?;
        let stay = Arc::new(Stay::default());
        self.guests.push(Arc::clone(&stay));
        Ok(stay)
    }

    /// Takes a guest's place back.
    pub(super) fn unseat(&mut self, stay: &Arc<Stay>) {
        self.guests.retain(|other| !Arc::ptr_eq(other, stay));
    }

    /// Guests that nobody but this table knows: their callers went away.
    pub(super) fn left_guests(&self) -> Vec<Arc<Stay>> {
        let is_left = |stay: &&Arc<Stay>| Arc::strong_count(stay) == 1;
        self.guests.iter().filter(is_left).cloned().collect()
    }

    /// Forgets what was closed.
    pub(super) fn clear(&mut self) {
        self.by_slug.clear();
        self.guests.clear();
    }
}

/// A board that is being moved: nobody opens it until this is dropped, also if the caller goes away.
pub(super) struct Moving<'a> {
    table: &'a Mutex<Table>,
    cell: Arc<Cell>,
}

impl<'a> Moving<'a> {
    /// Marks a board. The root is held alone.
    pub(super) fn begin(table: &'a Mutex<Table>, slug: &BoardSlug) -> Result<Self> {
        let mut cells = lock(table);
        let cell = cells.cell(slug)?;
        cells.moving = Some(slug.clone());
        drop(cells);
        Ok(Self { table, cell })
    }

    /// Closes the board's store, and waits for openings that were faster than the mark.
    pub(super) async fn close_board(&self) -> Result<()> {
        self.cell.close().await
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        lock(self.table).moving = None;
    }
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_board_whose_move_was_given_up_is_closed_with_the_rest() {
        let table = Mutex::new(Table::default());
        let slug = BoardSlug::new("given-up").unwrap();
        let moving = Moving::begin(&table, &slug).unwrap();
        let cell = Arc::clone(&moving.cell);
        assert!(lock(&table).cell(&slug).is_err(), "nobody opens it");
        drop(moving);
        lock(&table).cell(&slug).unwrap();
        let (closed, _) = lock(&table).close();
        assert!(closed.iter().any(|closed| Arc::ptr_eq(closed, &cell)));
    }
}
