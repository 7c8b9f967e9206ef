//! What people add to a task: comments, and pointers to files.

use crate::error::{Invalid, Subject};
use crate::model::{Attachment, Comment, EventKind, Label, Note};
use crate::request::{AttachFile, CommentOn, DetachFile};

use super::draft::{Decided, Draft, Entry};
use super::{Answered, Command};

/// The largest size that every engine can keep.
const SIZE_MAX: u64 = i64::MAX as u64;

impl Command for CommentOn {
    type Answer = Comment;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Comment> {
        check_comment(&self.author, &self.body)?;
        draft.subject(&self.task)?;
        if let Some(request_id) = &self.request_id
            && let Some(first) = draft.view().comment_by_request(&self.task, request_id)?
        {
            return Ok(Answered::again(first));
        }
        let comment = Comment {
            id: draft.next_comment(),
            task: self.task.clone(),
            author: self.author.clone(),
            body: self.body.clone(),
            at: draft.now(),
            request_id: self.request_id.clone(),
        };
        draft.add_comment(comment.clone());
        draft.event(
            Entry::of(&self.task, EventKind::Commented)
                .by(Some(&self.author))
                .with("comment", comment.id),
        )?;
        Ok(Answered::new(comment))
    }
}

impl Command for AttachFile {
    type Answer = Attachment;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Attachment> {
        check_size(self.size)?;
        draft.subject(&self.task)?;
        if let Some(request_id) = &self.request_id
            && let Some(first) = draft.view().attachment_by_request(&self.task, request_id)?
        {
            return Ok(Answered::again(first));
        }
        let attachment = Attachment {
            id: draft.next_attachment(),
            task: self.task.clone(),
            file_name: self.file_name.clone(),
            uri: self.uri.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            by: self.actor.clone(),
            at: draft.now(),
            request_id: self.request_id.clone(),
        };
        draft.add_attachment(attachment.clone());
        draft.event(
            Entry::of(&self.task, EventKind::Attached)
                .by(self.actor.as_ref())
                .with("attachment", attachment.id)
                .with("file_name", &self.file_name),
        )?;
        Ok(Answered::new(attachment))
    }
}

impl Command for DetachFile {
    type Answer = Attachment;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<Attachment> {
        draft.subject(&self.task)?;
        let found = draft.view().attachment(self.attachment)?;
        let Some(attachment) = found.filter(|found| found.task == self.task) else {
            return Err(Subject::Attachment(self.attachment.get()).into());
        };
        draft.remove_attachment(attachment.clone());
        draft.event(
            Entry::of(&self.task, EventKind::Detached)
                .by(self.actor.as_ref())
                .with("attachment", attachment.id)
                .with("file_name", &attachment.file_name),
        )?;
        Ok(Answered::new(attachment))
    }
}

/// Refuses a comment of nobody, or of no words.
pub(crate) fn check_comment(author: &Label, body: &Note) -> Result<(), Invalid> {
    expect_text("author", author.as_str())?;
    expect_text("body", body.as_str())
}

/// Refuses a size that no engine keeps.
pub(crate) fn check_size(size: Option<u64>) -> Result<(), Invalid> {
    match size {
        Some(size) if size > SIZE_MAX => Err(Invalid::above("size", SIZE_MAX, size)),
        _ => Ok(()),
    }
}

