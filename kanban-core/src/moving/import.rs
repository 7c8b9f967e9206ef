//! Taking an export over: each line is applied as it is read, in one transaction, and nothing is committed unless the
//! footer and all invariants hold.

mod bounds;
mod claims;
mod rows;

use std::io::{self, BufRead, BufReader, Read, SeekFrom};

use sha2::{Digest, Sha256};

use crate::change::Change;
use crate::engine::Txn;
use crate::error::{Error, Invalid, Rejection, Result, Unavailable};
use crate::model::{BoardState, Millis, TaskId};
use crate::progress::{Stage, Steps, Tell};
use crate::request::{Effect, ImportLines, ImportSource, KeepClaims, Moved, Written};
use crate::verify::violations;

use super::line::{BoardLine, FORMAT, Footer, Line, Place, hex};

/// Longer than any line that an export writes: the texts of a task in escapes.
pub(super) const LINE_LEN_MAX: u64 = 16 * 1024 * 1024;

/// Takes an export over. An error leaves the transaction to be rolled back.
pub(crate) fn import(
    txn: &mut dyn Txn,
    import: &mut ImportLines,
    now: Millis,
    (lines, tell): (u64, &Tell),
) -> Result<Written<Moved>> {
    let before = txn.view().board()?;
    if before.counters.seq.get() > 0 || !txn.view().tasks(None, 1)?.is_empty() {
        let refused = Error::from(Rejection::BoardNotEmpty);
        return Err(refused.with_seq(before.counters.seq));
    }
    let mut taking = Taking {
        txn,
        number: 0,
        claims: import.claims,
        last: None,
        children: (None, 0),
        steps: tell.begin_of(Stage::Write, Some(lines)),
        moved: Moved::default(),
    };
    taking.read(&mut *import.source, &before)?;
    let footer = taking.number;
    let Taking {
        txn,
        mut moved,
        mut steps,
        ..
    } = taking;
    let seq = match import.claims {
        KeepClaims::Yes => txn.view().board()?.counters.seq,
        KeepClaims::No => claims::close(txn, &mut moved, &import.actor, now)
            .map_err(|error| at_line(footer, error))?,
    };
    steps.end();
    if let Some(violation) = violations(txn.view(), 1, tell)?.first() {
        let why = format!("invariant {}: {}", violation.invariant, violation.what);
        return Err(unsound(footer, &why));
    }
    Ok(Written {
        seq,
        effect: Effect::Applied,
        value: moved,
    })
}

/// An import on its way.
struct Taking<'a> {
    txn: &'a mut dyn Txn,
    /// The line that is being taken, from 1.
    number: u64,
    claims: KeepClaims,
    last: Option<Place>,
    /// How many children the parent of the last link has. Links come by their parents.
    children: (Option<TaskId>, usize),
    steps: Steps,
    moved: Moved,
}

