//! Signs of life.

use kanban_core::{ClaimTask, EventKind, Heartbeat, NewTask};

use crate::answers::{data, kinds};
use crate::calls;
use crate::fixture::Fixture;

/// A heartbeat says that the worker lives now and moves the deadline. [6.12]
pub(crate) async fn a_heartbeat_moves_the_deadline(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(60);
    let beat = Heartbeat {
        extend: Some(calls::ttl(1200)),
        ..calls::heartbeat(&claimed)
    };
    let claim = t.store.heartbeat(beat).await.unwrap().value;
    assert_eq!(
        (claim.heartbeat_at, claim.expires_at),
        (Some(t.now()), t.in_secs(1200))
    );
    assert_eq!(t.task(&claimed.task.id).await.claim, Some(claim));
}

/// A heartbeat never shortens a claim. [6.12]
pub(crate) async fn a_heartbeat_never_shortens_a_claim(t: &Fixture) {
    let claimed = t.claimed().await;
    let before = claimed.task.claim.as_ref().unwrap().expires_at;
    let beat = Heartbeat {
        extend: Some(calls::ttl(1)),
        ..calls::heartbeat(&claimed)
    };
    let claim = t.store.heartbeat(beat).await.unwrap().value;
    assert_eq!(
        (claim.heartbeat_at, claim.expires_at),
        (Some(t.now()), before)
    );
}

/// A heartbeat never moves the deadline past the run's time limit. [6.12] [6.3]
pub(crate) async fn a_heartbeat_never_passes_the_time_limit(t: &Fixture) {
    let max_runtime = Some(calls::secs(90));
    let task = t
        .create(NewTask {
            max_runtime,
            ..calls::new("timed")
        })
        .await;
    let call = ClaimTask {
        ttl: Some(calls::ttl(10)),
        ..calls::claim(&task.id)
    };
    let claimed = t.store.claim(call).await.unwrap().value;
    let end = t.in_secs(90);
    for _ in 0..3 {
        t.advance(40);
        let beat = Heartbeat {
            extend: Some(calls::ttl(60)),
            ..calls::heartbeat(&claimed)
        };
        let claim = t.store.heartbeat(beat).await.unwrap().value;
        assert_eq!(claim.expires_at, end.min(t.in_secs(60)));
    }
}

/// A heartbeat without a note writes no event. [6.12]
pub(crate) async fn a_heartbeat_without_a_note_writes_no_event(t: &Fixture) {
    let claimed = t.claimed().await;
    t.advance(60);
    let (_, events) = t
        .events_by(t.store.heartbeat(calls::heartbeat(&claimed)))
        .await;
    assert_eq!(kinds(&events), []);
}

/// A heartbeat with a note writes the event `heartbeat` with it. [6.12]
pub(crate) async fn a_heartbeat_with_a_note_writes_it_down(t: &Fixture) {
    let claimed = t.claimed().await;
    let note = Some(calls::note("half done"));
    let beat = Heartbeat {
        note,
        ..calls::heartbeat(&claimed)
    };
    let (_, events) = t.events_by(t.store.heartbeat(beat)).await;
    assert_eq!(kinds(&events), [EventKind::Heartbeat]);
    assert_eq!(data(&events[0], "note"), "half done");
    assert_eq!(events[0].run, Some(claimed.run.id));
}

/// An operator may extend a claim for its worker. [6.12] [4.4]
pub(crate) async fn an_operator_may_extend_a_claim(t: &Fixture) {
    let claimed = t.claimed().await;
    let beat = Heartbeat {
        extend: Some(calls::ttl(7200)),
        ..calls::heartbeat_by(&claimed.task.id, calls::olga())
    };
    let claim = t.store.heartbeat(beat).await.unwrap().value;
    assert_eq!(claim.expires_at, t.in_secs(7200));
}

/// The worker's process is stored on the claim and on the run, with the event `spawned`. [6.13]
pub(crate) async fn a_workers_process_is_kept_with_its_run(t: &Fixture) {
    let claimed = t.claimed().await;
    let (id, run) = (&claimed.task.id, claimed.run.id);
    let call = calls::set_worker(id, run, 4711);
    let (claim, events) = t.events_by(t.store.set_worker(call)).await;
    assert_eq!(claim.worker, Some(calls::process(4711)));
    assert_eq!(t.task(id).await.claim, Some(claim));
    assert_eq!(t.run(id, run).await.worker, Some(calls::process(4711)));
    assert_eq!(kinds(&events), [EventKind::Spawned]);
    assert_eq!(
        (events[0].run, data(&events[0], "pid").as_u64()),
        (Some(run), Some(4711))
    );
}

/// Another process replaces the first, with an event again. [6.13]
pub(crate) async fn another_process_replaces_the_first(t: &Fixture) {
    let claimed = t.claimed().await;
    let (id, run) = (&claimed.task.id, claimed.run.id);
    t.store
        .set_worker(calls::set_worker(id, run, 1))
        .await
        .unwrap();
    let call = calls::set_worker(id, run, 2);
    let (claim, events) = t.events_by(t.store.set_worker(call)).await;
    assert_eq!(claim.worker, Some(calls::process(2)));
    assert_eq!(kinds(&events), [EventKind::Spawned]);
    assert_eq!(t.run(id, run).await.worker, Some(calls::process(2)));
}

/// A process is told only of a run of the task. [6.13] [4.3]
pub(crate) async fn a_process_belongs_to_a_run_of_its_task(t: &Fixture) {
    let (claimed, other) = (t.claimed().await, t.claimed().await);
    let call = calls::set_worker(&claimed.task.id, other.run.id, 1);
    let result = t.nothing_written(t.store.set_worker(call)).await;
    assert_eq!(crate::answers::kind(result), "not_found");
}
