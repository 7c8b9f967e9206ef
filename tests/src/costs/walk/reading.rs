//! Asking.

use kanban_core::{
    EventFilter, EventId, EventKind, GraphOf, List, ListOrder, Status, SubscriptionsAfter,
};

use crate::calls;
use crate::costs::fill::CROWD;
use crate::costs::stage::Stage;

pub(super) async fn walk(s: &Stage) {
    let parent = s.parent_of(3).await;
    let claimed = s.claim(&parent).await;
    let mut call = calls::complete(&claimed);
    call.summary = Some(calls::note("done"));
    s.store.complete(call).await.expect("a completion");
    s.store
        .comment(calls::comment(&parent, "well"))
        .await
        .expect("a comment");
    s.store
        .attach(calls::attach(&parent, "a.txt"))
        .await
        .expect("an attachment");

    s.cost("task", s.store.task(parent.clone())).await;
    let ids = s.store.children(calls::kin(&parent)).await;
    let ids: Vec<_> = ids.expect("its children").value.into_iter().collect();
    let ids: Vec<_> = ids.into_iter().map(|task| task.id).collect();
    s.cost("tasks, 3 ids", s.store.tasks(ids.clone())).await;
    let asked = s.store.ids_by_prefix("s_00".to_owned(), 10);
    s.cost("ids_by_prefix, 10", asked).await;
    s.cost("parents, 1", s.store.parents(calls::kin(&ids[0])))
        .await;
    s.cost("children, 3", s.store.children(calls::kin(&parent)))
        .await;
    let graph = GraphOf {
        task: parent.clone(),
        depth: 1,
    };
    s.cost("graph, 4 tasks", s.store.graph(graph)).await;
    s.cost("runs, 1", s.store.runs(calls::all_of(&parent)))
        .await;
    s.cost("comments, 1", s.store.comments(calls::all_of(&parent)))
        .await;
    s.cost(
        "attachments, 1",
        s.store.attachments(calls::all_of(&parent)),
    )
    .await;
    let asked = s.store.latest_summaries(vec![parent.clone()]);
    s.cost("latest_summaries, 1 task", asked).await;
    s.cost("pauses", s.store.pauses()).await;
    s.cost("policy", s.store.policy()).await;
    s.cost("stats", s.store.stats()).await;
    let subscriptions = SubscriptionsAfter {
        task: Some(parent.clone()),
        after: None,
        limit: 10,
    };
    s.cost("subscriptions, none", s.store.subscriptions(subscriptions))
        .await;
    let seq = s.store.stats().await.expect("numbers").seq;
    s.cost("reached", s.store.reached(seq)).await;
    lists(s).await;
    log(s, parent).await;
}

/// Pages of 10.
async fn lists(s: &Stage) {
    let list = |list: List| s.store.list(List { limit: 10, ..list });
    for (operation, order) in [
        ("list, by priority", ListOrder::Priority),
        ("list, the oldest", ListOrder::Oldest),
        ("list, the newest", ListOrder::Newest),
        ("list, last updated", ListOrder::Updated),
    ] {
        let asked = List {
            order,
            ..List::default()
        };
        s.cost(operation, list(asked)).await;
    }
    let first = list(List::default()).await.expect("a page").value;
    let next = List {
        after: first.next,
        ..List::default()
    };
    s.cost("list, the second page", list(next)).await;
    let of_status = List {
        statuses: vec![Status::Ready],
        ..List::default()
    };
    s.cost("list, of a status", list(of_status)).await;
    let of_crowd = List {
        assignee: Some(Some(calls::who(CROWD))),
        ..List::default()
    };
    s.cost("list, of an assignee", list(of_crowd.clone())).await;
    let of_tenant = List {
        tenant: Some(calls::label("acme")),
        ..List::default()
    };
    s.cost("list, of a tenant", list(of_tenant)).await;
    let rare = List {
        statuses: vec![Status::Triage],
        ..of_crowd
    };
    s.cost("list, of an assignee in a rare status", list(rare))
        .await;
}

async fn log(s: &Stage, task: kanban_core::TaskId) {
    let mut events = calls::events_after(EventId::new(0));
    events.limit = 10;
    s.cost("events, 10", s.store.events(events.clone())).await;
    let of_task = kanban_core::Events {
        filter: EventFilter {
            task: Some(task),
            kinds: Vec::new(),
        },
        ..events.clone()
    };
    s.cost("events, of a task", s.store.events(of_task)).await;
    let rare = kanban_core::Events {
        filter: EventFilter {
            task: None,
            kinds: vec![EventKind::GaveUp],
        },
        ..events
    };
    s.cost("events, of a rare kind", s.store.events(rare)).await;
}
