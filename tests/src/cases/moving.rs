//! Whole boards as lines of JSON, and back.

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kanban_core::{
    BoardStore, Error, ErrorKind, EventId, EventKind, ForeignEvent, ImportBackup, ImportForeign,
    ImportLines, JsonObject, KeepClaims, Moved, NewTask, Outcome, PauseTarget, Policy, Rejection,
    Result, RunId, Scope, Status, Written,
};
use pollster::block_on;
use serde_json::Value;

use crate::answers::{invalid, kind, rejected, stale};
use crate::calls::{self, label};
use crate::fixture::{Fixture, verified};
use crate::threads::race;

/// By how much an import that is no move raises every counter.
pub(super) const RAISED_BY: u64 = 1 << 32;

/// What an export writes into.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) async fn export(store: &dyn BoardStore) -> String {
    let sink = Sink::default();
    let answer = store.export(Box::new(sink.clone())).await.unwrap();
    let bytes = sink.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(answer.value.lines, text.lines().count() as u64);
    text
}

pub(super) async fn import(
    store: &dyn BoardStore,
    export: &str,
    claims: KeepClaims,
) -> Result<Written<Moved>> {
    let lines = ImportLines {
        source: Box::new(Cursor::new(export.as_bytes().to_vec())),
        claims,
        actor: label("olga"),
    };
    store.import_lines(lines).await
}

pub(super) async fn another(t: &Fixture, name: &str) -> Arc<dyn BoardStore> {
    t.boards.open(Some(&calls::slug(name))).await.unwrap()
}

