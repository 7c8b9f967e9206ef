//! What holds after every history, seen from outside. `verify` looks at all of it after every case too.

use std::collections::{BTreeMap, BTreeSet};

use kanban_core::{EventKind, List, ListOrder, Phase, Run, Status, Task, TaskId};

use crate::answers::data;
use crate::calls::{self, label, who};
use crate::fixture::Fixture;
use crate::threads::race;
use crate::walk::Walk;

/// running ⇔ a claim is present ⇔ exactly one open run, and it is the claim's. [17.1]
pub(crate) async fn a_running_task_has_a_claim_and_one_open_run(t: &Fixture) {
    let mut walk = Walk::new(t, 1701);
    for _ in 0..8 {
        walk.steps(25).await;
        for task in t.tasks().await {
            let runs = t.runs(&task.id).await;
            let open: Vec<_> = runs
                .iter()
                .filter(|run| run.is_open())
                .map(|run| run.id)
                .collect();
            let claimed: Vec<_> = task.claim.iter().map(|claim| claim.run).collect();
            assert_eq!(open, claimed, "of {task:?}");
            assert_eq!(task.status == Status::Running, task.claim.is_some());
        }
    }
}

/// A run has an outcome ⇔ it has ended. [17.2]
pub(crate) async fn a_run_has_an_outcome_when_it_has_ended(t: &Fixture) {
    for run in runs_after(t, 1702).await {
        assert_eq!(run.outcome.is_some(), run.ended_at.is_some(), "of {run:?}");
    }
}

/// A run does not end before it started, whatever the clock did. [17.3]
pub(crate) async fn no_run_ends_before_it_started(t: &Fixture) {
    for run in runs_after(t, 1703).await {
        assert!(
            run.ended_at.is_none_or(|end| run.started_at <= end),
            "found {run:?}"
        );
    }
}

/// A task is done ⇔ it has a time of completion; an archived one iff it was done. [17.4]
pub(crate) async fn a_done_task_has_a_time_of_completion(t: &Fixture) {
    for task in after(t, 1704).await {
        let status = match &task.archived_from {
            Some(from) => from.status,
            None => task.status,
        };
        assert_eq!(
            task.completed_at.is_some(),
            status == Status::Done,
            "of {task:?}"
        );
    }
}

/// `open_parents` is the number of unsatisfied parents, in every status. [17.5]
pub(crate) async fn open_parents_is_the_number_of_unsatisfied_parents(t: &Fixture) {
    let tasks = after(t, 1705).await;
    let by_id: BTreeMap<_, _> = tasks.iter().map(|task| (&task.id, task)).collect();
    for task in &tasks {
        let parents = t.parents(&task.id).await;
        let open = parents
            .iter()
            .filter(|&id| !by_id[id].status.satisfies_children());
        assert_eq!(task.open_parents as usize, open.count(), "of {task:?}");
    }
}

/// todo, ready and review are where parents and phase say. [17.6]
pub(crate) async fn waiting_tasks_are_where_parents_and_phase_say(t: &Fixture) {
    for task in after(t, 1706).await {
        let expected = match (task.open_parents, task.phase) {
            (0, Phase::Work) => Status::Ready,
            (0, Phase::Review) => Status::Review,
            _ => Status::Todo,
        };
        if matches!(task.status, Status::Todo | Status::Ready | Status::Review) {
            assert_eq!(task.status, expected, "of {task:?}");
        }
    }
}

/// Links join existing tasks, are the same from both ends, and have no cycle. [17.7]
pub(crate) async fn links_join_existing_tasks_without_a_cycle(t: &Fixture) {
    let tasks = after(t, 1707).await;
    let mut waits_for = BTreeMap::new();
    for task in &tasks {
        let parents: BTreeSet<TaskId> = t.parents(&task.id).await.into_iter().collect();
        for parent in &parents {
            assert!(t.children(parent).await.contains(&task.id));
        }
        waits_for.insert(task.id.clone(), parents);
    }
    while !waits_for.is_empty() {
        let before = waits_for.len();
        let left: BTreeSet<TaskId> = waits_for.keys().cloned().collect();
        waits_for.retain(|_, parents| parents.iter().any(|parent| left.contains(parent)));
        assert!(waits_for.len() < before, "a cycle among {left:?}");
    }
}

/// Ids of events increase and their seqs do not fall; their tasks and runs exist, or were deleted. [17.8]
pub(crate) async fn events_are_in_order_and_of_something(t: &Fixture) {
    let tasks: BTreeSet<_> = after(t, 1708)
        .await
        .into_iter()
        .map(|task| task.id)
        .collect();
    let events = t.events().await;
    assert!(events.is_sorted_by(|a, b| a.id < b.id && a.seq <= b.seq));
    let runs: BTreeSet<_> = all_runs(t).await.into_iter().map(|run| run.id).collect();
    for event in &events {
        let known = event.task.as_ref().is_none_or(|task| tasks.contains(task));
        assert!(known, "of an unknown task: {event:?}");
        let known = event.run.is_none_or(|run| runs.contains(&run));
        assert!(known, "of an unknown run: {event:?}");
    }
}