impl Taking<'_> {
    /// Takes every line, and expects the footer to tell what they were.
    fn read(&mut self, source: &mut dyn ImportSource, before: &BoardState) -> Result<()> {
        let unread = |error: io::Error| {
            Error::unavailable(Unavailable::Io, "reading the export").with_source(error)
        };
        source.seek(SeekFrom::Start(0)).map_err(unread)?;
        let mut source = BufReader::new(source);
        let mut hash = Sha256::new();
        let mut text = Vec::new();
        loop {
            self.number += 1;
            text.clear();
            let mut bounded = (&mut source).take(LINE_LEN_MAX);
            bounded.read_until(b'\n', &mut text).map_err(unread)?;
            let line = self.parse(&text)?;
            self.steps.add(1);
            let place = line.place();
            if self.last.as_ref() >= Some(&place) {
                return Err(self.unsound("out of order, or there twice"));
            }
            if let Line::Footer(footer) = &line {
                self.expect(footer, hash)?;
                break;
            }
            hash.update(&text);
            self.expect_start(&line)?;
            self.take(line, before)?;
            self.last = Some(place);
        }
        self.moved.lines = self.number;
        let mut beyond = [0];
        if source.read(&mut beyond).map_err(unread)? > 0 {
            self.number += 1;
            return Err(self.unsound("there is something after the footer"));
        }
        Ok(())
    }

    /// Reads one line, which must be written as an export writes it.
    fn parse(&self, text: &[u8]) -> Result<Line> {
        let Some(text) = text.strip_suffix(b"\n") else {
            return Err(self.unsound(match text.len() as u64 {
                0 => "the footer is missing",
                LINE_LEN_MAX => "too long",
                _ => "cut off",
            }));
        };
        let line: Line =
            serde_json::from_slice(text).map_err(|error| self.unsound(&error.to_string()))?;
        let again = serde_json::to_vec(&line).expect("what was read as JSON can be written");
        if again != text {
            return Err(self.unsound("not written as an export writes it"));
        }
        Ok(line)
    }

    /// The first three lines are always there.
    fn expect_start(&self, line: &Line) -> Result<()> {
        match (self.number, line) {
            (1, Line::Header(header)) if header.kanban_export > FORMAT => {
                let context = format!(
                    "the export has format {}, this program knows {FORMAT}",
                    header.kanban_export
                );
                Err(Error::unavailable(Unavailable::NewerSchema, context))
            }
            (1, Line::Header(header)) if header.kanban_export == FORMAT => Ok(()),
            (2, Line::Board(_)) | (3, Line::Policy(_)) | (4.., _) => Ok(()),
            _ => Err(self.unsound("expected header, board and policy first")),
        }
    }

    fn expect(&self, footer: &Footer, hash: Sha256) -> Result<()> {
        let before = self.number - 1;
        if footer.lines != before {
            let why = format!("the footer tells of {} lines, found {before}", footer.lines);
            return Err(self.unsound(&why));
        }
        if footer.sha256 != hex(&hash.finalize()) {
            return Err(self.unsound("the lines before the footer are not those it was made for"));
        }
        if before < 3 {
            return Err(self.unsound("expected header, board and policy first"));
        }
        Ok(())
    }

    fn take(&mut self, line: Line, before: &BoardState) -> Result<()> {
        bounds::check(&line).map_err(|invalid| self.unsound(&invalid.to_string()))?;
        match line {
            Line::Header(_) | Line::Footer(_) => Ok(()),
            Line::Board(row) => self.board(row, before),
            other => self.row(other),
        }
    }

    /// The board's row: what belongs to the files stays.
    fn board(&mut self, row: BoardLine, before: &BoardState) -> Result<()> {
        let after = BoardState {
            created_at: row.created_at,
            seed: row.seed,
            counters: row.counters,
            horizon: row.horizon,
            ..before.clone()
        };
        if self.claims == KeepClaims::No && claims::highest(&after.counters) > claims::RAISABLE_MAX
        {
            return Err(self.unsound("a counter is too near 2^62 to be raised; a move takes it"));
        }
        let before = before.clone();
        self.apply(&Change::board(before, after))
    }

    fn apply(&mut self, change: &Change) -> Result<()> {
        self.txn.apply(change).map_err(|error| {
            let context = format!("taking line {} of the export", self.number);
            Error::new(error.kind().clone(), context).with_source(error)
        })
    }

    fn unsound(&self, why: &str) -> Error {
        unsound(self.number, why)
    }
}

/// What is wrong with the export, and at which line.
fn unsound(line: u64, why: &str) -> Error {
    Invalid::malformed("export", &format!("whole and sound; line {line}: {why}")).into()
}

/// Names the line where a rule of the import found the export wanting.
fn at_line(line: u64, error: claims::Stop) -> Error {
    match error {
        claims::Stop::Unsound(why) => unsound(line, &why),
        claims::Stop::Storage(error) => error,
    }
}
