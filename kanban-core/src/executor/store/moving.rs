//! Exports and imports: the one reads longer than any question, the other writes more than any command.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::clock::IdSource;
use crate::engine::{Engine, Txn};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::job::{Job, Step, panicked};
use crate::executor::reply::{Answer, Reply, reply};
use crate::model::Millis;
use crate::moving;
use crate::request::{ImportLines, Moved, Read, Written};
use crate::sync::{Arc, spawn};

use super::{EngineStore, Shared};

impl<E: Engine> EngineStore<E> {
    /// Queues an import and waits for its answer.
    pub(super) async fn import(&self, import: ImportLines) -> Result<Written<Moved>> {
        let (reply, answer) = reply();
        let shared = self.shared();
        let job = Box::new(ImportJob {
            import,
            held: None,
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
        let exported = self
            .shared()
            .on_thread("kanban-export", move |shared| shared.export_now(&mut *to))?;
        exported.await
    }

    /// Copies the engine's file on a thread of its own and waits for the end.
    pub(super) async fn copy_to(&self, to: PathBuf) -> Result<()> {
        let copied = self.shared().on_thread("kanban-backup", move |shared| {
            let _gate = shared.gate.read().unwrap_or_else(PoisonError::into_inner);
            shared.engine.backup(&to, &|| shared.may_go_on())
        })?;
        copied.await
    }
}

impl<E: Engine> Shared<E> {
    /// Does something that reads for long on a thread of its own: no question waits for it.
    fn on_thread<T: Send + 'static>(
        self: &Arc<Self>,
        name: &str,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<Answer<T>> {
        let (reply, answer) = reply();
        let reading = self.take_in()?;
        // Nobody joins it: the close waits for the read that it holds.
        let _thread = spawn(name.to_owned(), move || {
            let done = catch_unwind(AssertUnwindSafe(|| read(&reading.0)));
            reading.0.engine.release_thread();
            drop(reading);
            reply.send(done.unwrap_or_else(|panic| Err(panicked(&*panic))));
        })?;
        Ok(answer)
    }

    /// Whether a long read may go on: the writer does not wait for it.
    fn may_go_on(&self) -> Result<()> {
        if self.is_reopening.load(Ordering::SeqCst) {
            let context = "a commit is uncertain, the files are opened anew";
            return Err(Error::new(ErrorKind::Busy, context));
        }
        Ok(())
    }

    fn export_now(&self, to: &mut dyn Write) -> Result<Read<Moved>> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let go_on = || self.may_go_on();
        let mut answer = None;
        self.engine.read_long(&mut |view| {
            let seq = view.board()?.counters.seq;
            let value = moving::export(view, &mut *to, &go_on)?;
            answer = Some(Read { seq, value });
            Ok(())
        })?;
        answer.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine did not ask"))
    }
}

/// An import in the queue. It applies as it reads, so a refusal is a failure of its transaction: that is rolled back,
/// and the commands beside it are run again.
struct ImportJob {
    import: ImportLines,
    held: Option<Written<Moved>>,
    reply: Reply<Written<Moved>>,
}

impl Job for ImportJob {
    fn decide(&mut self, txn: &mut dyn Txn, _: &dyn IdSource, now: Millis) -> Step {
        let import = &mut self.import;
        match catch_unwind(AssertUnwindSafe(|| moving::import(txn, import, now))) {
            Ok(Ok(written)) => {
                self.held = Some(written);
                Step::Wrote
            }
            Ok(Err(error)) => Step::Failed(error),
            Err(panic) => Step::Failed(panicked(&*panic)),
        }
    }

    fn answer(self: Box<Self>, instead: Option<Error>) {
        match (instead, self.held) {
            (Some(error), _) => self.reply.send(Err(error)),
            (None, Some(held)) => self.reply.send(Ok(held)),
            // Dropping the reply answers `Unknown`.
            (None, None) => drop(self.reply),
        }
    }
}
