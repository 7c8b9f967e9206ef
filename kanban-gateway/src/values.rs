//! From the words of a command line to the store's types.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, civil};
use kanban_core::{Clock, Invalid, Label, Millis, RetryAfter, SystemClock, Ttl};

use crate::failure::Failure;

/// A duration such as `90s`, `15m`, `2h` or `1h30m`; a day is 24 hours.
pub(crate) fn span(field: &'static str, text: &str) -> Result<Duration, Failure> {
    let days = SpanRelativeTo::days_are_24_hours();
    let signed = text.parse::<Span>().and_then(|span| span.to_duration(days));
    let span = signed.ok().and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| malformed(field, "a duration such as 90s, 15m or 2h").into())
}

pub(crate) fn ttl(field: &'static str, text: Option<&str>) -> Result<Option<Ttl>, Failure> {
    text.map(|text| Ok(Ttl::new(span(field, text)?)?))
        .transpose()
}

pub(crate) fn retry_after(text: Option<&str>) -> Result<Option<RetryAfter>, Failure> {
    text.map(|text| Ok(RetryAfter::new(span("retry_after", text)?)?))
        .transpose()
}

/// A time: `2026-05-01T10:00:00Z`, the same without zone in the local one, or a duration from now.
pub(crate) fn instant(field: &'static str, text: &str) -> Result<Millis, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Millis::new(at.as_millisecond()));
    }
    if let Ok(local) = text.parse::<civil::DateTime>()
        && let Ok(zoned) = local.to_zoned_datetime(TimeZone::system())
    {
        return Ok(Millis::new(zoned.timestamp().as_millisecond()));
    }
    match span(field, text) {
        Ok(span) => Ok(SystemClock.now().after(span)),
        Err(_) => Err(malformed(
            field,
            "a time such as 2026-05-01T10:00:00Z, or a duration from now such as 2h",
        )
        .into()),
    }
}

pub(crate) fn label(field: &'static str, text: &str) -> Result<Label, Failure> {
    Ok(Label::new(field, text)?)
}

pub(crate) fn optional_label(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Label>, Failure> {
    text.map(|text| label(field, text)).transpose()
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn file_text(path: &str) -> Result<String, Failure> {
    let read = if path == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        regular(Path::new(path))?;
        fs::read_to_string(path)
    };
    read.map_err(|error| Failure::input(path, &error))
}

/// A file to read from its beginning to its end; for `-` what standard input gives, all of which is read first: nothing
/// is opened for an input that does not end.
pub(crate) fn file(path: &Path) -> Result<File, Failure> {
    let input = |error| Failure::input(path, &error);
    if path.as_os_str() == "-" {
        let mut spool = tempfile::tempfile()?;
        io::copy(&mut io::stdin(), &mut spool).map_err(input)?;
        spool.rewind()?;
        return Ok(spool);
    }
    regular(path)?;
    File::open(path).map_err(input)
}

/// Refuses what is no plain file: a pipe into which nobody writes would never be opened.
pub(crate) fn regular(path: &Path) -> Result<(), Failure> {
    let found = fs::metadata(path).map_err(|error| Failure::input(path, &error))?;
    if found.is_dir() {
        let is_directory = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(Failure::input(path, &is_directory));
    }
    if !found.is_file() {
        let why = "it is no plain file; what comes through a pipe is given as `-`";
        return Err(Failure::input(path, &why));
    }
    Ok(())
}

pub(crate) fn malformed(field: &'static str, must: &str) -> Invalid {
    Invalid {
        field,
        must: must.to_owned(),
        limit: None,
        found: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text| span("ttl", text).map(|span| span.as_secs()).ok();
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("15m"), Some(900));
        assert_eq!(seconds("2h"), Some(7200));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("30d"), Some(30 * 86_400));
        assert_eq!(seconds("-5m"), None);
        assert_eq!(seconds("5"), None);
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn a_time_with_a_zone_is_exact() {
        let at = instant("wake_at", "1970-01-01T00:01:00Z").expect("a time");
        assert_eq!(at, Millis::new(60_000));
    }
}
