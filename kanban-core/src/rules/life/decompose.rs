//! A raw idea is divided into subtasks, for which it then waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Invalid, Rejection, Result};
use crate::model::{EventKind, Label, Link, Status, Task, TaskId};
use crate::request::{DecomposeTask, Decomposed, NewTask, Subtask};
use crate::rules::authority::expect_status;
use crate::rules::create::{check_item_count, distinct, make_task, order_of, with_key};
use crate::rules::draft::{Decided, Draft, Entry, Refusal};
use crate::rules::links::{PARENTS_MAX, check_room_for_child};
use crate::rules::settle::land;
use crate::rules::{Answered, Command};

impl Command for DecomposeTask {
    type Answer = Decomposed;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Decomposed> {
        check_subtasks(&self.subtasks)?;
        let root = draft.subject(&self.task)?;
        if let Some(subtasks) = self.made_before(draft, &root)? {
            return Ok(Answered::again(Decomposed { root, subtasks }));
        }
        expect_status(&root, &[Status::Triage])?;
        if root.decomposed_at.is_some() {
            return Err(Rejection::AlreadyDecomposed.into());
        }
        for subtask in &self.subtasks {
            if let Some(taken_by) = with_key(draft, subtask.idempotency_key.as_ref())? {
                return Err(Rejection::KeyTaken { task: taken_by.id }.into());
            }
        }
        let after: Vec<Vec<usize>> = self.subtasks.iter().map(|s| s.after.clone()).collect();
        let order = order_of(&after).map_err(|path| Rejection::CycleAmongItems { path })?;
        let above = draft.view().parents(&self.task, None, PARENTS_MAX)?;
        self.check_room(draft, &above)?;

        let subtasks = self.make_subtasks(draft, &root, &order, &above)?;
        self.wait_for(draft, root, &subtasks)?;
        Ok(Answered::new(Decomposed {
            root: draft.subject(&self.task)?,
            subtasks,
        }))
    }
}

impl DecomposeTask {
    /// The subtasks of a call that this one repeats: each of its items has the key of one of them.
    fn made_before(&self, draft: &Draft<'_>, root: &Task) -> Result<Option<Vec<TaskId>>> {
        if root.decomposed_at.is_none() {
            return Ok(None);
        }
        let mut by_key: BTreeMap<Label, TaskId> = BTreeMap::new();
        for id in draft.view().parents(&root.id, None, PARENTS_MAX)? {
            let Some(parent) = draft.task(&id)? else {
                continue;
            };
            if parent.created_from.as_ref() == Some(&root.id)
                && let Some(key) = parent.idempotency_key
                && (parent.status != Status::Archived || !by_key.contains_key(&key))
            {
                by_key.insert(key, id);
            }
        }
        let found = self.subtasks.iter().map(|subtask| {
            let key = subtask.idempotency_key.as_ref()?;
            by_key.get(key).cloned()
        });
        Ok(found.collect())
    }

    /// Refuses if the root, or one of its parents, would get more links than are allowed.
    fn check_room(&self, draft: &Draft<'_>, above: &[TaskId]) -> std::result::Result<(), Refusal> {
        let parents = above.len() + self.subtasks.len();
        if parents > PARENTS_MAX {
            return Err(Invalid::too_many("parents", PARENTS_MAX, parents).into());
        }
        let first = self.subtasks.iter().filter(|s| s.after.is_empty()).count();
        for parent in above {
            check_room_for_child(draft, parent, first)?;
        }
        Ok(())
    }

    /// Makes them, those first that others wait for. Answers their ids in the order given.
    fn make_subtasks(
        &self,
        draft: &mut Draft<'_>,
        root: &Task,
        order: &[usize],
        above: &[TaskId],
    ) -> std::result::Result<Vec<TaskId>, Refusal> {
        let ids: Vec<TaskId> = self.subtasks.iter().map(|_| draft.new_task_id()).collect();
        for index in order {
            let (Some(id), Some(subtask)) = (ids.get(*index), self.subtasks.get(*index)) else {
                continue;
            };
            let inner = subtask.after.iter().filter_map(|at| ids.get(*at).cloned());
            let mut parents = distinct(&inner.collect::<Vec<_>>());
            if parents.is_empty() {
                parents = above.to_vec();
            }
            make_task(draft, id, &self.as_new(root, subtask), &parents)?;
        }
        Ok(ids)
    }

