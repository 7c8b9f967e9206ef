//! What a power cut leaves of a board's files.

use std::fs;
use std::path::Path;

use fastrand::Rng;

use crate::recording::{Entry, Name};

/// What a disk writes at once.
const SECTOR_LEN: usize = 512;

/// What becomes of the writes that no flush has followed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Luck {
    Nothing,
    Everything,
    /// Any of them, whole.
    Some,
    /// Any of their sectors.
    Torn,
}

impl Luck {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Everything, Self::Some, Self::Torn];

    fn keeps_write(self, dice: &mut Rng) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything | Self::Torn => true,
            Self::Some => dice.bool(),
        }
    }

    fn keeps_sector(self, dice: &mut Rng) -> bool {
        !matches!(self, Self::Torn) || dice.bool()
    }
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Resize(usize),
}

#[derive(Debug, Default)]
struct File {
    flushed: Vec<u8>,
    /// Since its last flush.
    changes: Vec<Change>,
}

/// The files of a board as a disk has them.
#[derive(Debug, Default)]
pub(crate) struct Disk([File; 2]);

impl Disk {
    /// One more entry happens.
    pub(crate) fn step(&mut self, entry: &Entry) {
        match entry {
            Entry::Write { file, at, bytes } => {
                let change = Change::Write(*at, bytes.clone());
                self.0[*file as usize].changes.push(change);
            }
            Entry::Resize { file, len } => {
                self.0[*file as usize].changes.push(Change::Resize(*len));
            }
            Entry::Sync(file) => self.0[*file as usize].flush(),
            // It tells once. Until they are written again it calls clean what never reached it.
            Entry::SyncFailed(file) => self.0[*file as usize].changes.clear(),
            Entry::Answered | Entry::Flushed => {}
        }
    }

    /// Puts what a power cut leaves now into a directory.
    pub(crate) fn cut(&self, to: &Path, luck: Luck, dice: &mut Rng) {
        for name in Name::ALL {
            let left = self.0[name as usize].left(luck, dice);
            fs::write(to.join(name.file()), left).unwrap();
        }
    }
}

impl File {
    fn flush(&mut self) {
        self.flushed = self.left(Luck::Everything, &mut Rng::with_seed(0));
        self.changes.clear();
    }

    fn left(&self, luck: Luck, dice: &mut Rng) -> Vec<u8> {
        let mut left = self.flushed.clone();
        for change in &self.changes {
            if !luck.keeps_write(dice) {
                continue;
            }
            match change {
                Change::Resize(len) => left.resize(*len, 0),
                Change::Write(at, bytes) => {
                    // Sectors of the disk: a page in a `-wal` begins within one.
                    let mut from = 0;
                    while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
                        let len = SECTOR_LEN - (at + from) % SECTOR_LEN;
                        let sector = &rest[..len.min(rest.len())];
                        if luck.keeps_sector(dice) {
                            put(&mut left, at + from, sector);
                        }
                        from += len;
                    }
                }
            }
        }
        left
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}
