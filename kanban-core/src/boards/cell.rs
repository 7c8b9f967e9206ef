//! One board's place in the table of open boards.

use std::fmt;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::executor::{EngineStore, Opening, Signal};
use crate::store::BoardStore;
use crate::sync::{Mutex, lock};

/// Not open, being opened by somebody, or open. The opening goes on if the caller that began it goes away.
#[derive(Debug, Default)]
pub(super) struct Cell {
    state: Mutex<State>,
    changed: Signal,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// `begin` runs, on the thread of the caller that found the cell idle. No lock is held meanwhile.
    Beginning,
    /// `begin` still runs, and what was to tell of the end has gone without a word.
    Lost,
    /// A thread opens it, and will tell.
    Opening,
    /// How the last opening failed; those who waited for it take it, the next caller tries again.
    Failed(Error),
    Open(Opened),
}

/// An open store, and whether it still takes calls: a caller may have closed it, or its files were replaced.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) store: Arc<dyn BoardStore>,
    /// The board's seed: random, and so the mark of who created it.
    pub(super) seed: u64,
    is_open: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Beginning => "Beginning",
            Self::Lost => "Lost",
            Self::Opening => "Opening",
            Self::Failed(_) => "Failed",
            Self::Open(_) => "Open",
        })
    }
}

impl Cell {
    /// The open store. If nobody opens it yet, `begin` starts that.
    pub(super) async fn open(&self, begin: impl FnOnce() -> Result<()>) -> Result<Opened> {
        let mut begin = Some(begin);
        let mut has_waited = false;
        loop {
            let seen = self.changed.changes();
            let mut ended = None;
            let mut mine = None;
            {
                let mut state = lock(&self.state);
                match &*state {
                    State::Open(opened) if (opened.is_open)() => {
                        return Ok(opened.clone());
                    }
                    State::Open(opened) => ended = Some(Arc::clone(&opened.store)),
                    State::Failed(error) if has_waited => return Err(error.again()),
                    State::Beginning | State::Lost | State::Opening => {}
                    State::Idle | State::Failed(_) => match begin.take() {
                        Some(begin) => {
                            *state = State::Beginning;
                            mine = Some((begin, Beginning(self)));
                        }
                        // Closed while we waited: whoever closed it is right.
                        None => return Err(super::closed()),
                    },
                }
            }
            if let Some((begin, beginning)) = mine {
                // Without the lock: a beginning that fails drops its report, which takes it.
                beginning.end(begin())?;
                has_waited = true;
            } else if let Some(store) = ended {
                // A store that ended badly is no reason not to open another one: whoever ended it is told. In a forked
                // child, where it never ends, nothing can be opened.
                match store.close().await {
                    Err(error) if *error.kind() == ErrorKind::Closed => return Err(error),
                    _ => self.forget(&store),
                }
            } else {
                has_waited = true;
                self.changed.changed(seen).await;
            }
        }
    }

    /// Goes back to the start, unless somebody opened another store since.
    fn forget(&self, ended: &Arc<dyn BoardStore>) {
        let mut state = lock(&self.state);
        if matches!(&*state, State::Open(opened) if Arc::ptr_eq(&opened.store, ended)) {
            *state = State::Idle;
        }
    }

    /// Closes the store, if it is or is being opened, and waits for its end.
    pub(super) async fn close(&self) -> Result<()> {
        loop {
            let seen = self.changed.changes();
            let store = match &*lock(&self.state) {
                State::Beginning | State::Lost | State::Opening => None,
                State::Open(opened) => Some(Arc::clone(&opened.store)),
                State::Idle | State::Failed(_) => return Ok(()),
            };
            match store {
                Some(store) => {
                    let closed = store.close().await;
                    self.forget(&store);
                    return closed;
                }
                None => self.changed.changed(seen).await,
            }
        }
    }
}

/// A beginning that is on its way. Nobody else begins until it has ended; a panic ends it too.
struct Beginning<'a>(&'a Cell);

