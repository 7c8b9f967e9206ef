//! Moving whole boards.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kanban_core::{Error, ErrorKind, ImportBackup, ImportLines, KeepClaims, Moved, Unavailable};
use pollster::block_on;
use serde::Serialize;

use crate::cli::{BackupArgs, ExportArgs, ImportBoardArgs};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain};
use crate::progress;

use super::Board;

pub(super) fn export(
    board: &Board,
    args: &ExportArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let store = board.store()?;
    let Some(path) = &args.file else {
        // The export is the answer: nothing else is printed.
        let out = BufWriter::new(io::stdout());
        return match block_on(store.export(Box::new(out))) {
            Ok(_) => Ok(Exit::Done),
            Err(error) => Err(of_writing(error)),
        };
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| unusable(path, source))?;
    let bar = progress::bytes("exporting", None);
    let kept = file.try_clone()?;
    let out = bar.wrap_write(BufWriter::new(file));
    let exported = block_on(store.export(Box::new(out)));
    bar.finish_and_clear();
    let synced = exported
        .map_err(|error| of_target(path, error))
        .and_then(|read| Ok(kept.sync_all().map(|()| read)?));
    let read = match synced {
        Ok(read) => read,
        Err(failure) => {
            // Without its footer it is of no use, and it was made here.
            let _ = std::fs::remove_file(path);
            return Err(failure);
        }
    };
    output.read(&read, moved_text)?;
    Ok(Exit::Done)
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
    if file.exists() {
        return Err(unusable(&file, io::ErrorKind::AlreadyExists.into()));
    }
    let store = board.store()?;
    let bar = progress::spinner("backing up");
    let done = block_on(store.backup(file.clone()));
    bar.finish_and_clear();
    done.map_err(|error| of_target(&file, error))?;
    let bytes = file.metadata()?.len();
    let backed_up = BackedUp { file, bytes };
    output.answer(None, None, &backed_up, |made, _| {
        format!("{} ({} bytes)", plain(&made.file.display()), made.bytes)
    })?;
    Ok(Exit::Done)
}

pub(super) fn restore(
    board: &Board,
    args: &ImportBoardArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let actor = crate::values::label("actor", &args.actor)?;
    let claims = claims(args);
    // Not opened here: it may be a board that this process has open.
    std::fs::metadata(&args.file).map_err(|error| Failure::input(&args.file, &error))?;
    let (boards, store) = (board.boards()?, board.store()?);
    let bar = progress::spinner("restoring");
    let backup = ImportBackup {
        file: args.file.clone(),
        claims,
        actor,
    };
    let written = block_on(boards.import_backup(store, backup));
    bar.finish_and_clear();
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
    let input = |error| Failure::input(&args.file, &error);
    let file = File::open(&args.file).map_err(input)?;
    let metadata = file.metadata().map_err(input)?;
    if metadata.is_dir() {
        return Err(input(io::ErrorKind::IsADirectory.into()));
    }
    let store = board.store()?;
    let bar = progress::bytes("importing", Some(metadata.len()));
    let lines = ImportLines {
        source: Box::new(bar.wrap_read(file)),
        claims: claims(args),
        actor,
    };
    let written = block_on(store.import_lines(lines));
    bar.finish_and_clear();
    output.written(&written?, moved_text)?;
    Ok(Exit::Done)
}

/// The board itself was opened before: what is damaged, or may not be read, is the backup.
fn of_backup(path: &Path, error: Error) -> Failure {
    let source = std::error::Error::source(&error);
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    match (error.kind(), source.map(io::Error::kind)) {
        (ErrorKind::Corrupt, _) => Failure::input(path, &"it is no backup of a board, or damaged"),
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

fn unusable(path: &Path, source: io::Error) -> Failure {
    if source.kind() == io::ErrorKind::AlreadyExists {
        let text = format!("{} exists: it is not overwritten", path.display());
        return Failure::Usage(text);
    }
    Failure::Output(source)
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
