//! The model as rows, and back. What comes back passes the model's own constructors: a board file is untrusted.

mod attached;
pub(crate) mod board;
mod fields;
mod run;
pub(crate) mod subscription;
mod task;

use std::borrow::Cow;

use kanban_core::Result;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

pub(crate) use self::fields::Fields;

/// A table whose rows are one type of the model. The first column is the key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) insert: &'static str,
}

/// A type of the model that is a row.
pub(crate) trait Record: Sized {
    /// Its table.
    const TABLE: &'static Table;

    /// Its values, in the order of the table's columns.
    fn cells(&self) -> Vec<Cell<'_>>;

    /// Reads one, in the same order.
    fn read(fields: &mut Fields<'_, '_>) -> Result<Self>;
}

/// A value on its way into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
    /// A number that no column can hold.
    TooLarge(u64),
}

impl<'a> Cell<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A text, or NULL.
    pub(crate) fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// A number that is compared: it keeps its order.
    pub(crate) fn number(number: u64) -> Self {
        i64::try_from(number).map_or(Self::TooLarge(number), Self::Int)
    }

    /// A number that is only kept: all 64 bits, the upper half as negative numbers.
    pub(crate) const fn bits(number: u64) -> Self {
        Self::Int(number.cast_signed())
    }

    /// A small number or an instant, or NULL.
    pub(crate) fn int(value: Option<impl Into<i64>>) -> Self {
        value.map_or(Self::Null, |value| Self::Int(value.into()))
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Ok(ToSqlOutput::Owned(Value::Null)),
            Self::Int(value) => Ok(ToSqlOutput::Owned(Value::Integer(*value))),
            Self::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Self::TooLarge(number) => Err(rusqlite::Error::ToSqlConversionFailure(
                format!("the number {number} is over 2^63 - 1").into(),
            )),
        }
    }
}
