//! The changes by hand: rows of the store's lengths under the store's keys. What is in a row besides its length costs redb
//! nothing, and is not written.

use redb::ReadableTable;

use super::tables::Tables;
use crate::fill;
use crate::limit::hand::{TTL_MS, claimed_data, commented_data, completed_data, created_data};
use crate::limit::{Failed, Hand, HandTask, Result, Rows};
use crate::said::{COMMENT, WORKER};

/// How many bytes a claim adds to a task's row: the claim, when it was started, a longer status.
const CLAIM_LEN: usize = 41;
/// How many bytes a completion takes from it: the claim goes, two times come.
const COMPLETE_LEN: usize = 18;
/// How long a new task's row is, without title and assignee.
const TASK_LEN: usize = 91;
/// How long a run's row is while it is open, without the name of the assignee.
const RUN_LEN: usize = 72;
/// How many bytes its end adds.
const RUN_END_LEN: usize = 24;
/// How many bytes a lease adds to a subscription's row.
const LEASE_LEN: usize = 15;
/// How long an event's row is, without run, kind, actor and data.
const EVENT_LEN: usize = 46;
/// How long a number of a board of some thousand rows is in a row.
const NUMBER_LEN: usize = 3;
/// How long a comment's row is, without author and text.
const COMMENT_LEN: usize = 46;

/// The name of this loop in the marks of groups.
const INSTANCE: u64 = u64::MAX >> 1;
/// How long the mark of a group is.
const MARK_LEN: usize = 22;

impl Rows for Tables<'_> {
    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        task.run = number.cast_unsigned();
        task.expires_at = hand.now + TTL_MS;
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.resize(row.len() + CLAIM_LEN, 0);
        self.task()?.insert(id, row.as_slice())?;
        let (name, rank, at) = (task.assignee.as_str(), task.rank, task.created_at);
        let key = ("ready", name, rank, at, id);
        self.claimable()?.remove(key)?.ok_or(Failed::Row)?;
        self.ready()?.remove((at, id))?;
        self.by_expiry()?.insert((task.expires_at, id), ())?;
        self.moved(task, "ready", "running", hand.now)?;
        let run = vec![0; RUN_LEN + name.len()];
        self.run()?.insert(task.run, run.as_slice())?;
        self.run_of_task()?.insert((id, task.run), ())?;
        let data = claimed_data(number, task.expires_at);
        self.tell(
            id,
            hand,
            &Told {
                kind: "claimed",
                actor: WORKER,
                has_run: true,
                data: &data,
            },
        )?;
        task.updated_at = hand.now;
        Ok(())
    }

    fn complete(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()> {
        hand.next();
        let id = task.id.as_str();
        let mut row = self.row(id)?;
        row.truncate(row.len().saturating_sub(COMPLETE_LEN));
        self.task()?.insert(id, row.as_slice())?;
        let key = (task.expires_at, id);
        self.by_expiry()?.remove(key)?.ok_or(Failed::Row)?;
        self.collectable()?.insert((hand.now, id), ())?;
        self.moved(task, "running", "done", hand.now)?;
        let mut run = self
            .run()?
            .get(task.run)?
            .ok_or(Failed::Row)?
            .value()
            .to_vec();
        run.resize(run.len() + RUN_END_LEN, 0);
        self.run()?.insert(task.run, run.as_slice())?;
        self.run_summarised()?.insert((id, task.run), ())?;
        self.tell(
            id,
            hand,
            &Told {
                kind: "completed",
                actor: WORKER,
                has_run: true,
                data: &completed_data(),
            },
        )?;
        task.updated_at = hand.now;
        Ok(())
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

    fn create(&mut self, number: usize, hand: &mut Hand) -> Result<HandTask> {
        hand.next();
        let (new, title) = (HandTask::new(number, hand), fill::title(number));
        let (id, name) = (new.id.as_str(), new.assignee.as_str());
        let (rank, at) = (new.rank, hand.now);
        let row = vec![0; TASK_LEN + title.len() + name.len()];
        self.task()?.insert(id, row.as_slice())?;
        self.text()?.insert((id, "body"), fill::body().as_bytes())?;
        self.by_priority()?.insert((rank, at, id), ())?;
        self.by_age()?.insert((at, id), ())?;
        self.by_update()?.insert((at, id), ())?;
        self.by_status()?.insert(("ready", rank, at, id), ())?;
        self.by_assignee()?.insert((name, rank, at, id), ())?;
        self.claimable()?
            .insert(("ready", name, rank, at, id), ())?;
        self.ready()?.insert((at, id), ())?;
        self.step("ready", name, 1)?;
        self.tell(
            id,
            hand,
            &Told {
                kind: "created",
                actor: "",
                has_run: false,
                data: &created_data(&title),
            },
        )?;
        Ok(new)
    }

    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<()> {
        let number = hand.next();
        let row = vec![0; COMMENT_LEN + WORKER.len() + COMMENT.len()];
        let key = number.cast_unsigned();
        self.comment()?.insert(key, row.as_slice())?;
        self.comment_of_task()?.insert((task, key), ())?;
        self.tell(
            task,
            hand,
            &Told {
                kind: "commented",
                actor: WORKER,
                has_run: false,
                data: &commented_data(number),
            },
        )
    }

    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<()> {
        hand.next();
        let mut row = self.subscription_row(subscription)?;
        let cursor = hand.last.cast_unsigned().saturating_sub(limit as u64);
        let mut bytes = 0;
        for entry in self.event()?.range(cursor..)?.take(limit) {
            bytes += entry?.1.value().to_vec().len();
        }
        std::hint::black_box(bytes);
        row.resize(row.len() + LEASE_LEN, 0);
        self.subscription()?.insert(subscription, row.as_slice())?;
        Ok(())
    }

    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<()> {
        hand.next();
        let mut row = self.subscription_row(subscription)?;
        row.truncate(row.len().saturating_sub(LEASE_LEN));
        self.subscription()?.insert(subscription, row.as_slice())?;
        Ok(())
    }
}

/// What an event says.
struct Told<'a> {
    kind: &'a str,
    /// Empty for nobody.
    actor: &'a str,
    has_run: bool,
    data: &'a str,
}

