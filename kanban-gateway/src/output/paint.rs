//! Text for people: tables, times, and colours where they are wanted.

use std::time::Duration;

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, presets,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kanban_core::{Millis, Status};

/// On a terminal narrower than this, in characters, nothing is folded.
const WIDTH_MIN: u16 = 60;

/// A day, in seconds. Up to one, a duration is told in hours.
const DAY: u64 = 86_400;

/// A table of more columns than this is one of numbers, of which none is folded.
const COLUMNS_FOLDED_MAX: usize = 8;

/// How text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// For a terminal.
    Coloured,
    /// For everything else.
    Plain,
}

impl Paint {
    pub(super) fn for_stdout() -> Self {
        if super::wants_colours() {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// A table with a head; nothing but the head if there are no rows.
    pub(crate) fn table<const N: usize>(
        self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(Row::from(head.map(|word| self.head(word)).to_vec()));
        for row in rows {
            table.add_row(Row::from(row.to_vec()));
        }
        if let Some(first) = table.column_mut(0) {
            first.set_padding((0, 1));
        }
        // Ids, words and numbers are to be copied whole: only a last column of words is folded.
        for column in table.column_iter_mut().take(N.saturating_sub(1)) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        let is_of_numbers = N > COLUMNS_FOLDED_MAX;
        if is_of_numbers || table.width().is_some_and(|width| width < WIDTH_MIN) {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        match self {
            Self::Coloured => table.enforce_styling(),
            Self::Plain => table.force_no_tty(),
        };
        table.trim_fmt()
    }

    /// A status, in its colour.
    pub(crate) fn status(self, status: Status) -> Cell {
        let cell = Cell::new(status);
        let colour = match status {
            Status::Ready | Status::Review => Color::Cyan,
            Status::Running => Color::Yellow,
            Status::Blocked => Color::Red,
            Status::Done => Color::Green,
            Status::Archived => Color::DarkGrey,
            Status::Triage | Status::Todo | Status::Scheduled => return cell,
        };
        match self {
            Self::Coloured => cell.fg(colour),
            Self::Plain => cell,
        }
    }

    fn head(self, word: &str) -> Cell {
        let cell = Cell::new(word.to_uppercase());
        match self {
            Self::Coloured => cell.add_attribute(Attribute::Dim),
            Self::Plain => cell,
        }
    }
}

/// Words side by side, aligned over several lines.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// A time in the local zone.
pub(crate) fn time(at: Millis) -> String {
    match Timestamp::from_millisecond(at.get()) {
        Ok(at) => at
            .to_zoned_datetime(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => at.to_string(),
    }
}

/// A duration in milliseconds, as the command line takes it.
pub(crate) fn span(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs();
    if seconds > DAY && seconds.is_multiple_of(DAY) {
        return format!("{}d", seconds / DAY);
    }
    match (millis % 1000, seconds % 60, seconds % 3600) {
        (0, 0, 0) if seconds == 0 => "0s".to_owned(),
        (0, 0, 0) => format!("{}h", seconds / 3600),
        (0, 0, _) => format!("{}m", seconds / 60),
        (0, _, _) => format!("{seconds}s"),
        _ => format!("{millis}ms"),
    }
}

/// One line of a text that somebody else wrote: control characters, which could steer the terminal, are shown as
/// such.
pub(crate) fn plain<T: ToString + ?Sized>(text: &T) -> String {
    text.to_string()
        .chars()
        .map(|letter| match letter {
            '\n' | '\t' => ' ',
            letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_duration_can_be_given_back() {
        for millis in [
            1,
            999,
            1000,
            30_000,
            90_000,
            900_000,
            5_400_000,
            86_400_000,
            2_592_000_000,
        ] {
            let read = crate::values::span("ttl", &span(millis)).expect("a duration");
            assert_eq!(read, Duration::from_millis(millis));
        }
    }
}
