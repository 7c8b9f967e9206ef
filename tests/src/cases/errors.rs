//! What a caller is told when a call was not done, and in which order.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kanban_core::{
    Admission, BlockTask, Complete, Effect, ErrorKind, EventFilter, EventId, NewTask, Options,
    Rejection, RunId, ScheduleTask, Status, Subject, TaskId, Version, WorkerBlockKind,
};

use crate::answers::{invalid, kind, missing, not_found, refused, rejected, stale};
use crate::calls::{self, label};
use crate::fixture::Fixture;
use crate::threads::polled;

/// A refusal by a rule is an error with its typed reason, which tells the last `seq` before it. [18.1] [1.8]
pub(crate) async fn a_refusal_is_an_error_with_its_reason(t: &Fixture) {
    let task = t.done().await;
    let seq = t.seq().await;
    let error = t.store.claim(calls::claim(&task.id)).await.unwrap_err();
    assert_eq!(error.rejection().unwrap().reason(), "not_claimable");
    assert_eq!(error.seq(), Some(seq));
    assert!(error.to_string().contains("done"), "found {error}");
}

/// `Invalid` names the field, and comes of the call's own arguments. [18.2]
pub(crate) async fn invalid_names_the_field(t: &Fixture) {
    let task = t.ready("one").await;
    let past = calls::schedule(&task.id, calls::olga(), Some(t.now()));
    assert_eq!(invalid(t.store.schedule(past).await).field, "at");
    let wake = kanban_core::WakeDue { limit: 0 };
    assert_eq!(invalid(t.store.wake_due(wake).await).field, "limit");
}

/// The id that a call is about is `NotFound`; ids in its arguments are `UnknownTasks`. [18.3]
pub(crate) async fn not_found_is_what_the_call_is_about(t: &Fixture) {
    let (task, ghost) = (t.ready("one").await, calls::task_id("t_ghost"));
    let link = t.store.link(calls::link(&task.id, &ghost)).await;
    missing(link, &ghost);
    let link = t.store.link(calls::link(&ghost, &task.id)).await;
    let ids = vec![ghost.clone()];
    assert_eq!(rejected(link), Rejection::UnknownTasks { ids: ids.clone() });
    let child = t.store.create(calls::child_of(&[&ghost])).await;
    assert_eq!(rejected(child), Rejection::UnknownTasks { ids });
    missing(t.store.reopen(calls::reopen(&ghost)).await, &ghost);
    missing(
        t.store.archive(calls::archive(&ghost, calls::olga())).await,
        &ghost,
    );
}

/// Every operation on a task that does not exist is `NotFound`, and writes nothing. [18.3]
pub(crate) async fn every_operation_on_an_unknown_task_is_not_found(t: &Fixture) {
    let (id, s) = (calls::task_id("t_ghost"), &t.store);
    let worker = || kanban_core::Authority::worker(RunId::new(1));
    missing(s.update(calls::update(&id)).await, &id);
    missing(s.assign(calls::assign(&id, "amy")).await, &id);
    missing(s.claim(calls::claim(&id)).await, &id);
    missing(s.heartbeat(calls::heartbeat_by(&id, worker())).await, &id);
    missing(s.complete(calls::complete_by(&id, worker())).await, &id);
    missing(s.release(calls::release_by(&id, calls::olga())).await, &id);
    missing(s.unblock(calls::unblock(&id)).await, &id);
    missing(s.promote(calls::promote(&id)).await, &id);
    missing(
        s.request_review(calls::request_review(&id, worker())).await,
        &id,
    );
    missing(
        s.request_changes(calls::request_changes(&id, worker()))
            .await,
        &id,
    );
    missing(s.specify(calls::specify(&id)).await, &id);
    missing(
        s.decompose(calls::decompose(&id, vec![calls::subtask("a", &[])]))
            .await,
        &id,
    );
    missing(s.restore(calls::restore(&id)).await, &id);
    missing(s.delete(calls::delete(&id)).await, &id);
    missing(s.attach(calls::attach(&id, "a.txt")).await, &id);
    assert!(t.events().await.is_empty());
}

