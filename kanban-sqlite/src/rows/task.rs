//! A task's row.

use kanban_core::{
    ArchivedFrom, Assignee, Block, BlockKind, BlockStreak, Claim, FailureLimit, Label, Millis,
    Note, Phase, Reason, Result, RunId, Status, Task, TaskId, Title, Version,
};

use super::run::{worker, worker_cells};
use super::{Cell, Fields, Record, Table};
use crate::statements::{INSERT_TASK, TASK_COLUMNS};

impl Record for Task {
    const TABLE: &'static Table = &Table {
        name: "task",
        columns: TASK_COLUMNS,
        insert: INSERT_TASK,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells = Vec::with_capacity(TASK_COLUMNS.len());
        cells.extend(card_cells(self));
        cells.extend(count_cells(self));
        cells.extend(block_cells(self.block.as_ref()));
        cells.push(Cell::maybe(
            self.block_streak.map(|streak| streak.kind.as_str()),
        ));
        cells.push(Cell::int(self.block_streak.map(|streak| streak.count)));
        cells.push(Cell::Int(self.review_rounds.into()));
        cells.extend(claim_cells(self.claim.as_ref()));
        let from = self.archived_from.as_ref();
        cells.push(Cell::maybe(from.map(|from| from.status.as_str())));
        cells.extend(block_cells(from.and_then(|from| from.block.as_ref())));
        cells.push(instant(from.and_then(|from| from.wake_at)));
        cells.push(instant(self.decomposed_at));
        cells.push(Cell::Int(self.waiting.into()));
        cells.push(Cell::Int(self.collectable.into()));
        cells
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: fields.parse(TaskId::new)?,
            title: fields.parse(Title::new)?,
            status: fields.word(Status::parse)?,
            phase: fields.word(Phase::parse)?,
            priority: fields.number()?,
            assignee: fields.maybe(Assignee::new)?,
            implementer: fields.maybe(Assignee::new)?,
            reviewer: fields.maybe(Assignee::new)?,
            tenant: fields.maybe(|text| Label::new("tenant", text))?,
            created_by: fields.maybe(|text| Label::new("created_by", text))?,
            created_from: fields.maybe(TaskId::new)?,
            created_at: Millis::new(fields.int()?),
            updated_at: Millis::new(fields.int()?),
            started_at: fields.maybe_int()?.map(Millis::new),
            completed_at: fields.maybe_int()?.map(Millis::new),
            settled_at: fields.maybe_int()?.map(Millis::new),
            wake_at: fields.maybe_int()?.map(Millis::new),
            not_before: fields.maybe_int()?.map(Millis::new),
            idempotency_key: fields.maybe(|text| Label::new("idempotency_key", text))?,
            version: version(fields)?,
            open_parents: fields.number()?,
            failures: fields.number()?,
            deferrals: fields.number()?,
            last_error: fields.maybe(|text| Note::new("last_error", text))?,
            failure_limit: failure_limit(fields)?,
            max_runtime: fields.maybe_int()?.map(i64::cast_unsigned),
            block: block(fields)?,
            block_streak: block_streak(fields)?,
            review_rounds: fields.number()?,
            claim: claim(fields)?,
            archived_from: archived_from(fields)?,
            decomposed_at: fields.maybe_int()?.map(Millis::new),
            waiting: fields.flag()?,
            collectable: fields.flag()?,
        })
    }
}

fn card_cells(task: &Task) -> [Cell<'_>; 19] {
    [
        Cell::text(task.id.as_str()),
        Cell::text(task.title.as_str()),
        Cell::text(task.status.as_str()),
        Cell::text(task.phase.as_str()),
        Cell::Int(task.priority.into()),
        Cell::maybe(task.assignee.as_ref().map(Assignee::as_str)),
        Cell::maybe(task.implementer.as_ref().map(Assignee::as_str)),
        Cell::maybe(task.reviewer.as_ref().map(Assignee::as_str)),
        Cell::maybe(task.tenant.as_ref().map(Label::as_str)),
        Cell::maybe(task.created_by.as_ref().map(Label::as_str)),
        Cell::maybe(task.created_from.as_ref().map(TaskId::as_str)),
        Cell::Int(task.created_at.get()),
        Cell::Int(task.updated_at.get()),
        instant(task.started_at),
        instant(task.completed_at),
        instant(task.settled_at),
        instant(task.wake_at),
        instant(task.not_before),
        Cell::maybe(task.idempotency_key.as_ref().map(Label::as_str)),
    ]
}

