//! Wakes everybody who waits for something to change.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::sync::{Mutex, lock};

/// A count of changes, and those who wait for the next.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    changes: u64,
    waiting: Vec<Waker>,
}

impl Signal {
    /// How many changes there were.
    pub(crate) fn changes(&self) -> u64 {
        lock(&self.state).changes
    }

    /// Tells of a change.
    pub(crate) fn notify(&self) {
        let waiting = {
            let mut state = lock(&self.state);
            state.changes += 1;
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }

    /// Returns once there were more changes than `seen`. Nothing between [`changes`](Self::changes) and this is missed.
    pub(crate) async fn changed(&self, seen: u64) {
        poll_fn(|context| {
            let mut state = lock(&self.state);
            if state.changes > seen {
                return Poll::Ready(());
            }
            if !state
                .waiting
                .iter()
                .any(|waker| waker.will_wake(context.waker()))
            {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