    fn as_new(&self, root: &Task, subtask: &Subtask) -> NewTask {
        NewTask {
            body: subtask.body.clone(),
            priority: subtask.priority.unwrap_or(root.priority),
            assignee: subtask.assignee.clone(),
            tenant: root.tenant.clone(),
            created_by: Some(self.actor.clone()),
            created_from: Some(root.id.clone()),
            idempotency_key: subtask.idempotency_key.clone(),
            attributes: subtask.attributes.clone(),
            ..NewTask::new(subtask.title.clone())
        }
    }

    fn wait_for(&self, draft: &mut Draft<'_>, mut root: Task, subtasks: &[TaskId]) -> Result<()> {
        for subtask in subtasks {
            draft.add_link(Link {
                parent: subtask.clone(),
                child: self.task.clone(),
            });
            root.open_parents += 1;
        }
        root.decomposed_at = Some(draft.now());
        let (from, to) = land(&mut root, draft.now());
        draft.put_task(root)?;
        draft.event(
            Entry::of(&self.task, EventKind::Decomposed)
                .by(Some(&self.actor))
                .moved(from, to)
                .with("subtasks", subtasks.len()),
        )?;
        Ok(())
    }
}

fn check_subtasks(subtasks: &[Subtask]) -> Result<(), Invalid> {
    check_item_count("subtasks", subtasks.len())?;
    let mut keys = BTreeSet::new();
    for subtask in subtasks {
        if let Some(key) = &subtask.idempotency_key
            && !keys.insert(key)
        {
            return Err(Invalid::malformed(
                "idempotency_key",
                "different for each subtask",
            ));
        }
        let last = subtasks.len() - 1;
        if let Some(index) = subtask.after.iter().find(|index| **index > last) {
            return Err(Invalid::above("after", last as u64, *index as u64));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{label, subscription, task, task_id};
    use crate::model::{
        EventId, JsonObject, LongText, Millis, Scope, SubscriptionId, TextKind, Title, Version,
    };
    use crate::rules::testbed::{Testbed, assignee, ids};

    fn piece(title: &str, after: &[usize], key: Option<&str>) -> Subtask {
        Subtask {
            title: Title::new(title).unwrap(),
            body: None,
            assignee: None,
            priority: None,
            after: after.to_vec(),
            attributes: None,
            idempotency_key: key.map(label),
        }
    }

    fn decompose(subtasks: Vec<Subtask>) -> DecomposeTask {
        DecomposeTask {
            task: task_id("t"),
            actor: label("planner"),
            subtasks,
        }
    }

    fn idea() -> Testbed {
        let mut bed = Testbed::new();
        bed.put("p", |_| {});
        bed.put("t", |task| {
            task.status = Status::Triage;
            task.priority = 4;
            task.tenant = Some(label("acme"));
        });
        bed.link("p", "t");
        bed
    }

    /// A subtask of `t`, as it is made.
    fn made(bed: &Testbed, id: &str, title: &str) -> Task {
        let mut row = task(id);
        row.title = Title::new(title).unwrap();
        row.status = Status::Todo;
        row.priority = 4;
        row.tenant = Some(label("acme"));
        row.created_by = Some(label("planner"));
        row.created_from = Some(task_id("t"));
        row.created_at = bed.now;
        row.updated_at = bed.now;
        row.version = Version::new(1);
        row.open_parents = 1;
        row
    }

    #[test]
    fn a_root_waits_for_its_subtasks() {
        let mut bed = idea();
        bed.put_subscription(subscription(1, Scope::Task(task_id("t"))));
        let attributes = JsonObject::parse("attributes", r#"{"skill":"rust"}"#).unwrap();
        let first = Subtask {
            body: Some(LongText::new("body", "test it").unwrap()),
            assignee: Some(assignee("ann")),
            priority: Some(9),
            attributes: Some(attributes),
            ..piece("test", &[1], Some("key"))
        };
        let (answer, changes) = bed.changes(&decompose(vec![first, piece("build", &[], None)]));
        let (test, build) = ("t_000001", "t_000002");
        assert_eq!(answer.subtasks, ids(&[test, build]));
        assert_eq!(answer.root.status, Status::Todo);

        let mut want = bed.expect();
        let now = bed.now;
        want.card("t", |root| {
            root.status = Status::Todo;
            root.open_parents = 3;
            root.decomposed_at = Some(now);
        });
        let mut tested = made(&bed, test, "test");
        tested.priority = 9;
        tested.assignee = Some(assignee("ann"));
        tested.idempotency_key = Some(label("key"));
        for row in [tested, made(&bed, build, "build")] {
            want.push(Change::Task {
                before: None,
                after: Some(Box::new(row)),
            });
        }
        want.text(test, TextKind::Body, "test it");
        want.text(test, TextKind::Attributes, r#"{"skill":"rust"}"#);
        for (parent, child) in [("p", build), (test, "t"), (build, "t"), (build, test)] {
            want.add_link(parent, child);
        }
        for (id, task, cursor) in [(2, build, 1), (3, test, 2)] {
            let mut inherited = subscription(id, Scope::Task(task_id(task)));
            let known = &bed.board.subscriptions[&SubscriptionId::new(1)];
            inherited.address = known.address.clone();
            inherited.created_at = now;
            inherited.cursor = EventId::new(cursor);
            want.new_subscription(inherited);
        }
        for (task, title, parent) in [(build, "build", "p"), (test, "test", build)] {
            let data = json!({
                "to": "todo", "title": title, "created_from": "t", "parents": [parent],
            });
            want.event(Some(task), EventKind::Created, data).actor = Some(label("planner"));
        }
        let data = json!({"from": "triage", "to": "todo", "subtasks": 2});
        want.event(Some("t"), EventKind::Decomposed, data).actor = Some(label("planner"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn a_repeat_with_the_same_keys_is_answered_the_same() {
        let mut bed = idea();
        let pieces = vec![piece("a", &[], Some("ka")), piece("b", &[0], Some("kb"))];
        let first = bed.write(&decompose(pieces.clone()));
        assert_eq!(bed.repeat(&decompose(pieces.clone())), first);
        let last = decompose(vec![pieces[1].clone()]);
        assert_eq!(bed.repeat(&last).subtasks, first.subtasks[1..]);

        // Also when the root is in triage again, and a subtask in the archive.
        bed.board.edit("t", |task| task.status = Status::Triage);
        bed.board.edit(first.subtasks[0].as_str(), |task| {
            task.status = Status::Archived;
        });
        assert_eq!(
            bed.repeat(&decompose(pieces.clone())).subtasks,
            first.subtasks
        );
        let more = [pieces, vec![piece("c", &[], None)]].concat();
        assert_eq!(
            bed.rejection(&decompose(more)),
            Rejection::AlreadyDecomposed
        );
    }

    #[test]
    fn a_decomposition_is_refused_in_the_order_of_the_contract() {
        let mut bed = Testbed::new();
        let one = || vec![piece("a", &[], None)];
        assert_eq!(bed.invalid(&decompose(vec![])), "subtasks");
        assert_eq!(
            bed.invalid(&decompose(vec![piece("a", &[], None); 1001])),
            "subtasks"
        );
        assert_eq!(
            bed.invalid(&decompose(vec![piece("a", &[1], None)])),
            "after"
        );
        let same_key = vec![piece("a", &[], Some("key")); 2];
        assert_eq!(bed.invalid(&decompose(same_key)), "idempotency_key");
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&decompose(one())), unknown);
        bed.check_statuses(&[Status::Triage], &decompose(one()));
        bed.put("t", |task| {
            task.status = Status::Triage;
            task.decomposed_at = Some(Millis::new(1));
        });
        assert_eq!(
            bed.rejection(&decompose(one())),
            Rejection::AlreadyDecomposed
        );

        let mut bed = idea();
        bed.put("other", |task| task.idempotency_key = Some(label("key")));
        let taken = Rejection::KeyTaken {
            task: task_id("other"),
        };
        let with_key = vec![piece("a", &[], Some("key"))];
        assert_eq!(bed.rejection(&decompose(with_key)), taken);
        let circle = Rejection::CycleAmongItems {
            path: vec![0, 1, 0],
        };
        let pieces = vec![piece("a", &[1], None), piece("b", &[0], None)];
        assert_eq!(bed.rejection(&decompose(pieces)), circle);
        let many = vec![piece("a", &[], None); 1000];
        assert_eq!(bed.invalid(&decompose(many)), "parents");
    }
}
