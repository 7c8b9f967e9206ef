//! The threads that answer questions, for all boards of a root together.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Condvar, JoinHandle, Mutex, join, lock, spawn, wait};

/// Something to be done on a pool thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Named threads with one queue, and a mailbox each. Each thread works until both are empty, then waits.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    threads: usize,
    /// How many questions wait, for all boards together.
    questions: AtomicUsize,
    questions_max: usize,
}

struct State {
    queue: VecDeque<Job>,
    /// What one thread and no other must do; none once it has ended.
    mail: Vec<Option<VecDeque<Job>>>,
    /// How many threads wait to be told.
    idle: usize,
    is_stopped: bool,
}

/// The place of a question that waits.
pub(crate) struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.questions.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// Starts the threads. So many questions may wait for them.
    pub(crate) fn start(threads: usize, questions_max: usize) -> Result<Self> {
        let count = threads.max(1);
        let state = State {
            queue: VecDeque::new(),
            mail: (0..count).map(|_| Some(VecDeque::new())).collect(),
            idle: 0,
            is_stopped: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            arrived: Condvar::new(),
            threads: count,
            questions: AtomicUsize::new(0),
            questions_max: questions_max.max(1),
        });
        // The pool exists before its threads: if one cannot be started, its drop stops the others.
        let pool = Self {
            shared,
            threads: Mutex::new(Vec::new()),
        };
        for number in 0..count {
            let shared = Arc::clone(&pool.shared);
            let thread = spawn(format!("kanban-read-{number}"), move || {
                run(&shared, number);
            })?;
            lock(&pool.threads).push(thread);
        }
        Ok(pool)
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Lets one more question wait.
    pub(crate) fn take_place(&self) -> Result<Place> {
        let before = self.shared.questions.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.shared));
        if before >= self.shared.questions_max {
            return Err(Error::new(ErrorKind::Overloaded, "too many reads wait"));
        }
        Ok(place)
    }

    /// Puts something into the queue. What may be put in is bounded by its owner.
    pub(crate) fn submit(&self, job: Job) -> Result<()> {
        let mut state = lock(&self.shared.state);
        if state.is_stopped {
            return Err(Error::new(ErrorKind::Closed, ""));
        }
        state.queue.push_back(job);
        let is_awaited = state.idle > 0;
        drop(state);
        // Telling nobody is a system call too.
        if is_awaited {
            self.shared.arrived.notify_one();
        }
        Ok(())
    }

    /// Does something on every thread and waits until all have done it. Not to be called on a pool thread.
    pub(crate) fn everywhere(&self, job: &Arc<dyn Fn() + Send + Sync>) {
        let left = Arc::new((Mutex::new(0_usize), Condvar::new()));
        {
            let mut state = lock(&self.shared.state);
            // A thread that has ended holds nothing any more, and would never answer.
            *lock(&left.0) = state.mail.iter().flatten().count();
            for mailbox in state.mail.iter_mut().flatten() {
                let (job, left) = (Arc::clone(job), Arc::clone(&left));
                mailbox.push_back(Box::new(move || {
                    job();
                    *lock(&left.0) -= 1;
                    left.1.notify_all();
                }));
            }
        }
        self.shared.arrived.notify_all();
        let mut count = lock(&left.0);
        while *count > 0 {
            count = wait(&left.1, count);
        }
    }

    /// How much is in the mailboxes.
    #[cfg(all(test, not(feature = "shuttle")))]
    pub(crate) fn mailed(&self) -> usize {
        lock(&self.shared.state)
            .mail
            .iter()
            .flatten()
            .map(VecDeque::len)
            .sum()
    }

    /// Ends the threads and waits for them. What is in the queue is done first.
    pub(crate) fn stop(&self) {
        self.ask_to_stop();
        let threads = std::mem::take(&mut *lock(&self.threads));
        threads.into_iter().for_each(join);
    }

    fn ask_to_stop(&self) {
        lock(&self.shared.state).is_stopped = true;
        self.shared.arrived.notify_all();
    }
}

/// The threads end by themselves once the last store that needs them is gone.
impl Drop for Pool {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

fn run(shared: &Shared, number: usize) {
    let mut state = lock(&shared.state);
    loop {
        // The mail goes first, or a queue that is never empty would keep a board from closing. Whoever mails has waited
        // for its own questions before.
        let mailed = state.mail.get_mut(number).and_then(Option::as_mut);
        let job = mailed
            .and_then(VecDeque::pop_front)
            .or_else(|| state.queue.pop_front());
        if let Some(job) = job {
            drop(state);
            // A thread that ended here would be waited for by every close.
            let _ = catch_unwind(AssertUnwindSafe(job));
            state = lock(&shared.state);
        } else if state.is_stopped {
            if let Some(mailbox) = state.mail.get_mut(number) {
                *mailbox = None;
            }
            return;
        } else {
            state.idle += 1;
            state = wait(&shared.arrived, state);
            state.idle -= 1;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
