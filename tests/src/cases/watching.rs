//! Following the board's log.

use std::time::Duration;

use kanban_core::{
    CollectEvents, Covered, ErrorKind, Event, EventFilter, EventId, EventKind, Heartbeat, Options,
    Watch, WatchItem,
};

use crate::answers::{kinds, refused};
use crate::calls::{self, note};
use crate::fixture::Fixture;
use crate::threads::{polled, race};

/// watch replays what is stored, then follows. [13.5]
pub(crate) async fn a_watch_replays_then_follows(t: &Fixture) {
    t.done().await;
    let mut watch = all(t);
    let stored = take(&mut watch, 3).await;
    assert_eq!(stored, t.events().await);
    t.ready("new").await;
    let next = take(&mut watch, 1).await;
    assert_eq!(kinds(&next), [EventKind::Created]);
    assert!(next[0].id > stored[2].id);
}

/// watch from an id begins after it. [13.5] [13.4]
pub(crate) async fn a_watch_begins_after_the_asked_for_id(t: &Fixture) {
    t.done().await;
    let events = t.events().await;
    let mut watch = t.store.watch(events[1].id, EventFilter::default());
    assert_eq!(take(&mut watch, 1).await, events[2..]);
}

/// Across the seam between replay and following no event is skipped or doubled. [13.5]
pub(crate) async fn no_event_is_skipped_or_doubled_across_the_seam(t: &Fixture) {
    let seen = race(4, |number| {
        pollster::block_on(async {
            if number == 0 {
                return take(&mut all(t), 90).await;
            }
            for _ in 0..30 {
                t.ready("one of many").await;
            }
            Vec::new()
        })
    });
    assert_eq!(seen[0], t.events().await);
}

/// watch in the same process yields an event at once after the commit: no poll is needed. [13.5]
pub(crate) async fn a_watch_in_the_same_process_needs_no_poll(t: &Fixture) {
    let never = Options {
        poll_interval: Duration::from_hours(1),
        ..t.options()
    };
    let opened = t.open_with(never).await;
    let mut watch = opened.store.watch(EventId::new(0), EventFilter::default());
    let waiting = polled(watch.next()).err().unwrap();
    let made = opened.store.create(calls::new("new")).await.unwrap();
    let WatchItem::Event(event) = waiting.await.unwrap() else {
        panic!("expected an event");
    };
    assert_eq!((event.seq, event.task), (made.seq, Some(made.value.id)));
    opened.boards.close().await.unwrap();
}

/// A watcher that begins on another handle of the board hears of it all the same. [13.5]
pub(crate) async fn a_watch_hears_of_other_handles(t: &Fixture) {
    let handle = t.boards.open(None).await.unwrap();
    let mut watch = all(t);
    let task = handle.create(calls::new("new")).await.unwrap().value;
    assert_eq!(take(&mut watch, 1).await[0].task, Some(task.id));
}

/// watch sees what another opener of the root wrote, within the poll. [13.6]
pub(crate) async fn a_watch_sees_what_another_opener_wrote(t: &Fixture) {
    let other = t.open().await;
    let mut watch = all(t);
    let waiting = polled(watch.next()).err().unwrap();
    let task = other.store.create(calls::new("elsewhere")).await;
    let WatchItem::Event(event) = waiting.await.unwrap() else {
        panic!("expected an event");
    };
    assert_eq!(event.task, Some(task.unwrap().value.id));
    other.boards.close().await.unwrap();
}

/// watch sees what another process wrote, within the poll. [13.6]
pub(crate) async fn a_watch_sees_what_another_process_wrote(t: &Fixture) {
    let mut watch = all(t);
    let mut child = t.spawn_child("create_by_key", "key");
    assert_eq!(child.answer(), "ready");
    let waiting = polled(watch.next()).err().unwrap();
    child.go();
    let WatchItem::Event(event) = waiting.await.unwrap() else {
        panic!("expected an event");
    };
    assert_eq!(event.task, Some(calls::task_id(&child.answer())));
    child.ended();
}

/// Events of this process and of another are seen in the order of their ids, each once. [13.5] [13.6]
pub(crate) async fn a_watch_sees_two_writers_in_the_order_of_ids(t: &Fixture) {
    let other = t.open().await;
    let seen = race(3, |number| {
        pollster::block_on(async {
            if number == 0 {
                return take(&mut all(t), 40).await;
            }
            let store = if number == 1 { &t.store } else { &other.store };
            for _ in 0..20 {
                store.create(calls::new("one of many")).await.unwrap();
            }
            Vec::new()
        })
    });
    assert_eq!(seen[0], t.events().await);
    other.boards.close().await.unwrap();
}

/// A slow consumer misses nothing of what was written since it last asked. [13.6]
pub(crate) async fn a_slow_consumer_misses_nothing(t: &Fixture) {
    let first = t.ready("first").await;
    let mut watch = all(t);
    assert_eq!(take(&mut watch, 1).await[0].task, Some(first.id));
    for _ in 0..3 {
        t.thousand(&calls::new("one of many")).await;
    }
    let rest = take(&mut watch, 3000).await;
    assert_eq!(rest, t.events().await[1..]);
}

/// Who hears of an event sees its change, wherever it was written. [13.3] [13.6] [15.10]
pub(crate) async fn who_hears_of_an_event_sees_its_change(t: &Fixture) {
    let other = t.open().await;
    let mut watch = all(t);
    for store in [&t.store, &other.store] {
        let made = store.create(calls::new("new")).await.unwrap();
        let event = take(&mut watch, 1).await.remove(0);
        let read = t.store.task(made.value.id.clone()).await.unwrap();
        assert!(read.seq >= event.seq, "found {read:?} after {event:?}");
        assert_eq!(event.task, Some(made.value.id));
    }
    other.boards.close().await.unwrap();
}