/// A write that finds the queue full is `Overloaded` at once, and is not carried out later. [18.4]
pub(crate) async fn a_full_queue_refuses_at_once(t: &Fixture) {
    let opened = t.open_with(short_queue(t)).await;
    let store = &opened.store;
    let held = t.clock.hold();
    let first = polled(store.create(calls::new("first"))).err().unwrap();
    held.until_somebody_waits();
    let second = polled(store.create(calls::new("second"))).err().unwrap();
    let third = polled(store.create(calls::new("third"))).ok().unwrap();
    assert_eq!(refused(third), ErrorKind::Overloaded);
    drop(held);
    first.await.unwrap();
    second.await.unwrap();
    let titles: Vec<_> = t
        .tasks()
        .await
        .into_iter()
        .map(|task| task.title.to_string())
        .collect();
    assert_eq!(titles, ["first", "second"]);
    opened.boards.close().await.unwrap();
}

/// A handle may wait for a place in the queue instead. [18.4]
pub(crate) async fn a_handle_may_wait_for_a_place(t: &Fixture) {
    let opened = t.open_with(short_queue(t)).await;
    let patient = opened
        .store
        .with_admission(Admission::Wait(Duration::from_mins(5)));
    let held = t.clock.hold();
    let first = polled(opened.store.create(calls::new("first")))
        .err()
        .unwrap();
    held.until_somebody_waits();
    let second = polled(opened.store.create(calls::new("second")))
        .err()
        .unwrap();
    let third = polled(patient.create(calls::new("third"))).err().unwrap();
    drop(held);
    for waiting in [first, second, third] {
        waiting.await.unwrap();
    }
    assert_eq!(t.tasks().await.len(), 3);
    opened.boards.close().await.unwrap();
}

/// Where another opener holds the board too long a write is `Busy` and has written nothing; else it is done. [18.5]
pub(crate) async fn a_busy_board_has_written_nothing(t: &Fixture) {
    let opened = t.open().await;
    let written = crate::threads::race(2, |number| {
        let store = if number == 0 { &t.store } else { &opened.store };
        let mut written = 0;
        for _ in 0..50 {
            match pollster::block_on(store.create(calls::new("contended"))) {
                Ok(_) => written += 1,
                Err(error) => assert_eq!(*error.kind(), ErrorKind::Busy),
            }
        }
        written
    });
    let found = t.tasks().await.len();
    assert_eq!(found, written.iter().sum::<usize>());
    opened.boards.close().await.unwrap();
}

/// A caller that does not know what became of a call repeats it, and it is done once. [18.6] [4.7] [5.3]
pub(crate) async fn a_caller_that_does_not_know_repeats(t: &Fixture) {
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("once")
    };
    let held = t.clock.hold();
    drop(polled(t.store.create(keyed.clone())).err().unwrap());
    drop(held);
    let again = t.store.create(keyed).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    let claimed = t.claim(&again.value.id).await;
    let held = t.clock.hold();
    drop(
        polled(t.store.complete(calls::complete(&claimed)))
            .err()
            .unwrap(),
    );
    drop(held);
    let again = t.store.complete(calls::complete(&claimed)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    assert_eq!(t.tasks().await.len(), 1);
}

/// A root that cannot be one is `Unavailable`, and is left as it was. [18.7]
pub(crate) async fn a_root_that_is_a_file_is_unavailable(t: &Fixture) {
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("a-file");
    fs::write(&file, "somebody's own").unwrap();
    assert_eq!(kind(t.open_elsewhere(&file)), "unavailable");
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's own");
}

/// A board whose file is damaged is `Corrupt`, again and again, and the file is left as it was. [18.8]
pub(crate) async fn a_damaged_board_is_corrupt_and_left_alone(t: &Fixture) {
    let elsewhere = tempfile::tempdir().unwrap();
    let root = elsewhere.path();
    let boards = t.open_elsewhere(root).unwrap();
    let store = boards.open(None).await.unwrap();
    store.create(calls::new("lost")).await.unwrap();
    boards.close().await.unwrap();
    let files: Vec<_> = files(&root.join("boards"))
        .into_iter()
        .filter(|f| size(f) > 0)
        .collect();
    assert!(!files.is_empty(), "expected the file of a board");
    for file in &files {
        let size = usize::try_from(size(file)).unwrap();
        fs::write(file, vec![0xA5; size]).unwrap();
    }
    for _ in 0..2 {
        let boards = t.open_elsewhere(root).unwrap();
        assert_eq!(kind(boards.open(None).await), "corrupt");
        boards.close().await.unwrap();
    }
    for file in &files {
        let bytes = fs::read(file).unwrap();
        let left_alone = bytes.iter().all(|&byte| byte == 0xA5);
        assert!(left_alone, "written: {}", file.display());
    }
}

