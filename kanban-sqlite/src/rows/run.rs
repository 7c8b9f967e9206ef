//! A run's row, and the three columns of a worker's process.

use kanban_core::{
    Assignee, JsonObject, Label, Millis, Note, Outcome, Phase, Result, Run, RunId, TaskId,
    WorkerProcess,
};

use super::{Cell, Fields, Record, Table};
use crate::statements::{INSERT_RUN, RUN_COLUMNS};

impl Record for Run {
    const TABLE: &'static Table = &Table {
        name: "run",
        columns: RUN_COLUMNS,
        insert: INSERT_RUN,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        let [host, pid, started] = worker_cells(self.worker.as_ref());
        let metadata = self.metadata.as_ref().map(JsonObject::to_text);
        vec![
            Cell::number(self.id.get()),
            Cell::text(self.task.as_str()),
            Cell::text(self.phase.as_str()),
            Cell::maybe(self.assignee.as_ref().map(Assignee::as_str)),
            Cell::maybe(self.claimant.as_ref().map(Label::as_str)),
            Cell::maybe(self.request_id.as_ref().map(Label::as_str)),
            host,
            pid,
            started,
            Cell::Int(self.started_at.get()),
            Cell::int(self.ended_at.map(Millis::get)),
            Cell::maybe(self.outcome.map(Outcome::as_str)),
            Cell::maybe(self.ended_by.as_ref().map(Label::as_str)),
            Cell::maybe(self.summary.as_ref().map(Note::as_str)),
            Cell::maybe(self.error.as_ref().map(Note::as_str)),
            metadata.map_or(Cell::Null, Cell::owned),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: RunId::new(fields.number()?),
            task: fields.parse(TaskId::new)?,
            phase: fields.word(Phase::parse)?,
            assignee: fields.maybe(Assignee::new)?,
            claimant: fields.maybe(|text| Label::new("claimant", text))?,
            request_id: fields.maybe(|text| Label::new("request_id", text))?,
            worker: worker(fields)?,
            started_at: Millis::new(fields.int()?),
            ended_at: fields.maybe_int()?.map(Millis::new),
            outcome: fields.maybe_word(Outcome::parse)?,
            ended_by: fields.maybe(|text| Label::new("ended_by", text))?,
            summary: fields.maybe(|text| Note::new("summary", text))?,
            error: fields.maybe(|text| Note::new("error", text))?,
            metadata: fields.maybe(|text| JsonObject::parse("metadata", text))?,
        })
    }
}

/// Host, process id and start of a worker.
pub(super) fn worker_cells(worker: Option<&WorkerProcess>) -> [Cell<'_>; 3] {
    [
        Cell::maybe(worker.map(|worker| worker.host.as_str())),
        Cell::int(worker.map(|worker| worker.pid)),
        Cell::maybe(
            worker
                .and_then(|worker| worker.started.as_ref())
                .map(Label::as_str),
        ),
    ]
}

pub(super) fn worker(fields: &mut Fields<'_, '_>) -> Result<Option<WorkerProcess>> {
    let host = fields.maybe(|text| Label::new("host", text))?;
    let pid = fields.maybe_number()?;
    let started = fields.maybe(|text| Label::new("started", text))?;
    match (host, pid) {
        (Some(host), Some(pid)) => Ok(Some(WorkerProcess { host, pid, started })),
        (None, None) => Ok(None),
        _ => Err(fields.wrong("belongs to half a worker")),
    }
}
