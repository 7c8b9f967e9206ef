//! The bounded queue of a board's writes.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::options::Admission;
use crate::sync::{Condvar, Mutex, lock, wait, wait_for};

use super::job::Job;
use super::signal::Signal;
use super::timer::{First, Timer, first_of};

/// Writes that wait for the writer.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    /// Tells those who wait for a place.
    room: Signal,
    len_max: usize,
}

struct State {
    jobs: VecDeque<Box<dyn Job>>,
    /// The writer waits to be told.
    is_awaited: bool,
    /// Why no more are taken.
    closed: Option<Error>,
}

/// What the writer finds.
pub(crate) enum Taken {
    /// Writes, in the order of their arrival.
    Group(Vec<Box<dyn Job>>),
    /// Nothing for a while.
    Idle,
    /// Nothing, and nothing will come.
    Closed,
}

impl Queue {
    pub(crate) fn new(len_max: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            is_awaited: false,
            closed: None,
        };
        Self {
            state: Mutex::new(state),
            arrived: Condvar::new(),
            room: Signal::default(),
            len_max: len_max.max(1),
        }
    }

    /// Puts a write in, at once or when there is room.
    pub(crate) async fn submit(
        &self,
        mut job: Box<dyn Job>,
        admission: Admission,
        timer: &Timer,
    ) -> Result<()> {
        let mut deadline = match admission {
            Admission::Refuse => None,
            Admission::Wait(span) => Some(Box::pin(timer.sleep(span))),
        };
        loop {
            let seen = self.room.changes();
            job = match self.push(job)? {
                None => return Ok(()),
                Some(job) => job,
            };
            let Some(deadline) = &mut deadline else {
                return Err(full());
            };
            if first_of(self.room.changed(seen), deadline).await == First::Other {
                return self.push(job)?.map_or(Ok(()), |_| Err(full()));
            }
        }
    }

    /// Puts a write in, or gives it back if the queue is full.
    fn push(&self, job: Box<dyn Job>) -> Result<Option<Box<dyn Job>>> {
        let mut state = lock(&self.state);
        if let Some(why) = &state.closed {
            return Err(why.again());
        }
        if state.jobs.len() >= self.len_max {
            return Ok(Some(job));
        }
        state.jobs.push_back(job);
        let is_awaited = std::mem::take(&mut state.is_awaited);
        drop(state);
        #[cfg(all(test, feature = "shuttle"))]
        if super::schedules::fault() == super::schedules::Fault::LostWakeUp {
            return Ok(None);
        }
        // Telling nobody is a system call too.
        if is_awaited {
            self.arrived.notify_one();
        }
        Ok(None)
    }

    /// Takes all that wait, up to a bound; waits for something, up to a span if one is given. What was taken in before
    /// the close is still handed out.
    pub(crate) fn take(&self, group_len_max: usize, idle_after: Option<Duration>) -> Taken {
        let mut state = lock(&self.state);
        let mut has_waited = false;
        loop {
            if !state.jobs.is_empty() {
                let count = state.jobs.len().min(group_len_max.max(1));
                let group = state.jobs.drain(..count).collect();
                state.is_awaited = false;
                drop(state);
                self.room.notify();
                return Taken::Group(group);
            }
            if state.closed.is_some() {
                return Taken::Closed;
            }
            state.is_awaited = true;
            state = match idle_after {
                Some(_) if has_waited => return Taken::Idle,
                Some(span) => wait_for(&self.arrived, state, span),
                None => wait(&self.arrived, state),
            };
            has_waited = true;
        }
    }

    /// Takes no more writes: they get this error from now on. The first reason stands.
    pub(crate) fn close(&self, why: Error) {
        lock(&self.state).closed.get_or_insert(why);
        self.arrived.notify_all();
        self.room.notify();
    }

    /// Whether writes are still taken; else why not.
    pub(crate) fn check_open(&self) -> Result<()> {
        match &lock(&self.state).closed {
            Some(why) => Err(why.again()),
            None => Ok(()),
        }
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Overloaded, "too many writes wait")
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len_max", &self.len_max)
            .finish_non_exhaustive()
    }
}
