//! Lines on their way between the board and a caller wait in a file without a name, in the board's directory: a caller's
//! output and source may stall for ever, and the board is held by neither.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::de::IgnoredAny;

use crate::error::{Error, Result, Unavailable};
use crate::progress::{Stage, Tell};
use crate::request::ImportSource;

use super::import::LINE_LEN_MAX;

/// How an export's last line begins.
const FOOTER: &[u8] = b"{\"footer\"";

/// A file that nobody else sees, and that is gone with its last handle.
pub(crate) fn spool_in(directory: &Path) -> Result<File> {
    tempfile::tempfile_in(directory).map_err(|error| Error::io("making room for an export", error))
}

/// Hands everything over to whoever it is for.
pub(crate) fn hand_over(mut spool: File, to: &mut dyn Write, tell: &Tell) -> Result<()> {
    let reading = |error| Error::io("reading the export again", error);
    let len = spool.seek(SeekFrom::End(0)).map_err(reading)?;
    spool.seek(SeekFrom::Start(0)).map_err(reading)?;
    let mut steps = tell.begin_of(Stage::HandOver, Some(len));
    // Errors of both sides come out of the copy alike; the output is by far the likelier.
    io::copy(&mut steps.counted(spool), to)
        .and_then(|_| to.flush())
        .map_err(|error| Error::io("writing the export", error))?;
    steps.end();
    Ok(())
}

/// What was taken in of an import's source.
pub(crate) struct TakenIn {
    pub(crate) spool: File,
    pub(crate) lines: u64,
}

/// Reads a source up to the end of its export, once. Whether that is whole and sound is for the import to say: what is
/// plainly none ends with the line that shows it, so that not all of some large other file is copied.
pub(crate) fn take_in(source: &mut dyn ImportSource, spool: File, tell: &Tell) -> Result<TakenIn> {
    let unread = |error: io::Error| {
        Error::unavailable(Unavailable::Io, "reading the export").with_source(error)
    };
    let unkept = |error| Error::io("keeping the export", error);
    // A source may not know its end.
    let Ok(mut steps) = tell.begin(Stage::TakeIn, || {
        Ok::<_, Infallible>(source.seek(SeekFrom::End(0)).ok())
    });
    source.seek(SeekFrom::Start(0)).map_err(unread)?;
    let mut lines = 0;
    let mut source = BufReader::new(source);
    let mut to = BufWriter::new(spool);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut source).take(LINE_LEN_MAX);
        bounded.read_until(b'\n', &mut line).map_err(unread)?;
        to.write_all(&line).map_err(unkept)?;
        lines += 1;
        steps.add(line.len() as u64);
        if line.starts_with(FOOTER) {
            // One byte behind the footer is enough to be refused.
            line.clear();
            let mut beyond = (&mut source).take(1);
            beyond.read_to_end(&mut line).map_err(unread)?;
            to.write_all(&line).map_err(unkept)?;
            break;
        }
        if !line.ends_with(b"\n") || serde_json::from_slice::<IgnoredAny>(&line).is_err() {
            break;
        }
    }
    steps.end();
    let spool = to
        .into_inner()
        .map_err(|error| unkept(error.into_error()))?;
    Ok(TakenIn { spool, lines })
}
