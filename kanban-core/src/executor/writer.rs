//! One thread per open board: takes what waits, decides and applies it in one transaction, commits once, answers.

use std::time::Duration;

use crate::change::Change;
use crate::engine::{Engine, Txn, Upkeep, Verdict, WriteEnd};
use crate::error::{Error, ErrorKind, Result, Unavailable};
use crate::model::{Counters, GroupRecord, Millis};
use crate::options::Durability;
use crate::rules::{GroupRows, ripen};

use super::job::{Job, Step};
use super::queue::Taken;
use super::shared::Shared;

use self::lazy::Flushes;
use self::numbers::{Promise, exceeds};

mod lazy;
mod numbers;

/// How long the queue is empty before the engine may tidy up.
const IDLE_AFTER: Duration = Duration::from_millis(200);
/// How long it is empty at most before an engine that was held up tries again.
const IDLE_AFTER_MAX: Duration = Duration::from_secs(10);
/// After how many groups the engine may tidy up though the queue is never empty.
const GROUPS_BETWEEN_UPKEEP: u64 = 256;
/// For how long engines keep the mark of an instance that writes nothing.
const MARK_KEPT: Duration = Duration::from_hours(24);
/// How many pages of back-offs one group ends.
const RIPE_PAGES_MAX: usize = 10;
/// How often a group is run again after a commit that is known not to have landed.
const RUNS_MAX: u32 = 3;

/// The writer of one board.
pub(crate) struct Writer<'a, E: Engine> {
    shared: &'a Shared<E>,
    /// Tells this store's groups from those of all others, for ever: a random number.
    instance: u64,
    group: u64,
    /// The last group that is committed for certain.
    landed: Option<GroupRecord>,
    /// Below `Power`: the numbers that this store has promised durably, itself.
    durable: Counters,
    /// The highest promise that another store had made when this one last made its own.
    others: Counters,
    /// The last promise, until a commit may have given a number of it.
    unused: Option<Promise>,
    groups_since_upkeep: u64,
    flushes: Flushes,
    /// Why nothing more is carried out; what was taken in still gets an answer.
    dead: Option<Error>,
    /// What was found of answered writes that are gone. The close tells it too.
    lost: Option<Error>,
}

/// How a group ended.
enum GroupEnd {
    /// The held answers are true.
    Answer,
    /// Everybody gets this error.
    Fail(Error),
    /// The storage failed on one of several: each is run alone.
    Split,
    /// Nothing is known, and the engine cannot be opened again: the store closes.
    Dead(Error),
}

impl<'a, E: Engine> Writer<'a, E> {
    pub(crate) fn new(shared: &'a Shared<E>) -> Self {
        // Engines store it signed.
        let instance = crate::clock::random() >> 1;
        Self {
            shared,
            instance,
            group: 0,
            landed: None,
            durable: Counters::default(),
            others: Counters::default(),
            unused: None,
            groups_since_upkeep: 0,
            flushes: Flushes::new(shared.options.durability),
            dead: None,
            lost: None,
        }
    }

    /// Works until the queue is closed and empty.
    ///
    /// # Errors
    /// Answered writes may be gone, or go with the next crash, sooner than the durability says.
    pub(crate) fn run(&mut self) -> Result<()> {
        let mut idle_after = Some(IDLE_AFTER);
        loop {
            let patience = self.patience(idle_after);
            let group_len_max = self.shared.options.group_len_max;
            match self.shared.queue.take(group_len_max, patience) {
                Taken::Group(jobs) => {
                    self.work(jobs);
                    self.take_back();
                    idle_after = Some(IDLE_AFTER);
                    self.groups_since_upkeep += 1;
                    if self.groups_since_upkeep >= GROUPS_BETWEEN_UPKEEP {
                        self.upkeep();
                    }
                }
                Taken::Idle if self.has_waited_for_flush() => {
                    // The next call hears of it, or the close.
                    let _ = self.flush_overdue();
                }
                Taken::Idle => {
                    idle_after = idle_after.and_then(|span| match self.upkeep() {
                        Upkeep::Done => None,
                        Upkeep::Behind => Some((span * 2).min(IDLE_AFTER_MAX)),
                    });
                }
                Taken::Closed => return self.finish(),
            }
        }
    }

