//! What people add to a task.

use crate::model::{Address, AttachmentId, Label, Note, TaskId};

/// Says something about a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentOn {
    /// Which.
    pub task: TaskId,
    /// Who.
    pub author: Label,
    /// What; not blank.
    pub body: Note,
    /// A repeat with the same key gets the same comment.
    pub request_id: Option<Label>,
}

impl CommentOn {
    /// A comment without a key: a repeat of it doubles it.
    #[must_use]
    pub const fn new(task: TaskId, author: Label, body: Note) -> Self {
        Self {
            task,
            author,
            body,
            request_id: None,
        }
    }
}

/// Attaches a pointer to a file. The store never opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachFile {
    /// To which task.
    pub task: TaskId,
    /// The file's name.
    pub file_name: Label,
    /// Where it is.
    pub uri: Address,
    /// Its media type.
    pub media_type: Option<Label>,
    /// Its size in bytes; at most 2^63 - 1.
    pub size: Option<u64>,
    /// Who.
    pub actor: Option<Label>,
    /// A repeat with the same key gets the same attachment.
    pub request_id: Option<Label>,
}

/// Removes an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachFile {
    /// From which task.
    pub task: TaskId,
    /// Which attachment.
    pub attachment: AttachmentId,
    /// Who.
    pub actor: Option<Label>,
}
