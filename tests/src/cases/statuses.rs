//! The table "Operations by status" of `docs/semantics.md`, walked: every row in every status, in both phases where the
//! row holds for both.

use kanban_core::{
    Authority, BlockTask, Effect, ErrorKind, Event, FailKind, OnOpenParents, Phase, PromoteTask,
    Rejection, Result, RunId, Status, Task, TaskId, UpdateTask, WorkerBlockKind,
};

use crate::calls;
use crate::fixture::Fixture;

const CONTRACT: &str = include_str!("../../../docs/semantics.md");

/// A row of the table: an operation, and what it does in each status.
#[derive(Debug)]
struct Row {
    operation: &'static str,
    /// Who calls, and the task's phase, as the brackets say.
    notes: &'static str,
    cells: Vec<(Status, &'static str)>,
}

fn table() -> Vec<Row> {
    let section = CONTRACT
        .split("## Operations by status")
        .nth(1)
        .expect("the section exists");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut lines = section
        .lines()
        .skip_while(|line| !line.starts_with("| operation |"));
    let head = lines.next().expect("the table has a head");
    let statuses: Vec<Status> = cells(head)
        .skip(1)
        .map(|word| Status::parse(word).expect("the head names statuses"))
        .collect();
    assert_eq!(
        statuses.len(),
        Status::ALL.len(),
        "expected all statuses, found {statuses:?}"
    );
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let name = cells(line).next().unwrap_or_default();
        let (operation, notes) = name.split_once(" (").unwrap_or((name, ""));
        Row {
            operation,
            notes: notes.trim_end_matches(')'),
            cells: statuses.iter().copied().zip(cells(line).skip(1)).collect(),
        }
    })
    .collect()
}

