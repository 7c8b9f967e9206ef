//! Following the board's log.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Result;
use crate::model::{Event, EventId};
use crate::request::{EventFilter, EventPage, Events};
use crate::sync::Arc;

/// How many events a watcher reads at a time.
const PAGE: usize = 256;

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchItem {
    /// Events after the asked-for place were removed by `gc`, up to this one. Before the events that are left.
    Truncated {
        /// The newest event that was removed.
        horizon: EventId,
    },
    /// The next event.
    Event(Box<Event>),
}

/// The next page of a log, when there is one.
pub(crate) type SourceFuture = Pin<Box<dyn Future<Output = Result<EventPage>> + Send>>;

/// A log that can be followed.
pub(crate) trait Source: Send + Sync {
    /// Events after a place; waits until there is something after it.
    fn events(self: Arc<Self>, events: Events) -> SourceFuture;
}

/// Events from a place on, and then for ever: a [`Stream`]. Reads the log in pages, so a slow consumer costs no
/// memory, and no event is skipped or doubled. An error (such as `Closed`) is an item; the watch can be asked
/// again and goes on where it was. Dropping it ends it.
pub struct Watch {
    source: Arc<dyn Source>,
    filter: EventFilter,
    after: EventId,
    /// `gc` may remove while we watch: what was told once is not told again.
    told: Option<EventId>,
    ready: VecDeque<WatchItem>,
    asked: Option<SourceFuture>,
}

impl Watch {
    pub(crate) fn new(
        source: Arc<impl Source + 'static>,
        after: EventId,
        filter: EventFilter,
    ) -> Self {
        let source: Arc<dyn Source> = source;
        Self {
            source,
            filter,
            after,
            told: None,
            ready: VecDeque::new(),
            asked: None,
        }
    }

    /// The next item; waits for one.
    ///
    /// # Errors
    /// As a read: `Closed` once the store is closed.
    ///
    /// # Cancellation
    /// Nothing is lost: the next call goes on where this one was.
    pub async fn next(&mut self) -> Result<WatchItem> {
        poll_fn(|context| self.poll_item(context)).await
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchItem>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Ok(item));
            }
            let asked = self.asked.get_or_insert_with(|| {
                let filter = self.filter.clone();
                let events = Events {
                    after: self.after,
                    limit: PAGE,
                    filter,
                };
                Arc::clone(&self.source).events(events)
            });
            let Poll::Ready(page) = asked.as_mut().poll(context) else {
                return Poll::Pending;
            };
            self.asked = None;
            match page {
                Ok(page) => self.take_in(page),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn take_in(&mut self, page: EventPage) {
        if let Some(horizon) = page.truncated
            && self.told != Some(horizon)
        {
            self.told = Some(horizon);
            self.ready.push_back(WatchItem::Truncated { horizon });
        }
        self.after = page.through;
        self.ready.extend(
            page.events
                .into_iter()
                .map(|event| WatchItem::Event(Box::new(event))),
        );
    }
}

impl Stream for Watch {
    type Item = Result<WatchItem>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context).map(Some)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}
