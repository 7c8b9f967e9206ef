//! The engine under attack, through the board's public face: what was acknowledged stays, or somebody is told.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is a test, also what clippy does not see under a #[test]"
)]

use kanban_sqlite::Locks;

mod backup;
mod copied;
mod cycles;
mod descriptors;
mod moved;
mod second_copy;
mod strays;
mod untrusted;

/// The test that plays the parts of other processes.
const PLAYER: &str = "a_child_plays_its_part";

/// What other processes do for the tests. Without a part, which is how the test runner calls it, there is none to play.
#[test]
fn a_child_plays_its_part() {
    let Some((part, place)) = cycles::part() else {
        return;
    };
    match part.as_str() {
        "write" => backup::write_with_plain_locks(&place),
        strays::COPY => strays::hold(&place, Locks::default()),
        strays::COPY_PLAIN => strays::hold(&place, Locks::Posix),
        strays::STRAY_PLAIN => strays::stray_with_plain_locks(&place),
        descriptors::OPENED => descriptors::open_and_close(&place),
        descriptors::FAILED => descriptors::fail_to_open(&place),
        descriptors::MOVED => descriptors::move_boards(&place),
        descriptors::POOLED => descriptors::ask_many_boards(&place),
        moved::ADD => moved::add(&place),
        _ => backup::hold(&part, &place),
    }
    println!("\n{}", cycles::DONE);
}
