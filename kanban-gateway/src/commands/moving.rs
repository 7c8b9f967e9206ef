//! Moving whole boards.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kanban_core::{
    Boards, Error, ErrorKind, ImportBackup, ImportLines, KeepClaims, Moved, OnProgress, Stage,
    Unavailable,
};
use pollster::block_on;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::cli::{BackupArgs, ExportArgs, ImportBoardArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, Progress, plain};

use super::Board;

pub(super) fn export(
    board: &Board,
    args: &ExportArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // Looked for first: where there is nothing to export, no file is made.
    board.store()?;
    let Some(path) = &args.file else {
        // The export is the answer: nothing else is printed.
        return export_to_output(board, output);
    };
    let new = NewFile::beside(path)?;
    let progress = Progress::told(output, "exporting");
    let out = BufWriter::new(new.file.as_file().try_clone()?);
    let store = board.watched(&progress)?;
    let exported = block_on(store.export(Box::new(out)));
    drop(progress);
    let read = exported.map_err(|error| of_target(path, error))?;
    new.keep(path)?;
    output.read(&read, moved_text)?;
    Ok(Exit::Done)
}

/// Exports to standard output. A line is drawn only before there is any: what reads it may draw on the same terminal.
fn export_to_output(board: &Board, output: &Output) -> Result<Exit, Failure> {
    let progress = Progress::told(output, "exporting");
    let clear = progress.clearer();
    let listener = progress.listener()?.map(|listener| -> OnProgress {
        Arc::new(move |now| match now.stage {
            // Nothing of the board is held any more: this may wait for the terminal, as the output may.
            Stage::HandOver => clear(),
            _ => listener(now),
        })
    });
    let store = board.told(listener)?;
    let out = BufWriter::new(io::stdout());
    match block_on(store.export(Box::new(out))) {
        Ok(_) => Ok(Exit::Done),
        Err(error) => Err(of_writing(error)),
    }
}

/// A file that gets its name when it is whole. Until then it goes with this value.
struct NewFile {
    file: NamedTempFile,
    directory: PathBuf,
}

impl NewFile {
    /// Makes it in the directory of the path, for its owner only. Nothing may be at the path.
    fn beside(path: &Path) -> Result<Self, Failure> {
        let doing = |error| Failure::unmade(path, error);
        if path.symlink_metadata().is_ok() {
            return Err(doing(io::ErrorKind::AlreadyExists.into()));
        }
        let directory = directory_of(path).map_err(doing)?;
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(".kanban-export-").suffix(".part");
        // 0600 is its mode already.
        let file = builder.tempfile_in(&directory).map_err(doing)?;
        Ok(Self { file, directory })
    }

    /// Gives it its name, durably, unless another has it by now.
    fn keep(self, path: &Path) -> Result<(), Failure> {
        let doing = |error| Failure::unmade(path, error);
        self.file.as_file().sync_all().map_err(doing)?;
        let kept = self.file.persist_noclobber(path);
        kept.map_err(|refused| doing(refused.error))?;
        let directory = File::open(&self.directory).map_err(doing)?;
        directory.sync_all().map_err(doing)
    }
}

/// The directory in which a path names a file.
fn directory_of(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    let directory = absolute.parent().map(Path::to_owned);
    directory.ok_or_else(|| io::ErrorKind::IsADirectory.into())
}

/// The file that was made.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BackedUp {
    file: PathBuf,
    bytes: u64,
}

pub(super) fn backup(
    board: &Board,
    args: BackupArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let file = args.file;
    if file.symlink_metadata().is_ok() {
        return Err(Failure::unmade(&file, io::ErrorKind::AlreadyExists.into()));
    }
    board.store()?;
    outside(board.boards()?, &file)?;
    let progress = Progress::told(output, "backing up");
    let store = board.watched(&progress)?;
    let done = block_on(store.backup(file.clone()));
    drop(progress);
    done.map_err(|error| of_target(&file, error))?;
    let bytes = file.metadata()?.len();
    let backed_up = BackedUp { file, bytes };
    output.answer(None, None, &backed_up, |made, _| {
        format!("{} ({} bytes)", plain(&made.file.display()), made.bytes)
    })?;
    Ok(Exit::Done)
}

