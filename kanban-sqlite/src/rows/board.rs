//! What is one per board, and the pauses.

use kanban_core::{
    Assignee, AttachmentId, BoardState, CommentId, Counters, EventId, GroupRecord, Label, LeaseId,
    Millis, Pause, PauseTarget, Policy, Reason, Result, RunId, Seq, SubscriptionId,
};

use super::{Cell, Fields, Record, Table};
use crate::statements::{
    BOARD_COLUMNS, GROUP_COLUMNS, INSERT_BOARD, INSERT_GROUP, INSERT_PAUSE, INSERT_POLICY,
    PAUSE_COLUMNS, POLICY_COLUMNS,
};

impl Record for BoardState {
    const TABLE: &'static Table = &Table {
        name: "board",
        columns: BOARD_COLUMNS,
        insert: INSERT_BOARD,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells = vec![
            Cell::Int(1),
            Cell::Int(self.created_at.get()),
            Cell::bits(self.seed),
        ];
        cells.extend(counter_cells(&self.counters));
        cells.extend(counter_cells(&self.reserved));
        cells.push(Cell::maybe(self.boot.as_deref()));
        cells.push(Cell::number(self.horizon.get()));
        cells
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        fields.skip();
        Ok(Self {
            created_at: Millis::new(fields.int()?),
            seed: fields.int()?.cast_unsigned(),
            counters: counters(fields)?,
            reserved: counters(fields)?,
            boot: fields.maybe_text()?.map(str::to_owned),
            horizon: EventId::new(fields.number()?),
        })
    }
}

fn counter_cells(counters: &Counters) -> [Cell<'static>; 7] {
    [
        Cell::number(counters.seq.get()),
        Cell::number(counters.event.get()),
        Cell::number(counters.run.get()),
        Cell::number(counters.comment.get()),
        Cell::number(counters.attachment.get()),
        Cell::number(counters.subscription.get()),
        Cell::number(counters.lease.get()),
    ]
}

fn counters(fields: &mut Fields<'_, '_>) -> Result<Counters> {
    Ok(Counters {
        seq: Seq::new(fields.number()?),
        event: EventId::new(fields.number()?),
        run: RunId::new(fields.number()?),
        comment: CommentId::new(fields.number()?),
        attachment: AttachmentId::new(fields.number()?),
        subscription: SubscriptionId::new(fields.number()?),
        lease: LeaseId::new(fields.number()?),
    })
}

impl Record for Policy {
    const TABLE: &'static Table = &Table {
        name: "policy",
        columns: POLICY_COLUMNS,
        insert: INSERT_POLICY,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::Int(1),
            Cell::number(self.claim_ttl_ms),
            Cell::Int(self.failure_limit.into()),
            Cell::number(self.backoff_base_ms),
            Cell::number(self.backoff_max_ms),
            Cell::Int(self.block_streak_limit.into()),
            Cell::Int(self.review_round_limit.into()),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        fields.skip();
        let policy = Self {
            claim_ttl_ms: fields.number()?,
            failure_limit: fields.number()?,
            backoff_base_ms: fields.number()?,
            backoff_max_ms: fields.number()?,
            block_streak_limit: fields.number()?,
            review_round_limit: fields.number()?,
        };
        match policy.check() {
            Ok(()) => Ok(policy),
            Err(invalid) => Err(fields
                .wrong("or another is out of bounds")
                .with_source(invalid)),
        }
    }
}

impl Record for Pause {
    const TABLE: &'static Table = &Table {
        name: "pause",
        columns: PAUSE_COLUMNS,
        insert: INSERT_PAUSE,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            pause_key(&self.target),
            Cell::text(self.actor.as_str()),
            Cell::maybe(self.reason.as_ref().map(Reason::as_str)),
            Cell::Int(self.at.get()),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            target: fields.parse(|text| match text {
                "" => Ok(PauseTarget::Board),
                name => Assignee::new(name).map(PauseTarget::Assignee),
            })?,
            actor: fields.parse(|text| Label::new("actor", text))?,
            reason: fields.maybe(|text| Reason::new("reason", text))?,
            at: Millis::new(fields.int()?),
        })
    }
}

/// The key of a pause: the assignee, or '' for the board.
pub(crate) fn pause_key(target: &PauseTarget) -> Cell<'_> {
    match target {
        PauseTarget::Board => Cell::text(""),
        PauseTarget::Assignee(name) => Cell::text(name.as_str()),
    }
}

impl Record for GroupRecord {
    const TABLE: &'static Table = &Table {
        name: "commit_group",
        columns: GROUP_COLUMNS,
        insert: INSERT_GROUP,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::bits(self.instance),
            Cell::number(self.number),
            Cell::Int(self.at.get()),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            instance: fields.int()?.cast_unsigned(),
            number: fields.number()?,
            at: Millis::new(fields.int()?),
        })
    }
}