/// A rule that panics fails its own command, `Internal`; those beside it and after it are carried out. [18.9]
pub(crate) async fn a_panic_fails_its_own_command_alone(t: &Fixture) {
    let task = t.ready("beside").await;
    let held = t.clock.hold();
    let first = polled(t.store.comment(calls::comment(&task.id, "one")))
        .err()
        .unwrap();
    t.ids.panic_once();
    let second = polled(t.store.create(calls::new("panics"))).err().unwrap();
    let third = polled(t.store.comment(calls::comment(&task.id, "two")))
        .err()
        .unwrap();
    drop(held);
    assert_eq!(refused(second.await), ErrorKind::Internal);
    first.await.unwrap();
    third.await.unwrap();
    assert_eq!(t.comments(&task.id).await.len(), 2);
    t.ready("after").await;
    assert_eq!(t.tasks().await.len(), 2);
}

/// Every call after `close` is `Closed`: writes, reads, watches, and the boards themselves. [18.10]
pub(crate) async fn every_call_after_close_is_closed(t: &Fixture) {
    let task = t.ready("one").await;
    let mut watch = t.store.watch(EventId::new(0), EventFilter::default());
    t.boards.close().await.unwrap();
    assert_eq!(kind(t.store.create(calls::new("late")).await), "closed");
    assert_eq!(kind(t.store.task(task.id).await), "closed");
    assert_eq!(kind(t.store.stats().await), "closed");
    assert_eq!(kind(t.store.verify().await), "closed");
    assert_eq!(kind(watch.next().await), "closed");
    assert_eq!(kind(t.boards.open(None).await), "closed");
    assert_eq!(kind(t.boards.create(&calls::slug("new")).await), "closed");
    t.boards.close().await.unwrap();
}

/// `close` carries out and answers the calls that it finds in the queue. [18.10]
pub(crate) async fn close_answers_the_calls_that_it_finds(t: &Fixture) {
    let held = t.clock.hold();
    let made = polled(t.store.create(calls::new("queued"))).err().unwrap();
    held.until_somebody_waits();
    let closing = polled(t.store.close()).err().unwrap();
    drop(held);
    let made = made.await.unwrap().value;
    closing.await.unwrap();
    t.close().await;
    let again = t.open().await;
    assert!(again.store.task(made.id).await.is_ok());
    again.boards.close().await.unwrap();
}

/// `Invalid` comes before `NotFound`. [18.11]
pub(crate) async fn invalid_comes_before_not_found(t: &Fixture) {
    let ghost = calls::task_id("t_ghost");
    let past = calls::schedule(&ghost, calls::olga(), Some(t.now()));
    assert_eq!(kind(t.store.schedule(past).await), "invalid");
    let on = BlockTask {
        on: vec![ghost.clone()],
        ..calls::block_by(&ghost, calls::olga(), WorkerBlockKind::Other)
    };
    assert_eq!(kind(t.store.block(on).await), "invalid");
    let blank = calls::comment(&ghost, "  ");
    assert_eq!(kind(t.store.comment(blank).await), "invalid");
    let none = calls::decompose(&ghost, vec![]);
    assert_eq!(kind(t.store.decompose(none).await), "invalid");
    let many = Complete {
        created_tasks: vec![ghost.clone(); 1001],
        ..calls::complete_by(&ghost, calls::olga())
    };
    assert_eq!(kind(t.store.complete(many).await), "invalid");
}

/// `Invalid` comes before a repeat. [18.11]
pub(crate) async fn invalid_comes_before_a_repeat(t: &Fixture) {
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("once")
    };
    let task = t.create(keyed.clone()).await;
    let again = NewTask {
        parents: vec![task.id; 1001],
        ..keyed
    };
    assert_eq!(kind(t.store.create(again).await), "invalid");
}

/// A run that was never one of this task's is `NotFound`, before the version and the status count. [18.11] [4.3]
pub(crate) async fn not_found_comes_before_version_and_status(t: &Fixture) {
    let (task, other) = (t.done().await, t.claimed().await);
    for run in [other.run.id, RunId::new(999)] {
        let block = BlockTask {
            expected_version: Some(Version::new(999)),
            ..calls::block_by(
                &task.id,
                kanban_core::Authority::worker(run),
                WorkerBlockKind::Other,
            )
        };
        let refused = t.nothing_written(t.store.block(block)).await;
        assert_eq!(not_found(refused), Subject::Run(run));
    }
}

