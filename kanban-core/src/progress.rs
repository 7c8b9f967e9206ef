//! How far long calls are: what whoever waits for one may be shown.

use std::fmt;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a long call is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Takes in what an import, or a restore, is to read. Counted in bytes.
    TakeIn,
    /// Copies the board. Counted in what the engine copies: pages, or rows.
    Copy,
    /// Reads the board, or a backup. Counted in rows.
    Read,
    /// Hands an export over to its output. Counted in bytes.
    HandOver,
    /// Writes the board. Counted in lines of the export, or in rows.
    Write,
    /// The engine's own check. Not counted.
    Check,
    /// Checks the invariants of the rows. Counted in rows.
    Verify,
    /// Checks what the questions answer that walk an index. Counted in its entries.
    VerifyIndexes,
}

impl Stage {
    /// Whether bytes are counted.
    #[must_use]
    pub const fn counts_bytes(self) -> bool {
        matches!(self, Self::TakeIn | Self::HandOver)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TakeIn => "taking in",
            Self::Copy => "copying",
            Self::Read => "reading",
            Self::HandOver => "handing over",
            Self::Write => "writing",
            Self::Check => "checking the file",
            Self::Verify => "checking the rows",
            Self::VerifyIndexes => "checking the indexes",
        })
    }
}

/// How far a long call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// How much of this stage is done.
    pub done: u64,
    /// Of how much, where that is known.
    pub total: Option<u64>,
}

/// Hears how far a long call is, from any thread, often, also while the board is held: it returns at once. A panic of it
/// is dropped.
pub type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Tells of a call's progress, if anybody hears it.
#[derive(Clone, Default)]
pub(crate) struct Tell(Option<OnProgress>);

impl Tell {
    pub(crate) const fn to(on_progress: Option<OnProgress>) -> Self {
        Self(on_progress)
    }

    pub(crate) fn listener(&self) -> Option<OnProgress> {
        self.0.clone()
    }

    /// Begins a stage. How much there is to do is asked only if it is told.
    pub(crate) fn begin<E>(
        &self,
        stage: Stage,
        total: impl FnOnce() -> Result<Option<u64>, E>,
    ) -> Result<Steps, E> {
        let total = match &self.0 {
            Some(_) => total()?,
            None => None,
        };
        let steps = Steps {
            tell: self.clone(),
            now: Progress {
                stage,
                done: 0,
                total,
            },
            told: 0,
        };
        steps.tell.tell(&steps.now);
        Ok(steps)
    }

    /// Begins a stage of which the end is known, or is never known.
    pub(crate) fn begin_of(&self, stage: Stage, total: Option<u64>) -> Steps {
        let Ok(steps) = self.begin(stage, || Ok::<_, std::convert::Infallible>(total));
        steps
    }

    fn tell(&self, now: &Progress) {
        if let Some(on_progress) = &self.0 {
            // What the call does is done whatever becomes of those who watch.
            let _ = catch_unwind(AssertUnwindSafe(|| on_progress(now)));
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tell").field(&self.0.is_some()).finish()
    }
}

/// How many rows pass untold.
const UNTOLD_ROWS: u64 = 64;
/// How many bytes pass untold: about as many rows, of which each may be one read.
const UNTOLD_BYTES: u64 = 64 * 1024;

/// One stage on its way.
#[derive(Debug)]
pub(crate) struct Steps {
    tell: Tell,
    now: Progress,
    told: u64,
}

impl Steps {
    /// So much more is done.
    pub(crate) fn add(&mut self, more: u64) {
        self.set(self.now.done + more);
    }

    /// So much is done.
    pub(crate) fn set(&mut self, done: u64) {
        self.now.done = done;
        let untold_max = match self.now.stage.counts_bytes() {
            true => UNTOLD_BYTES,
            false => UNTOLD_ROWS,
        };
        if done - self.told.min(done) >= untold_max {
            self.say();
        }
    }

    /// So much is done, of so much.
    pub(crate) fn set_of(&mut self, done: u64, total: Option<u64>) {
        self.now.total = total;
        self.now.done = done;
        self.say();
    }

    /// The stage is over.
    pub(crate) fn end(&mut self) {
        self.say();
    }

    /// The stage is over, and what did it says that all of it is done.
    pub(crate) fn end_whole(&mut self) {
        self.now.done = self.now.total.unwrap_or(self.now.done);
        self.say();
    }

    /// Counts the bytes that are read through it.
    pub(crate) fn counted<R: Read>(&mut self, inner: R) -> impl Read {
        Counted { inner, steps: self }
    }

    fn say(&mut self) {
        self.told = self.now.done;
        self.tell.tell(&self.now);
    }
}

struct Counted<'a, R> {
    inner: R,
    steps: &'a mut Steps,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.steps.add(len as u64);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    fn heard() -> (Tell, Arc<Mutex<Vec<Progress>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&heard);
        let on_progress: OnProgress = Arc::new(move |now| {
            let mut heard = theirs.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(*now);
        });
        (Tell::to(Some(on_progress)), heard)
    }

    #[test]
    fn a_stage_tells_its_begin_its_way_and_its_end() {
        let (tell, heard) = heard();
        let mut steps = tell.begin_of(Stage::Read, Some(130));
        for _ in 0..130 {
            steps.add(1);
        }
        steps.end();
        let heard = heard.lock().unwrap();
        let done: Vec<u64> = heard.iter().map(|now| now.done).collect();
        assert_eq!(done, [0, 64, 128, 130]);
        assert!(heard.iter().all(|now| now.total == Some(130)));
    }

    #[test]
    fn an_import_of_many_short_lines_is_told_by_what_they_come_to() {
        let (tell, heard) = heard();
        let mut steps = tell.begin_of(Stage::TakeIn, None);
        for _ in 0..10_000 {
            steps.add(100);
        }
        steps.end();
        let told = heard.lock().unwrap().len();
        // 1,000,000 bytes: the begin, each 65,600 of them, and the end.
        assert_eq!(told, 17);
    }

    #[test]
    fn a_total_that_nobody_hears_is_not_asked_for() {
        let asked = Tell::default().begin(Stage::Read, || Err::<Option<u64>, _>("asked"));
        assert!(asked.is_ok(), "expected no question");
    }

    #[test]
    fn a_listener_that_panics_stops_nothing() {
        let tell = Tell::to(Some(Arc::new(|_: &Progress| panic!("a listener's bug"))));
        let mut steps = tell.begin_of(Stage::Read, None);
        steps.add(100);
        steps.end();
    }
}
