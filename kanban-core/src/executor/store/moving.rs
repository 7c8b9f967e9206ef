//! Exports, backups and imports: the ones read longer than any question, the other writes more than any command. Each has a
//! thread of its own, which holds the board only while it reads it, and never while a caller's output or source stalls.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::clock::IdSource;
use crate::engine::{Engine, Txn};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::job::{Job, Step, panicked};
use crate::executor::permits::Permit;
use crate::executor::reply::{Answer, Reply, reply};
use crate::model::Millis;
use crate::moving::{self, TakenIn};
use crate::progress::{Stage, Tell};
use crate::request::{ImportLines, ImportSource, Moved, Read, Written};
use crate::rules::GroupRows;
use crate::sync::{Arc, spawn};

use super::{EngineStore, Shared};

impl<E: Engine> EngineStore<E> {
    /// Reads the import's source on a thread of its own, then queues the import and waits for its answer.
    pub(super) async fn import(&self, import: ImportLines) -> Result<Written<Moved>> {
        let tell = self.tell.clone();
        let taking_in = self.shared().take_in_lines(import.source, tell.clone())?;
        let (TakenIn { spool, lines }, permit) = taking_in.await?;
        let (reply, answer) = reply();
        let shared = self.shared();
        let job = Box::new(ImportJob {
            import: ImportLines {
                source: Box::new(spool),
                ..import
            },
            lines,
            tell,
            held: None,
            permit,
            reply,
        });
        shared
            .queue
            .submit(job, self.admission, &shared.timer)
            .await?;
        answer.await
    }

    /// Exports on a thread of its own and waits for the end.
    pub(super) async fn write_out(&self, mut to: Box<dyn Write + Send>) -> Result<Read<Moved>> {
        let (tell, tell_after) = (self.tell.clone(), self.tell.clone());
        let exported = self.shared().on_thread(
            "kanban-export",
            move |shared| shared.spool_now(&tell),
            move |(spool, moved)| {
                moving::hand_over(spool, &mut *to, &tell_after)?;
                Ok(moved)
            },
        )?;
        exported.await
    }

    /// Copies the engine's file on a thread of its own and waits for the end.
    pub(super) async fn copy_to(&self, to: PathBuf) -> Result<()> {
        let tell = self.tell.clone();
        let copy = move |shared: &Shared<E>| {
            let steps = RefCell::new(tell.begin_of(Stage::Copy, None));
            shared.engine.backup(&to, &|copied| {
                steps.borrow_mut().set_of(copied.done, copied.total);
                shared.may_go_on()
            })?;
            steps.into_inner().end_whole();
            Ok(())
        };
        let copied = self.shared().on_thread("kanban-backup", copy, Ok)?;
        copied.await
    }
}

impl<E: Engine> Shared<E> {
    /// Does something that reads for long on a thread of its own: no question waits for it. What is left to do with what
    /// was read is done when nothing of the board is held any more, so it may take for ever.
    fn on_thread<T: 'static, U: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
        then: impl FnOnce(T) -> Result<U> + Send + 'static,
    ) -> Result<Answer<U>> {
        let (reply, answer) = reply();
        let reading = self.take_in()?;
        let permit = self.permits.take()?;
        // Nobody joins it: the close waits for the read that it holds.
        let _thread = spawn(name.to_owned(), move || {
            let done = caught(|| reading.0.alone(read));
            drop(reading);
            let done = caught(|| done.and_then(then));
            // The waiter may begin another at once.
            drop(permit);
            reply.send(done);
        })?;
        Ok(answer)
    }

    /// Reads on a thread that is not used again, while the writer does not open the engine anew.
    fn alone<T>(&self, read: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let done = caught(|| read(self));
        // Under the gate: a connection that is just being closed is open to whoever opens the files anew.
        self.engine.release_thread();
        done
    }

    /// Whether a long read may go on: neither the close nor a writer that opens the files anew waits for it.
    fn may_go_on(&self) -> Result<()> {
        self.queue.check_open()?;
        if self.is_reopening.load(Ordering::SeqCst) {
            let context = "a commit is uncertain, the files are opened anew";
            return Err(Error::new(ErrorKind::Busy, context));
        }
        Ok(())
    }

    /// Exports into a file that nobody else sees.
    fn spool_now(&self, tell: &Tell) -> Result<(File, Read<Moved>)> {
        let spool = moving::spool_in(&self.directory)?;
        let mut to = std::io::BufWriter::new(&spool);
        let go_on = || self.may_go_on();
        let mut answer = None;
        self.engine.read_long(&mut |view| {
            let seq = view.board()?.counters.seq;
            let value = moving::export(view, &mut to, &go_on, tell)?;
            answer = Some(Read { seq, value });
            Ok(())
        })?;
        drop(to);
        let answer =
            answer.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine did not ask"))?;
        Ok((spool, answer))
    }

    /// Reads the source of an import into a file that nobody else sees. The close does not wait for that: nothing of the
    /// board is held by it.
    fn take_in_lines(
        &self,
        mut source: Box<dyn ImportSource>,
        tell: Tell,
    ) -> Result<Answer<(TakenIn, Permit)>> {
        self.check_process()?;
        self.queue.check_open()?;
        let permit = self.permits.take()?;
        let spool = moving::spool_in(&self.directory)?;
        let (reply, answer) = reply();
        let _thread = spawn("kanban-import".to_owned(), move || {
            let taken = caught(|| moving::take_in(&mut *source, spool, &tell));
            drop(source);
            reply.send(taken.map(|taken| (taken, permit)));
        })?;
        Ok(answer)
    }
}

/// What a closure answers, or its panic.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// An import in the queue. It applies as it reads, so a refusal is a failure of its transaction: that is rolled back,
/// and the commands beside it are run again.
struct ImportJob {
    import: ImportLines,
    lines: u64,
    tell: Tell,
    held: Option<Written<Moved>>,
    permit: Permit,
    reply: Reply<Written<Moved>>,
}

impl Job for ImportJob {
    fn decide(
        &mut self,
        txn: &mut dyn Txn,
        group: &mut GroupRows,
        _: &dyn IdSource,
        now: Millis,
    ) -> Step {
        let import = &mut self.import;
        // It works on the transaction alone, which therefore holds all rows before it, and after it other ones.
        let take = || {
            group.write_board(txn)?;
            let written = moving::import(txn, import, now, (self.lines, &self.tell))?;
            *group = GroupRows::read(txn.view())?;
            group.must_ripen = true;
            Ok(written)
        };
        match catch_unwind(AssertUnwindSafe(take)) {
            Ok(Ok(written)) => {
                self.held = Some(written);
                Step::Wrote
            }
            Ok(Err(error)) => Step::Failed(error),
            Err(panic) => Step::Failed(panicked(&*panic)),
        }
    }

    fn answer(self: Box<Self>, instead: Option<Error>) {
        // The waiter may begin another at once.
        drop(self.permit);
        match (instead, self.held) {
            (Some(error), _) => self.reply.send(Err(error)),
            (None, Some(held)) => self.reply.send(Ok(held)),
            // Dropping the reply answers `Unknown`.
            (None, None) => drop(self.reply),
        }
    }
}
