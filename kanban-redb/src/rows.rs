//! The model as rows, and back: CBOR arrays, field by number. What comes back passes the model's own constructors: a
//! board file is untrusted.

mod fields;
mod records;

use kanban_core::{Error, ErrorKind, Result};
use minicbor::{Decoder, Encoder};

use self::fields::Field;

/// A type of the model that is a row.
pub(crate) trait Record: Field {
    /// What it is called where a row is wrong.
    const NAME: &'static str;
}

/// A row's bytes.
pub(crate) fn encode<T: Record>(row: &T) -> Result<Vec<u8>> {
    let mut to = Encoder::new(Vec::with_capacity(256));
    row.put(&mut to).map_err(|error| {
        let context = format!("encoding a row: {}", T::NAME);
        Error::new(ErrorKind::Internal, context).with_source(error)
    })?;
    Ok(to.into_writer())
}

/// Reads a row. Fields that a newer program has appended are skipped, those that an older one did not know are absent.
pub(crate) fn decode<T: Record>(bytes: &[u8]) -> Result<T> {
    let mut from = Decoder::new(bytes);
    let wrong =
        |error| Error::corrupt(format!("a row is not valid: {}", T::NAME)).with_source(error);
    let row = T::take(&mut from).map_err(wrong)?;
    if from.position() == bytes.len() {
        return Ok(row);
    }
    Err(wrong(minicbor::decode::Error::message(
        "bytes behind its end",
    )))
}