/// A restore takes nothing from under the root, where a file may be in use: so no backup is made there.
fn outside(boards: &Boards, file: &Path) -> Result<(), Failure> {
    let doing = |error| Failure::unmade(file, error);
    let directory = directory_of(file)
        .and_then(std::fs::canonicalize)
        .map_err(doing)?;
    let root = boards.root().canonicalize().map_err(doing)?;
    if !directory.starts_with(&root) {
        return Ok(());
    }
    let must = format!(
        "outside of the root {}: a restore takes none from there",
        root.display()
    );
    Err(crate::values::malformed("file", &must).into())
}

pub(super) fn restore(
    board: &Board,
    args: &ImportBoardArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let actor = crate::values::label("actor", &args.actor)?;
    let claims = claims(args);
    // Not opened here: it may be a board that this process has open.
    crate::values::regular(&args.file)?;
    let progress = Progress::told(output, "restoring");
    let (boards, store) = (board.boards()?, board.watched(&progress)?);
    let backup = ImportBackup {
        file: args.file.clone(),
        claims,
        actor,
    };
    let written = block_on(boards.import_backup(&*store, backup));
    drop(progress);
    let written = written.map_err(|error| of_backup(&args.file, error))?;
    output.written(&written, moved_text)?;
    Ok(Exit::Done)
}

fn claims(args: &ImportBoardArgs) -> KeepClaims {
    if args.keep_claims {
        KeepClaims::Yes
    } else {
        KeepClaims::No
    }
}

pub(super) fn import(
    board: &Board,
    args: &ImportBoardArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let actor = crate::values::label("actor", &args.actor)?;
    let file = crate::values::file(&args.file)?;
    let progress = Progress::told(output, "importing");
    let store = board.watched(&progress)?;
    let lines = ImportLines {
        source: Box::new(file),
        claims: claims(args),
        actor,
    };
    let written = block_on(store.import_lines(lines));
    drop(progress);
    output.written(&written?, moved_text)?;
    Ok(Exit::Done)
}

/// The board itself was opened before: what is damaged, or may not be read, is the backup.
fn of_backup(path: &Path, error: Error) -> Failure {
    let source = std::error::Error::source(&error);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    match (error.kind(), source.map(io::Error::kind)) {
        (ErrorKind::Corrupt, _) => {
            // The kind calls it a damaged board, which it is not.
            let kind = format!("{}: ", error.kind());
            let text = error.to_string();
            Failure::input(path, &text.strip_prefix(&kind).unwrap_or(&text))
        }
        (_, Some(kind @ (io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory))) => {
            Failure::input(path, &io::Error::from(kind))
        }
        (ErrorKind::Unavailable(Unavailable::NewerSchema), _) => {
            Failure::Store(error).at(path.to_owned())
        }
        _ => Failure::Store(error),
    }
}

/// What keeps the output from being written is not the board's.
fn of_writing(error: Error) -> Failure {
    let source = std::error::Error::source(&error);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    match source {
        Some(source) => Failure::Output(source.kind().into()),
        None => Failure::Store(error),
    }
}

/// Nothing is written into the board: what is full, or may not be written, is the new file.
fn of_target(path: &Path, error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Unavailable(Unavailable::NoSpace | Unavailable::ReadOnly | Unavailable::Io) => {
            Failure::Store(error).at(path.to_owned())
        }
        _ => Failure::Store(error),
    }
}

fn moved_text(moved: &Moved, _: Paint) -> String {
    let closed = match moved.invalidated {
        0 => String::new(),
        runs => format!("; {runs} open runs closed"),
    };
    format!(
        "{} tasks, {} links, {} runs, {} comments, {} attachments, {} subscriptions, {} events; {} lines{closed}",
        moved.tasks,
        moved.links,
        moved.runs,
        moved.comments,
        moved.attachments,
        moved.subscriptions,
        moved.events,
        moved.lines
    )
}