/// A repeat comes before the version, the status and ids that are not known. [18.11]
pub(crate) async fn a_repeat_comes_before_what_else_is_wrong(t: &Fixture) {
    let claimed = t.claimed().await;
    t.block(&claimed, WorkerBlockKind::Other).await;
    let again = BlockTask {
        expected_version: Some(Version::new(999)),
        ..calls::block(&claimed, WorkerBlockKind::Other)
    };
    let again = t.nothing_written(t.store.block(again)).await.unwrap();
    assert_eq!(again.effect, Effect::Repeated);
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("once")
    };
    let first = t.create(keyed.clone()).await;
    let again = NewTask {
        parents: vec![calls::task_id("t_ghost")],
        ..keyed
    };
    let again = t.nothing_written(t.store.create(again)).await.unwrap();
    assert_eq!((again.effect, again.value.id), (Effect::Repeated, first.id));
}

/// `StaleRun` comes before `VersionMismatch` and `WrongStatus`. [18.11]
pub(crate) async fn a_stale_run_comes_before_version_and_status(t: &Fixture) {
    let claimed = t.claimed().await;
    t.finish_task(&claimed.task.id).await;
    let block = BlockTask {
        expected_version: Some(Version::new(999)),
        ..calls::block(&claimed, WorkerBlockKind::Other)
    };
    stale(t.nothing_written(t.store.block(block)).await);
    let operator = calls::release_by(&claimed.task.id, calls::olga_of(claimed.run.id));
    stale(t.nothing_written(t.store.release(operator)).await);
}

/// `VersionMismatch` comes before `WrongStatus`. [18.11]
pub(crate) async fn a_version_comes_before_the_status(t: &Fixture) {
    let (done, archived) = (t.done().await, t.archived().await);
    let schedule = ScheduleTask {
        expected_version: Some(Version::new(999)),
        ..calls::schedule(&done.id, calls::olga(), None)
    };
    assert_eq!(kind(t.store.schedule(schedule).await), "version_mismatch");
    let archive = kanban_core::ArchiveTask {
        expected_version: Some(Version::new(999)),
        ..calls::archive(&archived.id, calls::olga())
    };
    assert_eq!(kind(t.store.archive(archive).await), "version_mismatch");
    let update = kanban_core::UpdateTask {
        expected_version: Some(Version::new(999)),
        ..calls::update(&archived.id)
    };
    assert_eq!(kind(t.store.update(update).await), "version_mismatch");
}

/// `WrongStatus` comes before everything else that a rule may refuse. [18.11]
pub(crate) async fn the_status_comes_before_the_rest(t: &Fixture) {
    let (ghost, done) = (calls::task_id("t_ghost"), t.done().await);
    let block = BlockTask {
        on: vec![ghost.clone()],
        ..calls::block_by(&done.id, calls::olga(), WorkerBlockKind::Dependency)
    };
    assert_eq!(wrong_status(t.store.block(block).await), Status::Done);
    let phantom = Complete {
        created_tasks: vec![ghost],
        ..calls::complete_by(&done.id, calls::olga())
    };
    assert_eq!(wrong_status(t.store.complete(phantom).await), Status::Done);
    let claimed = waiting_claim(t).await;
    let promote = t.store.promote(calls::promote(&claimed)).await;
    assert_eq!(wrong_status(promote), Status::Running);
    let keyed = NewTask {
        idempotency_key: Some(label("key")),
        ..calls::new("has the key")
    };
    t.create(keyed).await;
    let piece = kanban_core::Subtask {
        idempotency_key: Some(label("key")),
        ..calls::subtask("a", &[])
    };
    let divided = t
        .store
        .decompose(calls::decompose(&done.id, vec![piece]))
        .await;
    assert_eq!(wrong_status(divided), Status::Done);
}

#[track_caller]
fn wrong_status<T: std::fmt::Debug>(result: kanban_core::Result<T>) -> Status {
    match rejected(result) {
        Rejection::WrongStatus { status, .. } => status,
        other => panic!("expected WrongStatus, found {other:?}"),
    }
}

/// A running task with an unsatisfied parent.
async fn waiting_claim(t: &Fixture) -> TaskId {
    let (parent, claimed) = (t.ready("late").await, t.claimed().await);
    let link = calls::link(&parent.id, &claimed.task.id);
    t.store.link(link).await.unwrap();
    claimed.task.id
}

fn short_queue(t: &Fixture) -> Options {
    Options {
        queue_len_max: 1,
        ..t.options()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}
