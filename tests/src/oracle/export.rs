//! The board as an export tells it.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Board;

impl Board {
    /// The lines of an export, each with its line feed: the bytes that every engine must write. [19.2]
    pub(crate) fn export(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut put = |kind: &str, row: String| lines.push(format!("{{\"{kind}\":{row}}}\n"));
        put("header", json!({ "kanban_export": 1 }).to_string());
        let counters = row(&self.counters);
        put(
            "board",
            format!(
                "{{\"created_at\":{},\"seed\":{},\"counters\":{counters},\"horizon\":{}}}",
                self.created_at, self.seed, self.horizon
            ),
        );
        put("policy", row(&self.policy));
        for pause in &self.pauses {
            put("pause", row(pause));
        }
        let mut tasks = self.tasks.clone();
        tasks.sort_by(|a, b| a.task.id.cmp(&b.task.id));
        for task in &tasks {
            put("task", row(&**task));
        }
        let mut pairs = self.links.clone();
        pairs.sort();
        for link in &pairs {
            put("link", row(link));
        }
        for run in &self.runs {
            put("run", row(&**run));
        }
        for comment in &self.comments {
            put("comment", row(&**comment));
        }
        for attachment in &self.attachments {
            put("attachment", row(&**attachment));
        }
        for subscription in &self.subscriptions {
            put("subscription", row(&**subscription));
        }
        for event in &self.events {
            put("event", row(&**event));
        }
        let text = lines.concat();
        let hash = Sha256::digest(text.as_bytes());
        let count = lines.len();
        format!("{text}{{\"footer\":{{\"lines\":{count},\"sha256\":\"{hash:x}\"}}}}\n")
    }
}

/// A row as JSON, its fields in the order of their declaration.
fn row(row: &impl Serialize) -> String {
    serde_json::to_string(row).expect("rows are plain values with string keys")
}

/// A board's age and seed, which the store chose, from the export of an empty board.
pub(crate) fn born(export: &str) -> Option<Board> {
    let line = export.lines().nth(1)?;
    let line: Value = serde_json::from_str(line).ok()?;
    let board = line.get("board")?;
    let created_at = board.get("created_at")?.as_i64()?;
    let seed = board.get("seed")?.as_u64()?;
    Some(Board::empty(kanban_core::Millis::new(created_at), seed))
}
