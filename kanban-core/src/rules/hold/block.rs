//! Tasks that cannot go on: a human must act, or other tasks must be finished first.

use std::collections::BTreeSet;

use crate::error::{Invalid, Rejection, Result};
use crate::model::{
    Block, BlockKind, BlockStreak, EventKind, Link, Outcome, Run, Status, Task, TaskId,
    WorkerBlockKind,
};
use crate::request::{BlockTask, Ended};
use crate::rules::authority::{
    Right, RunEnd, Standing, close_run, expect_status, expect_version, stand, unknown,
};
use crate::rules::draft::{Decided, Draft, Entry, Refusal};
use crate::rules::end::repeat;
use crate::rules::links::{PARENTS_MAX, add_parent, check_new_parents, inherit};
use crate::rules::settle::{land, landing, move_to};
use crate::rules::{Answered, Command};

use super::as_note;

/// From where a task can be blocked; a worker always comes from `running`.
const BLOCKABLE: &[Status] = &[
    Status::Todo,
    Status::Scheduled,
    Status::Ready,
    Status::Running,
    Status::Review,
];

impl Command for BlockTask {
    type Answer = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Ended> {
        let kind = self.block_kind();
        if kind.is_some() && !self.on.is_empty() {
            return Err(Invalid::malformed("on", "empty unless the kind is dependency").into());
        }
        if self.on.len() > PARENTS_MAX {
            return Err(Invalid::too_many("on", PARENTS_MAX, self.on.len()).into());
        }
        let task = draft.subject(&self.task)?;
        let right = match stand(draft, &task, &self.authority, Some(Outcome::Blocked))? {
            Standing::Go(right) => right,
            Standing::Repeat(run) => return Ok(repeat(task, *run)),
        };
        expect_version(&task, self.expected_version)?;
        expect_status(&task, BLOCKABLE)?;

        let run = match kind {
            Some(kind) => self.wait_for_human(draft, task, &right, kind)?,
            None => self.wait_for_tasks(draft, &task, &right)?,
        };
        Ok(Answered::new(Ended {
            task: draft.subject(&self.task)?,
            run,
        }))
    }
}

impl BlockTask {
    /// The kind of the block; none for a dependency, which never ends in `blocked`.
    const fn block_kind(&self) -> Option<BlockKind> {
        match self.kind {
            WorkerBlockKind::NeedsInput => Some(BlockKind::NeedsInput),
            WorkerBlockKind::Capability => Some(BlockKind::Capability),
            WorkerBlockKind::Transient => Some(BlockKind::Transient),
            WorkerBlockKind::Other => Some(BlockKind::Other),
            WorkerBlockKind::Dependency => None,
        }
    }

    fn wait_for_human(
        &self,
        draft: &mut Draft<'_>,
        mut task: Task,
        right: &Right<'_>,
        kind: BlockKind,
    ) -> Result<Option<Run>> {
        let mut is_loop = false;
        if !right.is_operator() {
            let streak = next_streak(task.block_streak, kind);
            is_loop = streak.count >= draft.policy()?.block_streak_limit;
            task.block_streak = Some(streak);
        }
        let run = self.close(draft, &mut task, right)?;
        let (to, event) = if is_loop {
            (Status::Triage, EventKind::BlockLoop)
        } else {
            (Status::Blocked, EventKind::Blocked)
        };
        let from = move_to(&mut task, to, draft.now());
        if to == Status::Blocked {
            task.block = Some(Block {
                kind,
                reason: self.reason.clone(),
                by: right.actor.clone(),
                at: draft.now(),
            });
        }
        draft.put_task(task)?;
        self.tell(draft, right, event, run.as_ref(), (from, to))?;
        Ok(run)
    }

