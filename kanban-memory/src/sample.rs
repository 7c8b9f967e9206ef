//! A board with rows in every table and every index, for tests.

use kanban_conformance::calls;
use kanban_core::{
    AttachFile, BoardStore, Boards, CommentOn, FailKind, NewTask, Options, PauseTarget, Scope,
    Start,
};
use pollster::block_on;

use crate::schema::{Map, Tables};
use crate::{MemoryBackend, registry};

/// The first key of a table.
pub(crate) fn first<K: Ord, V>(table: &Map<K, V>) -> &K {
    table.first().unwrap().0
}

/// The board.
pub(crate) fn board() -> Tables {
    let root = tempfile::tempdir().unwrap();
    let boards = Boards::open_root(root.path(), MemoryBackend::new(), Options::default()).unwrap();
    block_on(async {
        let store = boards.open(None).await.unwrap();
        fill(&*store).await;
        let how = kanban_core::OpenBoard {
            create: None,
            durability: kanban_core::Durability::Power,
            mode: kanban_core::RootMode::Shared,
        };
        let (board, _) = registry::open(&root.path().join("boards/default"), &how).unwrap();
        boards.close().await.unwrap();
        Tables::clone(&board.snapshot())
    })
}

async fn fill(store: &dyn BoardStore) {
    let keyed = |key| NewTask {
        idempotency_key: Some(calls::label(key)),
        tenant: Some(calls::label("house")),
        assignee: Some(calls::who("amy")),
        body: Some(calls::long("how")),
        ..calls::new("keyed")
    };
    let id = |key| async move { store.create(keyed(key)).await.unwrap().value.id };
    // Finished, failed and so waiting, claimed, ready, and one that waits for a time.
    let (done, failed, claimed) = (id("done").await, id("failed").await, id("claimed").await);
    let claim = |task| async move { store.claim(calls::claim(task)).await.unwrap().value };
    let complete = kanban_core::Complete {
        summary: Some(calls::note("written")),
        ..calls::complete(&claim(&done).await)
    };
    store.complete(complete).await.unwrap();
    let fail = calls::fail(&claim(&failed).await, FailKind::Crashed);
    store.fail(fail).await.unwrap();
    let requested = kanban_core::ClaimTask {
        request_id: Some(calls::label("request")),
        ..calls::claim(&claimed)
    };
    store.claim(requested).await.unwrap();
    store.create(calls::child_of(&[&claimed])).await.unwrap();
    let later = Start::WakeAt(kanban_core::Millis::new(i64::MAX));
    let later = NewTask {
        start: later,
        ..calls::new("later")
    };
    store.create(later).await.unwrap();
    let comment = CommentOn {
        request_id: Some(calls::label("comment")),
        ..calls::comment(&claimed, "said")
    };
    store.comment(comment).await.unwrap();
    let file = AttachFile {
        request_id: Some(calls::label("file")),
        ..calls::attach(&claimed, "a.txt")
    };
    store.attach(file).await.unwrap();
    for scope in [Scope::Board, Scope::Task(claimed)] {
        store.subscribe(calls::subscribe(scope, "a")).await.unwrap();
    }
    store.pause(calls::pause(PauseTarget::Board)).await.unwrap();
}
