//! One answer from one thread to one waiter. An answer is always given: dropping the sender without one
//! answers `Unknown`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Mutex, lock};

#[derive(Debug)]
enum Slot<T> {
    Empty(Option<Waker>),
    Full(Result<T>),
    Taken,
}

/// The side that answers.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    slot: Arc<Mutex<Slot<T>>>,
    is_answered: bool,
}

/// The side that waits.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

/// A pair of both.
pub(crate) fn reply<T>() -> (Reply<T>, Answer<T>) {
    let slot = Arc::new(Mutex::new(Slot::Empty(None)));
    (
        Reply {
            slot: Arc::clone(&slot),
            is_answered: false,
        },
        Answer { slot },
    )
}

impl<T> Reply<T> {
    /// Answers.
    pub(crate) fn send(mut self, answer: Result<T>) {
        self.fill(answer);
    }

    /// Forgets the waiter: the fault that the schedules must find.
    #[cfg(all(test, feature = "shuttle"))]
    pub(crate) fn leave(mut self) {
        self.is_answered = true;
    }

    fn fill(&mut self, answer: Result<T>) {
        self.is_answered = true;
        let waker = {
            let mut slot = lock(&self.slot);
            match std::mem::replace(&mut *slot, Slot::Full(answer)) {
                Slot::Empty(waker) => waker,
                Slot::Full(_) | Slot::Taken => None,
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.fill(Err(Error::new(
                ErrorKind::Unknown,
                "the call was dropped unanswered",
            )));
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let mut slot = lock(&self.slot);
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Full(answer) => Poll::Ready(answer),
            Slot::Empty(_) => {
                *slot = Slot::Empty(Some(context.waker().clone()));
                Poll::Pending
            }
            Slot::Taken => Poll::Ready(Err(Error::new(
                ErrorKind::Internal,
                "an answer was awaited twice",
            ))),
        }
    }
}
