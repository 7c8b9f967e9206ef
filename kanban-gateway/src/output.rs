//! What a command prints: one JSON envelope, or tables for people.

mod error;
mod paint;
mod progress;

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use kanban_core::{Effect, Read, Seq, Written};
use serde::Serialize;

use crate::failure::{Exit, Failure};

pub(crate) use self::paint::{Paint, pairs, plain, span, time};
pub(crate) use self::progress::Progress;

/// How the output is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text(Paint),
}

/// Where a command's answer goes.
pub(crate) struct Output {
    format: Format,
    out: Box<dyn Write>,
}

/// An answer in its envelope.
#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<Effect>,
    data: &'a T,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let format = if json {
            Format::Json
        } else {
            Format::Text(Paint::for_stdout())
        };
        Self {
            format,
            out: Box::new(io::stdout()),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints what a question answered.
    pub(crate) fn read<T: Serialize>(
        &mut self,
        read: &Read<T>,
        text: impl FnOnce(&T, Paint) -> String,
    ) -> Result<(), Failure> {
        self.answer(Some(read.seq), None, &read.value, text)
    }

    /// Prints what a write answered.
    pub(crate) fn written<T: Serialize>(
        &mut self,
        written: &Written<T>,
        text: impl FnOnce(&T, Paint) -> String,
    ) -> Result<(), Failure> {
        self.answer(
            Some(written.seq),
            Some(written.effect),
            &written.value,
            |value, paint| match written.effect {
                Effect::Unchanged => marked(&text(value, paint), "unchanged"),
                Effect::Applied | Effect::Repeated => text(value, paint),
            },
        )
    }

    /// Prints an answer: its envelope, or its text. That nothing was changed the text says itself.
    pub(crate) fn answer<T: Serialize>(
        &mut self,
        seq: Option<Seq>,
        effect: Option<Effect>,
        data: &T,
        text: impl FnOnce(&T, Paint) -> String,
    ) -> Result<(), Failure> {
        let line = match self.format {
            Format::Json => {
                serde_json::to_string(&Envelope { seq, effect, data }).map_err(io::Error::from)?
            }
            Format::Text(paint) if effect == Some(Effect::Repeated) => {
                marked(&text(data, paint), "repeated")
            }
            Format::Text(paint) => text(data, paint),
        };
        self.line(&line)
    }

    /// Prints a line, and lets it be seen.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(())
    }

    /// Prints why a command failed, and says how it ends. A reader of the output that went away is no failure.
    pub(crate) fn end(&mut self, ended: Result<Exit, Failure>) -> Exit {
        let failure = match ended {
            Ok(exit) => return exit,
            Err(failure) => failure,
        };
        let exit = failure.exit();
        if exit != Exit::Done {
            let told = match self.format {
                Format::Json => {
                    let envelope = error::envelope(&failure);
                    self.line(&envelope).is_ok()
                }
                Format::Text(_) => writeln!(io::stderr(), "kanban: {failure}").is_ok(),
            };
            if !told {
                // Where the answer cannot go, the reason cannot either.
                let _ = writeln!(io::stderr(), "kanban: {failure}");
                return Exit::Unavailable;
            }
        }
        exit
    }
}

/// A text with a word behind it.
fn marked(text: &str, word: &str) -> String {
    let gap = if text.contains('\n') { "\n" } else { "  " };
    format!("{text}{gap}({word})")
}

/// Prints what the command line's parser says: help and version to standard output, errors as any other.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    use clap::error::ErrorKind as Kind;
    let is_answer = matches!(error.kind(), Kind::DisplayHelp | Kind::DisplayVersion);
    let wants_json = std::env::args_os()
        .skip(1)
        .take_while(|arg| arg != OsStr::new("--"))
        .any(|arg| arg == OsStr::new("--json"));
    if wants_json && !is_answer {
        let text = error.to_string();
        let text = text.trim().trim_start_matches("error: ");
        let failure = Failure::Usage(text.to_owned());
        let mut output = Output::new(true);
        return output.end(Err(failure));
    }
    match error.print() {
        Ok(()) if is_answer => Exit::Done,
        Ok(()) => Exit::Usage,
        Err(error) => Failure::from(error).exit(),
    }
}

/// Tells a person something beside the answer. It goes to standard error; where it cannot, it is of no account.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "kanban: {text}");
}

fn wants_colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stdout().is_terminal()
}