    fn upkeep(&mut self) -> Upkeep {
        self.groups_since_upkeep = 0;
        self.shared.engine.idle()
    }

    /// Carries out a group and answers it.
    fn work(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        #[cfg(all(test, feature = "shuttle"))]
        if super::schedules::fault() == super::schedules::Fault::AnswerBeforeCommit {
            return self.answer_before_commit(jobs);
        }
        if let Some(why) = &self.dead {
            return self.answer(jobs, Some(why));
        }
        match self.run_group(&mut jobs) {
            GroupEnd::Answer => self.answer(jobs, None),
            GroupEnd::Fail(error) => self.answer(jobs, Some(&error)),
            GroupEnd::Split => jobs.into_iter().for_each(|job| self.work(vec![job])),
            GroupEnd::Dead(error) => {
                let why = self.die(&error);
                let unknown = Error::new(ErrorKind::Unknown, why.to_string());
                self.answer(jobs, Some(&unknown));
            }
        }
    }

    /// The store comes to its end: what waits and whoever comes gets this error. The first one stands, and is answered.
    fn die(&mut self, why: &Error) -> Error {
        let why = match why.kind() {
            // Whoever is told that comes again, and nothing more will be taken here.
            ErrorKind::Busy => Error::unavailable(Unavailable::Io, why.to_string()),
            _ => why.again(),
        };
        self.shared.queue.close(why.again());
        self.dead.get_or_insert(why).again()
    }

    fn answer(&self, jobs: Vec<Box<dyn Job>>, instead: Option<&Error>) {
        for job in jobs {
            job.answer(instead.map(Error::again));
        }
        self.shared.changed.notify();
    }

    /// Runs a group until its fate is known.
    fn run_group(&mut self, jobs: &mut [Box<dyn Job>]) -> GroupEnd {
        let mut last = None;
        for _ in 0..RUNS_MAX {
            let is_alone = jobs.len() == 1;
            let mut trial = self.try_group(jobs);
            match (trial.end, trial.failed.take()) {
                // Also when a command failed: no write is taken before the files were opened anew. What was rolled back
                // has no mark.
                (WriteEnd::Uncertain(error), failed) => match self.find_out(trial.mark) {
                    // It is in the files, but the flush of it may be what failed.
                    Ok(true) => {
                        self.landed = Some(trial.mark);
                        self.unused = None;
                        return self.flushed();
                    }
                    // Known not to have landed: once more, one at a time, for one of them may be the cause.
                    Ok(false) if !is_alone => return GroupEnd::Split,
                    Ok(false) => last = Some(failed.unwrap_or(error)),
                    Err(error) => return GroupEnd::Dead(error),
                },
                (_, Some(_)) if !is_alone => return GroupEnd::Split,
                (WriteEnd::Done(Verdict::RollBack), None) => match trial.needed {
                    None => {
                        self.flush_if_due();
                        return GroupEnd::Answer;
                    }
                    Some(needed) => match self.reserve(needed) {
                        Ok(()) => {}
                        Err(error) => return GroupEnd::Fail(error),
                    },
                },
                (WriteEnd::Done(Verdict::Commit), None) => return self.committed(trial.mark),
                (_, Some(error)) | (WriteEnd::NotWritten(error), None) => {
                    return GroupEnd::Fail(error);
                }
            }
        }
        GroupEnd::Fail(last.unwrap_or_else(|| Error::new(ErrorKind::Internal, "no run of a group")))
    }

    /// Opens the files anew. A store that cannot would refuse every write from then on and never try again: it ends. So does
    /// one that finds answered writes gone.
    fn reopen_or_die(&mut self) -> Result<()> {
        let opened = self
            .open_anew()
            .and_then(|found| self.expect_landed(found, self.shared.options.clock.now()));
        opened.map_err(|error| self.die(&error))
    }