/// Each run that was claimed has its one `claimed` event, and no other run has one. [17.9]
pub(crate) async fn each_claimed_run_has_its_event(t: &Fixture) {
    for run in runs_after(t, 1709).await {
        let events = t.events_of(&run.task).await;
        let mine = |e: &&kanban_core::Event| e.run == Some(run.id) && e.kind == EventKind::Claimed;
        let count = events.iter().filter(mine).count();
        assert_eq!(count, usize::from(run.claimant.is_some()), "of {run:?}");
    }
}

/// No cursor is ahead of the log. [17.10]
pub(crate) async fn no_cursor_is_ahead_of_the_log(t: &Fixture) {
    t.subscribe_board("first").await;
    let tasks = after(t, 1710).await;
    let last = t.events().await.last().unwrap().id;
    let board = kanban_core::SubscriptionsAfter {
        task: None,
        after: None,
        limit: 1000,
    };
    let subscriptions = t.store.subscriptions(board).await.unwrap().value;
    assert!(
        subscriptions.len() > 1,
        "found {subscriptions:?} on {} tasks",
        tasks.len()
    );
    for subscription in subscriptions {
        assert!(subscription.cursor <= last, "found {subscription:?}");
    }
}

/// The counters of stats equal a recount. [17.11] [15.8]
pub(crate) async fn the_counters_equal_a_recount(t: &Fixture) {
    let mut walk = Walk::new(t, 1711);
    for _ in 0..5 {
        walk.steps(40).await;
        let mut recount = BTreeMap::new();
        let tasks = t.tasks().await;
        for task in &tasks {
            *recount
                .entry((task.status, task.assignee.clone()))
                .or_insert(0_u64) += 1;
        }
        let stats = t.store.stats().await.unwrap().value;
        let rows = stats.rows.into_iter();
        let counted: BTreeMap<_, _> = rows.map(|r| ((r.status, r.assignee), r.tasks)).collect();
        assert_eq!(counted, recount);
        let ready = tasks.iter().filter(|task| task.status == Status::Ready);
        assert_eq!(stats.oldest_ready, ready.map(|task| task.created_at).min());
    }
}

/// Keys are unique among tasks that are not archived, request ids among open claims. [17.12]
pub(crate) async fn keys_and_request_ids_are_unique(t: &Fixture) {
    let mut walk = Walk::new(t, 1712);
    for _ in 0..5 {
        walk.steps(40).await;
        let tasks = t.tasks().await;
        let live = tasks.iter().filter(|task| task.status != Status::Archived);
        unique(live.filter_map(|task| task.idempotency_key.clone()));
        let claims = tasks.iter().filter_map(|task| task.claim.clone());
        unique(claims.filter_map(|claim| claim.request_id));
    }
}

/// Every question that an index answers is answered as by looking at every task. [17.13] [15.2]
pub(crate) async fn every_index_holds_what_the_rows_say(t: &Fixture) {
    let tasks = after(t, 1713).await;
    for &status in Status::ALL {
        let list = List {
            statuses: vec![status],
            ..calls::list_all()
        };
        same(t, list, &tasks, |task| task.status == status).await;
    }
    for name in [Some("amy"), Some("bob"), None] {
        let list = List {
            assignee: Some(name.map(who)),
            ..calls::list_all()
        };
        same(t, list, &tasks, |task| task.assignee == name.map(who)).await;
    }
    let list = List {
        tenant: Some(label("acme")),
        ..calls::list_all()
    };
    same(t, list, &tasks, |task| task.tenant == Some(label("acme"))).await;
    for &phase in Phase::ALL {
        let list = List {
            phase: Some(phase),
            ..calls::list_all()
        };
        same(t, list, &tasks, |task| task.phase == phase).await;
    }
    for order in [ListOrder::Oldest, ListOrder::Newest, ListOrder::Updated] {
        let list = List {
            order,
            ..calls::list_all()
        };
        same(t, list, &tasks, |_| true).await;
    }
}

/// The queue gives the tasks in the order that a look at every task says. [17.13] [6.6]
pub(crate) async fn the_queue_gives_what_the_rows_say(t: &Fixture) {
    after(t, 1714).await;
    let resume = calls::resume(kanban_core::PauseTarget::Assignee(who("amy")));
    t.store.resume(resume).await.unwrap();
    loop {
        let tasks = t.tasks().await;
        let ripe = |task: &&Task| task.not_before.is_none_or(|at| at <= t.now());
        let claimable = tasks
            .iter()
            .filter(|task| task.status.is_claimable())
            .filter(ripe);
        let best = claimable
            .min_by_key(|task| (-i64::from(task.priority), task.created_at, task.id.clone()));
        let next = t.claim_next().await;
        assert_eq!(
            next.map(|claimed| claimed.task.id),
            best.map(|task| task.id.clone())
        );
        if best.is_none() {
            break;
        }
    }
}

