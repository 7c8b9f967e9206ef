//! Making tasks, editing them, taking boards over.

use std::fs::File;

use kanban_core::{
    ForeignTask, ImportForeign, ImportLines, KeepClaims, Millis, NewTask, ParentRef, Phase, Status,
};

use crate::calls;
use crate::costs::fill;
use crate::costs::stage::Stage;

pub(super) async fn walk(s: &Stage) {
    let task = s
        .cost("create", s.store.create(fill::of_the_crowd()))
        .await
        .value
        .id;
    let (one, other) = (s.ready().await, s.ready().await);
    let call = calls::child_of(&[&one, &other]);
    s.cost("create, waits for 2 parents", s.store.create(call))
        .await;
    let keyed = NewTask {
        idempotency_key: Some(calls::label(&format!("key-{}", s.round))),
        ..calls::new("once")
    };
    s.create(keyed.clone()).await;
    s.cost("create, repeated by its key", s.store.create(keyed))
        .await;
    let chain = (0_usize..10).map(|number| {
        let before = number.checked_sub(1).map(ParentRef::Item);
        calls::item("one of ten", before.into_iter().collect())
    });
    let call = calls::many(chain.collect());
    s.cost("create_many, a chain of 10", s.store.create_many(call))
        .await;

    let mut edit = calls::update(&task);
    edit.title = Some(calls::title("Another title"));
    s.cost("update, the title", s.store.update(edit)).await;
    let mut edit = calls::update(&task);
    edit.body = Some(Some(calls::long("Another body.")));
    s.cost("update, the body", s.store.update(edit)).await;
    s.cost("assign", s.store.assign(calls::assign(&task, "walker")))
        .await;
    s.cost("link", s.store.link(calls::link(&one, &task))).await;
    s.cost("unlink", s.store.unlink(calls::unlink(&one, &task)))
        .await;
    s.cost("comment", s.store.comment(calls::comment(&task, "so so")))
        .await;
    let attached = s
        .cost("attach", s.store.attach(calls::attach(&task, "a.txt")))
        .await;
    let call = calls::detach(&task, attached.value.id);
    s.cost("detach", s.store.detach(call)).await;
    taking_over(s).await;
}

/// Into boards of their own: an import wants an empty one.
async fn taking_over(s: &Stage) {
    let empty = |name: &str| {
        let slug = calls::slug(&format!("{name}-{}", s.round));
        async move { s.boards.open(Some(&slug)).await.expect("a new board") }
    };
    let from = empty("foreign").await;
    let import = ImportForeign {
        tasks: vec![foreign("old_1"), foreign("old_2")],
        ..ImportForeign::new(calls::label("olga"), calls::label("elsewhere"))
    };
    s.cost(
        "import_foreign, 2 tasks",
        from.import_foreign(Box::new(import)),
    )
    .await;
    let directory = tempfile::tempdir().expect("room for a directory");
    let path = directory.path().join("export.jsonl");
    let file = File::create(&path).expect("a new file");
    from.export(Box::new(file)).await.expect("it can be read");
    let to = empty("moved").await;
    let import = ImportLines {
        source: Box::new(File::open(&path).expect("it was written")),
        claims: KeepClaims::Yes,
        actor: calls::label("olga"),
    };
    s.cost("import_lines, 2 tasks", to.import_lines(import))
        .await;
    from.close().await.expect("nothing went wrong before");
    to.close().await.expect("nothing went wrong before");
}

fn foreign(id: &str) -> ForeignTask {
    ForeignTask {
        id: calls::task_id(id),
        title: calls::title(id),
        body: None,
        result: None,
        status: Status::Ready,
        phase: Phase::Work,
        priority: 0,
        assignee: None,
        tenant: None,
        created_by: None,
        created_at: Millis::new(1_000),
        started_at: None,
        completed_at: None,
        wake_at: None,
        idempotency_key: None,
        failures: 0,
        last_error: None,
        max_runtime: None,
        failure_limit: None,
        block: None,
        block_streak: None,
        open_run: None,
        attributes: None,
    }
}