/// Refuses a text of blanks only.
pub(super) fn expect_text(field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::malformed(field, "not blank"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::error::ErrorKind;
    use crate::memory::{attachment, comment, label, task_id};
    use crate::model::{Address, AttachmentId, Millis, Status};
    use crate::rules::testbed::{Testbed, note};

    fn say(request_id: Option<&str>) -> CommentOn {
        CommentOn {
            task: task_id("t"),
            author: label("ann"),
            body: note("how far?"),
            request_id: request_id.map(label),
        }
    }

    fn attach(request_id: Option<&str>) -> AttachFile {
        AttachFile {
            task: task_id("t"),
            file_name: label("plan.md"),
            uri: Address::new("uri", "file:///plan.md").unwrap(),
            media_type: Some(label("text/markdown")),
            size: Some(12),
            actor: Some(label("ann")),
            request_id: request_id.map(label),
        }
    }

    #[test]
    fn a_comment_moves_no_version() {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        let (answer, changes) = bed.changes(&say(Some("key")));
        let mut said = comment(1, "t");
        said.author = label("ann");
        said.body = note("how far?");
        said.at = bed.now;
        said.request_id = Some(label("key"));
        assert_eq!(answer, said);
        let mut want = bed.expect();
        want.comment(said);
        let data = json!({"comment": 1});
        want.event(Some("t"), EventKind::Commented, data).actor = Some(label("ann"));
        assert_eq!(changes, want.list());

        let first = bed.write(&say(Some("key")));
        let again = CommentOn {
            body: note("other words"),
            ..say(Some("key"))
        };
        assert_eq!(bed.repeat(&again), first);
        assert_ne!(bed.write(&say(None)), bed.write(&say(None)), "doubled");
    }

    #[test]
    fn a_comment_on_an_archived_task_is_something_for_gc() {
        let mut bed = Testbed::new();
        bed.put("t", |task| {
            task.status = Status::Archived;
            task.settled_at = Some(Millis::new(1));
        });
        let (answer, changes) = bed.changes(&say(None));
        let mut want = bed.expect();
        want.task("t", |task| task.collectable = true);
        want.comment(answer);
        let data = json!({"comment": 1});
        want.event(Some("t"), EventKind::Commented, data).actor = Some(label("ann"));
        assert_eq!(changes, want.list());
    }

    #[test]
    fn blank_words_are_no_comment() {
        let mut bed = Testbed::new();
        let blank_body = CommentOn {
            body: note(" \n"),
            ..say(None)
        };
        let blank_author = CommentOn {
            author: label(" "),
            ..say(None)
        };
        assert_eq!(bed.invalid(&blank_body), "body");
        assert_eq!(bed.invalid(&blank_author), "author");
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&say(None)), unknown);
        bed.put("t", |_| {});
        assert_eq!(bed.invalid(&blank_body), "body");
    }

    #[test]
    fn a_file_is_attached_and_detached() {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        let call = attach(Some("key"));
        let (answer, changes) = bed.changes(&call);
        let mut attached = attachment(1, "t");
        attached.file_name = label("plan.md");
        attached.uri = call.uri.clone();
        attached.media_type.clone_from(&call.media_type);
        attached.size = Some(12);
        attached.by = Some(label("ann"));
        attached.at = bed.now;
        attached.request_id = Some(label("key"));
        assert_eq!(answer, attached);
        let mut want = bed.expect();
        want.attachment(attached.clone());
        let data = json!({"attachment": 1, "file_name": "plan.md"});
        want.event(Some("t"), EventKind::Attached, data.clone())
            .actor = Some(label("ann"));
        assert_eq!(changes, want.list());

        bed.write(&call);
        assert_eq!(bed.repeat(&call), attached);
        let detach = DetachFile {
            task: task_id("t"),
            attachment: AttachmentId::new(1),
            actor: None,
        };
        let (answer, changes) = bed.changes(&detach);
        assert_eq!(answer, attached);
        let mut want = bed.expect();
        want.push(Change::RemoveAttachment(Box::new(attached)));
        want.event(Some("t"), EventKind::Detached, data);
        assert_eq!(changes, want.list());
    }

    #[test]
    fn only_a_task_s_own_attachment_is_detached() {
        let mut bed = Testbed::new();
        let detach = |task: &str| DetachFile {
            task: task_id(task),
            attachment: AttachmentId::new(1),
            actor: None,
        };
        let unknown = ErrorKind::NotFound(Subject::Task(task_id("t")));
        assert_eq!(bed.refusal(&detach("t")), unknown);
        assert_eq!(bed.refusal(&attach(None)), unknown);
        bed.put("t", |_| {});
        bed.put("other", |_| {});
        bed.write(&attach(None));
        let unknown = ErrorKind::NotFound(Subject::Attachment(1));
        assert_eq!(bed.refusal(&detach("other")), unknown);
        bed.write(&detach("t"));
        assert_eq!(bed.refusal(&detach("t")), unknown);
    }

    #[test]
    fn a_size_that_no_engine_keeps_is_invalid() {
        let mut bed = Testbed::new();
        bed.put("t", |_| {});
        let sized = |size| AttachFile {
            size: Some(size),
            ..attach(None)
        };
        assert_eq!(bed.invalid(&sized(SIZE_MAX + 1)), "size");
        assert_eq!(bed.write(&sized(SIZE_MAX)).size, Some(SIZE_MAX));
    }
}
