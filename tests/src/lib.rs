//! The one list of cases that proves an engine right.
//!
//! A backend proves itself by one line in an integration test of its own crate:
//!
//! ```text
//! kanban_conformance::conformance!(sqlite, |root, options| {
//!     kanban_core::Boards::open_root(root, kanban_sqlite::SqliteBackend::default(), options)
//! });
//! ```
//!
//! It gets one `#[test]` per case, each on a fresh root, named like
//! `sqlite::claims::a_claimed_task_is_not_claimed_twice`. There is one list for all backends (`list.rs`): nothing in
//! it can be skipped or switched off. After every case each board of the root must be sound by
//! [`verify`](kanban_core::BoardStore::verify). A few cases need boards that outlive a process; what they ask of a
//! backend that keeps them in memory is in [`IN_PROCESS`].
//!
//! The cases are written from `docs/semantics.md`, whose rules they name by number (`[6.3]`) in their docs.
//! Time comes from a clock that the case moves; the only wall time is a hang guard of 60 seconds.
#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a library of tests: a panic is how it says that an engine is wrong"
)]

mod answers;
pub mod calls;
mod cases;
mod children;
mod clock;
pub mod costs;
pub mod engine;
mod fixture;
mod histories;
mod in_process;
mod list;
#[expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "every rule of the oracle takes a call as the store does, and answers as every other"
)]
mod oracle;
mod runner;
mod threads;
mod walk;

pub use self::answers::{
    at_limit, data, invalid, kind, kinds, missing, not_found, over, refused, rejected, stale,
};
pub use self::clock::{Held, TestClock, TestIds};
pub use self::fixture::{Fixture, Opened, Opener, Snapshot};
pub use self::histories::play_histories;
pub use self::in_process::IN_PROCESS;
pub use self::list::{CASES, Case};
pub use self::runner::{Backend, Kept, run_case, run_child};
pub use self::threads::{polled, race};

/// Makes one test of every case for a backend: its name, and how its boards are opened
/// (`fn(&Path, Options) -> Result<Boards>`, or a closure that captures nothing). A backend whose boards end with
/// their process says so by `kept: Kept::InProcess`; see [`Kept`] for what that changes.
#[macro_export]
macro_rules! conformance {
    ($backend:ident, $open:expr $(,)?) => {
        $crate::conformance!($backend, $open, kept: $crate::Kept::InFiles);
    };
    ($backend:ident, $open:expr, kept: $kept:expr $(,)?) => {
        mod $backend {
            #[allow(
                unused_imports,
                reason = "for an opener that names things of its module"
            )]
            use super::*;

            const BACKEND: $crate::Backend = $crate::Backend {
                module: module_path!(),
                open: $open,
                kept: $kept,
            };

            /// Not a case: where the processes begin that cases start. Does nothing when nobody started it as such.
            #[test]
            fn child_process() {
                $crate::run_child(&BACKEND);
            }

            $crate::for_each_case! { [$crate::__tests] }
        }
    };
}

/// One `#[test]` per case, one module per family. Of [`conformance!`] alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($($family:ident: [$($case:ident,)*],)*) => {$(
        mod $family {
            $(
                #[test]
                fn $case() {
                    $crate::run_case(&super::BACKEND, concat!(stringify!($family), "::", stringify!($case)));
                }
            )*
        }
    )*};
}
