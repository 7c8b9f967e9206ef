//! Instants and spans. Instants are UTC milliseconds and may jump; order is never taken from them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Invalid;

/// UTC milliseconds since 1970. Arithmetic saturates.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Millis(i64);

impl Millis {
    /// Wraps a number of milliseconds since 1970.
    #[must_use]
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// This instant and a span after it, saturating.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span_millis(span)))
    }

    /// This instant and a span before it, saturating.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span_millis(span)))
    }

    /// The span from an earlier instant to this one; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn span_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! spans {
    ($($(#[$doc:meta])* $name:ident($field:literal, $min:expr, $max:expr);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Duration);

        impl $name {
            /// The longest that is allowed.
            pub const MAX: Duration = $max;

            /// # Errors
            /// [`Invalid`] outside the type's bounds; the limit it names is in milliseconds.
            pub fn new(span: Duration) -> Result<Self, Invalid> {
                bounded($field, span, $min, $max).map(Self)
            }

            /// The span itself.
            #[must_use]
            pub const fn get(self) -> Duration {
                self.0
            }
        }
    )*};
}

/// A span within its bounds; the limit that an error names is in milliseconds.
pub(crate) fn bounded(
    field: &'static str,
    span: Duration,
    min: Duration,
    max: Duration,
) -> Result<Duration, Invalid> {
    if span < min {
        return Err(Invalid::below(field, millis(min), millis(span)));
    }
    if span > max {
        return Err(Invalid::above(field, millis(max), millis(span)));
    }
    Ok(span)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

spans! {
    /// How long a claim or a lease holds, or is extended: 1 s to 30 days.
    Ttl("ttl", Duration::from_secs(1), Duration::from_hours(24 * 30));
    /// How long to wait before another attempt: 0 to 1 year (366 days).
    RetryAfter("retry_after", Duration::ZERO, Duration::from_hours(24 * 366));
}
