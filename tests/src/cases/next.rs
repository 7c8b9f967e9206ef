//! Taking the best task.

use kanban_core::{
    Caps, ClaimFilter, ClaimNext, EventKind, FailKind, NewTask, NextClaim, PauseTarget, Phase,
    Status, TaskId, Who,
};

use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// The next task is the one of the highest priority, then the oldest, then the first by id. [6.6]
pub(crate) async fn the_next_task_is_the_most_urgent_then_the_oldest(t: &Fixture) {
    let late = ranked(t, 0, 10).await;
    let early = ranked(t, 0, 0).await;
    let low = ranked(t, -5, 0).await;
    let high = ranked(t, 5, 20).await;
    let twin = ranked(t, 0, 10).await;
    let mut expected = vec![high, early, late.clone(), twin.clone(), low];
    if twin < late {
        expected.swap(2, 3);
    }
    assert_eq!(drain(t).await, expected);
}

/// Tasks of all assignees and of none stand in one order. [6.6] [6.7]
pub(crate) async fn tasks_of_all_assignees_stand_in_one_order(t: &Fixture) {
    let mut expected = Vec::new();
    for name in ["bob", "ada", "", "zoe", "ada", ""] {
        t.advance(1);
        let assignee = (!name.is_empty()).then(|| calls::who(name));
        expected.push(
            t.create(NewTask {
                assignee,
                ..calls::new("one of six")
            })
            .await
            .id,
        );
    }
    assert_eq!(drain(t).await, expected);
}

/// Work and review stand in one order unless a phase is asked for. [6.6] [6.7]
pub(crate) async fn a_phase_may_be_asked_for(t: &Fixture) {
    let review = t.in_review().await.id;
    t.advance(1);
    let work = t.ready("work").await.id;
    let of = |phase| ClaimFilter {
        phase: Some(phase),
        ..ClaimFilter::default()
    };
    assert_eq!(take(t, of(Phase::Work)).await, Some(work));
    assert_eq!(take(t, of(Phase::Work)).await, None);
    assert_eq!(take(t, ClaimFilter::default()).await, Some(review));
}

