//! What a person sees while a report is taken: nothing where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::step::Step;

/// Redrawn as often, whether or not anything moved.
const TICK: Duration = Duration::from_millis(250);

/// A line on the terminal, for as long as it lives.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// So many steps.
    pub(super) fn of(steps: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
            .expect("the template is well-formed");
        // Hidden where standard error is no terminal.
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), target);
        let bar = bar.with_style(style);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// A step begins; the one before is done.
    pub(super) fn begin(&self, step: &Step) {
        if !self.bar.message().is_empty() {
            self.bar.inc(1);
        }
        self.bar.set_message(step.to_string());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Store;

    #[test]
    fn a_step_is_counted_when_the_next_begins_and_the_line_goes_with_its_value() {
        let progress = Progress::of(2);
        let bar = progress.bar.clone();
        for (store, done) in [(Store::Sqlite, 0), (Store::Redb, 1)] {
            progress.begin(&Step::Idle { store });
            assert_eq!(bar.position(), done);
            assert!(bar.message().ends_with(store.as_str()), "{}", bar.message());
        }
        drop(progress);
        assert!(bar.is_finished());
    }
}
