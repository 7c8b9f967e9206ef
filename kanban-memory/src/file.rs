//! The file of a board: it says that there is a board, and its lock who has it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kanban_core::{Error, ErrorKind, OpenBoard, Result, Unavailable};
use serde::{Deserialize, Serialize};

use crate::backup;
use crate::error::system;
use crate::schema::Tables;

/// The name of a board's file.
pub(crate) const FILE: &str = "board.memory";

/// The form of the files that this program writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// No first line is longer.
const HEADER_LEN_MAX: u64 = 4096;

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    kanban_memory: u32,
    /// In whose memory the board is. None in a backup, whose rows follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    process: Option<u32>,
}

impl Header {
    /// Of a board that is in the memory of this process.
    fn board() -> Self {
        Self {
            kanban_memory: FORMAT,
            process: Some(std::process::id()),
        }
    }

    /// Of a file with all rows of a board.
    pub(crate) const fn backup() -> Self {
        Self {
            kanban_memory: FORMAT,
            process: None,
        }
    }

    fn parse(line: &[u8]) -> Result<Self> {
        // The format alone is read first: a newer one may say the rest differently.
        let value: serde_json::Value = serde_json::from_slice(line).map_err(no_board)?;
        let format = value
            .get("kanban_memory")
            .and_then(serde_json::Value::as_u64);
        if format.is_some_and(|format| format > u64::from(FORMAT)) {
            let context = "the board's file has a form that this program does not know";
            return Err(Error::unavailable(Unavailable::NewerSchema, context));
        }
        serde_json::from_value(value).map_err(no_board)
    }
}

fn no_board(error: serde_json::Error) -> Error {
    Error::corrupt("the file is no board in memory").with_source(error)
}

/// Opens the file of a directory's board, which is made if the board may be.
pub(crate) fn open(directory: &Path, how: &OpenBoard) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(how.create.is_some())
        .truncate(false)
        .mode(0o600)
        .open(directory.join(FILE))
        .map_err(|error| system("opening the board's file", error))
}

/// Refuses a file that is none of a board.
pub(crate) fn check(file: &File) -> Result<()> {
    first_line(&mut BufReader::new(file)).map(|_| ())
}

/// Refuses what is no backup: the file of a board has none of its rows. Whether a backup is whole is seen when it is read.
pub(crate) fn accept(copy: &Path) -> Result<()> {
    let file = File::open(copy).map_err(|error| system("looking at the backup", error))?;
    match first_line(&mut BufReader::new(file)) {
        Ok(Some(Header { process: None, .. })) => Ok(()),
        Ok(_) => Err(Error::no_finished_backup()),
        Err(error) if *error.kind() == ErrorKind::Corrupt => {
            Err(Error::no_finished_backup().with_source(error))
        }
        Err(error) => Err(error),
    }
}

/// What a board that nobody here has begins with: nothing, or the rows of a backup. Takes the file's lock.
pub(crate) fn begin(file: &File, how: &OpenBoard) -> Result<Tables> {
    take(file)?;
    match first_line(&mut BufReader::new(file))? {
        Some(Header { process: None, .. }) => backup::read(file),
        Some(Header {
            process: Some(process),
            ..
        }) => Err(gone(process)),
        None => found(file, how),
    }
}

/// Takes the lock of a file: whoever has it has the board.
fn take(file: &File) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(elsewhere()),
        Err(TryLockError::Error(error)) => {
            let context = "the file system has no locks";
            Err(Error::unavailable(Unavailable::Filesystem, context).with_source(error))
        }
    }
}

/// A new board in an empty file.
fn found(mut file: &File, how: &OpenBoard) -> Result<Tables> {
    let Some(state) = &how.create else {
        let context = "the board's file is empty: it was never made";
        return Err(Error::unavailable(Unavailable::Io, context));
    };
    let mut line = serde_json::to_vec(&Header::board()).map_err(no_board)?;
    line.push(b'\n');
    // Not synced: the board ends with this process, before its file can be lost.
    file.write_all(&line)
        .map_err(|error| system("writing the board's file", error))?;
    Ok(Tables::new(state.clone()))
}

/// What the file says that it is; none if it is empty.
pub(crate) fn first_line(file: &mut (impl BufRead + Seek)) -> Result<Option<Header>> {
    let doing = |error| system("reading the board's file", error);
    file.rewind().map_err(doing)?;
    let mut line = Vec::new();
    let mut start = file.take(HEADER_LEN_MAX);
    start.read_until(b'\n', &mut line).map_err(doing)?;
    if line.is_empty() {
        return Ok(None);
    }
    Header::parse(&line).map(Some)
}

pub(crate) fn elsewhere() -> Error {
    let context = "the board is in the memory of another process";
    Error::unavailable(Unavailable::InUse, context)
}

fn gone(process: u32) -> Error {
    let context = format!(
        "the board was in the memory of process {process}, and nobody there holds it any more \
         (a clone of the `MemoryBackend` would have)"
    );
    Error::unavailable(Unavailable::Io, context)
}