fn count_cells(task: &Task) -> [Cell<'_>; 7] {
    [
        Cell::number(task.version.get()),
        Cell::Int(task.open_parents.into()),
        Cell::Int(task.failures.into()),
        Cell::Int(task.deferrals.into()),
        Cell::maybe(task.last_error.as_ref().map(Note::as_str)),
        Cell::int(task.failure_limit.map(FailureLimit::get)),
        task.max_runtime.map_or(Cell::Null, Cell::bits),
    ]
}

fn version(fields: &mut Fields<'_, '_>) -> Result<Version> {
    let version = Version::new(fields.number()?);
    if version > Version::MAX {
        return Err(fields.wrong("is out of bounds"));
    }
    Ok(version)
}

fn failure_limit(fields: &mut Fields<'_, '_>) -> Result<Option<FailureLimit>> {
    match fields.maybe_number()?.map(FailureLimit::new) {
        None => Ok(None),
        Some(Ok(limit)) => Ok(Some(limit)),
        Some(Err(invalid)) => Err(fields.wrong("is not valid").with_source(invalid)),
    }
}

fn block_cells(block: Option<&Block>) -> [Cell<'_>; 4] {
    let Some(block) = block else {
        return [const { Cell::Null }; 4];
    };
    [
        Cell::text(block.kind.as_str()),
        Cell::maybe(block.reason.as_ref().map(Reason::as_str)),
        Cell::maybe(block.by.as_ref().map(Label::as_str)),
        Cell::Int(block.at.get()),
    ]
}

fn block(fields: &mut Fields<'_, '_>) -> Result<Option<Block>> {
    let kind = fields.maybe_word(BlockKind::parse)?;
    let reason = fields.maybe(|text| Reason::new("reason", text))?;
    let by = fields.maybe(|text| Label::new("by", text))?;
    let at = fields.maybe_int()?.map(Millis::new);
    match (kind, at) {
        (Some(kind), Some(at)) => Ok(Some(Block {
            kind,
            reason,
            by,
            at,
        })),
        (None, None) => Ok(None),
        _ => Err(fields.wrong("does not go with the kind of the block")),
    }
}

fn block_streak(fields: &mut Fields<'_, '_>) -> Result<Option<BlockStreak>> {
    let kind = fields.maybe_word(BlockKind::parse)?;
    match (kind, fields.maybe_number()?) {
        (Some(kind), Some(count)) => Ok(Some(BlockStreak { kind, count })),
        (None, None) => Ok(None),
        _ => Err(fields.wrong("does not go with the kind of the streak")),
    }
}

fn claim_cells(claim: Option<&Claim>) -> [Cell<'_>; 9] {
    let Some(claim) = claim else {
        return [const { Cell::Null }; 9];
    };
    let [host, pid, started] = worker_cells(claim.worker.as_ref());
    [
        Cell::number(claim.run.get()),
        Cell::text(claim.claimant.as_str()),
        Cell::Int(claim.expires_at.get()),
        instant(claim.must_end_by),
        instant(claim.heartbeat_at),
        host,
        pid,
        started,
        Cell::maybe(claim.request_id.as_ref().map(Label::as_str)),
    ]
}

fn claim(fields: &mut Fields<'_, '_>) -> Result<Option<Claim>> {
    let run = fields.maybe_number()?.map(RunId::new);
    let claimant = fields.maybe(|text| Label::new("claimant", text))?;
    let expires_at = fields.maybe_int()?.map(Millis::new);
    let must_end_by = fields.maybe_int()?.map(Millis::new);
    let heartbeat_at = fields.maybe_int()?.map(Millis::new);
    let worker = worker(fields)?;
    let request_id = fields.maybe(|text| Label::new("request_id", text))?;
    match (run, claimant, expires_at) {
        (Some(run), Some(claimant), Some(expires_at)) => Ok(Some(Claim {
            run,
            claimant,
            expires_at,
            must_end_by,
            heartbeat_at,
            worker,
            request_id,
        })),
        (None, None, None) => Ok(None),
        _ => Err(fields.wrong("belongs to half a claim")),
    }
}

fn archived_from(fields: &mut Fields<'_, '_>) -> Result<Option<ArchivedFrom>> {
    let status = fields.maybe_word(Status::parse)?;
    let block = block(fields)?;
    let wake_at = fields.maybe_int()?.map(Millis::new);
    Ok(status.map(|status| ArchivedFrom {
        status,
        block,
        wake_at,
    }))
}

fn instant(at: Option<Millis>) -> Cell<'static> {
    Cell::int(at.map(Millis::get))
}
