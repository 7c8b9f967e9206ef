//! A board that is moved.

use std::sync::Arc;

use kanban_core::{
    AttachmentId, CommentId, Counters, EventId, EventKind, KeepClaims, LeaseId, Moved, Outcome,
    RunId, Seq, SubscriptionId,
};

use super::board::applied;
use super::log::Told;
use super::{Board, Ruled};
use crate::calls::label;

/// By how much an import that is no move raises every counter. [19.5]
const RAISED_BY: u64 = 1 << 32;

impl Board {
    /// What an import makes of this board. [19.3] to [19.6]
    pub(crate) fn moved(&mut self, claims: KeepClaims) -> Ruled<Moved> {
        // An import is no command of this board's: it brings its own.
        self.counters.seq = Seq::new(self.counters.seq.get() - 1);
        let mut running: Vec<_> = self
            .tasks
            .iter()
            .filter_map(|d| Some((d.task.id.clone(), d.task.claim.clone()?)))
            .collect();
        running.sort_by(|a, b| (a.1.expires_at, &a.0).cmp(&(b.1.expires_at, &b.0)));
        let lines = self.export().lines().count() as u64;
        let moved = Moved {
            lines,
            tasks: self.tasks.len() as u64,
            links: self.links.len() as u64,
            runs: self.runs.len() as u64,
            comments: self.comments.len() as u64,
            attachments: self.attachments.len() as u64,
            subscriptions: self.subscriptions.len() as u64,
            events: self.events.len() as u64,
            invalidated: match claims {
                KeepClaims::No => running.len() as u64,
                KeepClaims::Yes => 0,
            },
        };
        if claims == KeepClaims::Yes {
            return applied(moved);
        }
        self.raise_counters();
        let olga = label("olga");
        for (id, claim) in running {
            self.close_run(claim.run, Outcome::Invalidated, Some(&olga));
            self.task_mut(&id).deferrals = 0;
            let (from, to) = self.land(&id);
            let told = Told::by(Some(&olga)).of_run(Some(claim.run));
            self.tell(
                &id,
                EventKind::Invalidated,
                told.with("imported", true).moved(from, to),
            );
        }
        for row in &mut self.subscriptions {
            let row = Arc::make_mut(row);
            row.lease = None;
        }
        let told = Told::by(Some(&olga))
            .with("origin", "export")
            .with("tasks", moved.tasks)
            .with("links", moved.links)
            .with("runs", moved.runs)
            .with("comments", moved.comments)
            .with("attachments", moved.attachments)
            .with("subscriptions", moved.subscriptions)
            .with("events", moved.events)
            .with("invalidated", moved.invalidated);
        self.tell_board(EventKind::Imported, told);
        applied(moved)
    }

    fn raise_counters(&mut self) {
        let old = self.counters;
        self.counters = Counters {
            seq: Seq::new(old.seq.get() + RAISED_BY),
            event: EventId::new(old.event.get() + RAISED_BY),
            run: RunId::new(old.run.get() + RAISED_BY),
            comment: CommentId::new(old.comment.get() + RAISED_BY),
            attachment: AttachmentId::new(old.attachment.get() + RAISED_BY),
            subscription: SubscriptionId::new(old.subscription.get() + RAISED_BY),
            lease: LeaseId::new(old.lease.get() + RAISED_BY),
        };
        self.counters.seq = Seq::new(self.counters.seq.get() + 1);
    }
}
