//! Ids, and the count of commands.

use std::sync::Arc;

use kanban_core::{
    BoardStore, Effect, EventId, NewTask, Options, RandomIds, RootMode, RunId, Scope, Seq, TaskId,
};

use crate::answers::{at_limit, missing};
use crate::calls;
use crate::children::Child;
use crate::fixture::Fixture;

/// The id of a deleted task's run is not given to another run. [1.4]
pub(crate) async fn a_run_id_is_not_reused_after_a_delete(t: &Fixture) {
    let claimed = t.claimed().await;
    t.complete(&claimed).await;
    t.archive(&claimed.task.id).await;
    t.store
        .delete(calls::delete(&claimed.task.id))
        .await
        .unwrap();
    assert!(t.claimed().await.run.id > claimed.run.id);
}

/// The ids of a deleted task's comments and events are not given to others. [1.4]
pub(crate) async fn comment_and_event_ids_are_not_reused_after_a_delete(t: &Fixture) {
    let task = t.ready("to go").await;
    let comment = t
        .store
        .comment(calls::comment(&task.id, "one"))
        .await
        .unwrap()
        .value;
    t.archive(&task.id).await;
    let last = t.last_event(&task.id).await.id;
    t.store.delete(calls::delete(&task.id)).await.unwrap();
    let other = t.ready("other").await;
    let after = t
        .store
        .comment(calls::comment(&other.id, "two"))
        .await
        .unwrap()
        .value;
    assert!(
        after.id > comment.id,
        "expected more than {}, found {}",
        comment.id,
        after.id
    );
    assert!(
        t.events_of(&other.id)
            .await
            .iter()
            .all(|event| event.id > last)
    );
}

/// No id is given again by a store that was closed and opened. [1.4]
pub(crate) async fn no_id_is_reused_after_a_reopen(t: &Fixture) {
    let claimed = t.claimed().await;
    let last = t.events().await.last().unwrap().id;
    t.complete(&claimed).await;
    t.close().await;
    let again = t.open().await.store;
    let task = again.create(calls::new("after")).await.unwrap().value;
    let next = again.claim(calls::claim(&task.id)).await.unwrap();
    assert!(next.value.run.id > claimed.run.id);
    let page = again.events(calls::events_after(last)).await.unwrap().value;
    assert_eq!(page.events.len(), 3, "completed, created, claimed");
}

/// Run ids, event ids and lease ids increase in the order of the commits. [1.4]
pub(crate) async fn ids_increase_in_the_order_of_the_commits(t: &Fixture) {
    let task = t.ready("busy").await;
    let subscribe = calls::subscribe(Scope::Task(task.id.clone()), "a");
    let subscription = t.store.subscribe(subscribe).await.unwrap().value.id;
    let mut leases = Vec::new();
    for _ in 0..3 {
        let claimed = t.claim(&task.id).await;
        t.release(&claimed).await;
        let lease = t
            .store
            .lease_events(calls::lease(subscription))
            .await
            .unwrap();
        let kanban_core::EventLease::Leased { lease, .. } = lease.value else {
            panic!("expected news, found {lease:?}")
        };
        t.store.ack(calls::ack(subscription, lease)).await.unwrap();
        leases.push(lease);
    }
    assert!(leases.is_sorted_by(|a, b| a < b), "found {leases:?}");
    let runs: Vec<RunId> = t.runs(&task.id).await.iter().map(|run| run.id).collect();
    assert!(runs.is_sorted_by(|a, b| a < b), "found {runs:?}");
}

/// An id or a `seq` that was answered is not given again after the process that got it was killed, also where writes
/// are kept only against such an end, or against none. [1.5] [1.4]
pub(crate) async fn an_answered_id_is_not_given_again_after_a_kill(t: &Fixture) {
    for part in ["comment_at_process", "comment_at_lazy"] {
        let task = t.ready("talked about").await;
        let child = t.spawn_child(part, task.id.as_str());
        let answered = killed_after_comments(child);
        gives_others(&*t.store, &task.id, &answered).await;
    }
}

