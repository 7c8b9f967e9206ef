//! Telling how far long calls are.

use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use kanban_core::{
    Admission, BoardStore, ImportBackup, ImportForeign, ImportLines, KeepClaims, OnProgress,
    Progress, Stage,
};

use super::moving::{another, everything, export};
use crate::calls::label;
use crate::fixture::Fixture;

/// What was heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Progress>>>);

impl Heard {
    fn listener(&self) -> OnProgress {
        let heard = self.clone();
        Arc::new(move |now| {
            let mut heard = heard.0.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(*now);
        })
    }

    /// Takes the end of each stage, in order. Within a stage nothing goes back, and all of it is done at its end.
    fn stages(&self) -> Vec<Progress> {
        let heard = std::mem::take(&mut *self.0.lock().unwrap());
        let stages = heard.chunk_by(|a, b| a.stage == b.stage);
        let ends = stages.map(|stage| {
            let (first, last) = (stage[0], stage[stage.len() - 1]);
            assert_eq!(first.done, 0, "expected a beginning, found {stage:?}");
            assert!(stage.is_sorted_by_key(|now| now.done), "found {stage:?}");
            let total = last.total.unwrap_or(last.done);
            assert_eq!(last.done, total, "expected all of it, found {stage:?}");
            last
        });
        ends.collect()
    }
}

fn names(stages: &[Progress]) -> Vec<Stage> {
    stages.iter().map(|stage| stage.stage).collect()
}

/// What an import does once it has taken its source in.
const IMPORT: [Stage; 3] = [Stage::Write, Stage::Verify, Stage::VerifyIndexes];

fn lines(text: &str) -> ImportLines {
    ImportLines {
        source: Box::new(Cursor::new(text.as_bytes().to_vec())),
        claims: KeepClaims::Yes,
        actor: label("olga"),
    }
}

/// A handle that asks for it is told how far its long calls are: every stage from nothing to all of it. [19.8]
pub(crate) async fn long_calls_tell_how_far_they_are(t: &Fixture) {
    everything(t).await;
    let text = export(&*t.store).await;
    let heard = Heard::default();
    let store = t.store.with_progress(heard.listener());
    let moved = store.export(Box::new(std::io::sink())).await.unwrap().value;
    let rows = moved.tasks + moved.links + moved.runs + moved.comments;
    let rows = rows + moved.attachments + moved.subscriptions + moved.events;
    let stages = heard.stages();
    assert_eq!(names(&stages), [Stage::Read, Stage::HandOver]);
    let totals: Vec<_> = stages.iter().map(|stage| stage.total).collect();
    assert_eq!(totals, [Some(rows), Some(text.len() as u64)]);

    store.verify().await.unwrap();
    let stages = heard.stages();
    let verify = [Stage::Check, Stage::Verify, Stage::VerifyIndexes];
    assert_eq!(names(&stages), verify);
    assert_eq!(stages[1].total, Some(rows));
    assert!(stages[2].total > Some(moved.tasks), "found {stages:?}");

    let into = another(t, "lines").await.with_progress(heard.listener());
    into.import_lines(lines(&text)).await.unwrap();
    let stages = heard.stages();
    assert_eq!(names(&stages), [&[Stage::TakeIn], &IMPORT[..]].concat());
    let totals: Vec<_> = stages.iter().map(|stage| stage.total).collect();
    let expected = [text.len() as u64, moved.lines, rows].map(Some);
    assert_eq!(totals[..3], expected);

    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup");
    store.backup(file.clone()).await.unwrap();
    let stages = heard.stages();
    assert_eq!(names(&stages), [Stage::Copy]);
    let len = file.metadata().unwrap().len();
    let backup = ImportBackup {
        file,
        claims: KeepClaims::Yes,
        actor: label("olga"),
    };
    let into = another(t, "restored").await.with_progress(heard.listener());
    t.boards.import_backup(&*into, backup).await.unwrap();
    let stages = heard.stages();
    let read = [Stage::TakeIn, Stage::Read, Stage::HandOver, Stage::TakeIn];
    assert_eq!(names(&stages), [&read[..], &IMPORT].concat());
    assert_eq!((stages[0].total, stages[1].total), (Some(len), Some(rows)));

    let into = another(t, "foreign").await.with_progress(heard.listener());
    let foreign = ImportForeign::new(label("olga"), label("elsewhere"));
    into.import_foreign(Box::new(foreign)).await.unwrap();
    assert_eq!(names(&heard.stages()), [Stage::Write]);
}

/// Only the handle that asked is told, also where it is told something else; other calls tell nothing. [19.8]
pub(crate) async fn only_who_asked_hears_of_progress(t: &Fixture) {
    let heard = Heard::default();
    let store = t.store.with_progress(heard.listener());
    let both = store.with_admission(Admission::Refuse);
    assert!(t.store.on_progress().is_none());
    assert!(store.on_progress().is_some() && both.on_progress().is_some());
    t.store.verify().await.unwrap();
    store.create(crate::calls::new("a task")).await.unwrap();
    store.stats().await.unwrap();
    assert_eq!(heard.stages(), []);
    both.verify().await.unwrap();
    assert_eq!(heard.stages().len(), 3);
}

/// A listener that panics changes nothing of what the call does. [19.8]
pub(crate) async fn a_listener_that_panics_stops_nothing(t: &Fixture) {
    everything(t).await;
    let text = export(&*t.store).await;
    let fails: OnProgress = Arc::new(|_| panic!("a listener that fails"));
    let into: Arc<dyn BoardStore> = another(t, "copy").await.with_progress(fails);
    into.import_lines(lines(&text)).await.unwrap();
    into.verify().await.unwrap();
    assert_eq!(export(&*into).await, text);
}
