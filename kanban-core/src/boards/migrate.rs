//! Moving a whole root to another engine.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::engine::{Backend, OpenBoard};
use crate::error::{Error, Invalid, Result};
use crate::model::{BoardSlug, Label};
use crate::options::{Durability, Options, RootMode};
use crate::progress::Progress;
use crate::request::{ImportLines, KeepClaims, Moved};
use crate::store::BoardStore;

use super::root::{Alone, io_error};
use super::{BoardEntry, BoardPlace, Boards, Guest, Root};

/// Hears how far a migration is, and with which board, as [`OnProgress`](crate::OnProgress) does.
pub type OnMigration = Arc<dyn Fn(&BoardSlug, &Progress) + Send + Sync>;

/// A board that was moved to another engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Migrated {
    /// Which board.
    #[serde(flatten)]
    pub board: BoardEntry,
    /// What was moved.
    #[serde(flatten)]
    pub moved: Moved,
}

impl Boards {
    /// Moves all boards of a root to another engine, archived ones too: all of them or none. Claims, ids, counters and
    /// leases stay as they are. The old files stay boards of the old engine, which alone opens them, and go only when every new board has passed
    /// [`verify`](BoardStore::verify) and exports the same bytes; the switch is one rename of `kanban.toml`. A
    /// migration that is cut short before it leaves the root as it was, with remains that the next one removes.
    ///
    /// Needs room for the new files and one board's export. Blocks for moments between its steps. Who hears of it hears of
    /// each board's export, import and `verify`, and of the second export, which is compared with the first.
    ///
    /// # Errors
    /// `Unavailable(InUse)` while another opener has the root; `Invalid` if the root is of that engine already;
    /// `Corrupt` if a source is unsound, or its copy differs, or a file of the new engine lies where the root has no board; else those of opening, exporting and importing.
    pub async fn migrate<A: Backend, B: Backend>(
        root: impl AsRef<Path>,
        from: A,
        to: B,
        options: Options,
        on_progress: Option<OnMigration>,
    ) -> Result<Vec<Migrated>> {
        if from.name() == to.name() {
            return Err(Invalid::malformed("to", "another engine than the root's").into());
        }
        let engine = to.name();
        let options = Options {
            durability: Durability::Power,
            ..options
        };
        let source = Self::open_root(root, from, options.clone())?;
        let target = Self::on(Arc::clone(&source.root), to, options)?;
        let done = move_all(&source, &target, engine, on_progress.as_ref()).await;
        let closed = target.close().await;
        let closed = closed.and(source.close().await);
        let migrated = done?;
        closed.map(|()| migrated)
    }
}

async fn move_all(
    source: &Boards,
    target: &Boards,
    engine: &str,
    on_progress: Option<&OnMigration>,
) -> Result<Vec<Migrated>> {
    let alone = source.root.alone()?;
    let (old, new) = (source.opener.file_name(), target.opener.file_name());
    let boards = on_disk(&source.root, old)?;
    refuse_strays(&source.root, &boards, new)?;
    remove_files(&alone, &boards, new)?;
    let mut migrated = Vec::new();
    for board in &boards {
        match move_board(source, target, board, on_progress).await {
            Ok(moved) => migrated.push(Migrated {
                board: board.clone(),
                moved,
            }),
            Err(error) => {
                // Of no use; what cannot be removed now, the next migration removes.
                let _ = remove_files(&alone, &boards, new);
                return Err(error);
            }
        }
    }
    alone.change_engine(engine)?;
    // The root is the new engine's from here on, and complete: an old file that stays is only waste.
    let _ = remove_files(&alone, &boards, old);
    Ok(migrated)
}

/// The boards that have a file of an engine.
fn on_disk(root: &Root, file: &str) -> Result<Vec<BoardEntry>> {
    let mut boards = Vec::new();
    for place in [BoardPlace::Active, BoardPlace::Archived] {
        let slugs = root.boards(place, file)?;
        boards.extend(slugs.into_iter().map(|slug| BoardEntry { slug, place }));
    }
    boards.sort();
    Ok(boards)
}

/// A file of the new engine without one of the old beside it is no remains of a migration. After the switch it would be
/// a board of the root.
fn refuse_strays(root: &Root, boards: &[BoardEntry], new: &str) -> Result<()> {
    let strays = on_disk(root, new)?;
    match strays.iter().find(|stray| !boards.contains(stray)) {
        Some(stray) => {
            let file = root.board(&stray.slug, stray.place).join(new);
            let context = format!(
                "{} is no board of this root: take it away first",
                file.display()
            );
            Err(Error::corrupt(context))
        }
        None => Ok(()),
    }
}

