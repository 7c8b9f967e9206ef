//! Questions about tasks and the board.

use kanban_core::{
    Complete, GraphOf, Kin, Link, Millis, NewTask, OfTask, PauseTarget, Phase, Policy, RunId,
    StatsRow, Status, Task, TaskId,
};

use crate::answers::{invalid, missing};
use crate::calls::{self, label, note, who};
use crate::fixture::Fixture;
use crate::threads::{polled, race};

/// A question about one task that does not exist is `NotFound`. [15.1] [18.3]
pub(crate) async fn a_question_about_an_unknown_task_is_not_found(t: &Fixture) {
    let (id, s) = (calls::task_id("t_made_up"), &t.store);
    missing(s.task(id.clone()).await, &id);
    missing(s.parents(calls::kin(&id)).await, &id);
    missing(s.children(calls::kin(&id)).await, &id);
    missing(s.graph(graph_of(&id, 1)).await, &id);
    missing(s.runs(calls::all_of(&id)).await, &id);
    missing(s.comments(calls::all_of(&id)).await, &id);
    missing(s.attachments(calls::all_of(&id)).await, &id);
}

/// tasks answers those that exist, in the order asked. [15.1]
pub(crate) async fn tasks_are_answered_in_the_order_asked(t: &Fixture) {
    let (one, two, three) = (t.ready("1").await, t.done().await, t.archived().await);
    let made_up = calls::task_id("t_made_up");
    let asked = vec![three.id.clone(), made_up, one.id.clone(), two.id.clone()];
    let found = t.store.tasks(asked).await.unwrap().value;
    assert_eq!(found, [three, one, two]);
    assert!(t.store.tasks(vec![]).await.unwrap().value.is_empty());
}

/// tasks takes at most 1,000 ids. [15.1] [3.10]
pub(crate) async fn tasks_takes_at_most_a_thousand_ids(t: &Fixture) {
    let id = t.ready("one").await.id;
    invalid(t.store.tasks(vec![id.clone(); 1001]).await);
    assert!(t.store.tasks(vec![id; 1000]).await.is_ok());
}

/// Ids are found by how they begin, in order. [15.1]
pub(crate) async fn ids_are_found_by_how_they_begin(t: &Fixture) {
    let ids = [t.ready("1").await.id, t.ready("2").await.id];
    let found = t.store.ids_by_prefix("t_0".to_owned(), 10).await;
    assert_eq!(found.unwrap().value, ids);
    let whole = t.store.ids_by_prefix(ids[1].to_string(), 10).await;
    assert_eq!(whole.unwrap().value, ids[1..]);
    let first = t.store.ids_by_prefix("t_".to_owned(), 1).await;
    assert_eq!(first.unwrap().value, ids[..1]);
    let none = t.store.ids_by_prefix("t_0%".to_owned(), 10).await;
    assert!(none.unwrap().value.is_empty());
}

/// Graphs answer all tasks within depth, in both directions, nearest first, with the links among them. [15.5]
pub(crate) async fn a_graph_answers_both_directions_within_depth(t: &Fixture) {
    let chain = chain(t, 5).await;
    let middle = &chain[2];
    for (depth, expected) in [(0, 2..3), (1, 1..4), (2, 0..5), (9, 0..5)] {
        let graph = t.store.graph(graph_of(middle, depth)).await.unwrap();
        let graph = graph.value;
        let mut found: Vec<_> = graph.tasks.iter().map(|task| task.id.clone()).collect();
        assert_eq!(found.first(), Some(middle), "depth {depth}");
        found.sort();
        assert_eq!(found, chain[expected.clone()], "depth {depth}");
        assert_eq!(graph.links.len(), expected.len() - 1);
        assert!(!graph.cut);
    }
}

/// A graph holds each task and each link once, however many paths there are. [15.5]
pub(crate) async fn a_graph_holds_each_task_once(t: &Fixture) {
    let root = t.ready("root").await.id;
    let (left, right) = (t.child(&root).await.id, t.child(&root).await.id);
    let last = t.create(calls::child_of(&[&left, &right])).await.id;
    let graph = t.store.graph(graph_of(&root, 5)).await.unwrap().value;
    assert_eq!(graph.tasks.len(), 4);
    let mut links = graph.links;
    links.sort();
    let link = |parent: &TaskId, child: &TaskId| Link {
        parent: parent.clone(),
        child: child.clone(),
    };
    let mut expected = [
        link(&root, &left),
        link(&root, &right),
        link(&left, &last),
        link(&right, &last),
    ];
    expected.sort();
    assert_eq!(links, expected);
}

