//! Moving boards.

use std::fmt;
use std::io::{Read, Seek};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Label;

/// Where an export is read from: once, from its start.
pub trait ImportSource: Read + Seek + Send {}

impl<T: Read + Seek + Send> ImportSource for T {}

/// What an import does with the open claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepClaims {
    /// Closes their runs and raises all counters by 2^32: the other board may live on, and the two never accept the
    /// same run.
    #[default]
    No,
    /// Keeps everything as it was. Only where the other board is never written again.
    Yes,
}

/// Takes an export over, into a board on which nothing was ever written.
pub struct ImportLines {
    /// The export.
    pub source: Box<dyn ImportSource>,
    /// What becomes of the open claims.
    pub claims: KeepClaims,
    /// Who.
    pub actor: Label,
}

impl fmt::Debug for ImportLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportLines")
            .field("claims", &self.claims)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// Takes a backup over, into a board on which nothing was ever written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBackup {
    /// What [`backup`](crate::BoardStore::backup) made, on the same kind of engine. It is only read.
    pub file: PathBuf,
    /// What becomes of the open claims.
    pub claims: KeepClaims,
    /// Who.
    pub actor: Label,
}

/// What an export wrote, or an import took over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Moved {
    /// Lines, header and footer among them.
    pub lines: u64,
    /// Tasks.
    pub tasks: u64,
    /// Links.
    pub links: u64,
    /// Runs.
    pub runs: u64,
    /// Comments.
    pub comments: u64,
    /// Attachments.
    pub attachments: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Events, without those that the import itself wrote.
    pub events: u64,
    /// Open runs that the import closed.
    pub invalidated: u64,
}