    /// Runs a group once, in one transaction.
    fn try_group(&mut self, jobs: &mut [Box<dyn Job>]) -> Trial {
        self.group += 1;
        let now = self.shared.options.clock.now();
        let mark = GroupRecord {
            instance: self.instance,
            number: self.group,
            at: now,
        };
        let ids = &*self.shared.options.ids;
        let is_weak = self.shared.options.durability != Durability::Power;
        let boot = self.shared.boot.as_deref();
        let mut failed = None;
        let mut needed = None;
        let durable = self.durable;
        let end = self.shared.engine.write(&mut |txn| {
            let mut wrote = apply_ripe(txn, now)?;
            let mut group = GroupRows::read(txn.view())?;
            for job in jobs.iter_mut() {
                // Behind an import, and not in it: what is imported is what was exported.
                if std::mem::take(&mut group.must_ripen) {
                    apply_ripe(txn, now)?;
                }
                match job.decide(txn, &mut group, ids, now) {
                    Step::Wrote => wrote = true,
                    Step::Nothing => {}
                    Step::Failed(error) => {
                        failed = Some(error);
                        return Ok(Verdict::RollBack);
                    }
                }
            }
            if !wrote {
                return Ok(Verdict::RollBack);
            }
            if is_weak {
                let board = group.board();
                if board.boot.as_deref() != boot || exceeds(board.counters, durable) {
                    needed = Some(board.counters);
                    return Ok(Verdict::RollBack);
                }
            }
            group.write_board(txn)?;
            txn.apply(&Change::Group(mark))?;
            Ok(Verdict::Commit)
        });
        Trial {
            end,
            mark,
            failed,
            needed,
        }
    }

    /// After an uncertain commit: opens the files anew and looks for this group's mark.
    fn find_out(&mut self, mark: GroupRecord) -> Result<bool> {
        let found = self.open_anew()?;
        if found == Some(mark.number) {
            return Ok(true);
        }
        self.expect_landed(found, mark.at).map(|()| false)
    }

    /// Opens the files anew. Answers this store's last group in them.
    fn open_anew(&self) -> Result<Option<u64>> {
        self.shared.reopen()?;
        let mut found = None;
        self.shared.engine.read(&mut |view| {
            found = view.group(self.instance)?.map(|found| found.number);
            Ok(())
        })?;
        Ok(found)
    }

    /// The last group that landed is in the files; else answered writes are gone.
    fn expect_landed(&mut self, found: Option<u64>, now: Millis) -> Result<()> {
        let Some(last) = self.landed.filter(|last| found != Some(last.number)) else {
            return Ok(());
        };
        // Another instance may have removed a mark that is a day old: then there is none. An older one is a proof, and where
        // something waits for its flush the clock has only jumped.
        let is_removed = found.is_none() && now.since(last.at) >= MARK_KEPT;
        if is_removed && !self.flushes.has_waiting() {
            return Ok(());
        }
        let gone = self.gone(found);
        self.lost = Some(gone.again());
        Err(gone)
    }

    /// The fault that the schedules must find.
    #[cfg(all(test, feature = "shuttle"))]
    fn answer_before_commit(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let mut early = Vec::new();
        let now = self.shared.options.clock.now();
        self.shared.engine.write(&mut |txn| {
            let mut group = GroupRows::read(txn.view())?;
            for mut job in jobs.drain(..) {
                job.decide(txn, &mut group, &*self.shared.options.ids, now);
                early.push(job);
            }
            group.write_board(txn)?;
            early.drain(..).for_each(|job| job.answer(None));
            shuttle::thread::yield_now();
            Ok(Verdict::Commit)
        });
    }
}

/// One run of a group.
struct Trial {
    end: WriteEnd,
    mark: GroupRecord,
    /// The storage failed while a command was decided or applied; the transaction was rolled back.
    failed: Option<Error>,
    /// Numbers were given that are not promised durably: it was rolled back to promise them first.
    needed: Option<Counters>,
}

/// Ends the back-offs that are reached. Answers whether there were any. The rest of very many waits for the next
/// groups.
fn apply_ripe(txn: &mut dyn Txn, now: Millis) -> Result<bool> {
    let mut any = false;
    for _ in 0..RIPE_PAGES_MAX {
        let changes = ripen(txn.view(), now)?;
        if changes.is_empty() {
            break;
        }
        any = true;
        for change in &changes {
            txn.apply(change)?;
        }
    }
    Ok(any)
}
