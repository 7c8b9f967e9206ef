//! How openers share a root: all at once, or one at a time.

use std::path::PathBuf;

use kanban_core::{Boards, ErrorKind, Options, Result, RootMode, Unavailable};

use crate::calls;
use crate::fixture::Fixture;
use crate::threads::race;

/// A root has the mode that it was made with, whoever asks for none. [16.13]
pub(crate) async fn a_root_keeps_the_mode_it_was_made_with(t: &Fixture) {
    let path = elsewhere(t);
    open(t, &path, Some(RootMode::Exclusive))
        .unwrap()
        .close()
        .await
        .unwrap();
    let mark = Boards::mark(&path).unwrap().unwrap();
    assert_eq!(mark.mode, RootMode::Exclusive);
    let again = open(t, &path, None).unwrap();
    assert_eq!(unavailable(open(t, &path, None)), Unavailable::InUse);
    again.close().await.unwrap();
    assert_eq!(
        Boards::mark(t.root()).unwrap().unwrap().mode,
        RootMode::Shared
    );
}

/// A root is not opened in a mode that it does not have. [16.13]
pub(crate) async fn another_mode_is_refused(t: &Fixture) {
    let other = t.open_elsewhere_with(t.root(), options(t, Some(RootMode::Exclusive)));
    assert_eq!(unavailable(other), Unavailable::OtherMode);
    let path = elsewhere(t);
    open(t, &path, Some(RootMode::Exclusive))
        .unwrap()
        .close()
        .await
        .unwrap();
    assert_eq!(
        unavailable(open(t, &path, Some(RootMode::Shared))),
        Unavailable::OtherMode
    );
}

/// The second opener of an exclusive root is refused at once, and the first goes on. [16.13]
pub(crate) async fn an_exclusive_root_has_one_opener(t: &Fixture) {
    let path = elsewhere(t);
    let first = open(t, &path, Some(RootMode::Exclusive)).unwrap();
    let store = first.open(None).await.unwrap();
    let before = store.create(calls::new("before")).await.unwrap();
    assert_eq!(unavailable(open(t, &path, None)), Unavailable::InUse);
    let after = store.create(calls::new("after")).await.unwrap();
    assert_eq!(after.seq.get(), before.seq.get() + 1);
    first.create(&calls::slug("other")).await.unwrap();
    first.archive(&calls::slug("other")).await.unwrap();
    assert_eq!(unavailable(open(t, &path, None)), Unavailable::InUse);
    first.close().await.unwrap();
    let second = open(t, &path, None).unwrap();
    let found = second.open(None).await.unwrap().stats().await.unwrap();
    assert_eq!(found.value.total(), 2);
    second.close().await.unwrap();
}

/// Of many who open an exclusive root at once, one has it. [16.13]
pub(crate) async fn of_many_openers_of_an_exclusive_root_one_has_it(t: &Fixture) {
    let path = elsewhere(t);
    let opened = race(6, |_| open(t, &path, Some(RootMode::Exclusive)));
    let refused = opened.iter().filter_map(|result| result.as_ref().err());
    for error in refused {
        assert_eq!(error.kind(), &ErrorKind::Unavailable(Unavailable::InUse));
    }
    let held: Vec<Boards> = opened.into_iter().filter_map(Result::ok).collect();
    assert_eq!(held.len(), 1, "expected one opener");
    for boards in held {
        boards.close().await.unwrap();
    }
}

/// A root of this fixture's that is not there yet.
fn elsewhere(t: &Fixture) -> PathBuf {
    t.root().join("elsewhere")
}

fn options(t: &Fixture, mode: Option<RootMode>) -> Options {
    Options {
        mode,
        ..t.options()
    }
}

fn open(t: &Fixture, path: &std::path::Path, mode: Option<RootMode>) -> Result<Boards> {
    t.open_elsewhere_with(path, options(t, mode))
}

fn unavailable(opened: Result<Boards>) -> Unavailable {
    match opened.map(|_| ()).unwrap_err().kind() {
        ErrorKind::Unavailable(why) => *why,
        other => panic!("expected that the root is unavailable, found {other:?}"),
    }
}