/// parents and children answer direct links only, by id, a page at a time. [15.5]
pub(crate) async fn parents_and_children_are_direct_and_paged(t: &Fixture) {
    let (grandparent, parent) = t.family().await;
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(t.child(&parent.id).await.id);
    }
    assert_eq!(t.children(&parent.id).await, children);
    let only = [parent.id.clone()];
    assert_eq!(t.parents(&children[0]).await, only);
    assert_eq!(t.children(&grandparent.id).await, only);
    let page = Kin {
        after: Some(children[0].clone()),
        limit: 1,
        ..calls::kin(&parent.id)
    };
    let page = t.store.children(page).await.unwrap().value;
    assert_eq!(
        page.iter().map(|c| c.id.clone()).collect::<Vec<_>>(),
        children[1..2]
    );
    for limit in [0, 1001] {
        let kin = Kin {
            limit,
            ..calls::kin(&parent.id)
        };
        assert_eq!(invalid(t.store.parents(kin).await).field, "limit");
    }
}

/// runs answers those of one task in id order, a page at a time. [15.5]
pub(crate) async fn runs_are_of_one_task_and_paged(t: &Fixture) {
    let (task, other) = (t.ready("thrice").await, t.ready("other").await);
    t.claim(&other.id).await;
    for _ in 0..3 {
        let claimed = t.claim(&task.id).await;
        t.release(&claimed).await;
    }
    let all = t.runs(&task.id).await;
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted_by(|a, b| a.id < b.id));
    let page: OfTask<RunId> = OfTask {
        after: Some(all[0].id),
        limit: 1,
        ..calls::all_of(&task.id)
    };
    assert_eq!(t.store.runs(page).await.unwrap().value, all[1..2]);
}

/// The latest summary of a task is that of its newest run that has one. [15.6]
pub(crate) async fn the_latest_summary_is_of_the_newest_run_that_has_one(t: &Fixture) {
    let (twice, never) = (t.ready("twice").await, t.done().await);
    let claimed = t.claim(&twice.id).await;
    t.hand_in(&claimed).await;
    let changes = calls::request_changes(&twice.id, calls::olga());
    t.store.request_changes(changes).await.unwrap();
    let claimed = t.claim(&twice.id).await;
    let call = kanban_core::RequestReview {
        summary: Some(note("look again")),
        ..calls::request_review(&twice.id, calls::worker(&claimed))
    };
    t.store.request_review(call).await.unwrap();
    let claimed = t.claim(&twice.id).await;
    t.release(&claimed).await;
    let made_up = calls::task_id("t_made_up");
    let asked = vec![made_up, never.id, twice.id.clone()];
    let found = t.store.latest_summaries(asked).await.unwrap().value;
    assert_eq!(found, [(twice.id, note("look again"))]);
}

/// A completion's summary counts before the ones of earlier runs. [15.6]
pub(crate) async fn a_completion_gives_the_latest_summary(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = claimed.task.id.clone();
    t.hand_in(&claimed).await;
    let claimed = t.claim(&id).await;
    let call = Complete {
        summary: Some(note("all is well")),
        ..calls::complete(&claimed)
    };
    t.store.complete(call).await.unwrap();
    let found = t.store.latest_summaries(vec![id.clone()]).await.unwrap();
    assert_eq!(found.value, [(id, note("all is well"))]);
    let many = vec![calls::task_id("t_1"); 1001];
    invalid(t.store.latest_summaries(many).await);
}

/// pauses and policy answer what is set now. [15.7]
pub(crate) async fn pauses_and_policy_answer_what_is_set(t: &Fixture) {
    assert!(t.store.pauses().await.unwrap().value.is_empty());
    assert_eq!(t.store.policy().await.unwrap().value, Policy::default());
    let target = PauseTarget::Assignee(who("amy"));
    let pause = t.store.pause(calls::pause(target)).await.unwrap().value;
    assert_eq!(t.store.pauses().await.unwrap().value, [pause]);
    let policy = Policy {
        failure_limit: 5,
        ..Policy::default()
    };
    t.set_policy(policy.clone()).await;
    assert_eq!(t.store.policy().await.unwrap().value, policy);
}

/// stats counts tasks by status and assignee, and tells the oldest ready one. [15.8]
pub(crate) async fn stats_counts_by_status_and_assignee(t: &Fixture) {
    assert_eq!(t.store.stats().await.unwrap().value.oldest_ready, None);
    let oldest = t.ready_for("amy").await;
    t.advance(5);
    t.ready_for("amy").await;
    t.ready("nobody's").await;
    let running = t.ready_for("bob").await;
    t.claim(&running.id).await;
    let stats = t.store.stats().await.unwrap().value;
    let row = |status, name: Option<&str>, tasks| StatsRow {
        status,
        assignee: name.map(who),
        tasks,
    };
    let mut rows = stats.rows.clone();
    rows.sort_by_key(|row| (row.status, row.assignee.clone()));
    let expected = [
        row(Status::Ready, None, 1),
        row(Status::Ready, Some("amy"), 2),
        row(Status::Running, Some("bob"), 1),
    ];
    assert_eq!(rows, expected);
    assert_eq!(stats.oldest_ready, Some(oldest.created_at));
    assert_eq!((stats.total(), stats.in_status(Status::Ready)), (4, 3));
}

