//! The eight workers, and the foreman who puts the clock forward and takes back what expired.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use kanban_core::{BoardStore, Millis, ReclaimExpired, Stats, Status, Task};
use pollster::block_on;

use super::clock::DemoClock;
use super::worker::{Role, Worker};
use crate::failure::Failure;
use crate::output::{Output, plain};

/// How many work at once.
const WORKERS: usize = 8;
/// How long the claims of those hold that will be late.
pub(super) const SHORT_TTL: Duration = Duration::from_secs(1);

/// What the workers tell the foreman.
pub(super) enum News {
    /// Something to print.
    Told(String),
    /// A worker died; its claim stays behind.
    Died(Task),
    /// A worker is away, and wants to be woken when its claim was taken back.
    Away(Task, SyncSender<()>),
    /// A worker has no more to do.
    Left,
}

/// What happened, for the report.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) done: usize,
    pub(super) died: usize,
    pub(super) late_refused: usize,
    pub(super) rate_limited: usize,
}

/// Who is at work.
#[derive(Debug, Default)]
struct Shift {
    here: usize,
    idle: usize,
    /// Moves whenever there may be something to do.
    moves: u64,
    tally: Tally,
    /// Something failed: everybody goes home.
    is_over: bool,
}

pub(super) struct Crew {
    pub(super) store: Arc<dyn BoardStore>,
    clock: Arc<DemoClock>,
    tasks: usize,
    shift: Mutex<Shift>,
    moved: Condvar,
    /// Every worker takes its first task before any of them goes on, so that each has its adventure.
    start: Barrier,
}

impl Crew {
    pub(super) fn new(store: Arc<dyn BoardStore>, clock: Arc<DemoClock>, tasks: usize) -> Self {
        let shift = Shift {
            here: WORKERS,
            ..Shift::default()
        };
        Self {
            store,
            clock,
            tasks,
            shift: Mutex::new(shift),
            moved: Condvar::new(),
            start: Barrier::new(WORKERS),
        }
    }

    /// Works until everything is done.
    pub(super) fn work(&self, output: &mut Output) -> Result<(), Failure> {
        let (tell, news) = sync_channel(WORKERS * 4);
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for number in 1..=WORKERS {
                let worker = Worker::new(self, number, Role::of(number), tell.clone());
                let name = format!("demo-worker-{number}");
                let thread = thread::Builder::new().name(name);
                workers.push(thread.spawn_scoped(scope, move || worker.work())?);
            }
            drop(tell);
            let led = self.lead(&news, output);
            // The workers never wait for a foreman who is gone.
            drop(news);
            if led.is_err() {
                self.stop();
            }
            for worker in workers {
                worker.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            }
            led
        })
    }

    fn lead(&self, news: &Receiver<News>, output: &mut Output) -> Result<(), Failure> {
        let mut steps = 0;
        let mut working = WORKERS;
        while working > 0 {
            let Ok(news) = news.recv() else { break };
            match news {
                News::Told(line) => Self::print(&line, output)?,
                News::Died(task) => {
                    working -= 1;
                    self.take_back(&task, output)?;
                }
                News::Away(task, wake) => {
                    self.take_back(&task, output)?;
                    wake.send(()).ok();
                }
                News::Left => working -= 1,
            }
            steps += 1;
            // Once all is done, the last look is the one after this.
            if steps % 10 == 0 && working > 0 && !self.is_finished() {
                self.print_board(output)?;
            }
        }
        self.print_board(output)
    }

    /// Puts the clock forward past a claim, and takes it back.
    fn take_back(&self, task: &Task, output: &mut Output) -> Result<(), Failure> {
        self.clock.advance(SHORT_TTL * 2);
        let written = block_on(self.store.reclaim_expired(ReclaimExpired { limit: 100 }))?;
        let known = written
            .value
            .ended
            .iter()
            .any(|ended| ended.task.id == task.id);
        let what = if known {
            "expired, and was taken back"
        } else {
            "was taken back before"
        };
        let line = format!("  board     the claim on {} {what}", plain(&task.title));
        Self::print(&line, output)?;
        self.stir();
        Ok(())
    }

    fn print(line: &str, output: &mut Output) -> Result<(), Failure> {
        if output.is_json() {
            return Ok(());
        }
        output.line(line)
    }

    /// Tells how the board is by now: the workers may be ahead of what has been told of them.
    fn print_board(&self, output: &mut Output) -> Result<(), Failure> {
        let stats: Stats = block_on(self.store.stats())?.value;
        let shown = [
            Status::Todo,
            Status::Ready,
            Status::Running,
            Status::Blocked,
            Status::Done,
        ];
        let counts: Vec<String> = shown
            .iter()
            .map(|status| format!("{status} {:>2}", stats.in_status(*status)))
            .collect();
        Self::print(&format!("= by now: {}", counts.join("   ")), output)
    }

    /// Waits until every worker has its first task.
    pub(super) fn gather(&self) {
        self.start.wait();
    }

    /// Says that there may be something to do.
    pub(super) fn stir(&self) {
        self.shift().moves += 1;
        self.moved.notify_all();
    }

    /// Counts what happened.
    pub(super) fn count(&self, happened: impl FnOnce(&mut Tally)) {
        happened(&mut self.shift().tally);
        self.stir();
    }

    pub(super) fn tally(&self) -> Tally {
        self.shift().tally
    }

    /// A worker that will claim no more.
    pub(super) fn leave(&self) {
        self.shift().here -= 1;
        self.stir();
    }

    /// What a worker looks at before it asks for work, to see what it missed.
    pub(super) fn moves(&self) -> u64 {
        self.shift().moves
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_over(&self.shift())
    }

    fn is_over(&self, shift: &Shift) -> bool {
        shift.is_over || shift.tally.done >= self.tasks
    }

    /// Sends everybody home.
    pub(super) fn stop(&self) {
        self.shift().is_over = true;
        self.stir();
    }

    /// Waits until there may be something to do. When nobody has anything to do, the clock goes forward to when
    /// there is.
    pub(super) fn rest(&self, seen: u64, next_at: Option<Millis>) {
        let mut shift = self.shift();
        if shift.moves != seen {
            return;
        }
        shift.idle += 1;
        if shift.idle == shift.here
            && let Some(at) = next_at
        {
            self.clock.advance_to(at);
            shift.moves += 1;
            self.moved.notify_all();
        }
        while shift.moves == seen && !self.is_over(&shift) {
            shift = self
                .moved
                .wait(shift)
                .unwrap_or_else(PoisonError::into_inner);
        }
        shift.idle -= 1;
    }

    fn shift(&self) -> MutexGuard<'_, Shift> {
        self.shift.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
