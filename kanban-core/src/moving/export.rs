//! Writing a board out.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::EventId;
use crate::progress::{Stage, Steps, Tell};
use crate::request::Moved;
use crate::rules::detail;
use crate::view::View;

use super::line::{BoardLine, FORMAT, Footer, Header, Line, hex};

/// How many rows are held at a time. A run may have 192 KiB of texts.
const PAGE: usize = 64;

/// Writes the whole board of a snapshot, and asks before each page whether to go on. Never into what may stall: the
/// snapshot is held meanwhile.
pub(crate) fn export(
    view: &dyn View,
    to: &mut dyn Write,
    go_on: &dyn Fn() -> Result<()>,
    tell: &Tell,
) -> Result<Moved> {
    let mut out = Out {
        to,
        hash: Sha256::new(),
        text: Vec::new(),
        go_on,
        steps: tell.begin(Stage::Read, || view.count_rows().map(Some))?,
        moved: Moved::default(),
    };
    out.put(&Line::Header(Header {
        kanban_export: FORMAT,
    }))?;
    out.put(&Line::Board(BoardLine::from(&view.board()?)))?;
    out.put(&Line::Policy(view.policy()?))?;
    for pause in view.pauses()? {
        out.put(&Line::Pause(pause))?;
    }
    out.moved.tasks = out.walk(
        |after| view.tasks(after, PAGE),
        |task| task.id.clone(),
        |task| Ok(Line::Task(Box::new(detail(view, task)?))),
    )?;
    out.moved.links = out.walk(
        |after| view.links(after, PAGE),
        Clone::clone,
        |link| Ok(Line::Link(link)),
    )?;
    out.moved.runs = out.walk(
        |after| view.runs(after.copied(), PAGE),
        |run| run.id,
        |run| Ok(Line::Run(Box::new(run))),
    )?;
    out.moved.comments = out.walk(
        |after| view.comments(after.copied(), PAGE),
        |comment| comment.id,
        |comment| Ok(Line::Comment(comment)),
    )?;
    out.moved.attachments = out.walk(
        |after| view.attachments(after.copied(), PAGE),
        |attachment| attachment.id,
        |attachment| Ok(Line::Attachment(attachment)),
    )?;
    out.moved.subscriptions = out.walk(
        |after| view.subscriptions(after.copied(), PAGE),
        |subscription| subscription.id,
        |subscription| Ok(Line::Subscription(Box::new(subscription))),
    )?;
    out.moved.events = out.walk(
        |after| view.events(after.copied().unwrap_or(EventId::new(0)), PAGE),
        |event| event.id,
        |event| Ok(Line::Event(event)),
    )?;
    out.finish()
}

struct Out<'a> {
    to: &'a mut dyn Write,
    hash: Sha256,
    text: Vec<u8>,
    go_on: &'a dyn Fn() -> Result<()>,
    steps: Steps,
    moved: Moved,
}

impl Out<'_> {
    fn put(&mut self, line: &impl Serialize) -> Result<()> {
        self.text.clear();
        serde_json::to_writer(&mut self.text, line)
            .expect("rows are plain values with string keys");
        self.text.push(b'\n');
        self.hash.update(&self.text);
        self.moved.lines += 1;
        self.to.write_all(&self.text).map_err(unwritten)
    }

    /// Writes all rows of a kind, page by page. Answers how many.
    fn walk<T, K>(
        &mut self,
        page_after: impl Fn(Option<&K>) -> Result<Vec<T>>,
        key: impl Fn(&T) -> K,
        line: impl Fn(T) -> Result<Line>,
    ) -> Result<u64> {
        let mut written = 0;
        let mut last = None;
        loop {
            (self.go_on)()?;
            let page = page_after(last.as_ref())?;
            let is_end = page.len() < PAGE;
            for row in page {
                last = Some(key(&row));
                self.put(&line(row)?)?;
                written += 1;
                self.steps.add(1);
            }
            if is_end {
                return Ok(written);
            }
        }
    }

    fn finish(mut self) -> Result<Moved> {
        let hash = std::mem::take(&mut self.hash);
        let footer = Footer {
            lines: self.moved.lines,
            sha256: hex(&hash.finalize()),
        };
        self.put(&Line::Footer(footer))?;
        self.to.flush().map_err(unwritten)?;
        self.steps.end();
        Ok(self.moved)
    }
}

fn unwritten(error: io::Error) -> Error {
    Error::io("writing the export", error)
}