/// Where one opener has the root an engine may keep least: a killed process loses what it answered last, nothing from the
/// middle, and none of its numbers comes again. [20.1] [1.5] [1.4]
pub(crate) async fn a_killed_lazy_store_loses_an_end_and_gives_no_number_again(t: &Fixture) {
    let root = t.root().join("elsewhere");
    let open = || {
        let options = Options {
            mode: Some(RootMode::Exclusive),
            ..t.options()
        };
        t.open_elsewhere_with(&root, options).unwrap()
    };
    let boards = open();
    let store = boards.open(None).await.unwrap();
    let task = store.create(calls::new("talked about")).await.unwrap();
    let task = task.value.id;
    boards.close().await.unwrap();
    for _ in 0..2 {
        let before = {
            let boards = open();
            let store = boards.open(None).await.unwrap();
            let comments = store.comments(calls::all_of(&task)).await.unwrap().value;
            boards.close().await.unwrap();
            comments.len()
        };
        let child = t.spawn_child_on(&root, "comment_at_lazy", task.as_str());
        let answered = killed_after_comments(child);
        let boards = open();
        let store = boards.open(None).await.unwrap();
        assert_eq!(store.verify().await.unwrap().value, []);
        let comments = store.comments(calls::all_of(&task)).await.unwrap().value;
        let kept: Vec<u64> = comments.iter().map(|found| found.id.get()).collect();
        let kept = &kept[before..];
        let given: Vec<u64> = answered.iter().map(|(comment, _)| *comment).collect();
        assert_eq!(
            kept,
            &given[..kept.len()],
            "expected a beginning of {given:?}"
        );
        gives_others(&*store, &task, &answered).await;
        boards.close().await.unwrap();
    }
}

/// Has a process comment twenty times, and kills it. Answers the ids and the `seq`s that it got.
fn killed_after_comments(mut child: Child) -> Vec<(u64, u64)> {
    assert_eq!(child.answer(), "ready");
    let mut answered = Vec::new();
    for _ in 0..20 {
        child.go();
        let answer = child.answer();
        let (comment, seq) = answer.split_once(' ').unwrap();
        answered.push((comment.parse().unwrap(), seq.parse().unwrap()));
    }
    child.kill();
    answered
}

/// What is written now has numbers above all that were answered.
async fn gives_others(store: &dyn BoardStore, task: &TaskId, answered: &[(u64, u64)]) {
    let last = *answered.last().unwrap();
    let comment = store.comment(calls::comment(task, "after")).await.unwrap();
    let found = (comment.value.id.get(), comment.seq.get());
    assert!(
        found.0 > last.0 && found.1 > last.1,
        "expected more than {last:?}, found {found:?}"
    );
}

/// A task id has 1 to 64 letters, digits, `_` and `-`; any other is `Invalid`. [1.6]
pub(crate) async fn a_task_id_has_a_form(t: &Fixture) {
    for id in ["a", "Z", "0", "_", "-", "t_01hx", &"x".repeat(64)] {
        let id = TaskId::new(id).unwrap();
        missing(t.store.task(id.clone()).await, &id);
    }
    for id in ["", "a b", "a.b", "a/b", "ä", "a\n", "a\0"] {
        let invalid = TaskId::new(id).unwrap_err();
        assert_eq!(invalid.field, "task", "of {id:?}");
    }
    at_limit(TaskId::new("x".repeat(65)), "task", 64, 65);
}

/// The default generator makes `t_` and lower-case letters and digits, later ids after earlier ones. [1.7]
pub(crate) async fn the_default_generator_makes_lower_case_ids_in_the_order_of_time(t: &Fixture) {
    let options = Options {
        ids: Arc::new(RandomIds),
        ..t.options()
    };
    let store = t.open_with(options).await.store;
    let mut ids = Vec::new();
    for _ in 0..50 {
        t.advance(1);
        ids.push(store.create(calls::new("made")).await.unwrap().value.id);
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "found {ids:?}");
    for id in &ids {
        let rest = id.as_str().strip_prefix("t_").unwrap();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(rest.bytes().all(plain), "found {id}");
    }
}

/// Ids made at one time differ by chance: 2,000 of them are 2,000. [1.7]
pub(crate) async fn ids_made_at_one_time_differ(t: &Fixture) {
    let ids = (0..2000).map(|_| kanban_core::IdSource::task_id(&RandomIds, t.now()));
    let distinct: std::collections::BTreeSet<TaskId> = ids.collect();
    assert_eq!(distinct.len(), 2000);
}