fn cells(line: &'static str) -> impl Iterator<Item = &'static str> {
    line.trim().trim_matches('|').split('|').map(str::trim)
}

/// Which rows which case walks. The test below sees to it that none is left out.
const GROUPS: [&[&str]; 13] = [
    &["claim"],
    &["heartbeat", "set_worker"],
    &["complete"],
    &["fail", "release"],
    &["block", "block dependency"],
    &["unblock", "promote", "promote unlink"],
    &["schedule"],
    &["request_review", "request_changes"],
    &["reopen", "specify", "decompose"],
    &["archive", "restore", "delete"],
    &["update", "assign"],
    &["link", "unlink"],
    &["comment", "attach", "detach"],
];

#[test]
fn every_row_of_the_table_is_walked() {
    let walked: Vec<&str> = GROUPS.concat();
    for row in table() {
        assert!(
            walked.contains(&row.operation),
            "no case walks {}",
            row.operation
        );
    }
}

/// `claim` in every status does what the table says. [2.3] [6.1] [13.2]
pub(crate) async fn claim_in_every_status(t: &Fixture) {
    walk(t, GROUPS[0]).await;
}

/// `heartbeat` and `set_worker` in every status do what the table says. [2.3] [6.12] [6.13]
pub(crate) async fn signs_of_life_in_every_status(t: &Fixture) {
    walk(t, GROUPS[1]).await;
}

/// `complete` in every status does what the table says. [2.3] [7.1] [13.2]
pub(crate) async fn complete_in_every_status(t: &Fixture) {
    walk(t, GROUPS[2]).await;
}

/// `fail` and `release` in every status do what the table says. [2.3] [7.7] [7.12] [13.2]
pub(crate) async fn fail_and_release_in_every_status(t: &Fixture) {
    walk(t, GROUPS[3]).await;
}

/// `block` in every status does what the table says. [2.3] [8.6] [8.8] [13.2]
pub(crate) async fn block_in_every_status(t: &Fixture) {
    walk(t, GROUPS[4]).await;
}

/// `unblock` and `promote` in every status do what the table says. [2.3] [8.9] [8.10] [8.11] [13.2]
pub(crate) async fn unblock_and_promote_in_every_status(t: &Fixture) {
    walk(t, GROUPS[5]).await;
}

/// `schedule` in every status does what the table says. [2.3] [8.12] [13.2]
pub(crate) async fn schedule_in_every_status(t: &Fixture) {
    walk(t, GROUPS[6]).await;
}

/// `request_review` and `request_changes` in every status do what the table says. [2.3] [9.1] [9.3] [13.2]
pub(crate) async fn reviews_in_every_status(t: &Fixture) {
    walk(t, GROUPS[7]).await;
}

/// `reopen`, `specify` and `decompose` in every status do what the table says. [2.3] [10.1] [10.6] [10.7] [13.2]
pub(crate) async fn reopen_and_planning_in_every_status(t: &Fixture) {
    walk(t, GROUPS[8]).await;
}

/// `archive`, `restore` and `delete` in every status do what the table says. [2.3] [11.1] [11.2] [11.5] [13.2]
pub(crate) async fn the_archive_in_every_status(t: &Fixture) {
    walk(t, GROUPS[9]).await;
}

/// `update` and `assign` in every status do what the table says. [2.3] [5.9] [5.10] [13.2]
pub(crate) async fn edits_in_every_status(t: &Fixture) {
    walk(t, GROUPS[10]).await;
}

/// `link` and `unlink` in every status do what the table says. [2.4] [2.5] [5.14] [5.15] [13.2]
pub(crate) async fn links_in_every_status(t: &Fixture) {
    walk(t, GROUPS[11]).await;
}

/// `comment`, `attach` and `detach` in every status do what the table says. [12.1] [12.3] [12.4] [13.2]
pub(crate) async fn talk_in_every_status(t: &Fixture) {
    walk(t, GROUPS[12]).await;
}

/// Tries every cell of some rows.
async fn walk(t: &Fixture, operations: &[&str]) {
    let rows: Vec<Row> = table()
        .into_iter()
        .filter(|row| operations.contains(&row.operation))
        .collect();
    assert!(
        rows.len() >= operations.len(),
        "expected {operations:?}, found {rows:?}"
    );
    for row in &rows {
        for phase in [Phase::Work, Phase::Review] {
            let other = format!(
                "phase {}",
                if phase == Phase::Work {
                    "review"
                } else {
                    "work"
                }
            );
            if row.notes.contains(&other) {
                continue;
            }
            for &(status, cell) in &row.cells {
                try_cell(t, row, phase, status, cell).await;
            }
        }
    }
}

async fn try_cell(t: &Fixture, row: &Row, phase: Phase, status: Status, cell: &str) {
    let name = format!(
        "{} ({}) of a {status} task in phase {phase}",
        row.operation, row.notes
    );
    let (task, closed) = prepare(t, phase, status).await;
    let unlinked = prepare_more(t, row.operation, &task).await;
    let before = t.task(&task.id).await;
    assert_eq!(before.status, status, "{name} cannot be tried");
    let (seq, events) = (t.seq().await, t.events_of(&task.id).await.len());
    let run = before.claim.as_ref().map_or(closed, |claim| claim.run);
    let authority = if row.notes.starts_with("worker") {
        Authority::worker(run)
    } else {
        calls::olga()
    };
    let result = call(
        t,
        row.operation,
        &task.id,
        authority,
        run,
        unlinked.as_ref(),
    )
    .await;
    if is_refusal(cell) {
        refused(&name, cell, status, row, result);
        assert_eq!(
            t.seq().await,
            seq,
            "{name}: expected that nothing is written"
        );
        return;
    }
    let effect = result.unwrap_or_else(|error| panic!("{name}: expected {cell}, found {error}"));
    assert_ne!(effect, Effect::Repeated, "{name}: expected {cell}");
    if cell == "deleted" {
        let found = t.store.task(task.id.clone()).await;
        crate::answers::missing(found, &task.id);
        return;
    }
    let after = t.task(&task.id).await;
    assert_eq!(
        after.status,
        expected(cell, &before, &after),
        "{name}: expected {cell}"
    );
    let moves = t.events_of(&task.id).await.split_off(events);
    let moves: Vec<_> = moves.iter().filter_map(status_change).collect();
    let changed = if before.status == after.status {
        vec![]
    } else {
        vec![(before.status, after.status)]
    };
    assert_eq!(
        moves, changed,
        "{name}: expected one event that says from and to"
    );
}

/// The statuses that an event says its task went from and to.
fn status_change(event: &Event) -> Option<(Status, Status)> {
    let word = |field: &str| Status::parse(event.data.as_map().get(field)?.as_str()?);
    Some((word("from")?, word("to")?))
}

fn is_refusal(cell: &str) -> bool {
    matches!(
        cell,
        "WrongStatus" | "NotClaimable" | "StaleRun" | "UnsatisfiedParents"
    )
}

fn refused(name: &str, cell: &str, status: Status, row: &Row, result: Result<Effect>) {
    let error = result
        .err()
        .unwrap_or_else(|| panic!("{name}: expected {cell}, found an answer"));
    let ErrorKind::Rejected(rejection) = error.kind() else {
        panic!("{name}: expected {cell}, found {error}")
    };
    match (cell, rejection) {
        (
            "WrongStatus",
            Rejection::WrongStatus {
                status: found,
                allowed,
            },
        ) => {
            assert_eq!(*found, status, "{name}");
            let mut expected: Vec<Status> = row
                .cells
                .iter()
                .filter(|(_, cell)| *cell != "WrongStatus")
                .map(|(status, _)| *status)
                .collect();
            // In which phase a status is allowed, the list of statuses cannot say.
            if !row.notes.contains("phase") && !row.notes.contains("worker") {
                let mut allowed = allowed.clone();
                allowed.sort_unstable();
                expected.sort_unstable();
                assert_eq!(allowed, expected, "{name}: the allowed statuses");
            }
        }
        ("NotClaimable", Rejection::NotClaimable(found)) => {
            assert_eq!(*found, kanban_core::NotClaimable::Status(status), "{name}");
        }
        ("StaleRun", Rejection::StaleRun { .. })
        | ("UnsatisfiedParents", Rejection::UnsatisfiedParents { .. }) => {}
        _ => panic!("{name}: expected {cell}, found {rejection:?}"),
    }
}

/// The status that a cell promises.
fn expected(cell: &str, before: &Task, after: &Task) -> Status {
    let landing = match (after.open_parents, after.phase) {
        (0, Phase::Work) => Status::Ready,
        (0, Phase::Review) => Status::Review,
        _ => Status::Todo,
    };
    match (cell, before.status) {
        // What was archived here had landed before.
        ("landing" | "restored", _) | ("settle", Status::Todo | Status::Ready | Status::Review) => {
            landing
        }
        ("same" | "settle", status) => status,
        (word, _) => Status::parse(word).unwrap_or_else(|| panic!("the table has a cell {word}")),
    }
}

/// A task in a status, and a run of it that an operator closed. Done tasks are in phase work, whatever was asked.
async fn prepare(t: &Fixture, phase: Phase, status: Status) -> (Task, RunId) {
    let claimed = t.claimed().await;
    let (id, store) = (&claimed.task.id, &t.store);
    store
        .release(calls::release_by(id, calls::olga()))
        .await
        .unwrap();
    if status == Status::Review || (phase == Phase::Review && status != Status::Ready) {
        store
            .request_review(calls::request_review(id, calls::olga()))
            .await
            .unwrap();
    }
    match status {
        Status::Ready | Status::Review => {}
        Status::Triage => {
            for _ in 0..2 {
                let claimed = t.claim(id).await;
                t.block(&claimed, WorkerBlockKind::Other).await;
                if t.task(id).await.status == Status::Blocked {
                    store.unblock(calls::unblock(id)).await.unwrap();
                }
            }
        }
        Status::Todo => {
            let parent = t.ready("an open parent").await;
            store.link(calls::link(&parent.id, id)).await.unwrap();
        }
        Status::Scheduled => {
            let at = Some(t.in_secs(3600));
            store
                .schedule(calls::schedule(id, calls::olga(), at))
                .await
                .unwrap();
        }
        Status::Running => drop(t.claim(id).await),
        Status::Blocked => {
            let block = calls::block_by(id, calls::olga(), WorkerBlockKind::Other);
            store.block(block).await.unwrap();
        }
        Status::Done => drop(t.finish_task(id).await),
        Status::Archived => drop(t.archive(id).await),
    }
    (t.task(id).await, claimed.run.id)
}

/// What an operation needs besides its task: for `unlink` a parent, which is answered.
async fn prepare_more(t: &Fixture, operation: &str, task: &Task) -> Option<TaskId> {
    if operation == "unlink" && task.status == Status::Todo {
        return t.parents(&task.id).await.pop();
    }
    let parent = match operation {
        "link" | "block dependency" => return Some(t.ready("another parent").await.id),
        "unlink" => t.done().await.id,
        _ => return None,
    };
    t.store.link(calls::link(&parent, &task.id)).await.unwrap();
    Some(parent)
}

/// Makes the call that a row is about.
async fn call(
    t: &Fixture,
    operation: &str,
    id: &TaskId,
    authority: Authority,
    run: RunId,
    other: Option<&TaskId>,
) -> Result<Effect> {
    let store = &t.store;
    let other = || other.expect("the row was prepared").clone();
    Ok(match operation {
        "claim" => store.claim(calls::claim(id)).await?.effect,
        "set_worker" => {
            store
                .set_worker(calls::set_worker(id, run, 7))
                .await?
                .effect
        }
        "block dependency" => {
            let block = calls::block_by(id, authority, WorkerBlockKind::Dependency);
            let on = vec![other()];
            store.block(BlockTask { on, ..block }).await?.effect
        }
        "link" => store.link(calls::link(&other(), id)).await?.effect,
        "unlink" => store.unlink(calls::unlink(&other(), id)).await?.effect,
        "comment" => store.comment(calls::comment(id, "a word")).await?.effect,
        "attach" => store.attach(calls::attach(id, "a.txt")).await?.effect,
        "detach" => {
            let attachment = store.attach(calls::attach(id, "a.txt")).await?.value.id;
            store.detach(calls::detach(id, attachment)).await?.effect
        }
        "heartbeat" | "complete" | "fail" | "release" | "block" | "schedule" | "request_review"
        | "request_changes" | "archive" => call_by(t, operation, id, authority).await?,
        _ => call_by_hand(t, operation, id).await?,
    })
}

/// The calls that take an authority.
async fn call_by(t: &Fixture, operation: &str, id: &TaskId, by: Authority) -> Result<Effect> {
    let store = &t.store;
    let other = WorkerBlockKind::Other;
    Ok(match operation {
        "heartbeat" => store.heartbeat(calls::heartbeat_by(id, by)).await?.effect,
        "complete" => store.complete(calls::complete_by(id, by)).await?.effect,
        "fail" => {
            store
                .fail(calls::fail_by(id, by, FailKind::Crashed))
                .await?
                .effect
        }
        "release" => store.release(calls::release_by(id, by)).await?.effect,
        "block" => store.block(calls::block_by(id, by, other)).await?.effect,
        "schedule" => store.schedule(calls::schedule(id, by, None)).await?.effect,
        "request_review" => {
            store
                .request_review(calls::request_review(id, by))
                .await?
                .effect
        }
        "request_changes" => {
            store
                .request_changes(calls::request_changes(id, by))
                .await?
                .effect
        }
        _ => store.archive(calls::archive(id, by)).await?.effect,
    })
}

/// The calls of people, which take no authority.
async fn call_by_hand(t: &Fixture, operation: &str, id: &TaskId) -> Result<Effect> {
    let store = &t.store;
    let open_parents = OnOpenParents::Unlink;
    let priority = Some(9);
    let pieces = vec![calls::subtask("a piece", &[])];
    Ok(match operation {
        "unblock" => store.unblock(calls::unblock(id)).await?.effect,
        "promote" => store.promote(calls::promote(id)).await?.effect,
        "promote unlink" => {
            let promote = calls::promote(id);
            store
                .promote(PromoteTask {
                    open_parents,
                    ..promote
                })
                .await?
                .effect
        }
        "reopen" => store.reopen(calls::reopen(id)).await?.effect,
        "specify" => store.specify(calls::specify(id)).await?.effect,
        "decompose" => store.decompose(calls::decompose(id, pieces)).await?.effect,
        "restore" => store.restore(calls::restore(id)).await?.effect,
        "delete" => store.delete(calls::delete(id)).await?.effect,
        "update" => {
            store
                .update(UpdateTask {
                    priority,
                    ..calls::update(id)
                })
                .await?
                .effect
        }
        "assign" => store.assign(calls::assign(id, "zoe")).await?.effect,
        other => panic!("the table has an operation that the suite does not know: {other}"),
    })
}
