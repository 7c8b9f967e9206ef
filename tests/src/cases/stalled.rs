//! Exports whose output nobody reads, and imports whose source gives nothing: the board goes on without them.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use kanban_core::{BoardStore, ImportLines, KeepClaims, Rejection};

use crate::answers::{kind, rejected};
use crate::calls::{self, label};
use crate::fixture::Fixture;
use crate::threads::polled;

/// How many exports, backups and imports of one store are under way at once.
const AT_ONCE: usize = 4;

/// Where a thread stays until the case drops its end.
struct Gate {
    reached: SyncSender<()>,
    leave: Receiver<()>,
}

/// The case's end of it.
struct Stalled {
    reached: Receiver<()>,
    _keep: SyncSender<()>,
}

fn gate() -> (Gate, Stalled) {
    let (reached, is_reached) = sync_channel(1);
    let (keep, leave) = sync_channel(1);
    let stalled = Stalled {
        reached: is_reached,
        _keep: keep,
    };
    (Gate { reached, leave }, stalled)
}

impl Gate {
    fn pass(&self) {
        // Both fail once the case has dropped its end: then it is open.
        let _ = self.reached.try_send(());
        let _ = self.leave.recv();
    }
}

impl Stalled {
    fn is_reached(&self) {
        self.reached.recv().expect("somebody comes to the gate");
    }
}

/// An output that takes nothing before it may.
struct Pipe(Gate, Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.pass();
        let mut all = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An export that gives nothing before it may.
struct Source(Gate, Cursor<Vec<u8>>);

impl Read for Source {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.pass();
        self.1.read(bytes)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.1.seek(to)
    }
}

fn pipe() -> (Box<Pipe>, Stalled, Arc<Mutex<Vec<u8>>>) {
    let (gate, stalled) = gate();
    let written = Arc::default();
    (Box::new(Pipe(gate, Arc::clone(&written))), stalled, written)
}

fn lines(export: &[u8]) -> (ImportLines, Stalled) {
    let (gate, stalled) = gate();
    let lines = ImportLines {
        source: Box::new(Source(gate, Cursor::new(export.to_vec()))),
        claims: KeepClaims::No,
        actor: label("olga"),
    };
    (lines, stalled)
}

async fn exported(store: &dyn BoardStore) -> Vec<u8> {
    let (to, stalled, written) = pipe();
    drop(stalled);
    store.export(to).await.unwrap();
    written.lock().unwrap().clone()
}

/// An export whose output nobody reads holds nothing of the board: others write, and the store closes. What is written
/// once somebody reads is whole. [19.2]
pub(crate) async fn an_output_that_nobody_reads_keeps_no_close_waiting(t: &Fixture) {
    t.ready("before").await;
    let before = exported(&*t.store).await;
    let second = t.open().await;
    let (to, stalled, written) = pipe();
    let export = polled(second.store.export(to)).unwrap_err();
    stalled.is_reached();
    t.ready("meanwhile").await;
    second
        .store
        .create(calls::new("meanwhile, too"))
        .await
        .unwrap();
    second.boards.close().await.unwrap();
    drop(stalled);
    export.await.unwrap();
    assert!(
        *written.lock().unwrap() == before,
        "expected the board as it was"
    );
}

/// An import whose source gives nothing holds nothing of the board: others write, and the store closes. [19.3]
pub(crate) async fn a_source_that_gives_nothing_keeps_nobody_waiting(t: &Fixture) {
    let empty = exported(&*t.store).await;
    let second = t.open().await;
    let (import, stalled) = lines(&empty);
    let import = polled(second.store.import_lines(import)).unwrap_err();
    stalled.is_reached();
    second.store.create(calls::new("meanwhile")).await.unwrap();
    t.ready("by another").await;
    drop(stalled);
    assert_eq!(rejected(import.await), Rejection::BoardNotEmpty);
    let (import, stalled) = lines(&empty);
    let import = polled(second.store.import_lines(import)).unwrap_err();
    stalled.is_reached();
    second.boards.close().await.unwrap();
    drop(stalled);
    assert_eq!(kind(import.await), "closed");
}

/// Of exports, backups and imports only so many are under way at once; one more is refused, not queued. [18.4]
pub(crate) async fn a_fifth_export_at_once_is_overloaded(t: &Fixture) {
    t.ready("one").await;
    let whole = exported(&*t.store).await;
    let mut under_way = Vec::new();
    for _ in 0..AT_ONCE {
        let (to, stalled, _) = pipe();
        let export = polled(t.store.export(to)).unwrap_err();
        stalled.is_reached();
        under_way.push((export, stalled));
    }
    let (to, _open, _) = pipe();
    assert_eq!(kind(t.store.export(to).await), "overloaded");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    assert_eq!(kind(t.store.backup(file.clone()).await), "overloaded");
    assert!(!file.exists(), "expected no file of a refused backup");
    let (import, _open) = lines(&whole);
    assert_eq!(kind(t.store.import_lines(import).await), "overloaded");
    t.ready("others are not refused").await;
    for (export, stalled) in under_way {
        drop(stalled);
        export.await.unwrap();
    }
    t.store.backup(file).await.unwrap();
}
