//! Taking a backup over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::engine::OpenBoard;
use crate::error::{Invalid, Result};
use crate::options::RootMode;
use crate::progress::{Stage, Tell};
use crate::request::{ImportBackup, ImportLines, Moved, Written};
use crate::store::BoardStore;

use super::root::io_error;
use super::{Boards, Guest};

impl Boards {
    /// Takes a backup over, into an open board on which nothing was ever written. All of it or nothing, as
    /// [`import_lines`](BoardStore::import_lines) does: the backup is copied into the root, opened there by its engine,
    /// and exported into the board. Blocks while the file is copied.
    ///
    /// # Errors
    /// `Invalid` for a file under this root, by whatever name, which may be in use: nothing but the engine may open
    /// such; `Rejected` with `BoardNotEmpty`; `Corrupt` for a file that is no finished backup; `Unavailable`, and the errors of `import_lines`.
    pub async fn import_backup(
        &self,
        into: &dyn BoardStore,
        import: ImportBackup,
    ) -> Result<Written<Moved>> {
        self.check_open()?;
        let doing = |error| io_error("reading the backup", error);
        let file = import.file.canonicalize().map_err(doing)?;
        let root = self.root.path().canonicalize().map_err(doing)?;
        if file.starts_with(root) || self.root.has_file(&file).map_err(doing)? {
            return Err(Invalid::malformed("file", "outside of the root").into());
        }
        let how = OpenBoard {
            create: None,
            durability: self.options.durability,
            mode: RootMode::Exclusive,
        };
        let tell = Tell::to(into.on_progress());
        let mut spool = None;
        let guest = Guest::open_scratch(self, how, |scratch| {
            let board = scratch.path().join(self.opener.file_name());
            copy(&file, &board, &tell).map_err(doing)?;
            self.opener.accept_backup(&board)?;
            spool = Some(tempfile::tempfile_in(scratch.path()).map_err(doing)?);
            Ok(())
        })
        .await?;
        let spool = spool.ok_or_else(super::closed)?;
        let lines = BufWriter::new(spool.try_clone().map_err(doing)?);
        let store = match tell.listener() {
            Some(on_progress) => guest.store.with_progress(on_progress),
            None => Arc::clone(&guest.store),
        };
        let exported = store.export(Box::new(lines)).await;
        drop(store);
        guest.close().await?;
        exported?;
        into.import_lines(ImportLines {
            source: Box::new(spool),
            claims: import.claims,
            actor: import.actor,
        })
        .await
    }
}

/// How much of a file is copied between two words about it.
const PIECE: u64 = 16 << 20;

fn copy(from: &Path, to: &Path, tell: &Tell) -> io::Result<()> {
    let source = File::open(from)?;
    let mut steps = tell.begin(Stage::TakeIn, || {
        source.metadata().map(|file| Some(file.len()))
    })?;
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    loop {
        // Of a file, so that the system copies it where it can.
        let copied = io::copy(&mut (&source).take(PIECE), &mut target)?;
        steps.add(copied);
        if copied < PIECE {
            steps.end();
            return Ok(());
        }
    }
}
