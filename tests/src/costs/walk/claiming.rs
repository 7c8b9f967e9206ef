//! Taking work, and keeping it.

use kanban_core::{
    Caps, ClaimFilter, ClaimNext, ClaimTask, NewTask, NextClaim, PauseTarget, Release, Start, Who,
};

use crate::calls;
use crate::costs::fill::CROWD;
use crate::costs::stage::Stage;

pub(super) async fn walk(s: &Stage) {
    let task = s.ready().await;
    let call = ClaimTask {
        request_id: Some(calls::label(&format!("claim-{}", s.round))),
        ..calls::claim(&task)
    };
    let claimed = s.cost("claim", s.store.claim(call.clone())).await.value;
    s.cost("claim, repeated", s.store.claim(call)).await;
    let call = calls::set_worker(&task, claimed.run.id, 7);
    s.cost("set_worker", s.store.set_worker(call)).await;
    s.advance(1).await;
    let call = calls::heartbeat(&claimed);
    s.cost("heartbeat", s.store.heartbeat(call.clone())).await;
    s.advance(1).await;
    let mut noted = call;
    noted.note = Some(calls::note("half of it is done"));
    s.cost("heartbeat, with a note", s.store.heartbeat(noted))
        .await;
    s.complete(&claimed).await;
    expiring(s).await;
}

/// What the clock alone brings about.
async fn expiring(s: &Stage) {
    let day = 24 * 3600;
    // What was claimed before.
    s.advance(day).await;
    let reclaim = || s.store.reclaim_expired(calls::reclaim());
    reclaim().await.expect("a reclaiming");
    s.advance(day).await;
    s.claimed().await;
    s.advance(day).await;
    s.cost("reclaim_expired, 1 claim", reclaim()).await;
    s.cost("reclaim_expired, none", reclaim()).await;
    s.advance(day).await;
    let start = Start::WakeAt(s.clock.time().after(calls::secs(60)));
    s.create(NewTask {
        start,
        ..calls::new("put off")
    })
    .await;
    s.advance(60).await;
    s.cost("wake_due, 1 task", s.store.wake_due(calls::wake()))
        .await;
}

/// On a board where the best tasks are those of the crowd, and the best of those wait for a time.
pub(super) async fn walk_next(s: &Stage) {
    // A lane of nobody, of an assignee, and of a tenant's: as many at every size.
    s.ready().await;
    s.create(NewTask {
        assignee: Some(calls::who("walker")),
        tenant: Some(calls::label("acme")),
        ..calls::new("for the walker")
    })
    .await;
    let take = async |operation: &'static str, call: ClaimNext| {
        let NextClaim::Claimed(claimed) = s.cost(operation, s.store.claim_next(call)).await.value
        else {
            panic!("{operation}: expected a task")
        };
        *claimed
    };
    let first = take("claim_next", calls::claim_next()).await;
    assert_eq!(first.task.assignee, Some(calls::who(CROWD)));

    let target = PauseTarget::Assignee(calls::who(CROWD));
    s.cost("pause", s.store.pause(calls::pause(target.clone())))
        .await;
    let passed = take("claim_next, the crowd is paused", calls::claim_next()).await;
    assert_ne!(passed.task.assignee, Some(calls::who(CROWD)));
    s.cost("resume", s.store.resume(calls::resume(target)))
        .await;

    let capped = |board, assignee| ClaimNext {
        caps: Caps { board, assignee },
        ..calls::claim_next()
    };
    let call = capped(Some(1_000_000), Some(1));
    let under = take("claim_next, the crowd is capped", call).await;
    assert_ne!(under.task.assignee, Some(calls::who(CROWD)));
    let of = |filter: ClaimFilter| ClaimNext {
        filter,
        ..calls::claim_next()
    };
    let filter = ClaimFilter {
        tenant: Some(calls::label("acme")),
        ..ClaimFilter::default()
    };
    let of_tenant = take("claim_next, of a tenant", of(filter)).await;
    let only = |name| ClaimFilter {
        who: Who::Only(vec![calls::who(name)]),
        ..ClaimFilter::default()
    };
    let of_one = take("claim_next, of one assignee", of(only(CROWD))).await;

    let none = s
        .cost(
            "claim_next, the board is capped",
            s.store.claim_next(capped(Some(1), None)),
        )
        .await;
    assert!(matches!(none.value, NextClaim::None { capped: true, .. }));
    s.cost(
        "claim_next, nothing of this assignee",
        s.store.claim_next(of(only("idler"))),
    )
    .await;
    for claimed in [first, passed, under, of_tenant, of_one] {
        s.complete(&claimed).await;
    }
    ripening(s).await;
}

/// Tasks whose back-off has ended are moved into their lanes before the next decision, whatever that is.
async fn ripening(s: &Stage) {
    for _ in 0..5 {
        let claimed = s.claimed().await;
        let call = Release {
            retry_after: Some(calls::retry(10)),
            ..calls::release(&claimed)
        };
        s.store.release(call).await.expect("a release");
    }
    s.clock.advance(calls::secs(10));
    let call = s.store.claim_next(calls::claim_next());
    let answer = s.cost("claim_next, 5 tasks ripen", call).await;
    if let NextClaim::Claimed(claimed) = answer.value {
        s.complete(&claimed).await;
    }
}
