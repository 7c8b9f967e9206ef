//! Finishing work, holding it back, planning it, and the archive.

use kanban_core::{FailKind, PromoteTask, Rejection, Start, WorkerBlockKind};

use crate::calls;
use crate::costs::stage::Stage;

pub(super) async fn walk(s: &Stage) {
    for (operation, children) in [
        ("complete", 0),
        ("complete, 1 child", 1),
        ("complete, 10 children", 10),
    ] {
        let parent = s.parent_of(children).await;
        let claimed = s.claim(&parent).await;
        let mut call = calls::complete(&claimed);
        call.summary = Some(calls::note("written"));
        call.result = Some(calls::long("A report."));
        s.cost(operation, s.store.complete(call)).await;
        if children == 0 {
            let again = s.store.complete(calls::complete(&claimed));
            s.cost("complete, repeated", again).await;
        }
    }
    let claimed = s.claimed().await;
    let call = calls::release_by(&claimed.task.id, calls::olga());
    s.cost("release", s.store.release(call)).await;
    let refused = s
        .cost_refused(
            "complete, by a stale run",
            s.store.complete(calls::complete(&claimed)),
        )
        .await;
    let is_stale = matches!(refused.rejection(), Some(Rejection::StaleRun { .. }));
    assert!(is_stale, "found {refused}");

    let claimed = s.claimed().await;
    let call = calls::fail(&claimed, FailKind::Crashed);
    s.cost("fail", s.store.fail(call)).await;
    let claimed = s.claimed().await;
    let call = calls::block(&claimed, WorkerBlockKind::NeedsInput);
    s.cost("block", s.store.block(call)).await;
    let task = claimed.task.id;
    s.cost("unblock", s.store.unblock(calls::unblock(&task)))
        .await;
    let call = calls::schedule(&task, calls::olga(), None);
    s.cost("schedule", s.store.schedule(call)).await;
    let call = PromoteTask {
        task: task.clone(),
        ..calls::promote(&task)
    };
    s.cost("promote", s.store.promote(call)).await;

    let claimed = s.claimed().await;
    let task = claimed.task.id.clone();
    let call = calls::request_review(&task, calls::worker(&claimed));
    s.cost("request_review", s.store.request_review(call)).await;
    let claimed = s.claim(&task).await;
    let call = calls::request_changes(&task, calls::worker(&claimed));
    s.cost("request_changes", s.store.request_changes(call))
        .await;
    together(s).await;
}

/// What many callers at once pay: all in one commit.
async fn together(s: &Stage) {
    let creates = (0..64).map(|_| s.store.create(calls::new("one of 64")));
    let tasks = s
        .cost_together("64 creates together", creates.collect())
        .await;
    let claims = tasks
        .iter()
        .map(|task| s.store.claim(calls::claim(&task.id)));
    let claims = s
        .cost_together("64 claims together", claims.collect())
        .await;
    s.advance(1).await;
    let beats = claims
        .iter()
        .map(|claimed| s.store.heartbeat(calls::heartbeat(claimed)));
    s.cost_together("64 heartbeats together", beats.collect())
        .await;
    let ends = claims
        .iter()
        .map(|claimed| s.store.complete(calls::complete(claimed)));
    s.cost_together("64 completes together", ends.collect())
        .await;
}

pub(super) async fn walk_plans(s: &Stage) {
    let task = s.done().await;
    let child = s.create(calls::child_of(&[&task])).await.id;
    let claimed = s.claim(&child).await;
    s.complete(&claimed).await;
    s.cost("reopen, 1 descendant", s.store.reopen(calls::reopen(&task)))
        .await;
    let raw = |title| kanban_core::NewTask {
        start: Start::Triage,
        ..calls::new(title)
    };
    let idea = s.create(raw("an idea")).await.id;
    let mut call = calls::specify(&idea);
    call.title = Some(calls::title("A task"));
    s.cost("specify", s.store.specify(call)).await;
    let idea = s.create(raw("a large idea")).await.id;
    let pieces = vec![
        calls::subtask("one", &[]),
        calls::subtask("two", &[]),
        calls::subtask("three", &[0, 1]),
    ];
    let call = calls::decompose(&idea, pieces);
    s.cost("decompose, 3 subtasks", s.store.decompose(call))
        .await;

    let task = s.done().await;
    let call = calls::archive(&task, calls::olga());
    s.cost("archive", s.store.archive(call)).await;
    s.cost("restore", s.store.restore(calls::restore(&task)))
        .await;
    let call = calls::archive(&task, calls::olga());
    s.store.archive(call).await.expect("an archiving");
    s.cost("delete", s.store.delete(calls::delete(&task))).await;
}
