//! Landing a task by hand, whatever it waits for.

use crate::error::{Rejection, Result};
use crate::model::{EventKind, Status, Task, TaskId};
use crate::request::{OnOpenParents, PromoteMode, PromoteTask};
use crate::rules::authority::expect_status;
use crate::rules::draft::{Decided, Draft, Entry};
use crate::rules::links::{PARENTS_MAX, remove_parent};
use crate::rules::settle::land;
use crate::rules::{Answered, Command};

/// From where a task can be promoted.
const PROMOTABLE: &[Status] = &[
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Blocked,
    Status::Review,
];

impl Command for PromoteTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        match self.mode {
            PromoteMode::Apply => self.promote(draft),
            PromoteMode::DryRun => self.promote(&mut draft.scratch()),
        }
    }
}

impl PromoteTask {
    fn promote(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        let task = draft.subject(&self.task)?;
        expect_status(&task, PROMOTABLE)?;
        if task.open_parents > 0 {
            let open = open_parents(draft, &self.task)?;
            if self.open_parents == OnOpenParents::Refuse {
                return Err(Rejection::UnsatisfiedParents { ids: open }.into());
            }
            for parent in &open {
                remove_parent(draft, &self.task, parent, Some(&self.actor))?;
            }
        }
        let before = draft.subject(&self.task)?;
        let mut after = before.clone();
        after.not_before = None;
        let (from, to) = land(&mut after, draft.now());
        if after != before {
            draft.put_task(after)?;
            draft.event(
                Entry::of(&self.task, EventKind::Promoted)
                    .by(Some(&self.actor))
                    .moved(from, to),
            )?;
        }
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}

/// The parents that a task still waits for, in id order.
fn open_parents(draft: &Draft<'_>, child: &TaskId) -> Result<Vec<TaskId>> {
    let mut open = Vec::new();
    for parent in draft.view().parents(child, None, PARENTS_MAX)? {
        let is_open = draft
            .task(&parent)?
            .is_some_and(|parent| !parent.status.satisfies_children());
        if is_open {
            open.push(parent);
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{label, task_id};
    use crate::model::{Block, BlockKind, Millis, Phase};
    use crate::rules::testbed::{Testbed, ids};

    fn promote(open_parents: OnOpenParents) -> PromoteTask {
        PromoteTask {
            task: task_id("t"),
            actor: label("boss"),
            open_parents,
            mode: PromoteMode::Apply,
        }
    }

    fn waiting_for_two() -> Testbed {
        let mut bed = Testbed::new();
        bed.put("a", |_| {});
        bed.put_in("b", Status::Archived);
        bed.put_in("c", Status::Blocked);
        bed.put("t", |task| {
            task.status = Status::Todo;
            task.phase = Phase::Review;
        });
        for parent in ["a", "b", "c"] {
            bed.link(parent, "t");
        }
        bed
    }

    #[test]
    fn a_blocked_task_is_promoted_without_its_wait() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.status = Status::Blocked;
            task.not_before = Some(Millis::new(9_000_000));
            task.failures = 1;
            task.block = Some(Block {
                kind: BlockKind::Parked,
                reason: None,
                by: None,
                at: Millis::new(0),
            });
        });
        let (answer, changes) = bed.changes(&promote(OnOpenParents::Refuse));
        assert_eq!((answer.status, answer.failures), (Status::Ready, 1));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Ready;
            task.not_before = None;
            task.block = None;
        });
        let data = json!({"from": "blocked", "to": "ready"});
        want.event(Some("t"), EventKind::Promoted, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_ready_task_loses_its_wait_and_then_nothing_changes() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.not_before = Some(Millis::new(9_000_000));
            task.waiting = true;
        });
        let (_, changes) = bed.changes(&promote(OnOpenParents::Refuse));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.not_before = None;
            task.waiting = false;
        });
        want.event(Some("t"), EventKind::Promoted, json!({})).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
        let promoted = bed.write(&promote(OnOpenParents::Refuse));
        assert_eq!(bed.unchanged(&promote(OnOpenParents::Refuse)), promoted);
    }

    #[test]
    fn unsatisfied_parents_are_unlinked_if_asked_for() {
        let bed = waiting_for_two();
        let (answer, changes) = bed.changes(&promote(OnOpenParents::Unlink));
        let mut want = bed.expect();
        want.card("t", |task| {
            task.version = task.version.next().next();
            task.status = Status::Review;
            task.open_parents = 0;
        });
        want.remove_link("a", "t");
        want.remove_link("c", "t");
        for parent in ["a", "c"] {
            let data = json!({"parent": parent});
            want.event(Some("t"), EventKind::Unlinked, data).actor = Some(label("boss"));
        }
        let data = json!({"from": "todo", "to": "review"});
        want.event(Some("t"), EventKind::Promoted, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());

        let dry = PromoteTask {
            mode: PromoteMode::DryRun,
            ..promote(OnOpenParents::Unlink)
        };
        assert_eq!(bed.unchanged(&dry), answer);
    }

    #[test]
    fn a_promotion_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let call = promote(OnOpenParents::Refuse);
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&call), unknown);
        bed.check_statuses(PROMOTABLE, &call);

        let bed = waiting_for_two();
        for mode in [PromoteMode::Apply, PromoteMode::DryRun] {
            let call = PromoteTask {
                mode,
                ..call.clone()
            };
            let open = ids(&["a", "c"]);
            assert_eq!(
                bed.rejection(&call),
                Rejection::UnsatisfiedParents { ids: open }
            );
        }
    }
}