/// A counter that has come back to 0 has no row. [15.8]
pub(crate) async fn a_counter_at_zero_has_no_row(t: &Fixture) {
    let task = t.ready_for("amy").await;
    t.store.assign(calls::unassign(&task.id)).await.unwrap();
    t.archive(&task.id).await;
    let stats = t.store.stats().await.unwrap().value;
    assert_eq!(stats.rows.len(), 1, "found {stats:?}");
    assert_eq!(stats.rows[0].status, Status::Archived);
    t.store.delete(calls::delete(&task.id)).await.unwrap();
    let stats = t.store.stats().await.unwrap().value;
    assert_eq!((stats.rows, stats.oldest_ready), (vec![], None));
}

/// A list is of one snapshot: of a graph made in one command it shows all or nothing. [15.9]
pub(crate) async fn a_list_is_of_one_snapshot(t: &Fixture) {
    let items = || (0..10).map(|_| calls::item("one of ten", vec![])).collect();
    let found = race(2, |number| {
        pollster::block_on(async {
            let mut sizes = Vec::new();
            for _ in 0..20 {
                if number == 0 {
                    t.store.create_many(calls::many(items())).await.unwrap();
                } else {
                    sizes.push(t.tasks().await.len());
                }
            }
            sizes
        })
    });
    assert!(
        found[1].iter().all(|size| size % 10 == 0),
        "found {found:?}"
    );
    assert_eq!(t.tasks().await.len(), 200);
}

/// A read that starts after a write was answered sees it, on whatever thread, handle or opener. [15.10]
pub(crate) async fn a_read_sees_what_was_answered_before(t: &Fixture) {
    let other = t.open().await;
    race(3, |number| {
        pollster::block_on(async {
            for _ in 0..20 {
                let made = t.store.create(calls::new("seen")).await.unwrap();
                let store = if number == 0 { &other.store } else { &t.store };
                let read = store.task(made.value.id.clone()).await.unwrap();
                assert!(read.seq >= made.seq, "found {read:?}");
            }
        });
    });
    other.boards.close().await.unwrap();
}

/// A read may wait for a `seq`: `reached` returns once the board has it, by whomever. [15.11]
pub(crate) async fn reached_waits_for_a_seq(t: &Fixture) {
    let made = t.store.create(calls::new("one")).await.unwrap();
    assert_eq!(t.store.reached(made.seq).await.unwrap(), made.seq);
    let next = kanban_core::Seq::new(made.seq.get() + 1);
    let other = t.open().await;
    for store in [&t.store, &other.store] {
        let target = kanban_core::Seq::new(t.seq().await.get() + 1);
        let waiting = polled(t.store.reached(target)).err().unwrap();
        let task = store.create(calls::new("two")).await.unwrap();
        assert!(waiting.await.unwrap() >= next);
        let read = t.store.task(task.value.id).await.unwrap();
        assert!(read.seq >= target);
    }
    other.boards.close().await.unwrap();
}

/// The texts of a task are answered with it, whatever their size. [15.1]
pub(crate) async fn a_task_is_answered_with_its_texts(t: &Fixture) {
    let body = calls::long(&"é".repeat(300_000));
    let new = NewTask {
        body: Some(body.clone()),
        attributes: Some(calls::json(r#"{"skills":["rust"]}"#)),
        tenant: Some(label("acme")),
        ..calls::new("texts")
    };
    let task: Task = t.create(new).await;
    let detail = t.detail(&task.id).await;
    assert_eq!((&detail.task, detail.body), (&task, Some(body)));
    assert_eq!(
        detail.attributes,
        Some(calls::json(r#"{"skills":["rust"]}"#))
    );
    assert_eq!((task.phase, task.created_at), (Phase::Work, t.now()));
    assert_eq!((detail.result, task.wake_at), (None, None::<Millis>));
}

fn graph_of(task: &TaskId, depth: u32) -> GraphOf {
    GraphOf {
        task: task.clone(),
        depth,
    }
}

/// So many tasks, each the child of the one before.
async fn chain(t: &Fixture, length: usize) -> Vec<TaskId> {
    let mut ids = vec![t.ready("first").await.id];
    while ids.len() < length {
        let child = t.child(ids.last().unwrap()).await;
        ids.push(child.id);
    }
    ids
}