    fn wait_for_tasks(
        &self,
        draft: &mut Draft<'_>,
        task: &Task,
        right: &Right<'_>,
    ) -> std::result::Result<Option<Run>, Refusal> {
        let parents = self.new_parents(draft, task)?;
        for parent in &parents {
            add_parent(draft, &self.task, parent, right.actor.as_ref())?;
        }
        let mut task = draft.subject(&self.task)?;
        let run = self.close(draft, &mut task, right)?;
        let (from, to) = if self.on.is_empty() && landing(&task) != Status::Todo {
            let from = move_to(&mut task, Status::Scheduled, draft.now());
            (from, Status::Scheduled)
        } else {
            land(&mut task, draft.now())
        };
        draft.put_task(task)?;
        self.tell(draft, right, EventKind::Blocked, run.as_ref(), (from, to))?;
        inherit(draft, &self.task, &parents)?;
        Ok(run)
    }

    /// The ids in `on` that are not parents yet, each once and as good as a link to it.
    fn new_parents(
        &self,
        draft: &Draft<'_>,
        task: &Task,
    ) -> std::result::Result<Vec<TaskId>, Refusal> {
        let missing = unknown(draft, &self.on)?;
        if !missing.is_empty() {
            return Err(Rejection::UnknownTasks { ids: missing }.into());
        }
        let mut seen = BTreeSet::new();
        let mut parents = Vec::new();
        for parent in &self.on {
            let link = Link {
                parent: parent.clone(),
                child: task.id.clone(),
            };
            if seen.insert(parent) && !draft.has_link(&link)? {
                parents.push(link.parent);
            }
        }
        check_new_parents(draft, &task.id, &parents)?;
        Ok(parents)
    }

    fn close(
        &self,
        draft: &mut Draft<'_>,
        task: &mut Task,
        right: &Right<'_>,
    ) -> Result<Option<Run>> {
        let end = RunEnd {
            summary: self.reason.as_ref().map(as_note),
            ..RunEnd::new(Outcome::Blocked, right.ended_by())
        };
        close_run(draft, task, end)
    }

    fn tell(
        &self,
        draft: &mut Draft<'_>,
        right: &Right<'_>,
        event: EventKind,
        run: Option<&Run>,
        (from, to): (Status, Status),
    ) -> Result<()> {
        draft.event(
            right
                .sign(Entry::of(&self.task, event))
                .run(run.map(|run| run.id))
                .moved(from, to)
                .with("kind", self.kind)
                .with("reason", &self.reason),
        )?;
        Ok(())
    }
}

/// Refuses a streak of none, or of a kind that no worker gives.
pub(crate) fn check_streak(streak: BlockStreak) -> Result<(), Invalid> {
    let is_given = matches!(
        streak.kind,
        BlockKind::NeedsInput | BlockKind::Capability | BlockKind::Transient | BlockKind::Other
    );
    if is_given && streak.count > 0 {
        return Ok(());
    }
    let must = "of a kind that a worker gives, and at least 1";
    Err(Invalid::malformed("block_streak", must))
}