/// Of all who ever claimed a task exactly one has its complete accepted. [17.14] [4.5]
pub(crate) async fn one_claimant_has_its_complete_accepted(t: &Fixture) {
    let task = t.ready("fought for").await;
    let mut claims = Vec::new();
    for _ in 0..6 {
        claims.push(t.claim(&task.id).await);
        t.advance(3600);
        t.store.reclaim_expired(calls::reclaim()).await.unwrap();
        t.store.unblock(calls::unblock(&task.id)).await.ok();
        t.store.promote(calls::promote(&task.id)).await.unwrap();
    }
    claims.push(t.claim(&task.id).await);
    let last = claims.last().unwrap().run.id;
    let accepted = race(claims.len(), |number| {
        let complete = t.store.complete(calls::complete(&claims[number]));
        pollster::block_on(complete).is_ok()
    });
    assert_eq!(accepted.iter().filter(|&&ok| ok).count(), 1);
    assert!(accepted.last().unwrap(), "found {accepted:?}");
    let event = t.last_event(&task.id).await;
    assert_eq!((event.kind, event.run), (EventKind::Completed, Some(last)));
}

/// blocked ⇔ a block is present; a wake time ⇒ scheduled; settled ⇔ done or archived. [17.15]
pub(crate) async fn block_wake_time_and_settling_belong_to_their_statuses(t: &Fixture) {
    let mut walk = Walk::new(t, 1715);
    for _ in 0..5 {
        walk.steps(40).await;
        for task in t.tasks().await {
            let status = task.status;
            assert_eq!(
                task.block.is_some(),
                status == Status::Blocked,
                "of {task:?}"
            );
            assert!(
                task.wake_at.is_none() || status == Status::Scheduled,
                "of {task:?}"
            );
            assert_eq!(task.settled_at.is_some(), status.satisfies_children());
            assert_eq!(task.archived_from.is_some(), status == Status::Archived);
        }
    }
}

/// After any history the events of a task say how it came to its status. [13.2]
pub(crate) async fn the_events_say_how_a_task_came_to_its_status(t: &Fixture) {
    let tasks = after(t, 1316).await;
    let kinds: BTreeSet<_> = t.events().await.into_iter().map(|e| e.kind).collect();
    assert!(kinds.len() >= 15, "expected a varied walk, found {kinds:?}");
    // gc removes some events of settled tasks, so those are left out.
    for task in tasks {
        let events = t.events_of(&task.id).await;
        let moves: Vec<_> = events
            .iter()
            .filter(|e| e.kind != EventKind::Assigned && e.data.as_map().contains_key("to"))
            .collect();
        let settled = task.settled_at.is_some();
        let Some(last) = moves.last().filter(|_| !settled) else {
            continue;
        };
        assert_eq!(data(last, "to"), task.status.as_str(), "of {events:#?}");
    }
}

/// A board with a long history is sound after it was closed and opened again, and goes on. [16.10] [1.4]
pub(crate) async fn a_long_history_outlives_a_reopen(t: &Fixture) {
    let tasks = after(t, 1610).await;
    let events = t.events().await;
    t.close().await;
    let again = t.open().await;
    let found = again.store.list(calls::list_all()).await.unwrap().value;
    assert_eq!(found.items, tasks);
    let next = again.store.create(calls::new("next")).await.unwrap();
    let asked = calls::events_after(events.last().unwrap().id);
    let later = again.store.events(asked).await.unwrap().value.events;
    assert_eq!(later.len(), 1);
    assert_eq!(later[0].seq, next.seq);
    assert_eq!(again.store.verify().await.unwrap().value, vec![]);
    again.boards.close().await.unwrap();
}

/// All tasks after 300 operations.
async fn after(t: &Fixture, seed: u64) -> Vec<Task> {
    Walk::new(t, seed).steps(300).await;
    t.tasks().await
}

async fn runs_after(t: &Fixture, seed: u64) -> Vec<Run> {
    after(t, seed).await;
    let runs = all_runs(t).await;
    assert!(runs.len() > 10, "expected some runs, found {}", runs.len());
    runs
}

async fn all_runs(t: &Fixture) -> Vec<Run> {
    let mut runs = Vec::new();
    for task in t.tasks().await {
        runs.extend(t.runs(&task.id).await);
    }
    runs
}

#[track_caller]
fn unique<K: Ord + std::fmt::Debug>(keys: impl Iterator<Item = K>) {
    let mut seen = BTreeSet::new();
    for key in keys {
        assert!(!seen.contains(&key), "found twice: {key:?}");
        seen.insert(key);
    }
}

/// Asserts that a list answers exactly the tasks that a look at every task finds.
async fn same(t: &Fixture, list: List, tasks: &[Task], keep: impl Fn(&Task) -> bool) {
    let found = t.store.list(list.clone()).await.unwrap().value.items;
    let found: BTreeSet<_> = found.into_iter().map(|task| task.id).collect();
    let expected = tasks.iter().filter(|task| keep(task));
    let expected: BTreeSet<_> = expected.map(|task| task.id.clone()).collect();
    assert_eq!(found, expected, "by {list:?}");
}
