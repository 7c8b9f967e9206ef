//! Bounded texts. Sizes are in bytes of UTF-8; an empty text is always invalid (leave it out). Clones share their bytes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::Invalid;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($max:expr);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest that is allowed, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// `field` is the name that a refusal tells the caller.
            ///
            /// # Errors
            /// [`Invalid`] if it is empty or over the limit.
            pub fn new(field: &'static str, text: impl AsRef<str>) -> Result<Self, Invalid> {
                let text = text.as_ref();
                if text.is_empty() {
                    return Err(Invalid::malformed(field, "not empty"));
                }
                if text.len() > Self::MAX_BYTES {
                    return Err(Invalid::too_long(field, Self::MAX_BYTES, text.len()));
                }
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
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

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::new("text", text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.as_ref().to_owned()
            }
        }
    )*};
}

texts! {
    /// A body or a result: up to 1 MiB.
    LongText(1024 * 1024);
    /// A comment, summary, error or heartbeat note: up to 64 KiB.
    Note(64 * 1024);
    /// Why something was done: up to 4 KiB.
    Reason(4 * 1024);
    /// An address or a URI: up to 2 KiB.
    Address(2 * 1024);
    /// A short name (actor, author, claimant, tenant, key, request id, channel, thread, file
    /// name, media type, host): up to 256 bytes.
    Label(256);
}

/// A task's title: 1 to 500 bytes after trimming, not blank.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Title(Arc<str>);

impl Title {
    /// The longest that is allowed, in bytes.
    pub const MAX_BYTES: usize = 500;

    /// Trims, then checks.
    ///
    /// # Errors
    /// [`Invalid`] if it is blank or over 500 bytes.
    pub fn new(title: impl AsRef<str>) -> Result<Self, Invalid> {
        let title = title.as_ref().trim();
        if title.is_empty() {
            return Err(Invalid::malformed("title", "not blank"));
        }
        if title.len() > Self::MAX_BYTES {
            return Err(Invalid::too_long("title", Self::MAX_BYTES, title.len()));
        }
        Ok(Self(title.into()))
    }

    /// The trimmed title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Title {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl TryFrom<String> for Title {
    type Error = Invalid;

    fn try_from(title: String) -> Result<Self, Invalid> {
        Self::new(title)
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0.as_ref().to_owned()
    }
}

/// How many failures in a row stop the retries of a task: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "u32", into = "u32")]
pub struct FailureLimit(u32);

impl FailureLimit {
    /// # Errors
    /// [`Invalid`] outside 1 to 1,000.
    pub fn new(limit: u32) -> Result<Self, Invalid> {
        match limit {
            0 => Err(Invalid::below("failure_limit", 1, 0)),
            1..=1000 => Ok(Self(limit)),
            _ => Err(Invalid::above("failure_limit", 1000, u64::from(limit))),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for FailureLimit {
    type Error = Invalid;

    fn try_from(limit: u32) -> Result<Self, Invalid> {
        Self::new(limit)
    }
}

impl From<FailureLimit> for u32 {
    fn from(limit: FailureLimit) -> Self {
        limit.0
    }
}
