//! The values of one row, taken in the order of its columns.

use kanban_core::{Error, Invalid, Result};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::Table;

/// Takes a row's values one after the other. A value that is not what it must be is `Corrupt`, with table, id and
/// column.
#[derive(Debug)]
pub(crate) struct Fields<'r, 's> {
    row: &'r Row<'s>,
    table: &'static Table,
    next: usize,
}

impl<'r, 's> Fields<'r, 's> {
    pub(crate) const fn new(row: &'r Row<'s>, table: &'static Table) -> Self {
        Self {
            row,
            table,
            next: 0,
        }
    }

    /// Steps over the next value.
    pub(crate) const fn skip(&mut self) {
        self.next += 1;
    }

    fn take(&mut self) -> Result<ValueRef<'r>> {
        let value = self.row.get_ref(self.next);
        self.next += 1;
        value.map_err(|error| self.wrong("is missing").with_source(error))
    }

    /// What is wrong with the value taken last.
    pub(crate) fn wrong(&self, what: &str) -> Error {
        let key = match self.row.get_ref(0) {
            Ok(ValueRef::Integer(id)) => id.to_string(),
            Ok(ValueRef::Text(id)) => String::from_utf8_lossy(id).into_owned(),
            _ => "?".to_owned(),
        };
        let column = self
            .table
            .columns
            .get(self.next.saturating_sub(1))
            .unwrap_or(&"?");
        Error::corrupt(format!("{column} of {} {key} {what}", self.table.name))
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<&'r str>> {
        match self.take()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.wrong("is not UTF-8")),
            },
            _ => Err(self.wrong("is not a text")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'r str> {
        self.maybe_text()?.ok_or_else(|| self.wrong("is NULL"))
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>> {
        match self.take()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(self.wrong("is not a number")),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        self.maybe_int()?.ok_or_else(|| self.wrong("is NULL"))
    }

    /// A number within the bounds of its type, or NULL.
    pub(crate) fn maybe_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>> {
        match self.maybe_int()?.map(T::try_from) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(self.wrong("is out of bounds")),
        }
    }

    /// A number within the bounds of its type.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        self.maybe_number()?.ok_or_else(|| self.wrong("is NULL"))
    }

    /// 0 or 1.
    pub(crate) fn flag(&mut self) -> Result<bool> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong("is neither 0 nor 1")),
        }
    }

    /// A text that a constructor of the model accepts.
    pub(crate) fn parse<T>(
        &mut self,
        new: impl FnOnce(&'r str) -> Result<T, Invalid>,
    ) -> Result<T> {
        let text = self.text()?;
        self.valid(new(text))
    }

    /// The same, or NULL.
    pub(crate) fn maybe<T>(
        &mut self,
        new: impl FnOnce(&'r str) -> Result<T, Invalid>,
    ) -> Result<Option<T>> {
        match self.maybe_text()? {
            None => Ok(None),
            Some(text) => self.valid(new(text)).map(Some),
        }
    }

    /// A word that stands for a value of the model.
    pub(crate) fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<T> {
        let text = self.text()?;
        parse(text).ok_or_else(|| self.wrong("is no word of the board"))
    }

    /// The same, or NULL.
    pub(crate) fn maybe_word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<Option<T>> {
        match self.maybe_text()? {
            None => Ok(None),
            Some(text) => match parse(text) {
                Some(value) => Ok(Some(value)),
                None => Err(self.wrong("is no word of the board")),
            },
        }
    }

    fn valid<T>(&self, made: Result<T, Invalid>) -> Result<T> {
        made.map_err(|invalid| self.wrong("is not valid").with_source(invalid))
    }
}