/// Every command that writes counts `seq` up by one, also one that writes no event. [1.8] [6.12]
pub(crate) async fn a_command_that_writes_counts_seq_up_by_one(t: &Fixture) {
    let created = t.store.create(calls::new("counted")).await.unwrap();
    let id = &created.value.id;
    let claimed = t.store.claim(calls::claim(id)).await.unwrap();
    let beat = t
        .store
        .heartbeat(calls::heartbeat(&claimed.value))
        .await
        .unwrap();
    let comment = t
        .store
        .comment(calls::comment(id, "still here"))
        .await
        .unwrap();
    let done = t
        .store
        .complete(calls::complete(&claimed.value))
        .await
        .unwrap();
    let first = created.seq.get();
    let found = [claimed.seq, beat.seq, comment.seq, done.seq].map(Seq::get);
    assert_eq!(found, [first + 1, first + 2, first + 3, first + 4]);
    assert_eq!(t.seq().await, done.seq);
}

/// A repeat, a call that changes nothing and a refusal carry the `seq` of the last command that wrote. [1.8]
pub(crate) async fn a_command_that_wrote_nothing_carries_the_last_seq(t: &Fixture) {
    let new = NewTask {
        idempotency_key: Some(calls::label("once")),
        ..calls::new("once")
    };
    let task = t.create(new.clone()).await;
    let last = t
        .store
        .comment(calls::comment(&task.id, "later"))
        .await
        .unwrap()
        .seq;
    let repeated = t.store.create(new).await.unwrap();
    assert_eq!((repeated.seq, repeated.effect), (last, Effect::Repeated));
    let unchanged = t.store.update(calls::update(&task.id)).await.unwrap();
    assert_eq!((unchanged.seq, unchanged.effect), (last, Effect::Unchanged));
    let refused = t.store.unblock(calls::unblock(&task.id)).await.unwrap_err();
    assert_eq!(refused.seq(), Some(last));
    assert_eq!(t.seq().await, last);
}

/// All events of one command carry its `seq`. [1.9]
pub(crate) async fn all_events_of_a_command_carry_its_seq(t: &Fixture) {
    let parent = t.ready("parent").await;
    for _ in 0..3 {
        t.create(calls::child_of(&[&parent.id])).await;
    }
    let before = t.events().await.last().unwrap().id;
    let complete = calls::complete_by(&parent.id, calls::olga());
    let seq = t.store.complete(complete).await.unwrap().seq;
    let page = t
        .store
        .events(calls::events_after(before))
        .await
        .unwrap()
        .value;
    assert_eq!(page.events.len(), 4, "one completed, three promoted");
    assert!(
        page.events.iter().all(|event| event.seq == seq),
        "found {page:?}"
    );
}

/// The `seq` of events never goes down, and is that of the answer, not of the commit. [1.9]
pub(crate) async fn events_of_later_commands_carry_a_later_seq(t: &Fixture) {
    let mut answered = Vec::new();
    for _ in 0..10 {
        answered.push(t.store.create(calls::new("one of ten")).await.unwrap().seq);
    }
    let events = t.events().await;
    let found: Vec<Seq> = events.iter().map(|event| event.seq).collect();
    assert_eq!(found, answered);
}

/// Every list carries the `seq` of the snapshot that it was read from. [1.9] [15.10]
pub(crate) async fn every_list_carries_the_seq_of_its_snapshot(t: &Fixture) {
    let task = t.ready("asked about").await;
    let seq = t
        .store
        .comment(calls::comment(&task.id, "now"))
        .await
        .unwrap()
        .seq;
    let store = &t.store;
    assert_eq!(store.task(task.id.clone()).await.unwrap().seq, seq);
    assert_eq!(store.list(calls::list_all()).await.unwrap().seq, seq);
    assert_eq!(store.runs(calls::all_of(&task.id)).await.unwrap().seq, seq);
    assert_eq!(
        store.comments(calls::all_of(&task.id)).await.unwrap().seq,
        seq
    );
    assert_eq!(
        store
            .events(calls::events_after(EventId::new(0)))
            .await
            .unwrap()
            .seq,
        seq
    );
    assert_eq!(store.stats().await.unwrap().seq, seq);
    assert_eq!(store.policy().await.unwrap().seq, seq);
}
