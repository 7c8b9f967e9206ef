//! Ids: opaque strings chosen by callers or a generator, and counters of the board. Clones of a string share its bytes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::Invalid;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[derive(Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Wraps a stored or received number.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// The number itself.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

counters! {
    /// A run of a task, and the fencing token of the worker that has it. Increases in commit
    /// order, never reused, per board.
    RunId;
    /// An event of the board's log. Increases in commit order, never reused, per board.
    EventId;
    /// A comment. Increases in commit order, never reused, per board.
    CommentId;
    /// An attachment. Increases in commit order, never reused, per board.
    AttachmentId;
    /// A subscription. Increases in commit order, never reused, per board.
    SubscriptionId;
    /// A delivery lease. Increases in commit order, never reused, per board.
    LeaseId;
    /// The board's count of commands that wrote something. Neither an event id nor the number of
    /// a commit.
    Seq;
    /// A task's edit counter: moves with every event that changes the card.
    Version;
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident($field:literal, $max:literal, $first:expr, $rest:expr, $shape:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The whole word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn check(value: &str) -> Result<Self, Invalid> {
                let first: fn(u8) -> bool = $first;
                let rest: fn(u8) -> bool = $rest;
                if value.len() > $max {
                    return Err(Invalid::too_long($field, $max, value.len()));
                }
                let shaped = value.bytes().next().is_some_and(first)
                    && value.bytes().skip(1).all(rest);
                if shaped { Ok(Self(value.into())) } else { Err(Invalid::malformed($field, $shape)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(value: String) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.0.as_ref().to_owned()
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(value: &str) -> Result<Self, Invalid> {
                Self::new(value)
            }
        }
    )*};
}

const fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

words! {
    /// A task's id: `[A-Za-z0-9_-]{1,64}`, opaque, unique on its board.
    TaskId("task", 64, is_task_byte, is_task_byte, "[A-Za-z0-9_-]{1,64}");
    /// Who works on a task: `[a-z0-9][a-z0-9._-]{0,63}`, lowercased on construction.
    Assignee("assignee", 64, alphanumeric, |b| alphanumeric(b) || matches!(b, b'.' | b'_' | b'-'),
        "[a-z0-9][a-z0-9._-]{0,63}");
    /// A board's name: `[a-z0-9][a-z0-9_-]{0,62}`. Also its directory's name under the root.
    BoardSlug("board", 63, alphanumeric, |b| alphanumeric(b) || matches!(b, b'_' | b'-'),
        "[a-z0-9][a-z0-9_-]{0,62}");
}

const fn is_task_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl TaskId {
    /// # Errors
    /// [`Invalid`] unless it matches `[A-Za-z0-9_-]{1,64}`.
    pub fn new(id: impl AsRef<str>) -> Result<Self, Invalid> {
        Self::check(id.as_ref())
    }
}

impl Assignee {
    /// Lowercases, then checks.
    ///
    /// # Errors
    /// [`Invalid`] unless the lowercased word matches `[a-z0-9][a-z0-9._-]{0,63}`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Invalid> {
        let name = name.as_ref();
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Self::check(&name.to_ascii_lowercase());
        }
        Self::check(name)
    }
}

impl BoardSlug {
    /// # Errors
    /// [`Invalid`] unless it matches `[a-z0-9][a-z0-9_-]{0,62}`.
    pub fn new(slug: impl AsRef<str>) -> Result<Self, Invalid> {
        Self::check(slug.as_ref())
    }
}

impl Default for BoardSlug {
    /// `default`, the board that always exists.
    fn default() -> Self {
        Self("default".into())
    }
}

impl Version {
    /// The highest that a task gets. What claims to have a higher one was not written by a board.
    pub const MAX: Self = Self(1 << 62);

    /// The version after this one; the highest stays.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX.0 {
            Self(self.0 + 1)
        } else {
            Self::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_highest_version_stays() {
        assert_eq!(Version::new(0).next(), Version::new(1));
        for version in [Version::MAX, Version::new(u64::MAX)] {
            assert_eq!(version.next(), Version::MAX);
        }
    }
}
