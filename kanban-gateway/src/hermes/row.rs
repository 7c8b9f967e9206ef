//! Rows of a foreign table, whose columns may be missing, of another type, or unknown.

use std::collections::BTreeMap;

use kanban_core::{Invalid, JsonObject, Millis, Repair, TaskId};
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::fit;

/// The key under which a foreign column is kept.
pub(super) fn key(column: &str) -> String {
    format!("hermes.{column}")
}

/// The rows of one table.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

/// A value as `SQLite` has it.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// A row: its columns that have a value. Taking a column leaves the others for [`rest`](Self::rest).
#[derive(Debug)]
pub(super) struct Row {
    cells: BTreeMap<String, Cell>,
}

impl Row {
    pub(super) fn of(columns: &[String], row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let mut cells = BTreeMap::new();
        for (index, column) in columns.iter().enumerate() {
            let cell = match row.get_ref(index)? {
                ValueRef::Null => continue,
                ValueRef::Integer(number) => Cell::Integer(number),
                ValueRef::Real(number) => Cell::Real(number),
                ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
                ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
            };
            cells.insert(column.clone(), cell);
        }
        Ok(Self { cells })
    }

    /// A column as text; none if it is missing or empty.
    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        let text = match self.cells.remove(column)? {
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text,
            Cell::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// A column as a whole number. What is none is left for the rest.
    pub(super) fn integer(&mut self, column: &str) -> Option<i64> {
        let number = self.whole_number(column)?;
        self.cells.remove(column);
        Some(number)
    }

    /// A column as a number from 0. What is none is left for the rest.
    pub(super) fn count(&mut self, column: &str) -> Option<u64> {
        let number = u64::try_from(self.whole_number(column)?).ok()?;
        self.cells.remove(column);
        Some(number)
    }

    fn whole_number(&self, column: &str) -> Option<i64> {
        match self.cells.get(column)? {
            Cell::Integer(number) => Some(*number),
            Cell::Text(text) => text.trim().parse().ok(),
            Cell::Real(_) | Cell::Blob(_) => None,
        }
    }

    /// A column of seconds as milliseconds. What is no number is left for the rest.
    pub(super) fn seconds(&mut self, column: &str) -> Option<Millis> {
        if let Some(Cell::Real(seconds)) = self.cells.get(column) {
            let millis = seconds * 1000.0;
            self.cells.remove(column);
            #[expect(clippy::cast_possible_truncation, reason = "such a cast saturates")]
            return Some(Millis::new(millis.round() as i64));
        }
        let seconds = self.integer(column)?;
        Some(Millis::new(seconds.saturating_mul(1000)))
    }

    /// Puts a value back among those that are kept as they are.
    pub(super) fn put_back(&mut self, column: &str, text: String) {
        self.cells.insert(column.to_owned(), Cell::Text(text));
    }

    /// The row's own number; a row that has none from 1 is listed, and of no use.
    pub(super) fn number(&mut self, table: &str, repairs: &mut Vec<Repair>) -> Option<u64> {
        let number = self.count("id").filter(|number| *number > 0);
        if number.is_none() {
            let text = self.text("id").unwrap_or_default();
            let shown = fit::cut(&text, 64);
            repairs.push(Repair::dropped(table, shown, "id", shown));
        }
        number
    }

    /// A column that names a task; a row that names none in our form is listed, and of no use.
    pub(super) fn task(
        &mut self,
        column: &str,
        table: &str,
        id: impl ToString,
        repairs: &mut Vec<Repair>,
    ) -> Option<TaskId> {
        let text = self.text(column).unwrap_or_default();
        let task = TaskId::new(text.as_str()).ok();
        if task.is_none() {
            let from = fit::cut(&text, 64);
            repairs.push(Repair::dropped(table, id, column, from));
        }
        task
    }

    /// A column that is cut if it is over a limit.
    pub(super) fn bounded<T>(
        &mut self,
        column: &'static str,
        max: usize,
        place: Place<'_>,
        make: impl FnOnce(&'static str, String) -> Result<T, Invalid>,
    ) -> Option<T> {
        let text = self.text(column)?;
        let kept = fit::cut(&text, max);
        let Place { table, id, repairs } = place;
        if kept.len() < text.len() {
            repairs.push(Repair::changed(
                table,
                id,
                column,
                format!("{} bytes", text.len()),
                format!("{} bytes", kept.len()),
            ));
        }
        make(column, kept.to_owned()).ok()
    }

    /// Everything that was not taken, under keys of its own, beside what is there already.
    pub(super) fn rest(
        self,
        field: &'static str,
        mut beside: Map<String, Value>,
        place: Place<'_>,
    ) -> Option<JsonObject> {
        for (column, cell) in self.cells {
            let value = match cell {
                Cell::Integer(number) => Value::from(number),
                Cell::Real(number) => Value::from(number),
                Cell::Text(text) => Value::String(text),
                Cell::Blob(bytes) => Value::String(hex(&bytes)),
            };
            beside.insert(key(&column), value);
        }
        if beside.is_empty() {
            return None;
        }
        Some(fit::object(field, beside, place))
    }
}

/// Where a repair is listed.
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) id: &'a str,
    pub(super) repairs: &'a mut Vec<Repair>,
}

impl<'a> Place<'a> {
    pub(super) fn new(table: &'static str, id: &'a str, repairs: &'a mut Vec<Repair>) -> Self {
        Self { table, id, repairs }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes every text");
    }
    text
}