fn remove_files(alone: &Alone<'_>, boards: &[BoardEntry], file: &str) -> Result<()> {
    boards
        .iter()
        .try_for_each(|board| alone.remove_files(&board.slug, board.place, file))
}

async fn move_board(
    source: &Boards,
    target: &Boards,
    board: &BoardEntry,
    on_progress: Option<&OnMigration>,
) -> Result<Moved> {
    let directory = source.root.board(&board.slug, board.place);
    let how = |create| OpenBoard {
        create,
        durability: Durability::Power,
        mode: RootMode::Exclusive,
    };
    let spool = tempfile::tempfile_in(source.root.path())
        .map_err(|error| io_error("making room for an export", error))?;
    let from = Guest::open(source, directory.clone(), how(None)).await?;
    let read = Box::new(BufWriter::new(again(&spool)?));
    let store = told(&from.store, &board.slug, on_progress);
    let exported = store.export(read).await;
    drop(store);
    from.close().await?;
    let moved = exported?.value;

    let to = Guest::open(target, directory, how(Some(target.new_board()))).await?;
    let store = told(&to.store, &board.slug, on_progress);
    let checked = fill_and_check(&*store, &spool, &board.slug).await;
    drop(store);
    to.close().await?;
    checked.map(|()| moved)
}

/// A board, which tells how far its long calls are, if anybody hears it.
fn told(
    store: &Arc<dyn BoardStore>,
    slug: &BoardSlug,
    on_progress: Option<&OnMigration>,
) -> Arc<dyn BoardStore> {
    let Some(on_progress) = on_progress.cloned() else {
        return Arc::clone(store);
    };
    let slug = slug.clone();
    store.with_progress(Arc::new(move |now| on_progress(&slug, now)))
}

async fn fill_and_check(store: &dyn BoardStore, spool: &File, slug: &BoardSlug) -> Result<()> {
    let import = ImportLines {
        source: Box::new(again(spool)?),
        claims: KeepClaims::Yes,
        actor: Label::new("actor", "migrate").expect("a word of letters is a label"),
    };
    store.import_lines(import).await?;
    if let Some(violation) = store.verify().await?.value.first() {
        let context = format!("the moved board {slug} is unsound: {violation:?}");
        return Err(Error::corrupt(context));
    }
    let differs = Arc::new(AtomicBool::new(false));
    let compared = Compared {
        expected: BufReader::new(again(spool)?),
        differs: Arc::clone(&differs),
    };
    let exported = store.export(Box::new(BufWriter::new(compared))).await;
    if differs.load(Ordering::Relaxed) {
        let context = format!("the moved board {slug} differs from its source");
        return Err(Error::corrupt(context));
    }
    exported.map(|_| ())
}

/// The file from its start.
fn again(spool: &File) -> Result<File> {
    let file = spool.try_clone().and_then(|mut file| {
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    });
    file.map_err(|error| io_error("reading an export again", error))
}

/// Takes what is expected, and fails at the first byte that is not.
struct Compared<T> {
    expected: T,
    differs: Arc<AtomicBool>,
}

impl<T: Read> Write for Compared<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut expected = vec![0; bytes.len()];
        let is_long = self.expected.read_exact(&mut expected).is_ok();
        if is_long && expected == bytes {
            return Ok(bytes.len());
        }
        self.differs.store(true, Ordering::Relaxed);
        Err(io::ErrorKind::InvalidData.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(expected: &'static [u8]) -> (Compared<&'static [u8]>, Arc<AtomicBool>) {
        let differs = Arc::new(AtomicBool::new(false));
        let compared = Compared {
            expected,
            differs: Arc::clone(&differs),
        };
        (compared, differs)
    }

    #[test]
    fn a_copy_that_differs_is_told() {
        for (expected, found) in [(&b"same"[..], &b"sane"[..]), (b"short", b"shorter")] {
            let (mut compared, differs) = compared(expected);
            assert!(compared.write_all(found).is_err());
            assert!(differs.load(Ordering::Relaxed), "{expected:?} {found:?}");
        }
        let (mut compared, differs) = compared(b"the same");
        compared.write_all(b"the ").unwrap();
        compared.write_all(b"same").unwrap();
        assert!(!differs.load(Ordering::Relaxed));
    }
}
