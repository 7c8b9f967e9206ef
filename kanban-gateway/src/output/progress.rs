//! What a person sees while a command goes on for long.
//!
//! It is drawn on standard error, only if that is a terminal and tables are wanted: what reads JSON gets nothing else. It
//! goes with the value.

mod drawing;

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kanban_core::{OnMigration, OnProgress};

use self::drawing::Drawing;
use super::Output;

/// Redrawn as often, whether or not anything moved.
const TICK: Duration = Duration::from_millis(100);

/// How far it is, where the end is known.
const BAR: &str = "{msg} {bar:30} {human_pos}/{human_len} {eta}";
const BAR_OF_BYTES: &str = "{msg} {bar:30} {bytes}/{total_bytes} {eta}";
/// How much is done, where it is not.
const COUNT: &str = "{spinner} {msg} {human_pos} {elapsed}";
const COUNT_OF_BYTES: &str = "{spinner} {msg} {bytes} {elapsed}";
/// That something is done, where it is not counted.
const SPINNER: &str = "{spinner} {msg} {elapsed}";

/// A line on the terminal, for as long as it lives.
pub(crate) struct Progress {
    bar: ProgressBar,
    drawing: Drawing,
}

impl Progress {
    /// Counts what is done, in steps.
    pub(crate) fn count(output: &Output, what: &'static str) -> Self {
        Self::drawn(output, COUNT, what)
    }

    /// What a store tells of a long call, through the [`listener`](Self::listener).
    pub(crate) fn told(output: &Output, doing: &'static str) -> Self {
        Self::drawn(output, SPINNER, doing)
    }

    /// Says how many there will be. It is asked only if anybody sees it.
    pub(crate) fn expect(&self, total: impl FnOnce() -> Option<u64>) {
        if self.bar.is_hidden() {
            return;
        }
        if let Some(total) = total() {
            self.bar.set_style(style(BAR));
            self.bar.set_length(total);
            self.draw_end();
        }
    }

    /// Says that so many more are done.
    pub(crate) fn add(&self, more: u64) {
        self.bar.inc(more);
        self.draw_end();
    }

    /// Draws each stage that it hears of, from its beginning to its end; none if nobody sees it.
    pub(crate) fn listener(&self) -> io::Result<Option<OnProgress>> {
        if self.bar.is_hidden() {
            return Ok(None);
        }
        self.drawing.listener().map(Some)
    }

    /// The same for the stages of several boards, each with its board's name.
    pub(crate) fn listener_by_board(&self) -> io::Result<Option<OnMigration>> {
        if self.bar.is_hidden() {
            return Ok(None);
        }
        self.drawing.listener_by_board().map(Some)
    }

    /// Clears the line for good, before something else is drawn where it is.
    pub(crate) fn clearer(&self) -> impl Fn() + Send + Sync + 'static {
        let drawing = self.drawing.clone();
        move || drawing.clear()
    }

    fn draw_end(&self) {
        draw_end(&self.bar);
    }

    fn drawn(output: &Output, template: &str, what: &'static str) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden as well where standard error is no terminal.
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(style(template))
            .with_message(what);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        let drawing = Drawing::new(&bar, what);
        Self { bar, drawing }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.drawing.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates here are well-formed")
}

/// Not every step is drawn, but the last one is: a bar is seen to be full.
fn draw_end(bar: &ProgressBar) {
    if bar.length() == Some(bar.position()) {
        bar.force_draw();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_moves_the_count() {
        let progress = Progress::count(&Output::new(true), "events removed");
        progress.add(1000);
        progress.add(3);
        assert_eq!(progress.bar.position(), 1003);
    }

    #[test]
    fn what_nobody_sees_is_not_counted_before() {
        let progress = Progress::count(&Output::new(true), "events removed");
        progress.expect(|| panic!("expected no question"));
        assert!(progress.listener().expect("no thread").is_none());
    }

    #[test]
    fn a_line_ends_with_its_value_and_is_hidden_from_what_reads_json() {
        let progress = Progress::told(&Output::new(true), "verifying");
        let bar = progress.bar.clone();
        assert!(bar.is_hidden(), "expected nothing beside the envelope");
        drop(progress);
        assert!(bar.is_finished(), "expected it to be cleared");
    }
}