/// watch with a filter yields the events of it alone. [13.5] [13.4]
pub(crate) async fn a_watch_yields_what_its_filter_asks_for(t: &Fixture) {
    let (one, other) = (t.ready("one").await, t.ready("other").await);
    let filter = EventFilter {
        task: Some(one.id.clone()),
        kinds: vec![EventKind::Claimed, EventKind::Archived],
    };
    let mut watch = t.store.watch(EventId::new(0), filter);
    let waiting = polled(watch.next()).err().unwrap();
    t.claim(&other.id).await;
    t.claim(&one.id).await;
    assert!(matches!(waiting.await, Ok(WatchItem::Event(event))
        if event.kind == EventKind::Claimed && event.task.as_ref() == Some(&one.id)));
    t.archive(&one.id).await;
    assert_eq!(kinds(&take(&mut watch, 1).await), [EventKind::Archived]);
}

/// Each of many watchers sees every event. [13.5]
pub(crate) async fn each_watcher_sees_every_event(t: &Fixture) {
    let mut watches = [all(t), all(t), all(t)];
    t.done().await;
    let events = t.events().await;
    for watch in &mut watches {
        assert_eq!(take(watch, 3).await, events);
    }
}

/// A wait for the next event that is given up loses nothing. [13.5]
pub(crate) async fn a_wait_that_is_given_up_loses_nothing(t: &Fixture) {
    let mut watch = all(t);
    let mut seen = Vec::new();
    for title in ["one", "two", "three"] {
        // Given up once nothing is left to replay: then it waits for the event that comes.
        while let Ok(item) = polled(watch.next()) {
            seen.push(item.unwrap());
        }
        t.ready(title).await;
    }
    while seen.len() < 3 {
        seen.push(watch.next().await.unwrap());
    }
    let events = t.events().await.into_iter();
    let expected: Vec<_> = events.map(|e| WatchItem::Event(Box::new(e))).collect();
    assert_eq!(seen, expected);
}

/// A watch of a store that is closed answers `Closed`, also one that waits. [13.5] [18.10]
pub(crate) async fn a_watch_of_a_closed_store_answers_closed(t: &Fixture) {
    let mut watch = all(t);
    let waiting = polled(watch.next()).err().unwrap();
    t.close().await;
    assert_eq!(refused(waiting.await), ErrorKind::Closed);
    assert_eq!(refused(watch.next().await), ErrorKind::Closed);
}

/// watch from before what gc removed begins by saying so, then goes on. [13.7] [16.9]
pub(crate) async fn a_watch_from_before_the_horizon_begins_by_saying_so(t: &Fixture) {
    let horizon = collected(t).await;
    let mut watch = all(t);
    let first = watch.next().await.unwrap();
    assert_eq!(first, WatchItem::Truncated { horizon });
    let task = t.ready("new").await;
    loop {
        let item = watch.next().await.unwrap();
        let WatchItem::Event(event) = item else {
            panic!("expected to be told once, found {item:?}");
        };
        if event.task.as_ref() == Some(&task.id) {
            break;
        }
    }
}

/// events from before what gc removed says so, and answers all that came after it. [13.7]
pub(crate) async fn events_from_before_the_horizon_say_so(t: &Fixture) {
    let horizon = collected(t).await;
    t.ready("new").await;
    let ask = calls::events_after(EventId::new(0));
    let before = t.store.events(ask).await.unwrap().value;
    assert_eq!(before.truncated, Some(horizon));
    let after = t.store.events(calls::events_after(horizon)).await;
    let after = after.unwrap().value;
    assert_eq!(after.truncated, None);
    assert_eq!(after.events.last().unwrap().kind, EventKind::Created);
    assert!(before.events.ends_with(&after.events));
}

/// watch from the horizon on begins with the first event after it. [13.7]
pub(crate) async fn a_watch_from_the_horizon_begins_with_an_event(t: &Fixture) {
    let horizon = collected(t).await;
    let task = t.ready("new").await;
    let mut watch = t.store.watch(horizon, EventFilter::default());
    let after = t.store.events(calls::events_after(horizon)).await;
    let expected = after.unwrap().value.events;
    assert_eq!(take(&mut watch, expected.len()).await, expected);
    assert_eq!(expected.last().unwrap().task, Some(task.id));
}

/// All events, from the first.
fn all(t: &Fixture) -> Watch {
    t.store.watch(EventId::new(0), EventFilter::default())
}

/// The next events; nothing may have been truncated.
async fn take(watch: &mut Watch, count: usize) -> Vec<Event> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        match watch.next().await.unwrap() {
            WatchItem::Event(event) => found.push(*event),
            item @ WatchItem::Truncated { .. } => panic!("expected an event, found {item:?}"),
        }
    }
    found
}

/// A board of which gc has removed a heartbeat. Answers that event's id.
async fn collected(t: &Fixture) -> EventId {
    let claimed = t.claimed().await;
    let beat = Heartbeat {
        note: Some(note("alive")),
        ..calls::heartbeat(&claimed)
    };
    t.store.heartbeat(beat).await.unwrap();
    let removed = t.last_event(&claimed.task.id).await.id;
    t.complete(&claimed).await;
    t.advance(60);
    let collect = CollectEvents {
        older_than: Duration::ZERO,
        limit: 1000,
        covered: Covered::Keep,
    };
    assert_eq!(t.store.gc(collect).await.unwrap().value.removed, 1);
    removed
}
