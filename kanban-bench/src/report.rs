//! The report: every workload beside what it is compared with, in turns, as tables, JSON and one page with plots.
//!
//! What is quoted is a ratio of two sides that were taken round by round, one after the other: a machine that slows down
//! slows down both. `docs/benchmarks.md` says how to read it.

use std::io;
use std::path::{Path, PathBuf};

use crate::clock::nanos;
use crate::extent::SEED;
use crate::place::Place;

mod chart;
mod chores;
mod compared;
mod crowd;
mod even;
mod figures;
mod grid;
pub mod idle;
mod length;
mod machine;
mod page;
mod plan;
mod plot;
mod progress;
mod reads;
mod run;
#[cfg(test)]
mod sample;
pub mod shape;
mod sizes;
mod step;
mod table;
mod target;
mod theme;
mod ticks;
mod transitions;
mod turns;
mod words;

pub use page::page;
pub use plan::Scale;
pub use table::{markdown, terminal};

use progress::Progress;
use run::Bench;
use shape::{Report, Setting};

/// The version of the shape of [`Report`].
const VERSION: u32 = 2;

/// What is to be reported.
#[derive(Debug, Clone)]
pub struct Order {
    /// How much is measured.
    pub scale: Scale,
    /// Where the boards lie while they are measured.
    pub place: Place,
    /// The command that takes the same again.
    pub command: String,
    /// This program, to be started as a process that holds nothing else.
    pub program: PathBuf,
}

/// Measures, and reports.
///
/// # Errors
/// The store's; a file system that fails; a process of its own that fails.
///
/// # Panics
/// Where an engine fails by hand: then there is nothing to measure.
pub fn take(order: &Order) -> Result<Report, Failed> {
    let plan = order.scale.plan();
    let began = jiff::Timestamp::now();
    let bench = Bench {
        plan: &plan,
        place: &order.place.folder,
        program: &order.program,
    };
    let steps = step::all(&plan);
    let progress = Progress::of(steps.len());
    let results = pollster::block_on(run::all(bench, &steps, &progress))?;
    drop(progress);
    let took = jiff::Timestamp::now().duration_since(began);
    Ok(Report {
        version: VERSION,
        setting: Setting {
            command: order.command.clone(),
            scale: order.scale.as_str().to_owned(),
            seed: SEED,
            began: began.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            took_s: took.unsigned_abs().as_secs(),
            processor: machine::processor(),
            cores: machine::cores(),
            memory_bytes: machine::memory(),
            kernel: machine::kernel(),
            file_system: order.place.file_system.clone(),
            flush_ns: nanos(order.place.flush),
            versions: machine::versions(),
        },
        targets: target::all(&plan, &results.comparisons, &results.idle),
        comparisons: results.comparisons,
        files: results.files,
        idle: results.idle,
    })
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A store said no.
    #[error("the store failed")]
    Store(#[from] kanban_core::Error),
    /// The file system did.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// What it said.
        source: io::Error,
    },
    /// The process that holds one board failed; these are its words.
    #[error("a process that holds one board failed: {0}")]
    Child(String),
    /// A report could not be written as JSON, or read.
    #[error("JSON of another shape")]
    Json(#[source] serde_json::Error),
    /// A plot could not be drawn.
    #[error("drawing a plot: {0}")]
    Plot(String),
}

impl Failed {
    /// Names what was being done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Writes a report as JSON.
///
/// # Errors
/// `Io`.
pub fn write_json(report: &Report, file: &Path) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(report).map_err(Failed::Json)?;
    write(file, &format!("{text}\n"))
}

/// Reads a report that was written as JSON.
///
/// # Errors
/// `Io`, `Json`.
pub fn read_json(file: &Path) -> Result<Report, Failed> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(Failed::io(format!("reading {}", file.display())))?;
    serde_json::from_str(&text).map_err(Failed::Json)
}

/// What stands before and after the tables in a page that says more.
const MARKS: [&str; 2] = ["<!-- report -->\n", "<!-- /report -->\n"];

/// Writes the tables into a page, in place of those between its marks. A page without marks, or one that is not there, becomes the
/// tables alone.
///
/// # Errors
/// `Io`.
pub fn write_markdown(report: &Report, file: &Path) -> Result<(), Failed> {
    let text = markdown(report);
    let page = match std::fs::read_to_string(file) {
        Ok(page) => page,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failed::io(format!("reading {}", file.display()))(error)),
    };
    write(file, &between_marks(&page, &text).unwrap_or(text))
}

fn between_marks(page: &str, text: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
}

/// Finds out whether a file could be written, and leaves no trace: nobody wants to hear of it after all was measured.
///
/// # Errors
/// `Io`.
pub fn expect_writable(file: &Path) -> Result<(), Failed> {
    let doing = || Failed::io(format!("writing {}", file.display()));
    if file.exists() {
        let opened = std::fs::OpenOptions::new().append(true).open(file);
        return opened.map(drop).map_err(doing());
    }
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let made = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")));
    made.map(drop).map_err(doing())
}

/// Writes a file anew.
///
/// # Errors
/// `Io`.
pub fn write(file: &Path, text: &str) -> Result<(), Failed> {
    std::fs::write(file, text).map_err(Failed::io(format!("writing {}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_place_between_the_marks_and_leave_the_rest() {
        let page = "# Benchmarks\n<!-- report -->\nold\n<!-- /report -->\nHow to read it.\n";
        let expected = "# Benchmarks\n<!-- report -->\nnew\n<!-- /report -->\nHow to read it.\n";
        assert_eq!(between_marks(page, "new\n").as_deref(), Some(expected));
        assert_eq!(between_marks("no marks", "new\n"), None);
    }

    #[test]
    fn a_report_is_read_back_from_its_json_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("report.json");
        let report = sample::report();
        write_json(&report, &file).expect("it is written");
        assert_eq!(read_json(&file).expect("it is read"), report);
    }
}