/// Assignees may be asked for, with or without unassigned tasks; nothing else is taken. [6.7]
pub(crate) async fn assignees_may_be_asked_for(t: &Fixture) {
    let (ada, bob, none) = (
        t.ready_for("ada").await.id,
        t.ready_for("bob").await.id,
        t.ready("unassigned").await.id,
    );
    let of = |who| ClaimFilter {
        who,
        ..ClaimFilter::default()
    };
    let only = |names: &[&str]| {
        names
            .iter()
            .map(|name| calls::who(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(take(t, of(Who::Only(only(&["zoe"])))).await, None);
    assert_eq!(
        take(t, of(Who::Only(only(&["zoe", "bob"])))).await,
        Some(bob)
    );
    assert_eq!(take(t, of(Who::Only(only(&["bob"])))).await, None);
    assert_eq!(take(t, of(Who::Nobody)).await, Some(none));
    assert_eq!(take(t, of(Who::Nobody)).await, None);
    assert_eq!(take(t, of(Who::OnlyOrNobody(only(&["bob"])))).await, None);
    assert_eq!(
        take(t, of(Who::OnlyOrNobody(only(&["ada"])))).await,
        Some(ada)
    );
}

/// An assignee that is asked for twice is asked for once. [6.7]
pub(crate) async fn an_assignee_named_twice_is_one(t: &Fixture) {
    let task = t.ready_for("ada").await.id;
    let who = Who::Only(vec![calls::who("ada"), calls::who("ADA")]);
    assert_eq!(
        take(
            t,
            ClaimFilter {
                who,
                ..ClaimFilter::default()
            }
        )
        .await,
        Some(task)
    );
}

/// A tenant may be asked for; a task of another, or of none, is not taken. [6.7]
pub(crate) async fn a_tenant_may_be_asked_for(t: &Fixture) {
    let of = |tenant: &str| NewTask {
        tenant: Some(calls::label(tenant)),
        ..calls::new("owned")
    };
    t.ready("of nobody").await;
    t.create(of("other")).await;
    let wanted = t.create(of("acme")).await.id;
    let filter = ClaimFilter {
        tenant: Some(calls::label("acme")),
        ..ClaimFilter::default()
    };
    assert_eq!(take(t, filter.clone()).await, Some(wanted));
    assert_eq!(take(t, filter).await, None);
}

/// Phase, assignee and tenant hold together. [6.7]
pub(crate) async fn all_parts_of_a_filter_hold_together(t: &Fixture) {
    let new = |name: &str, tenant: &str| NewTask {
        assignee: Some(calls::who(name)),
        tenant: Some(calls::label(tenant)),
        ..calls::new("one of four")
    };
    t.create(new("ada", "other")).await;
    t.create(new("bob", "acme")).await;
    let review = t.create(new("ada", "acme")).await;
    let claimed = t.claim(&review.id).await;
    t.hand_in(&claimed).await;
    let filter = ClaimFilter {
        phase: Some(Phase::Work),
        who: Who::Only(vec![calls::who("ada")]),
        tenant: Some(calls::label("acme")),
    };
    assert_eq!(take(t, filter.clone()).await, None);
    let wanted = t.create(new("ada", "acme")).await.id;
    assert_eq!(take(t, filter).await, Some(wanted));
}

/// Tasks in back-off are passed over, and taken in their order once their time has come. [6.8]
pub(crate) async fn a_task_in_back_off_is_passed_over_until_its_time(t: &Fixture) {
    let first = ranked(t, 9, 0).await;
    let second = ranked(t, 0, 0).await;
    let claimed = t.claim(&first).await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    assert_eq!(take(t, ClaimFilter::default()).await, Some(second));
    assert_eq!(take(t, ClaimFilter::default()).await, None);
    ranked(t, 8, 0).await;
    t.clock.jump(failed.not_before.unwrap());
    assert_eq!(take(t, ClaimFilter::default()).await, Some(first));
}

/// Ripening writes no event and moves no version. [6.8]
pub(crate) async fn ripening_leaves_no_trace_on_the_card(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    let events = t.events_of(&failed.id).await.len();
    t.clock.jump(failed.not_before.unwrap());
    let other = ranked(t, 9, 0).await;
    assert_eq!(take(t, ClaimFilter::default()).await, Some(other));
    let ripe = t.task(&failed.id).await;
    assert_eq!(
        (ripe.version, ripe.updated_at),
        (failed.version, failed.updated_at)
    );
    assert_eq!(t.events_of(&failed.id).await.len(), events);
}

/// A task that was ripe and fails again waits again. [6.8]
pub(crate) async fn a_task_ripens_more_than_once(t: &Fixture) {
    let task = t.ready("unlucky").await.id;
    for _ in 0..3 {
        let claimed = t.claim_next().await.expect("expected the task, found none");
        let failed = t.fail(&claimed, FailKind::RateLimited).await.task;
        assert_eq!(take(t, ClaimFilter::default()).await, None);
        t.clock.jump(failed.not_before.unwrap());
    }
    assert_eq!(take(t, ClaimFilter::default()).await, Some(task));
}

/// A cap of the board limits the running tasks, whoever runs them. [6.9]
pub(crate) async fn a_cap_of_the_board_limits_all_running_tasks(t: &Fixture) {
    for _ in 0..4 {
        t.ready("one of four").await;
    }
    t.claim_next().await.unwrap();
    let caps = Caps {
        board: Some(2),
        assignee: None,
    };
    assert!(matches!(capped(t, caps).await, NextClaim::Claimed(_)));
    let full = NextClaim::None {
        next_at: None,
        paused: false,
        capped: true,
    };
    assert_eq!(capped(t, caps).await, full);
    let none = Caps {
        board: Some(0),
        assignee: None,
    };
    assert_eq!(capped(t, none).await, full);
}

/// A cap per assignee passes over the tasks of the assignees that are full, and takes the next. [6.9]
pub(crate) async fn a_cap_per_assignee_passes_over_the_full_ones(t: &Fixture) {
    for name in ["ada", "ada", "bob"] {
        t.advance(1);
        t.ready_for(name).await;
    }
    let caps = Caps {
        board: None,
        assignee: Some(1),
    };
    let mut assignees = Vec::new();
    while let NextClaim::Claimed(claimed) = capped(t, caps).await {
        assignees.push(claimed.task.assignee.unwrap().to_string());
    }
    assert_eq!(assignees, ["ada", "bob"]);
    let full = NextClaim::None {
        next_at: None,
        paused: false,
        capped: true,
    };
    assert_eq!(capped(t, caps).await, full);
}

/// Unassigned tasks count for the board's cap only. [6.9]
pub(crate) async fn unassigned_tasks_have_no_cap_of_their_own(t: &Fixture) {
    for _ in 0..3 {
        t.ready("unassigned").await;
    }
    let caps = Caps {
        board: None,
        assignee: Some(1),
    };
    for _ in 0..3 {
        assert!(matches!(capped(t, caps).await, NextClaim::Claimed(_)));
    }
}

/// A running review counts for its assignee, and an ended run no more. [6.9]
pub(crate) async fn a_cap_counts_what_runs_now(t: &Fixture) {
    let caps = Caps {
        board: Some(1),
        assignee: Some(1),
    };
    let reviewing = t.reviewing().await;
    t.ready("next").await;
    assert!(matches!(
        capped(t, caps).await,
        NextClaim::None { capped: true, .. }
    ));
    t.complete(&reviewing).await;
    assert!(matches!(capped(t, caps).await, NextClaim::Claimed(_)));
}

/// Two dispatchers cannot exceed a cap together. [6.9]
pub(crate) async fn racing_claims_do_not_exceed_a_cap(t: &Fixture) {
    for _ in 0..16 {
        t.ready_for("ada").await;
    }
    let caps = Caps {
        board: Some(5),
        assignee: Some(3),
    };
    let found = race(16, |_| pollster::block_on(capped(t, caps)));
    let claimed = found
        .iter()
        .filter(|found| matches!(found, NextClaim::Claimed(_)))
        .count();
    assert_eq!(claimed, 3);
}

/// With nothing to take the answer says why: nothing there. [6.10]
pub(crate) async fn an_empty_board_has_nothing_to_take(t: &Fixture) {
    let nothing = NextClaim::None {
        next_at: None,
        paused: false,
        capped: false,
    };
    assert_eq!(t.nothing_written(capped(t, Caps::default())).await, nothing);
    t.todo().await;
    t.claim_next().await.unwrap();
    assert_eq!(t.nothing_written(capped(t, Caps::default())).await, nothing);
}

/// With nothing to take the answer names the time at which a task of the filter ripens first. [6.10]
pub(crate) async fn nothing_to_take_names_the_next_time(t: &Fixture) {
    let mut times = Vec::new();
    for name in ["ada", "bob"] {
        let task = t.ready_for(name).await;
        let claimed = t.claim(&task.id).await;
        times.push(
            t.fail(&claimed, FailKind::Crashed)
                .await
                .task
                .not_before
                .unwrap(),
        );
        t.advance(2);
    }
    assert_eq!(next_at(t, Who::Anyone).await, times.iter().min().copied());
    assert_eq!(
        next_at(t, Who::Only(vec![calls::who("bob")])).await,
        Some(times[1])
    );
    assert_eq!(next_at(t, Who::Only(vec![calls::who("zoe")])).await, None);
}

/// With nothing to take the answer says whether a pause held a task back. [6.10] [8.1] [8.2]
pub(crate) async fn nothing_to_take_tells_of_a_pause(t: &Fixture) {
    t.ready_for("ada").await;
    for target in [PauseTarget::Assignee(calls::who("ada")), PauseTarget::Board] {
        t.store.pause(calls::pause(target.clone())).await.unwrap();
        if target == PauseTarget::Board {
            break;
        }
        let held = NextClaim::None {
            next_at: None,
            paused: true,
            capped: false,
        };
        assert_eq!(t.nothing_written(capped(t, Caps::default())).await, held);
        t.store.resume(calls::resume(target)).await.unwrap();
    }
    let result = t
        .nothing_written(t.store.claim_next(calls::claim_next()))
        .await;
    assert_eq!(crate::answers::kind(result), "not_claimable");
}

/// Tasks of a paused assignee are passed over for the next. [6.7] [8.2]
pub(crate) async fn a_paused_assignee_is_passed_over(t: &Fixture) {
    t.ready_for("ada").await;
    t.advance(1);
    let bob = t.ready_for("bob").await.id;
    let target = PauseTarget::Assignee(calls::who("ada"));
    t.store.pause(calls::pause(target)).await.unwrap();
    assert_eq!(take(t, ClaimFilter::default()).await, Some(bob));
    assert_eq!(take(t, ClaimFilter::default()).await, None);
}

/// However many tasks stand in the way, paused, capped or waiting, the one behind them is found. [6.11] [6.8]
pub(crate) async fn a_claim_finds_its_way_past_many_that_cannot_be_taken(t: &Fixture) {
    let high = |name: &str| NewTask {
        priority: 9,
        assignee: Some(calls::who(name)),
        ..calls::new("in the way")
    };
    let item = |name| kanban_core::NewItem {
        task: high(name),
        parents: vec![],
    };
    for name in ["paused", "capped"] {
        t.store
            .create_many(calls::many(vec![item(name); 500]))
            .await
            .unwrap();
    }
    let target = PauseTarget::Assignee(calls::who("paused"));
    t.store.pause(calls::pause(target)).await.unwrap();
    let wanted = t.ready_for("free").await.id;
    let caps = Caps {
        board: None,
        assignee: Some(1),
    };
    assert!(matches!(capped(t, caps).await, NextClaim::Claimed(_)));
    let NextClaim::Claimed(found) = capped(t, caps).await else {
        panic!("expected the free one, found nothing")
    };
    assert_eq!(found.task.id, wanted);
}

/// A taken task is claimed as by `claim`: one run, one event. [6.6] [6.2]
pub(crate) async fn a_taken_task_is_claimed_as_by_claim(t: &Fixture) {
    let task = t.ready("wanted").await;
    let call = ClaimNext {
        ttl: Some(calls::ttl(60)),
        ..calls::claim_next()
    };
    let (found, events) = t.events_by(t.store.claim_next(call)).await;
    let NextClaim::Claimed(claimed) = found else {
        panic!("expected a task, found {found:?}")
    };
    assert_eq!(crate::answers::kinds(&events), [EventKind::Claimed]);
    let claim = claimed.task.claim.as_ref().unwrap();
    assert_eq!(
        (claim.expires_at, claim.run),
        (t.in_secs(60), claimed.run.id)
    );
    assert_eq!(t.task(&task.id).await, claimed.task);
    assert_eq!(t.runs(&task.id).await, [claimed.run]);
}

/// A task with a priority, created so many seconds after the start.
async fn ranked(t: &Fixture, priority: i32, after: u64) -> TaskId {
    let now = t.now();
    t.clock
        .jump(crate::clock::TestClock::START.after(calls::secs(after)));
    let task = t
        .create(NewTask {
            priority,
            ..calls::new("ranked")
        })
        .await;
    assert_eq!(task.status, Status::Ready);
    t.clock.jump(now);
    task.id
}

/// Claims until nothing is left.
async fn drain(t: &Fixture) -> Vec<TaskId> {
    let mut found = Vec::new();
    while let Some(claimed) = t.claim_next().await {
        found.push(claimed.task.id);
    }
    found
}

async fn take(t: &Fixture, filter: ClaimFilter) -> Option<TaskId> {
    let call = ClaimNext {
        filter,
        ..calls::claim_next()
    };
    match t.store.claim_next(call).await.unwrap().value {
        NextClaim::Claimed(claimed) => Some(claimed.task.id),
        NextClaim::None { .. } => None,
    }
}

async fn capped(t: &Fixture, caps: Caps) -> NextClaim {
    let call = ClaimNext {
        caps,
        ..calls::claim_next()
    };
    t.store.claim_next(call).await.unwrap().value
}

async fn next_at(t: &Fixture, who: Who) -> Option<kanban_core::Millis> {
    let filter = ClaimFilter {
        who,
        ..ClaimFilter::default()
    };
    let call = ClaimNext {
        filter,
        ..calls::claim_next()
    };
    match t.store.claim_next(call).await.unwrap().value {
        NextClaim::None { next_at, .. } => next_at,
        NextClaim::Claimed(claimed) => panic!("expected nothing, found {claimed:?}"),
    }
}

/// A back-off that was reached is over, and a clock that is set back does not bring it back: not for `claim_next`,
/// behind a cap or not, and not for `claim`. [6.8] [6.10] [1.3]
pub(crate) async fn a_back_off_that_was_reached_does_not_come_back(t: &Fixture) {
    // The time stayed on the task once, and was looked at again by whoever came to it. After the clock was set back
    // each `claim_next` on a board with many such tasks asked for one after the other; and where a cap held the first
    // task of a queue, those behind it were not seen, and the answer told no time to ask again. A history found it.
    for free in [true, false] {
        let claimed = t.claimed().await;
        let failed = t.fail(&claimed, FailKind::Crashed).await.task;
        let first = ranked(t, 9, 0).await;
        let right = t.now();
        t.clock.jump(failed.not_before.unwrap());
        t.store.claim(calls::claim(&first)).await.unwrap();
        t.clock.jump(right.before(calls::secs(3600)));
        let ripe = t.task(&failed.id).await;
        assert_eq!((ripe.status, ripe.not_before), (Status::Ready, None));
        let caps = Caps {
            board: Some(1),
            assignee: None,
        };
        let full = NextClaim::None {
            next_at: None,
            paused: false,
            capped: true,
        };
        assert_eq!(capped(t, caps).await, full);
        if free {
            assert_eq!(take(t, ClaimFilter::default()).await, Some(failed.id));
        } else {
            t.claim(&failed.id).await;
        }
        t.clock.jump(right);
    }
}

/// A refused command is one, too: the back-offs that are reached end before it. [6.8]
pub(crate) async fn a_refused_command_ends_back_offs_as_well(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    t.clock.jump(failed.not_before.unwrap());
    assert_eq!(t.task(&failed.id).await.not_before, failed.not_before);
    let again = t.store.complete(calls::complete(&claimed)).await;
    assert_eq!(crate::answers::kind(again), "stale_run");
    assert_eq!(t.task(&failed.id).await.not_before, None);
}

/// A task that could not be claimed when its back-off was reached lands without it. [6.8] [2.4]
pub(crate) async fn a_task_lands_without_a_back_off_that_is_reached(t: &Fixture) {
    let (parent, claimed) = (t.ready("first").await, t.claimed().await);
    let link = calls::link(&parent.id, &claimed.task.id);
    t.store.link(link).await.unwrap();
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    assert_eq!(failed.status, Status::Todo);
    t.clock.jump(failed.not_before.unwrap());
    let parent = t.claim(&parent.id).await;
    assert_eq!(t.task(&failed.id).await.not_before, failed.not_before);
    t.complete(&parent).await;
    let landed = t.task(&failed.id).await;
    assert_eq!((landed.status, landed.not_before), (Status::Ready, None));
}

/// With nothing to take behind a cap the answer still names the time of those that wait. [6.10] [6.9]
pub(crate) async fn a_cap_hides_no_time_to_ask_again(t: &Fixture) {
    let claimed = t.claimed().await;
    let failed = t.fail(&claimed, FailKind::Crashed).await.task;
    t.ready("held by the cap").await;
    let caps = Caps {
        board: Some(0),
        assignee: None,
    };
    let full = NextClaim::None {
        next_at: failed.not_before,
        paused: false,
        capped: true,
    };
    assert_eq!(capped(t, caps).await, full);
}