/// A board with something of everything.
pub(super) async fn everything(t: &Fixture) {
    for status in Status::ALL {
        t.in_status(*status).await;
    }
    let new = NewTask {
        body: Some(kanban_core::LongText::new("body", "line one\nline \u{1f600}").unwrap()),
        attributes: Some(JsonObject::parse("attributes", r#"{"z":1,"a":{"b":[null]}}"#).unwrap()),
        idempotency_key: Some(label("key")),
        ..calls::new("with all that a task may have")
    };
    let task = t.create(new).await;
    t.store
        .comment(calls::comment(&task.id, "so"))
        .await
        .unwrap();
    let file = calls::attach(&task.id, "plan.pdf");
    t.store.attach(file).await.unwrap();
    let task_wide = calls::subscribe(Scope::Task(task.id.clone()), "here");
    t.store.subscribe(task_wide).await.unwrap();
    let board_wide = calls::subscribe(Scope::Board, "there");
    let board_wide = t.store.subscribe(board_wide).await.unwrap().value;
    t.set_policy(Policy {
        failure_limit: 7,
        ..Policy::default()
    })
    .await;
    // What has changed since the subscription is for it to deliver.
    t.store
        .lease_events(calls::lease(board_wide.id))
        .await
        .unwrap();
    let pause = calls::pause(PauseTarget::Assignee(calls::who("ann")));
    t.store.pause(pause).await.unwrap();
}

/// An export is one row a line, from a header to a footer that counts the lines before it. [19.2]
pub(crate) async fn an_export_goes_from_a_header_to_a_footer(t: &Fixture) {
    everything(t).await;
    let text = export(&*t.store).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["header"]["kanban_export"], 1);
    let footer = &lines[lines.len() - 1]["footer"];
    assert_eq!(footer["lines"], lines.len() - 1);
    assert_eq!(footer["sha256"].as_str().map(str::len), Some(64));
    let of_kind = |kind: &str| lines.iter().filter(|line| !line[kind].is_null()).count();
    assert_eq!(of_kind("task"), t.tasks().await.len());
    assert_eq!(of_kind("event"), t.events().await.len());
    assert_eq!(of_kind("subscription"), 2);
    assert_eq!((of_kind("comment"), of_kind("attachment")), (1, 1));
}

/// The same board has the same bytes, however often and after what opening it is exported. [19.2]
pub(crate) async fn the_same_board_has_the_same_bytes(t: &Fixture) {
    everything(t).await;
    let first = export(&*t.store).await;
    assert_eq!(export(&*t.store).await, first);
    let second = t.open().await;
    assert_eq!(export(&*second.store).await, first);
    second.boards.close().await.unwrap();
}

/// What is written during an export is not in it, and does not wait for it: each is one state of the board. [19.2]
pub(crate) async fn an_export_is_one_snapshot_while_others_write(t: &Fixture) {
    const WRITES: usize = 100;
    t.ready("before").await;
    let exports: Mutex<Vec<String>> = Mutex::default();
    race(2, |number| {
        for round in 0..WRITES {
            if number == 0 {
                block_on(t.store.create(calls::new("meanwhile"))).unwrap();
            } else if round % 20 == 0 {
                exports.lock().unwrap().push(block_on(export(&*t.store)));
            }
        }
    });
    let exports = exports.into_inner().unwrap();
    for (number, text) in exports.iter().enumerate() {
        let copy = another(t, &format!("copy-{number}")).await;
        let answer = import(&*copy, text, KeepClaims::Yes).await.unwrap();
        assert_eq!(answer.seq.get(), answer.value.tasks, "one seq each");
        verified(&*copy).await;
    }
}

/// A move gives a board with the same bytes, numbers and open claims: its workers go on. [19.6] [19.4]
pub(crate) async fn a_move_keeps_everything_as_it_was(t: &Fixture) {
    let claimed = t.claimed().await;
    everything(t).await;
    let text = export(&*t.store).await;
    let moved = another(t, "moved").await;
    let seq = t.seq().await;
    let answer = import(&*moved, &text, KeepClaims::Yes).await.unwrap();
    assert_eq!((answer.seq, answer.value.invalidated), (seq, 0));
    assert_eq!(export(&*moved).await, text);
    assert_eq!(t.snapshot_of(&*moved).await, t.snapshot().await);
    verified(&*moved).await;
    let ended = moved.complete(calls::complete(&claimed)).await.unwrap();
    assert_eq!(ended.value.task.status, Status::Done);
    assert_eq!(ended.seq.get(), seq.get() + 1, "the numbers go on");
}

/// An import that is no move closes the open runs, lands their tasks and raises the counters: of the two boards only
/// the first accepts the run. [19.5]
pub(crate) async fn an_import_accepts_no_run_of_the_other_board(t: &Fixture) {
    everything(t).await;
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    let seq = t.seq().await;
    let answer = import(&*copy, &text, KeepClaims::No).await.unwrap();
    assert_eq!(answer.value.invalidated, 2, "found {answer:?}");
    assert_eq!(answer.seq.get(), seq.get() + RAISED_BY + 1);
    verified(&*copy).await;
    let refused = stale(copy.complete(calls::complete(&claimed)).await);
    assert_eq!(refused, (Outcome::Invalidated, Some("olga".to_owned())));
    let task = copy.task(id.clone()).await.unwrap().value.task;
    assert_eq!((task.status, task.claim), (Status::Ready, None));
    let again = copy.claim(calls::claim(id)).await.unwrap().value;
    assert!(again.run.id > RunId::new(RAISED_BY), "found {again:?}");
    t.store.complete(calls::complete(&claimed)).await.unwrap();
}

/// An import that is no move tells of itself at the end of the log, and of each run that it closed. [19.4] [19.5]
pub(crate) async fn an_import_is_in_the_log(t: &Fixture) {
    let claimed = t.claimed().await;
    let before = t.events().await;
    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    let answer = import(&*copy, &text, KeepClaims::No).await.unwrap();
    let asked = copy.events(calls::events_after(EventId::new(0))).await;
    let events = asked.unwrap().value.events;
    let (old, new) = events.split_at(before.len());
    assert_eq!(old, before);
    let told: Vec<_> = new
        .iter()
        .map(|event| (event.kind.clone(), event.run, event.seq))
        .collect();
    let run = Some(claimed.run.id);
    assert_eq!(
        told,
        [
            (EventKind::Invalidated, run, answer.seq),
            (EventKind::Imported, None, answer.seq)
        ]
    );
    assert!(new[0].id.get() > RAISED_BY, "found {new:?}");
}

/// An import carries pauses, policy, subscriptions with their cursors, and gives up open leases. [19.4] [19.5]
pub(crate) async fn an_import_carries_pauses_policy_and_cursors(t: &Fixture) {
    everything(t).await;
    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    import(&*copy, &text, KeepClaims::No).await.unwrap();
    assert_eq!(
        copy.pauses().await.unwrap().value,
        t.store.pauses().await.unwrap().value
    );
    assert_eq!(copy.policy().await.unwrap().value.failure_limit, 7);
    let all = kanban_core::SubscriptionsAfter {
        task: None,
        after: None,
        limit: 10,
    };
    let mut expected = t.store.subscriptions(all.clone()).await.unwrap().value;
    assert!(expected.iter().any(|row| row.lease.is_some()));
    for row in &mut expected {
        row.lease = None;
    }
    assert_eq!(copy.subscriptions(all).await.unwrap().value, expected);
}

/// Kinds of events that came from elsewhere are carried verbatim. [19.4]
pub(crate) async fn foreign_kinds_are_carried_verbatim(t: &Fixture) {
    let mut foreign = ImportForeign::new(label("olga"), label("elsewhere"));
    foreign.events.push(ForeignEvent {
        id: 1,
        task: None,
        run: None,
        kind: EventKind::from("swept_the_floor"),
        data: JsonObject::parse("data", r#"{"with":"a broom"}"#).unwrap(),
        at: t.now(),
    });
    t.store.import_foreign(Box::new(foreign)).await.unwrap();
    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    import(&*copy, &text, KeepClaims::No).await.unwrap();
    let asked = copy.events(calls::events_after(EventId::new(0))).await;
    let event = asked.unwrap().value.events.remove(0);
    assert_eq!(event.kind.as_str(), "swept_the_floor");
    assert_eq!(event, t.events().await[0]);
}

/// A board on which anything was written takes no import. [19.3]
pub(crate) async fn only_an_unwritten_board_takes_an_import(t: &Fixture) {
    let text = export(&*t.store).await;
    t.ready("here already").await;
    let refused = t
        .nothing_written(import(&*t.store, &text, KeepClaims::No))
        .await;
    assert_eq!(rejected(refused), Rejection::BoardNotEmpty);
    let paused = another(t, "paused").await;
    let pause = calls::pause(PauseTarget::Board);
    paused.pause(pause).await.unwrap();
    let refused = import(&*paused, &text, KeepClaims::Yes).await;
    assert_eq!(rejected(refused), Rejection::BoardNotEmpty);
}

/// An export that is cut off, changed or added to is refused with the line; nothing of it remains. [19.3]
pub(crate) async fn a_damaged_export_is_refused_with_its_line(t: &Fixture) {
    everything(t).await;
    let text = export(&*t.store).await;
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len();
    let without = |at: usize| {
        let mut fewer = lines.clone();
        fewer.remove(at - 1);
        fewer.join("\n") + "\n"
    };
    let replaced = |at: usize, by: &str| {
        let mut other = lines.clone();
        other[at - 1] = by;
        other.join("\n") + "\n"
    };
    let retitled = text.replacen("with all that a task may have", "something else", 1);
    let copy = another(t, "copy").await;
    for (damaged, line) in [
        (String::new(), 1),
        ("not JSON\n".to_owned(), 1),
        (text[..text.len() - 1].to_owned(), last),
        (
            text[..text.len() / 2].to_owned(),
            1 + text[..text.len() / 2].matches('\n').count(),
        ),
        (without(last), last),
        (without(1), 1),
        (without(2), 2),
        (without(last - 1), last - 1),
        (retitled, last),
        (replaced(5, lines[4].replacen('{', "{ ", 1).as_str()), 5),
        (replaced(6, lines[4]), 6),
        (replaced(7, r#"{"link":{"parent":"t_a","child":"t_b"}}"#), 7),
        (format!("{text}{text}"), last + 1),
        (format!("{text}\n"), last + 1),
    ] {
        let refused = invalid(import(&*copy, &damaged, KeepClaims::Yes).await);
        assert_eq!(refused.field, "export");
        let expected = format!("line {line}:");
        assert!(
            refused.must.contains(&expected),
            "expected {expected:?}, found {refused:?}"
        );
    }
    assert_eq!(copy.stats().await.unwrap().seq.get(), 0, "nothing remains");
    import(&*copy, &text, KeepClaims::Yes).await.unwrap();
}

/// An export of a newer format is refused as such. [19.3]
pub(crate) async fn a_newer_export_is_refused(t: &Fixture) {
    let text = export(&*t.store).await;
    let newer = text.replacen("\"kanban_export\":1", "\"kanban_export\":2", 1);
    let refused: Error = import(&*t.store, &newer, KeepClaims::No).await.unwrap_err();
    let expected = ErrorKind::Unavailable(kanban_core::Unavailable::NewerSchema);
    assert_eq!(*refused.kind(), expected);
}

async fn restore(
    t: &Fixture,
    into: &dyn BoardStore,
    file: &Path,
    claims: KeepClaims,
) -> Result<Written<Moved>> {
    let backup = ImportBackup {
        file: file.to_owned(),
        claims,
        actor: label("olga"),
    };
    t.boards.import_backup(into, backup).await
}

/// A backup holds the whole board, in a file for its owner only; a file that exists is not overwritten. [19.1]
pub(crate) async fn a_backup_holds_the_whole_board(t: &Fixture) {
    everything(t).await;
    let before = export(&*t.store).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    t.store.backup(file.clone()).await.unwrap();
    let bytes = fs::read(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    t.ready("written later").await;
    assert_eq!(kind(t.store.backup(file.clone()).await), "unavailable");
    assert_eq!(fs::read(&file).unwrap(), bytes, "expected it untouched");
    let names = fs::read_dir(elsewhere.path()).unwrap().count();
    assert_eq!(names, 1, "expected nothing beside the backup");
    let copy = another(t, "copy").await;
    restore(t, &*copy, &file, KeepClaims::Yes).await.unwrap();
    verified(&*copy).await;
    assert_eq!(export(&*copy).await, before);
}

/// A backup is one state of the board, with all that was written before it, while others write. [19.1]
pub(crate) async fn a_backup_is_one_snapshot_while_others_write(t: &Fixture) {
    const WRITES: usize = 100;
    let elsewhere = tempfile::tempdir().unwrap();
    t.ready("before").await;
    race(2, |number| {
        for round in 0..WRITES {
            if number == 0 {
                block_on(t.store.create(calls::new("meanwhile"))).unwrap();
            } else if round % 20 == 0 {
                let file = elsewhere.path().join(round.to_string());
                block_on(t.store.backup(file)).unwrap();
            }
        }
    });
    let all = export(&*t.store).await;
    for round in (0..WRITES).step_by(20) {
        let copy = another(t, &format!("copy-{round}")).await;
        let file = elsewhere.path().join(round.to_string());
        let answer = restore(t, &*copy, &file, KeepClaims::Yes).await.unwrap();
        assert_eq!(answer.seq.get(), answer.value.tasks, "one seq each");
        let then = export(&*copy).await;
        let mut tasks = then.lines().filter(|line| line.starts_with("{\"task\""));
        assert!(tasks.all(|task| all.contains(task)));
        assert!(answer.value.tasks > 0, "found {answer:?}");
    }
}

/// A board restored from a backup accepts no run of the board that lives on. [19.7]
pub(crate) async fn a_restored_board_accepts_no_old_run(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    t.store.backup(file.clone()).await.unwrap();
    let copy = another(t, "copy").await;
    let answer = restore(t, &*copy, &file, KeepClaims::No).await.unwrap();
    assert_eq!(answer.value.invalidated, 1);
    assert_eq!(answer.seq.get(), t.seq().await.get() + RAISED_BY + 1);
    let refused = stale(copy.complete(calls::complete(&claimed)).await);
    assert_eq!(refused, (Outcome::Invalidated, Some("olga".to_owned())));
    let task = copy.task(id.clone()).await.unwrap().value.task;
    assert_eq!(task.status, Status::Ready);
    let again = copy.claim(calls::claim(id)).await.unwrap().value;
    assert!(again.run.id > RunId::new(RAISED_BY), "found {again:?}");
    t.store.complete(calls::complete(&claimed)).await.unwrap();
}

/// What is no backup, or lies under the root, is refused, and so is a board that was written; nothing remains. [19.7]
pub(crate) async fn only_a_backup_is_restored(t: &Fixture) {
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    t.ready("kept").await;
    t.store.backup(file.clone()).await.unwrap();
    let refused = restore(t, &*t.store, &file, KeepClaims::No);
    let refused = t.nothing_written(refused).await;
    assert_eq!(rejected(refused), Rejection::BoardNotEmpty);
    let copy = another(t, "copy").await;
    let letter = elsewhere.path().join("letter");
    fs::write(&letter, "Dear board, ".repeat(1000)).unwrap();
    let refused = restore(t, &*copy, &letter, KeepClaims::No).await;
    assert_eq!(kind(refused), "corrupt");
    let inside = t.root().join("kanban.toml");
    let refused = restore(t, &*copy, &inside, KeepClaims::No).await;
    assert_eq!(invalid(refused).field, "file");
    assert_eq!(copy.stats().await.unwrap().seq.get(), 0, "nothing remains");
    let mut names = fs::read_dir(t.root()).unwrap();
    assert!(
        names.all(|entry| !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with('.')),
        "expected nothing left in the root"
    );
    restore(t, &*copy, &file, KeepClaims::No).await.unwrap();
}

/// A copy of a board's own file is no backup, made while the board is in use or after a close: it is refused, with a word
/// on how a backup is made. [19.7]
pub(crate) async fn a_copy_of_a_board_s_own_file_is_refused(t: &Fixture) {
    t.ready("kept").await;
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["in use", "closed"] {
        if name == "closed" {
            t.close().await;
        }
        let copied = elsewhere.path().join(name);
        // Another process: what is closed here might give up a lock of the engine.
        let cp = std::process::Command::new("cp")
            .args([t.boards.file(None), copied.clone()])
            .status();
        assert!(cp.unwrap().success(), "expected a copy");
        let again = t.open().await;
        let into = again.boards.open(Some(&calls::slug("copy"))).await.unwrap();
        let backup = ImportBackup {
            file: copied,
            claims: KeepClaims::No,
            actor: label("olga"),
        };
        let refused = again.boards.import_backup(&*into, backup).await;
        let refused = refused.unwrap_err();
        assert_eq!(*refused.kind(), ErrorKind::Corrupt, "{name}: {refused}");
        assert_eq!(
            refused.to_string(),
            Error::no_finished_backup().to_string(),
            "{name}"
        );
        assert_eq!(into.stats().await.unwrap().seq.get(), 0, "nothing remains");
        again.boards.close().await.unwrap();
    }
}
