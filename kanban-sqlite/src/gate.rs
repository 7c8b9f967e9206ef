//! Which SQLite libraries are safe to run on.

use kanban_core::{Error, Result, Unavailable};

/// Refuses a library with the WAL-reset bug (3.7.0 to 3.51.2: two connections that write and checkpoint at the same
/// instant can lose commits). Fixed in 3.51.3, and in 3.50.7 and 3.44.6 of the older lines.
pub(crate) fn check(number: i32) -> Result<()> {
    if is_safe(number) {
        return Ok(());
    }
    let (major, minor, patch) = (number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    Err(Error::unavailable(
        Unavailable::Library,
        format!("SQLite has the WAL-reset bug before 3.51.3, found {major}.{minor}.{patch}"),
    ))
}

const fn is_safe(number: i32) -> bool {
    number >= 3_051_003
        || (number >= 3_050_007 && number < 3_051_000)
        || (number >= 3_044_006 && number < 3_045_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_fixed_libraries_pass() {
        let table = [
            (3_006_023, false),
            (3_040_001, false),
            (3_044_005, false),
            (3_044_006, true),
            (3_044_999, true),
            (3_045_000, false),
            (3_050_006, false),
            (3_050_007, true),
            (3_051_000, false),
            (3_051_002, false),
            (3_051_003, true),
            (3_053_004, true),
            (3_054_001, true),
        ];
        for (number, safe) in table {
            assert_eq!(check(number).is_ok(), safe, "library {number}");
        }
    }

    #[test]
    fn the_bundled_library_passes() {
        check(rusqlite::version_number()).expect("the bundled library is fixed");
    }
}
