//! Comments and attachments.

use std::sync::Arc;

use kanban_core::{
    AttachFile, Attachment, AttachmentId, Comment, CommentId, CommentOn, DetachFile, ErrorKind,
    EventKind, Subject,
};

use super::board::{applied, bound, malformed, repeated};
use super::log::Told;
use super::{Board, Ruled};

impl Board {
    pub(crate) fn comment(&mut self, call: CommentOn) -> Ruled<Comment> {
        if call.author.as_str().trim().is_empty() {
            return Err(malformed("author").into());
        }
        if call.body.as_str().trim().is_empty() {
            return Err(malformed("body").into());
        }
        self.known(&call.task)?;
        let mut known = self.comments.iter();
        let known = known.find(|row| {
            row.task == call.task && row.request_id.is_some() && row.request_id == call.request_id
        });
        if let Some(known) = known {
            return repeated((**known).clone());
        }
        self.counters.comment = CommentId::new(self.counters.comment.get() + 1);
        let comment = Comment {
            id: self.counters.comment,
            task: call.task.clone(),
            author: call.author.clone(),
            body: call.body,
            at: self.now,
            request_id: call.request_id,
        };
        self.comments.push(Arc::new(comment.clone()));
        let told = Told::by(Some(&call.author)).with("comment", comment.id.get());
        self.tell(&call.task, EventKind::Commented, told);
        applied(comment)
    }

    pub(crate) fn attach(&mut self, call: AttachFile) -> Ruled<Attachment> {
        let limit = u64::MAX / 2;
        if let Some(size) = call.size
            && size > limit
        {
            return Err(bound("size", limit, size).into());
        }
        self.known(&call.task)?;
        let mut known = self.attachments.iter();
        let known = known.find(|row| {
            row.task == call.task && row.request_id.is_some() && row.request_id == call.request_id
        });
        if let Some(known) = known {
            return repeated((**known).clone());
        }
        self.counters.attachment = AttachmentId::new(self.counters.attachment.get() + 1);
        let attachment = Attachment {
            id: self.counters.attachment,
            task: call.task.clone(),
            file_name: call.file_name,
            uri: call.uri,
            media_type: call.media_type,
            size: call.size,
            by: call.actor,
            at: self.now,
            request_id: call.request_id,
        };
        self.attachments.push(Arc::new(attachment.clone()));
        self.tell(&call.task, EventKind::Attached, told_of(&attachment));
        applied(attachment)
    }

    pub(crate) fn detach(&mut self, call: DetachFile) -> Ruled<Attachment> {
        self.known(&call.task)?;
        let mut rows = self.attachments.iter();
        let found = rows.find(|row| row.id == call.attachment && row.task == call.task);
        let Some(found) = found.cloned() else {
            let subject = Subject::Attachment(call.attachment.get());
            return Err(ErrorKind::NotFound(subject).into());
        };
        self.attachments.retain(|row| row.id != call.attachment);
        let mut told = told_of(&found);
        told.actor = call.actor;
        self.tell(&call.task, EventKind::Detached, told);
        applied((*found).clone())
    }
}

fn told_of(attachment: &Attachment) -> Told {
    Told::by(attachment.by.as_ref())
        .with("attachment", attachment.id.get())
        .with("file_name", attachment.file_name.as_str())
}
