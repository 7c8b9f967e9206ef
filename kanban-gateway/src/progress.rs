//! Bars for what takes long: on standard error, and only where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Redrawn as often, whether or not anything moved.
const TICK: Duration = Duration::from_millis(100);

/// Something of which only the end is known.
pub(crate) fn spinner(doing: &'static str) -> ProgressBar {
    styled(
        ProgressBar::new_spinner(),
        "{spinner} {msg} {elapsed}",
        doing,
    )
}

/// Bytes, of so many if that is known.
pub(crate) fn bytes(doing: &'static str, len: Option<u64>) -> ProgressBar {
    match len {
        Some(len) => styled(
            ProgressBar::new(len),
            "{msg} {bar:30} {bytes}/{total_bytes} {eta}",
            doing,
        ),
        None => styled(
            ProgressBar::new_spinner(),
            "{spinner} {msg} {bytes} {elapsed}",
            doing,
        ),
    }
}

fn styled(bar: ProgressBar, template: &str, doing: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the templates here are well-formed");
    let bar = bar.with_style(style).with_message(doing);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_is_read_and_written_is_counted() {
        let (input, output) = (bytes("importing", Some(5)), bytes("exporting", None));
        let mut kept = Vec::new();
        let copied = io::copy(
            &mut input.wrap_read(&b"lines"[..]),
            &mut output.wrap_write(&mut kept),
        );
        assert_eq!(copied.expect("both are memory"), 5);
        assert_eq!((input.position(), output.position()), (5, 5));
        assert_eq!(input.length(), Some(5));
    }
}