impl Beginning<'_> {
    /// Leaves the rest to the thread that opens, if there is one. Else those who wait hear why not.
    fn end(self, begun: Result<()>) -> Result<()> {
        let Err(error) = begun else {
            let mut state = lock(&self.0.state);
            if matches!(*state, State::Beginning) {
                *state = State::Opening;
            }
            return Ok(());
        };
        self.fail(error.again());
        Err(error)
    }

    fn fail(&self, why: Error) {
        let mut state = lock(&self.0.state);
        if matches!(*state, State::Beginning | State::Lost) {
            *state = State::Failed(why);
            drop(state);
            self.0.changed.notify();
        }
    }
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        // After a good end the state is another one, unless the report was lost.
        self.fail(went_away());
    }
}

/// Reports the end of an opening to its cell.
pub(super) struct Report {
    cell: Arc<Cell>,
    is_told: bool,
}

impl Report {
    pub(super) fn to(cell: Arc<Cell>) -> Self {
        Self {
            cell,
            is_told: false,
        }
    }

    fn tell(&mut self, state: State) {
        self.is_told = true;
        *lock(&self.cell.state) = state;
        self.cell.changed.notify();
    }
}

impl<E: Engine> Opening<E> for Report {
    fn done(mut self, opened: Result<EngineStore<E>>) {
        self.tell(match opened {
            Ok(store) => State::Open(Opened {
                seed: store.seed(),
                is_open: Arc::new(store.is_open()),
                store: Arc::new(store),
            }),
            Err(error) => State::Failed(error),
        });
    }
}

/// Nobody waits for an opening that has gone away without a word. One that was told of is over: the state may be that of
/// the next by now.
impl Drop for Report {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        let mut state = lock(&self.cell.state);
        match *state {
            // Why is what `begin` is about to answer: perhaps there was no room for a thread.
            State::Beginning => *state = State::Lost,
            State::Opening => {
                *state = State::Failed(went_away());
                drop(state);
                self.cell.changed.notify();
            }
            State::Idle | State::Lost | State::Failed(_) | State::Open(_) => {}
        }
    }
}

fn went_away() -> Error {
    Error::new(ErrorKind::Internal, "the opening panicked")
}

#[cfg(all(test, not(feature = "shuttle")))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use pollster::block_on;

    use super::*;
    use crate::error::Unavailable;

    fn no_room() -> Error {
        Error::unavailable(Unavailable::Io, "starting a thread")
    }

    fn kind(opened: Result<Opened>) -> ErrorKind {
        let refused = opened.map(|_| ());
        refused.expect_err("expected a refusal").kind().clone()
    }

    #[test]
    fn an_opening_without_a_thread_is_refused_and_hangs_nobody() {
        let cell = Arc::new(Cell::default());
        for _ in 0..2 {
            let opened = cell.open(|| {
                // As std does with the closure of a thread that it cannot start.
                drop(Report::to(Arc::clone(&cell)));
                Err(no_room())
            });
            assert_eq!(
                kind(block_on(opened)),
                ErrorKind::Unavailable(Unavailable::Io)
            );
        }
        block_on(cell.close()).unwrap();
    }

    #[test]
    fn who_waits_for_a_refused_opening_hears_the_same() {
        let cell = Arc::new(Cell::default());
        let mut waits = pin!(cell.open(|| panic!("another begins")));
        let mut context = Context::from_waker(Waker::noop());
        let opened = block_on(cell.open(|| {
            assert!(waits.as_mut().poll(&mut context).is_pending());
            drop(Report::to(Arc::clone(&cell)));
            assert!(waits.as_mut().poll(&mut context).is_pending());
            Err(no_room())
        }));
        let expected = ErrorKind::Unavailable(Unavailable::Io);
        assert_eq!(kind(opened), expected);
        let Poll::Ready(opened) = waits.as_mut().poll(&mut context) else {
            panic!("expected an answer, found that it waits")
        };
        assert_eq!(kind(opened), expected);
    }

    #[test]
    fn an_opening_whose_thread_goes_away_is_refused() {
        let cell = Arc::new(Cell::default());
        let opened = block_on(cell.open(|| {
            drop(Report::to(Arc::clone(&cell)));
            Ok(())
        }));
        assert_eq!(kind(opened), ErrorKind::Internal);
    }

    #[test]
    fn a_beginning_that_panics_hangs_nobody() {
        let cell = Cell::default();
        let panics = || block_on(cell.open(|| panic!("an injected clock may")));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(
            kind(block_on(cell.open(|| Err(no_room())))),
            ErrorKind::Unavailable(Unavailable::Io)
        );
        block_on(cell.close()).unwrap();
    }
}
