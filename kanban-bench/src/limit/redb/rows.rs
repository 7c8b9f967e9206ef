//! The changes by hand: rows of the store's lengths under the store's keys.

use std::borrow::Borrow;

use redb::{Key, ReadableTable, Table};

use super::keys::Keyed;
use super::lengths;
use super::tables::{Row, Tables};
use crate::fill;
use crate::limit::hand::{BACKOFF_MS, Place, TTL_MS};
use crate::limit::told::Told;
use crate::limit::{End, Failed, Hand, HandTask, Result, Rows};
use crate::said::CHANNEL;

/// The name of this loop in the marks of groups.
const INSTANCE: u64 = u64::MAX >> 1;
/// How long the mark of a group is.
const MARK_LEN: usize = 22;

impl Rows for Tables<'_> {
    fn create(
        &mut self,
        number: usize,
        parent: Option<&HandTask>,
        hand: &mut Hand,
    ) -> Result<HandTask> {
        hand.next();
        let (new, title) = (HandTask::new(number, parent, hand), fill::title(number));
        let id = new.id.as_str();
        let row = vec![0; lengths::task(&title, new.place.status, &new.assignee)];
        self.task()?.insert(id, row.as_slice())?;
        self.text()?.insert((id, "body"), fill::body().as_bytes())?;
        self.shift(None, keyed(&new, new.place))?;
        if let Some(parent) = parent {
            self.add_link(&parent.id, id)?;
        }
        self.tell(id, &Told::created(&title, parent), hand)?;
        Ok(new)
    }

    fn update(&mut self, task: &mut HandTask, title: &str, hand: &mut Hand) -> Result<()> {
        hand.next();
        let before = std::mem::replace(&mut task.title_len, title.len());
        let by = lengths::reworded(before, title.len());
        let updated = Place {
            updated_at: hand.now,
            ..task.place
        };
        self.put(task, updated, by)?;
        self.tell(&task.id, &Told::updated(), hand)
    }

    fn assign(&mut self, task: &mut HandTask, assignee: &str, hand: &mut Hand) -> Result<()> {
        hand.next();
        let before = std::mem::replace(&mut task.assignee, assignee.to_owned());
        let was = task.place;
        task.place.updated_at = hand.now;
        let id = task.id.as_str();
        let by = lengths::reworded(before.len(), assignee.len());
        resize(self.task()?, id, by)?;
        let was = Keyed {
            name: &before,
            ..keyed(task, was)
        };
        self.shift(Some(was), keyed(task, task.place))?;
        self.tell(id, &Told::assigned(&before, assignee), hand)
    }

    fn link(&mut self, parent: &str, child: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        self.add_link(parent, &child.id)?;
        self.tell(&child.id, &Told::linked(parent), hand)?;
        self.change_status(
            child,
            "todo",
            lengths::DEMOTED,
            &Told::demoted(parent),
            hand,
        )
    }

    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        let until = hand.now + TTL_MS;
        (task.run, task.has_beaten) = (number.cast_unsigned(), false);
        let claimed = Place {
            status: "running",
            updated_at: hand.now,
            expires_at: Some(until),
            ..task.place
        };
        self.put(task, claimed, lengths::claimed(task.run))?;
        let id = task.id.as_str();
        let run = vec![0; lengths::run(task.run, &task.assignee)];
        self.run()?.insert(task.run, run.as_slice())?;
        self.run_of_task()?.insert((id, task.run), ())?;
        self.tell(id, &Told::claimed(number, until), hand)
    }

    fn end(&mut self, end: End, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        let retry_at = hand.now + BACKOFF_MS;
        let ended = Place {
            status: end.status(),
            updated_at: hand.now,
            expires_at: None,
            not_before: (end == End::Fail).then_some(retry_at),
            settled_at: (end == End::Complete).then_some(hand.now),
            ..task.place
        };
        let by = lengths::ended(end, task.run, &task.assignee);
        self.put(task, ended, by)?;
        let id = task.id.as_str();
        resize(self.run()?, task.run, lengths::run_ended(end))?;
        if end.summary().is_some() {
            self.run_summarised()?.insert((id, task.run), ())?;
        }
        self.tell(
            id,
            &end.told(task.run.cast_signed(), retry_at, &task.assignee),
            hand,
        )
    }

    fn heartbeat(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        let by = if std::mem::replace(&mut task.has_beaten, true) {
            0
        } else {
            lengths::BEATEN
        };
        let beaten = Place {
            expires_at: Some(hand.now + TTL_MS),
            ..task.place
        };
        self.put(task, beaten, by)
    }

    fn unblock(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        self.change_status(task, "ready", lengths::UNBLOCKED, &Told::unblocked(), hand)
    }

    fn promote(&mut self, parent: &str, child: &mut HandTask, hand: &mut Hand) -> Result<()> {
        let first = self.link()?.range((parent, "")..)?.next();
        let key = first.ok_or(Failed::Row)??.0;
        if key.value() != (parent, &child.id) {
            return Err(Failed::Row);
        }
        drop(key);
        self.change_status(
            child,
            "ready",
            lengths::PROMOTED,
            &Told::promoted(parent),
            hand,
        )
    }

    fn next_ready(&mut self) -> Result<Option<String>> {
        let first = ("ready", i32::MIN, i64::MIN, "");
        let mut range = self.by_status()?.range(first..)?;
        let Some(entry) = range.next() else {
            return Ok(None);
        };
        let key = entry?.0;
        let (status, _, _, id) = key.value();
        Ok((status == "ready").then(|| id.to_owned()))
    }

    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        let key = number.cast_unsigned();
        let row = vec![0; lengths::comment(key)];
        self.comment()?.insert(key, row.as_slice())?;
        self.comment_of_task()?.insert((task, key), ())?;
        self.tell(task, &Told::commented(number), hand)
    }

    fn subscribe(&mut self, task: &mut HandTask, address: &str, hand: &mut Hand) -> Result<()> {
        let number = hand.next().cast_unsigned();
        let touched = Place {
            updated_at: hand.now,
            ..task.place
        };
        self.put(task, touched, 0)?;
        let id = task.id.as_str();
        let row = vec![0; lengths::subscription(number, address)];
        self.subscription()?.insert(number, row.as_slice())?;
        self.subscription_of()?.insert((id, number), ())?;
        let at = (id, CHANNEL, address, "", number);
        self.subscription_at()?.insert(at, ())?;
        self.tell(id, &Told::subscribed(hand.last), hand)
    }

    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<()> {
        hand.next();
        let cursor = hand.last.cast_unsigned().saturating_sub(limit as u64);
        let mut bytes = 0;
        for entry in self.event()?.range(cursor..)?.take(limit) {
            bytes += entry?.1.value().to_vec().len();
        }
        std::hint::black_box(bytes);
        let by = lengths::leased(hand.last.cast_unsigned());
        resize(self.subscription()?, subscription, by)
    }

    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<()> {
        hand.next();
        let by = lengths::leased(hand.last.cast_unsigned());
        resize(self.subscription()?, subscription, -by)
    }
}

