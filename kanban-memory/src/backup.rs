//! A board as a file: one line of JSON per row, and how many there were at its end.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kanban_core::{Copied, Error, Result, Txn};
use serde::Serialize;

use crate::error::system;
use crate::file::{Header, first_line};
use crate::rows::{Row, rows};
use crate::schema::Tables;

/// How many rows are written between two looks at whether to go on.
const ROWS_AT_ONCE: u64 = 1024;

/// Writes a snapshot into a new file, and makes it durable.
pub(crate) fn write(
    tables: &Tables,
    to: &Path,
    go_on: &dyn Fn(Copied) -> Result<()>,
) -> Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| system("making the backup's file", error))?;
    let done = write_rows(tables, &file, go_on).and_then(|()| sync(&file, to));
    if done.is_err() {
        // It is ours, and not a board. One that stays behind is refused as damaged.
        let _ = fs::remove_file(to);
    }
    done
}

fn write_rows(tables: &Tables, file: &File, go_on: &dyn Fn(Copied) -> Result<()>) -> Result<()> {
    let mut out = Out {
        to: BufWriter::new(file),
        rows: 0,
    };
    out.line(&Header::backup())?;
    let total = rows(tables).count() as u64;
    for row in rows(tables) {
        if out.rows.is_multiple_of(ROWS_AT_ONCE) {
            go_on(Copied {
                done: out.rows,
                total: Some(total),
            })?;
        }
        out.line(&row)?;
        out.rows += 1;
    }
    out.line(&Row::End(out.rows))?;
    out.to.flush().map_err(unwritten)
}

struct Out<'a> {
    to: BufWriter<&'a File>,
    rows: u64,
}

impl Out<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.to, line).map_err(|error| unwritten(error.into()))?;
        self.to.write_all(b"\n").map_err(unwritten)
    }
}

fn unwritten(error: std::io::Error) -> Error {
    system("writing the backup", error)
}

fn sync(file: &File, to: &Path) -> Result<()> {
    let doing = |error| system("syncing the backup", error);
    file.sync_all().map_err(doing)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))
        .and_then(|directory| directory.sync_all())
        .map_err(doing)
}

/// Reads a backup. All of its rows must be there, each once.
pub(crate) fn read(file: &File) -> Result<Tables> {
    let mut file = BufReader::new(file);
    first_line(&mut file)?;
    let mut lines = file.lines();
    let mut next = || -> Result<Row> {
        let line = lines
            .next()
            .ok_or_else(|| Error::corrupt("the backup is cut short"))?;
        let line = line.map_err(|error| system("reading the backup", error))?;
        serde_json::from_str(&line).map_err(|error| damaged().with_source(error))
    };
    let Row::Board(state) = next()? else {
        return Err(damaged());
    };
    let mut tables = Tables::new(state);
    let mut rows = 1;
    loop {
        let change = match next()? {
            Row::End(expected) if expected == rows && next().is_err() => return Ok(tables),
            Row::End(_) | Row::Board(_) => return Err(damaged()),
            row => row.change(),
        };
        let applied = change.map(|change| tables.apply(&change));
        applied
            .transpose()
            .map_err(|error| damaged().with_source(error))?;
        rows += 1;
    }
}

fn damaged() -> Error {
    Error::corrupt("the backup has a row that belongs to no board")
}

#[cfg(test)]
mod tests {
    use kanban_core::ErrorKind;

    use super::*;
    use crate::sample;

    fn reread(bytes: &[u8]) -> Result<Tables> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file)
    }

    fn written(tables: &Tables) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("backup");
        write(tables, &file, &|_| Ok(())).unwrap();
        fs::read(file).unwrap()
    }

    #[test]
    fn a_backup_holds_every_row_as_it_was() {
        let mut board = sample::board();
        assert!(board.tasks.values().any(|task| task.waiting));
        assert!(board.tasks.values().any(|task| task.collectable));
        let read = reread(&written(&board)).unwrap();
        // A store that opens the copy is another instance: it looks for no mark of this one.
        board.groups = crate::schema::Map::default();
        assert!(read == board, "expected {board:#?}, found {read:#?}");
    }

    #[test]
    fn a_backup_that_is_cut_or_goes_on_is_refused() {
        let bytes = written(&sample::board());
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut damaged: Vec<String> = (1..lines.len()).map(|end| lines[..end].concat()).collect();
        damaged.push(text.clone() + lines[lines.len() - 2]);
        damaged.push(text.replacen("\"board\"", "\"bored\"", 1));
        // A row twice, and one less.
        let mut doubled = lines.clone();
        doubled[3] = doubled[4];
        damaged.push(doubled.concat());
        for text in damaged {
            let error = reread(text.as_bytes()).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Corrupt, "found {error} of {text}");
        }
    }

    #[test]
    fn a_backup_that_is_stopped_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("backup");
        let stop = |_| Err(Error::new(ErrorKind::Busy, "stopped"));
        let error = write(&sample::board(), &file, &stop).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Busy);
        assert!(!file.exists(), "expected no file");
    }
}
