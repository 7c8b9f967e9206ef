//! Boards that another program wrote.

use kanban_core::{
    BlockKind, EventKind, ForeignTask, ImportForeign, Link, Millis, Phase, Rejection, Status,
    TaskId, Title,
};

use crate::answers::rejected;
use crate::calls::{self, label};
use crate::fixture::Fixture;

fn id(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

fn task(name: &str, status: Status) -> ForeignTask {
    ForeignTask {
        id: id(name),
        title: Title::new(name).unwrap(),
        body: None,
        result: None,
        status,
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

fn board(tasks: Vec<ForeignTask>) -> Box<ImportForeign> {
    let new = ImportForeign::new(label("olga"), label("elsewhere"));
    Box::new(ImportForeign { tasks, ..new })
}

/// A foreign board keeps its ids, and work goes on with it. [16.11]
pub(crate) async fn a_foreign_board_is_taken_over(t: &Fixture) {
    let mut import = board(vec![
        task("old_1", Status::Ready),
        task("old_2", Status::Todo),
    ]);
    import.links.push(Link {
        parent: id("old_1"),
        child: id("old_2"),
    });
    let answer = t.store.import_foreign(import).await.unwrap().value;
    assert_eq!(
        (answer.tasks, answer.links, answer.repairs.len()),
        (2, 1, 0),
        "found {answer:?}"
    );
    let last = t.events().await.pop().unwrap();
    assert_eq!((last.kind, last.task), (EventKind::Imported, None));
    let claimed = t
        .store
        .claim(calls::claim(&id("old_1")))
        .await
        .unwrap()
        .value;
    t.store.complete(calls::complete(&claimed)).await.unwrap();
    assert_eq!(
        t.task(&id("old_2")).await.status,
        Status::Ready,
        "its parent is done"
    );
}

/// A board that has tasks takes nothing over. [16.11]
pub(crate) async fn a_board_with_tasks_takes_nothing_over(t: &Fixture) {
    t.ready("here first").await;
    let import = t
        .store
        .import_foreign(board(vec![task("old_1", Status::Ready)]));
    let refused = rejected(t.nothing_written(import).await);
    assert_eq!(refused, Rejection::BoardNotEmpty);
}

/// Rows that break a rule are repaired, and each repair is told. [16.12]
pub(crate) async fn a_repair_is_told(t: &Fixture) {
    let tasks = vec![
        task("waits_for_nobody", Status::Todo),
        task("blocked_by_nothing", Status::Blocked),
        task("done_never", Status::Done),
    ];
    let answer = t.store.import_foreign(board(tasks)).await.unwrap().value;
    let repaired: Vec<&str> = answer
        .repairs
        .iter()
        .map(|repair| repair.id.as_str())
        .collect();
    for name in ["waits_for_nobody", "blocked_by_nothing", "done_never"] {
        assert!(
            repaired.contains(&name),
            "expected a repair of {name}, found {repaired:?}"
        );
    }
    assert_eq!(t.task(&id("waits_for_nobody")).await.status, Status::Ready);
    let block = t.task(&id("blocked_by_nothing")).await.block.unwrap();
    assert_eq!(block.kind, BlockKind::Other);
    assert!(t.task(&id("done_never")).await.completed_at.is_some());
}
