//! The rows that are only ever added: events, comments, attachments.

use kanban_core::{
    Address, Attachment, AttachmentId, Comment, CommentId, Event, EventId, EventKind, JsonObject,
    Label, Millis, Note, Result, RunId, Seq, TaskId,
};

use super::{Cell, Fields, Record, Table};
use crate::statements::{
    ATTACHMENT_COLUMNS, COMMENT_COLUMNS, EVENT_COLUMNS, INSERT_ATTACHMENT, INSERT_COMMENT,
    INSERT_EVENT,
};

impl Record for Event {
    const TABLE: &'static Table = &Table {
        name: "event",
        columns: EVENT_COLUMNS,
        insert: INSERT_EVENT,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::number(self.id.get()),
            Cell::number(self.seq.get()),
            Cell::Int(self.at.get()),
            Cell::maybe(self.task.as_ref().map(TaskId::as_str)),
            self.run.map_or(Cell::Null, |run| Cell::number(run.get())),
            Cell::maybe(self.actor.as_ref().map(Label::as_str)),
            Cell::text(self.kind.as_str()),
            Cell::owned(self.data.to_text()),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: EventId::new(fields.number()?),
            seq: Seq::new(fields.number()?),
            at: Millis::new(fields.int()?),
            task: fields.maybe(TaskId::new)?,
            run: fields.maybe_number()?.map(RunId::new),
            actor: fields.maybe(|text| Label::new("actor", text))?,
            kind: EventKind::from(fields.text()?),
            data: fields.parse(|text| JsonObject::parse("data", text))?,
        })
    }
}

impl Record for Comment {
    const TABLE: &'static Table = &Table {
        name: "comment",
        columns: COMMENT_COLUMNS,
        insert: INSERT_COMMENT,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::number(self.id.get()),
            Cell::text(self.task.as_str()),
            Cell::text(self.author.as_str()),
            Cell::text(self.body.as_str()),
            Cell::Int(self.at.get()),
            Cell::maybe(self.request_id.as_ref().map(Label::as_str)),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: CommentId::new(fields.number()?),
            task: fields.parse(TaskId::new)?,
            author: fields.parse(|text| Label::new("author", text))?,
            body: fields.parse(|text| Note::new("body", text))?,
            at: Millis::new(fields.int()?),
            request_id: fields.maybe(|text| Label::new("request_id", text))?,
        })
    }
}

impl Record for Attachment {
    const TABLE: &'static Table = &Table {
        name: "attachment",
        columns: ATTACHMENT_COLUMNS,
        insert: INSERT_ATTACHMENT,
    };

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            Cell::number(self.id.get()),
            Cell::text(self.task.as_str()),
            Cell::text(self.file_name.as_str()),
            Cell::text(self.uri.as_str()),
            Cell::maybe(self.media_type.as_ref().map(Label::as_str)),
            self.size.map_or(Cell::Null, Cell::bits),
            Cell::maybe(self.by.as_ref().map(Label::as_str)),
            Cell::Int(self.at.get()),
            Cell::maybe(self.request_id.as_ref().map(Label::as_str)),
        ]
    }

    fn read(fields: &mut Fields<'_, '_>) -> Result<Self> {
        Ok(Self {
            id: AttachmentId::new(fields.number()?),
            task: fields.parse(TaskId::new)?,
            file_name: fields.parse(|text| Label::new("file_name", text))?,
            uri: fields.parse(|text| Address::new("uri", text))?,
            media_type: fields.maybe(|text| Label::new("media_type", text))?,
            size: fields.maybe_int()?.map(i64::cast_unsigned),
            by: fields.maybe(|text| Label::new("by", text))?,
            at: Millis::new(fields.int()?),
            request_id: fields.maybe(|text| Label::new("request_id", text))?,
        })
    }
}