fn next_streak(last: Option<BlockStreak>, kind: BlockKind) -> BlockStreak {
    let before = last.filter(|last| last.kind == kind);
    BlockStreak {
        kind,
        count: before.map_or(1, |last| last.count.saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{label, subscription, task_id};
    use crate::model::{EventId, RunId, Scope, SubscriptionId, Version};
    use crate::request::Authority;
    use crate::rules::testbed::{Testbed, boss, ids, note, reason, worker};

    fn block(authority: Authority, kind: WorkerBlockKind) -> BlockTask {
        BlockTask {
            task: task_id("t"),
            authority,
            kind,
            reason: Some(reason("which one?")),
            on: Vec::new(),
            expected_version: None,
        }
    }

    fn wait_on(authority: Authority, on: &[&str]) -> BlockTask {
        BlockTask {
            on: ids(on),
            ..block(authority, WorkerBlockKind::Dependency)
        }
    }

    #[test]
    fn a_worker_s_block_closes_its_run_and_begins_a_streak() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| {
            task.deferrals = 1;
            task.block_streak = Some(BlockStreak {
                kind: BlockKind::Other,
                count: 1,
            });
        });
        let (answer, changes) = bed.changes(&block(worker(1), WorkerBlockKind::NeedsInput));
        let mut want = bed.expect();
        let at = bed.now;
        want.card("t", |task| {
            task.status = Status::Blocked;
            task.claim = None;
            task.deferrals = 0;
            task.block = Some(Block {
                kind: BlockKind::NeedsInput,
                reason: Some(reason("which one?")),
                by: Some(label("worker")),
                at,
            });
            task.block_streak = Some(BlockStreak {
                kind: BlockKind::NeedsInput,
                count: 1,
            });
        });
        want.close(1, |run| {
            run.outcome = Some(Outcome::Blocked);
            run.summary = Some(note("which one?"));
        });
        let data = json!({
            "from": "running", "to": "blocked", "kind": "needs_input", "reason": "which one?",
        });
        let event = want.event(Some("t"), EventKind::Blocked, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
        assert_eq!(answer.task.status, Status::Blocked);
        assert_eq!(answer.run.unwrap().outcome, Some(Outcome::Blocked));
    }

    #[test]
    fn a_second_block_of_one_kind_goes_to_triage() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |task| {
            task.block_streak = Some(BlockStreak {
                kind: BlockKind::Transient,
                count: 1,
            });
        });
        let call = BlockTask {
            reason: None,
            ..block(worker(1), WorkerBlockKind::Transient)
        };
        let (_, changes) = bed.changes(&call);
        let mut want = bed.expect();
        want.card("t", |task| {
            task.status = Status::Triage;
            task.claim = None;
            task.block_streak = Some(BlockStreak {
                kind: BlockKind::Transient,
                count: 2,
            });
        });
        want.close(1, |run| run.outcome = Some(Outcome::Blocked));
        let data = json!({"from": "running", "to": "triage", "kind": "transient"});
        let event = want.event(Some("t"), EventKind::BlockLoop, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn an_operator_s_block_leaves_the_streak() {
        let mut bed = Testbed::new();
        let streak = BlockStreak {
            kind: BlockKind::Other,
            count: 1,
        };
        bed.put("t", |task| task.block_streak = Some(streak));
        let (answer, changes) = bed.changes(&block(boss(), WorkerBlockKind::Other));
        let mut want = bed.expect();
        let at = bed.now;
        want.card("t", |task| {
            task.status = Status::Blocked;
            task.block = Some(Block {
                kind: BlockKind::Other,
                reason: Some(reason("which one?")),
                by: Some(label("boss")),
                at,
            });
        });
        let data = json!({
            "authority": "operator", "reason": "because",
            "from": "ready", "to": "blocked", "kind": "other", "reason": "which one?",
        });
        want.event(Some("t"), EventKind::Blocked, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
        assert_eq!(answer.run, None);
        assert_eq!(answer.task.block_streak, Some(streak));
    }

    #[test]
    fn a_dependency_becomes_a_parent() {
        let mut bed = Testbed::new();
        bed.put("done", |task| task.status = Status::Done);
        bed.put("open", |_| {});
        bed.put("old", |_| {});
        bed.put_running("t", 1, |_| {});
        bed.link("old", "t");
        bed.put_subscription(subscription(4, Scope::Task(task_id("open"))));
        let call = wait_on(worker(1), &["open", "old", "done", "open"]);
        let (answer, changes) = bed.changes(&call);
        let mut want = bed.expect();
        want.card("t", |task| {
            task.version = task.version.next().next();
            task.status = Status::Todo;
            task.claim = None;
            task.open_parents = 2;
        });
        want.add_link("done", "t");
        want.add_link("open", "t");
        want.close(1, |run| {
            run.outcome = Some(Outcome::Blocked);
            run.summary = Some(note("which one?"));
        });
        let mut inherited = subscription(5, Scope::Task(task_id("t")));
        inherited.address = bed.board.subscriptions[&SubscriptionId::new(4)]
            .address
            .clone();
        inherited.created_at = bed.now;
        inherited.cursor = EventId::new(3);
        want.new_subscription(inherited);
        for parent in ["open", "done"] {
            let data = json!({"parent": parent});
            want.event(Some("t"), EventKind::Linked, data).actor = Some(label("worker"));
        }
        let data = json!({
            "from": "running", "to": "todo", "kind": "dependency", "reason": "which one?",
        });
        let event = want.event(Some("t"), EventKind::Blocked, data);
        event.actor = Some(label("worker"));
        event.run = Some(RunId::new(1));
        assert_eq!(changes, want.list());
        assert_eq!(answer.task.block_streak, None);
    }

    #[test]
    fn satisfied_dependencies_leave_the_task_claimable_at_once() {
        let mut bed = Testbed::new();
        bed.put_in("done", Status::Done);
        bed.put_running("t", 1, |_| {});
        let answer = bed.write(&wait_on(worker(1), &["done"]));
        assert_eq!(answer.task.status, Status::Ready);
    }

    #[test]
    fn a_dependency_on_nothing_waits_for_a_human() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |_| {});
        let answer = bed.write(&wait_on(worker(1), &[]));
        assert_eq!(answer.task.status, Status::Scheduled);
        assert_eq!(answer.task.wake_at, None);

        bed.put("open", |_| {});
        bed.put_in("t", Status::Todo);
        bed.link("open", "t");
        let (answer, changes) = bed.changes(&wait_on(boss(), &[]));
        assert_eq!(answer.task.status, Status::Todo);
        let mut want = bed.expect();
        want.card("t", |_| {});
        // The status stays: the event says no `from` and `to`.
        let data = json!({
            "authority": "operator", "reason": "because",
            "kind": "dependency", "reason": "which one?",
        });
        want.event(Some("t"), EventKind::Blocked, data).actor = Some(label("boss"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_repeated_block_is_answered_the_same() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |_| {});
        let first = bed.write(&block(worker(1), WorkerBlockKind::Other));
        let again = BlockTask {
            expected_version: Some(Version::new(99)),
            ..wait_on(worker(1), &["nowhere"])
        };
        assert_eq!(bed.repeat(&again), first);
    }

    #[test]
    fn a_run_that_somebody_else_ended_is_stale() {
        let mut bed = Testbed::new();
        bed.put_running("t", 1, |_| {});
        bed.write(&block(boss(), WorkerBlockKind::Other));
        let stale = Rejection::StaleRun {
            ended_as: Outcome::Blocked,
            ended_at: bed.now,
            by: Some(label("boss")),
        };
        assert_eq!(
            bed.rejection(&block(worker(1), WorkerBlockKind::Other)),
            stale
        );
        let no_run = ErrorKind::NotFound(Subject::Run(RunId::new(7)));
        assert_eq!(
            bed.refusal(&block(worker(7), WorkerBlockKind::Other)),
            no_run
        );
    }

    #[test]
    fn a_block_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let on_with_kind = BlockTask {
            on: ids(&["t"]),
            ..block(boss(), WorkerBlockKind::Other)
        };
        assert_eq!(bed.invalid(&on_with_kind), "on");
        let too_many = wait_on(boss(), &["x"; 1001]);
        assert_eq!(bed.invalid(&too_many), "on");
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&wait_on(boss(), &["x"])), unknown);
        bed.put_in("t", Status::Done);
        let mismatch = BlockTask {
            expected_version: Some(Version::new(9)),
            ..wait_on(boss(), &["x"])
        };
        let current = Version::new(1);
        assert_eq!(
            bed.rejection(&mismatch),
            Rejection::VersionMismatch { current }
        );
        bed.check_statuses(BLOCKABLE, &wait_on(boss(), &["x"]));
        bed.put("t", |_| {});
        let missing = Rejection::UnknownTasks {
            ids: ids(&["x", "y"]),
        };
        assert_eq!(bed.rejection(&wait_on(boss(), &["x", "y", "x"])), missing);
        bed.put_in("child", Status::Todo);
        bed.link("t", "child");
        for (on, path) in [("t", ids(&["t"])), ("child", ids(&["t", "child"]))] {
            let circle = Rejection::WouldCycle { path };
            assert_eq!(bed.rejection(&wait_on(boss(), &[on])), circle);
        }
    }
}
