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
            {
                let mut state = lock(&self.state);
                match &*state {
                    State::Open(opened) if (opened.is_open)() => {
                        return Ok(opened.clone());
                    }
                    State::Open(opened) => ended = Some(Arc::clone(&opened.store)),
                    State::Failed(error) if has_waited => return Err(error.again()),
                    State::Opening => {}
                    State::Idle | State::Failed(_) => match begin.take() {
                        Some(begin) => {
                            begin()?;
                            *state = State::Opening;
                        }
                        // Closed while we waited: whoever closed it is right.
                        None => return Err(super::closed()),
                    },
                }
            }
            if let Some(store) = ended {
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
                State::Opening => None,
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
        if !self.is_told {
            let why = Error::new(ErrorKind::Internal, "the opening panicked");
            self.tell(State::Failed(why));
        }
    }
}
