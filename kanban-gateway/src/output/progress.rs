//! What a person sees while a command goes on for long.

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::Output;

/// A counter on the terminal. It is drawn on standard error, and only if that is a terminal and tables are wanted: what
/// reads JSON gets nothing else.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(output: &Output, what: &'static str) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            // Hidden as well where standard error is no terminal.
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_message(what);
        let style = indicatif::ProgressStyle::with_template("{spinner} {human_pos} {msg}")
            .expect("the template is well formed");
        bar.set_style(style);
        Self { bar }
    }

    /// Says that so many more are done.
    pub(crate) fn add(&self, more: u64) {
        self.bar.inc(more);
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

    #[test]
    fn each_step_moves_the_count() {
        let progress = Progress::new(&Output::new(true), "events removed");
        progress.add(1000);
        progress.add(3);
        assert_eq!(progress.bar.position(), 1003);
    }
}