impl Told<'_> {
    fn row_len(&self) -> usize {
        // A text has its length before it: in one byte, or from 24 on in two.
        let texts = [self.kind, self.actor, self.data];
        let texts: usize = texts
            .iter()
            .map(|text| text.len() + 1 + usize::from(text.len() >= 24))
            .sum();
        EVENT_LEN + texts + if self.has_run { NUMBER_LEN } else { 1 }
    }
}

impl Tables<'_> {
    fn row(&mut self, id: &str) -> Result<Vec<u8>> {
        Ok(self.task()?.get(id)?.ok_or(Failed::Row)?.value().to_vec())
    }

    fn subscription_row(&mut self, id: u64) -> Result<Vec<u8>> {
        let row = self.subscription()?.get(id)?.ok_or(Failed::Row)?;
        Ok(row.value().to_vec())
    }

    /// Moves the keys and counters of a task between two statuses.
    fn moved(&mut self, task: &HandTask, from: &str, to: &str, now: i64) -> Result<()> {
        let (id, name) = (task.id.as_str(), task.assignee.as_str());
        let by_update = self.by_update()?;
        by_update
            .remove((task.updated_at, id))?
            .ok_or(Failed::Row)?;
        by_update.insert((now, id), ())?;
        let (rank, at) = (task.rank, task.created_at);
        let by_status = self.by_status()?;
        by_status.remove((from, rank, at, id))?.ok_or(Failed::Row)?;
        by_status.insert((to, rank, at, id), ())?;
        self.step(from, name, -1)?;
        self.step(to, name, 1)
    }

    /// Counts a task in or out. A counter at 0 has no row.
    fn step(&mut self, status: &str, name: &str, step: i64) -> Result<()> {
        let count = self.count()?;
        let key = (status, name);
        let tasks = count.get(key)?.map_or(0, |count| count.value());
        match tasks.saturating_add_signed(step) {
            0 => drop(count.remove(key)?),
            tasks => drop(count.insert(key, tasks)?),
        }
        Ok(())
    }

    fn tell(&mut self, id: &str, hand: &Hand, event: &Told<'_>) -> Result<()> {
        let mut row = [event.kind, event.actor, event.data].concat().into_bytes();
        row.resize(event.row_len(), 0);
        let number = hand.last.cast_unsigned();
        self.event()?.insert(number, row.as_slice())?;
        self.event_of_task()?.insert((id, number), ())?;
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
