//! Taking a backup over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::engine::OpenBoard;
use crate::error::{Invalid, Result};
use crate::options::RootMode;
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
        let mut spool = None;
        let guest = Guest::open_scratch(self, how, |scratch| {
            let board = scratch.path().join(self.opener.file_name());
            copy(&file, &board).map_err(doing)?;
            self.opener.accept_backup(&board)?;
            spool = Some(tempfile::tempfile_in(scratch.path()).map_err(doing)?);
            Ok(())
        })
        .await?;
        let spool = spool.ok_or_else(super::closed)?;
        let lines = BufWriter::new(spool.try_clone().map_err(doing)?);
        let exported = guest.store.export(Box::new(lines)).await;
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

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)?;
    io::copy(&mut source, &mut target).map(|_| ())
}
