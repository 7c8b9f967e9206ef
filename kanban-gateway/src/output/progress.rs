//! What a person sees while a command goes on for long.
//!
//! It is drawn on standard error, only if that is a terminal and tables are wanted: what reads JSON gets nothing else. It
//! goes with the value.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// Redrawn as often, whether or not anything moved.
const TICK: Duration = Duration::from_millis(100);

/// A line on the terminal, for as long as it lives.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts what is done, in steps.
    pub(crate) fn count(output: &Output, what: &'static str) -> Self {
        Self::drawn(output, None, "{spinner} {human_pos} {msg}", what)
    }

    /// Something of which only the end is known.
    pub(crate) fn spinner(output: &Output, doing: &'static str) -> Self {
        Self::drawn(output, None, "{spinner} {msg} {elapsed}", doing)
    }

    /// Bytes, of so many if that is known.
    pub(crate) fn bytes(output: &Output, doing: &'static str, len: Option<u64>) -> Self {
        let template = match len {
            Some(_) => "{msg} {bar:30} {bytes}/{total_bytes} {eta}",
            None => "{spinner} {msg} {bytes} {elapsed}",
        };
        Self::drawn(output, len, template, doing)
    }

    /// Says that so many more are done.
    pub(crate) fn add(&self, more: u64) {
        self.bar.inc(more);
    }

    /// The line itself, for what reads or writes through it, or tells of itself. It is cleared with this value.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    fn drawn(output: &Output, len: Option<u64>, template: &str, message: &'static str) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden as well where standard error is no terminal.
            ProgressDrawTarget::stderr()
        };
        let style =
            ProgressStyle::with_template(template).expect("the templates here are well-formed");
        let bar = ProgressBar::with_draw_target(len, target)
            .with_style(style)
            .with_message(message);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn each_step_moves_the_count() {
        let progress = Progress::count(&Output::new(true), "events removed");
        progress.add(1000);
        progress.add(3);
        assert_eq!(progress.bar.position(), 1003);
    }

    #[test]
    fn what_is_read_and_written_is_counted() {
        let output = Output::new(true);
        let (input, written) = (
            Progress::bytes(&output, "importing", Some(5)),
            Progress::bytes(&output, "exporting", None),
        );
        let mut kept = Vec::new();
        let copied = io::copy(
            &mut input.bar().wrap_read(&b"lines"[..]),
            &mut written.bar().wrap_write(&mut kept),
        );
        assert_eq!(copied.expect("both are memory"), 5);
        assert_eq!((input.bar.position(), written.bar.position()), (5, 5));
        assert_eq!(input.bar.length(), Some(5));
    }

    #[test]
    fn a_line_ends_with_its_value_and_is_hidden_from_what_reads_json() {
        let progress = Progress::spinner(&Output::new(true), "verifying");
        let bar = progress.bar().clone();
        assert!(bar.is_hidden(), "expected nothing beside the envelope");
        drop(progress);
        assert!(bar.is_finished(), "expected it to be cleared");
    }
}
