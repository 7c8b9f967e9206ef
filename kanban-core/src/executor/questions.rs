//! The questions that wait for one board. Those that a pool thread takes together share one snapshot: it was begun after
//! all of them had come, so it holds what each may expect.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Seq;
use crate::request::Read;
use crate::rules::Question;
use crate::sync::{Arc, Mutex, lock};
use crate::view::View;

use super::job::panicked;
use super::pool::Place;
use super::reply::{Answer, Reply, reply};
use super::shared::{Reading, Shared};

/// How many questions share a snapshot at most: nobody waits for more than these.
const BATCH_MAX: usize = 16;

/// The questions that wait for one board.
#[derive(Default)]
pub(super) struct Questions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Asked>>,
    /// How many threads of the pool have been told to come, or are here. No more than the pool has.
    turns: usize,
}

/// A question of any type, and who waits for its answer.
trait Asked: Send {
    /// Asks. The answer is held until the snapshot is given back.
    fn ask(&mut self, view: &dyn View, seq: Seq);

    /// Whether it was asked and the question itself, not the storage, decided the answer.
    fn is_decided(&self) -> bool;

    /// Gives the held answer; with none, this error.
    fn answer(self: Box<Self>, otherwise: &Error);
}

struct Asking<E: Engine, Q: Question> {
    question: Q,
    held: Option<Result<Read<Q::Answer>>>,
    reading: Reading<E>,
    place: Option<Place>,
    reply: Reply<Read<Q::Answer>>,
}

impl<E: Engine, Q: Question> Asked for Asking<E, Q> {
    fn ask(&mut self, view: &dyn View, seq: Seq) {
        // It waits no more.
        self.place = None;
        let asked = catch_unwind(AssertUnwindSafe(|| self.question.ask(view)));
        let answer = asked.unwrap_or_else(|panic| Err(panicked(&*panic)));
        self.held = Some(answer.map(|value| Read { seq, value }));
    }

    fn is_decided(&self) -> bool {
        match &self.held {
            Some(Ok(_)) => true,
            Some(Err(error)) => is_final(error),
            None => false,
        }
    }

    fn answer(self: Box<Self>, otherwise: &Error) {
        // The waiter may close the store at once: the read is over before it is answered.
        drop(self.reading);
        let answer = self.held.unwrap_or_else(|| Err(otherwise.again()));
        self.reply.send(answer);
    }
}

/// Whether the question itself is why there is no answer.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Invalid(_)
            | ErrorKind::NotFound(_)
            | ErrorKind::Rejected(_)
            | ErrorKind::Internal
    )
}

impl<E: Engine> Shared<E> {
    /// Asks on a pool thread.
    pub(super) fn ask<Q: Question>(
        self: &Arc<Self>,
        question: Q,
    ) -> Result<Answer<Read<Q::Answer>>> {
        let (reply, answer) = reply();
        let asking = Asking {
            question,
            held: None,
            reading: self.take_in()?,
            place: Some(self.pool.take_place()?),
            reply,
        };
        let mut state = lock(&self.questions.state);
        state.waiting.push_back(Box::new(asking));
        let has_turn = state.turns < self.pool.threads();
        state.turns += usize::from(has_turn);
        drop(state);
        if has_turn {
            self.call_thread();
        }
        Ok(answer)
    }

    /// Tells a pool thread to come, behind what it was told before.
    fn call_thread(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        let turn = move || {
            if shared.serve() == Left::Some {
                shared.call_thread();
            }
        };
        if self.pool.submit(Box::new(turn)).is_err() {
            // The pool has ended: who waits is answered here.
            while self.serve() == Left::Some {}
        }
    }

    /// Answers this thread's share of the questions that wait.
    fn serve(&self) -> Left {
        let mut state = lock(&self.questions.state);
        let share = state.waiting.len().div_ceil(self.pool.threads());
        let count = state.waiting.len().min(share.min(BATCH_MAX));
        let batch = state.waiting.drain(..count).collect();
        drop(state);
        self.ask_all(batch);
        let mut state = lock(&self.questions.state);
        if state.waiting.is_empty() {
            state.turns -= 1;
            return Left::Nothing;
        }
        Left::Some
    }

    /// Asks all on one snapshot, and answers them once that is given back. Those that the storage fails are asked once more,
    /// each on its own: it may be that another one took the time, or met the damage.
    fn ask_all(&self, mut batch: Vec<Box<dyn Asked>>) {
        let is_alone = match batch.len() {
            0 => return,
            len => len == 1,
        };
        let asked = catch_unwind(AssertUnwindSafe(|| {
            self.in_engine(|engine| {
                engine.read(&mut |view| {
                    let seq = view.board()?.counters.seq;
                    for asked in &mut batch {
                        // A writer that waits to open the files anew waits for one question, not for all.
                        if is_alone || !self.is_reopening.load(Ordering::SeqCst) {
                            asked.ask(view, seq);
                        }
                    }
                    Ok(())
                })
            })
        }));
        let why = match asked {
            Ok(Ok(())) => Error::new(ErrorKind::Internal, "the engine did not ask"),
            Ok(Err(error)) => error,
            Err(panic) => panicked(&*panic),
        };
        let (over, again): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|asked| is_alone || asked.is_decided());
        for asked in over {
            // A waker that panics is its caller's bug: the others are answered, and this thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(|| asked.answer(&why)));
        }
        for asked in again {
            self.ask_all(vec![asked]);
        }
    }
}

/// Whether questions still wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Some,
    Nothing,
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions").finish_non_exhaustive()
    }
}