const fn keyed(task: &HandTask, place: Place) -> Keyed<'_> {
    Keyed {
        id: task.id.as_str(),
        name: task.assignee.as_str(),
        place,
    }
}

/// Reads a row, and writes it longer or shorter.
fn resize<'k, K: Key>(
    table: &mut Table<'_, K, Row>,
    key: impl Borrow<K::SelfType<'k>> + Copy,
    by: isize,
) -> Result<()> {
    let mut row = table.get(key)?.ok_or(Failed::Row)?.value().to_vec();
    row.resize(row.len().saturating_add_signed(by), 0);
    table.insert(key, row.as_slice())?;
    Ok(())
}

impl Tables<'_> {
    /// Reads a task's row, and writes it at another place.
    fn put(&mut self, task: &mut HandTask, place: Place, by: isize) -> Result<()> {
        let id = task.id.as_str();
        resize(self.task()?, id, by)?;
        let (before, after) = (keyed(task, task.place), keyed(task, place));
        self.shift(Some(before), after)?;
        task.place = place;
        Ok(())
    }

    fn add_link(&mut self, parent: &str, child: &str) -> Result<()> {
        self.link()?.insert((parent, child), ())?;
        self.link_by_child()?.insert((child, parent), ())?;
        Ok(())
    }

    /// Moves a task to a status that puts it nowhere else, and tells it.
    fn change_status(
        &mut self,
        task: &mut HandTask,
        status: &'static str,
        by: isize,
        told: &Told,
        hand: &mut Hand,
    ) -> Result<()> {
        hand.next();
        let moved = Place {
            status,
            updated_at: hand.now,
            ..task.place
        };
        self.put(task, moved, by)?;
        self.tell(&task.id, told, hand)
    }

    /// Appends an event with the last number.
    fn tell(&mut self, task: &str, told: &Told, hand: &Hand) -> Result<()> {
        let actor = told.actor.unwrap_or_default();
        let mut row = [told.kind, actor, &told.data].concat().into_bytes();
        let number = hand.last.cast_unsigned();
        row.resize(lengths::event(number, told), 0);
        self.event()?.insert(number, row.as_slice())?;
        self.event_of_task()?.insert((task, number), ())?;
        Ok(())
    }

    /// What a group of the store leaves besides: the board's row, and its mark.
    pub(super) fn leave_marks(&mut self, hand: &mut Hand) -> Result<()> {
        let single = self.single()?;
        let board = single.get("board")?.ok_or(Failed::Row)?.value().to_vec();
        single.insert("board", board.as_slice())?;
        if let Some(marked) = hand.marked.replace(hand.now) {
            self.group_by_age()?.remove((marked, INSTANCE))?;
        }
        self.group_by_age()?.insert((hand.now, INSTANCE), ())?;
        self.group()?.insert(INSTANCE, [0; MARK_LEN].as_slice())?;
        Ok(())
    }
}
