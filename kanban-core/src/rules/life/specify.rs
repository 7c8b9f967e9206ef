//! A raw idea becomes a task.

use crate::error::Result;
use crate::model::{Comment, EventKind, Note, Status, Task, TextKind};
use crate::request::SpecifyTask;
use crate::rules::authority::expect_status;
use crate::rules::draft::{Decided, Draft, Entry};
use crate::rules::settle::land;
use crate::rules::talk::expect_text;
use crate::rules::{Answered, Command};

impl Command for SpecifyTask {
    type Answer = Task;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Task> {
        // Who does it is the author of a comment.
        expect_text("actor", self.actor.as_str())?;
        let mut task = draft.subject(&self.task)?;
        expect_status(&task, &[Status::Triage])?;

        let changes = self.apply(draft, &mut task)?;
        task.failures = 0;
        task.deferrals = 0;
        task.block_streak = None;
        task.review_rounds = 0;
        let (from, to) = land(&mut task, draft.now());
        draft.put_task(task)?;
        let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
        draft.event(
            Entry::of(&self.task, EventKind::Specified)
                .by(Some(&self.actor))
                .moved(from, to)
                .with("fields", fields),
        )?;
        if !changes.is_empty() {
            self.leave_audit(draft, &changes);
        }
        Ok(Answered::new(draft.subject(&self.task)?))
    }
}

/// A field that changed, and its old value where that is short.
#[derive(Debug)]
struct FieldChange {
    field: &'static str,
    old: Option<String>,
}

impl SpecifyTask {
    fn apply(&self, draft: &mut Draft<'_>, task: &mut Task) -> Result<Vec<FieldChange>> {
        let mut changes = Vec::new();
        if let Some(title) = self.title.as_ref().filter(|title| **title != task.title) {
            changes.push(FieldChange {
                field: "title",
                old: Some(task.title.to_string()),
            });
            task.title = title.clone();
        }
        if let Some(body) = &self.body {
            let old = draft.text(&self.task, TextKind::Body)?;
            if old.as_deref() != Some(body.as_str()) {
                changes.push(FieldChange {
                    field: "body",
                    old: None,
                });
                let body = Some(body.as_str().to_owned());
                draft.put_text(&self.task, TextKind::Body, body);
            }
        }
        if self.assignee.is_some() && self.assignee != task.assignee {
            changes.push(FieldChange {
                field: "assignee",
                old: task.assignee.as_ref().map(ToString::to_string),
            });
            task.assignee.clone_from(&self.assignee);
            // What the one before ran into does not hold back another assignee.
            task.last_error = None;
            task.not_before = None;
        }
        Ok(changes)
    }

    fn leave_audit(&self, draft: &mut Draft<'_>, changes: &[FieldChange]) {
        let parts: Vec<String> = changes
            .iter()
            .map(|change| match &change.old {
                Some(old) => format!("{} (was: {old})", change.field),
                None => change.field.to_owned(),
            })
            .collect();
        let text = format!("Specified; changed: {}", parts.join(", "));
        let comment = Comment {
            id: draft.next_comment(),
            task: self.task.clone(),
            author: self.actor.clone(),
            body: Note::new("body", text).expect("a title and a name are shorter than a note"),
            at: draft.now(),
            request_id: None,
        };
        draft.add_comment(comment);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::{ErrorKind, Subject};
    use crate::memory::{comment, label, task_id};
    use crate::model::{BlockKind, BlockStreak, LongText, Millis, Title};
    use crate::rules::testbed::{Testbed, assignee, note};

    fn specify() -> SpecifyTask {
        SpecifyTask {
            task: task_id("t"),
            actor: label("planner"),
            title: None,
            body: None,
            assignee: None,
        }
    }

    fn idea(task: &mut Task) {
        task.status = Status::Triage;
        task.failures = 1;
        task.deferrals = 1;
        task.review_rounds = 1;
        task.block_streak = Some(BlockStreak {
            kind: BlockKind::Other,
            count: 2,
        });
        task.last_error = Some(note("oom"));
        task.not_before = Some(Millis::new(9_000_000));
        task.assignee = Some(assignee("ann"));
    }

    fn fresh(task: &mut Task) {
        task.status = Status::Ready;
        task.failures = 0;
        task.deferrals = 0;
        task.review_rounds = 0;
        task.block_streak = None;
    }

    #[test]
    fn what_changes_leaves_an_audit() {
        let mut bed = Testbed::new();
        bed.put("t", idea);
        let call = SpecifyTask {
            title: Some(Title::new("a clear title").unwrap()),
            body: Some(LongText::new("body", "do this").unwrap()),
            assignee: Some(assignee("bob")),
            ..specify()
        };
        let (_, changes) = bed.changes(&call);
        let mut want = bed.expect();
        want.card("t", |task| {
            fresh(task);
            task.title = Title::new("a clear title").unwrap();
            task.assignee = Some(assignee("bob"));
            task.last_error = None;
            task.not_before = None;
        });
        want.text("t", TextKind::Body, "do this");
        let mut audit = comment(1, "t");
        audit.author = label("planner");
        audit.body = note("Specified; changed: title (was: t), body, assignee (was: ann)");
        audit.at = bed.now;
        want.comment(audit);
        let data = json!({
            "from": "triage", "to": "ready", "fields": ["title", "body", "assignee"],
        });
        want.event(Some("t"), EventKind::Specified, data).actor = Some(label("planner"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn nothing_new_leaves_no_audit() {
        let mut bed = Testbed::new();
        bed.put("t", idea);
        bed.board
            .texts
            .insert((task_id("t"), TextKind::Body), "do this".to_owned());
        let call = SpecifyTask {
            title: Some(bed.task("t").title),
            body: Some(LongText::new("body", "do this").unwrap()),
            assignee: Some(assignee("Ann")),
            ..specify()
        };
        for call in [call, specify()] {
            let (_, changes) = bed.changes(&call);
            let mut want = bed.expect();
            want.card("t", |task| {
                fresh(task);
                task.waiting = true;
            });
            let data = json!({"from": "triage", "to": "ready", "fields": []});
            want.event(Some("t"), EventKind::Specified, data).actor = Some(label("planner"));
            assert_eq!(changes, want.list());
        }
    }

    #[test]
    fn only_a_raw_idea_is_specified() {
        let mut bed = Testbed::new();
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&specify()), unknown);
        bed.check_statuses(&[Status::Triage], &specify());
    }
}
