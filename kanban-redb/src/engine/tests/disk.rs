//! What a power cut leaves of a file, where the disk keeps no write that no flush has followed.

use crate::trial::Step;

/// A file as the disk has it.
#[derive(Debug)]
pub(super) struct Disk {
    flushed: Vec<u8>,
    /// Since its last flush.
    steps: Vec<Step>,
}

impl Disk {
    /// That of a file of which all is flushed.
    pub(super) fn of(flushed: Vec<u8>) -> Self {
        Self {
            flushed,
            steps: Vec::new(),
        }
    }

    /// What a power cut leaves.
    pub(super) fn left(&self) -> &[u8] {
        &self.flushed
    }

    pub(super) fn step(&mut self, step: Step) {
        if !matches!(step, Step::Sync) {
            self.steps.push(step);
            return;
        }
        for step in self.steps.drain(..) {
            match step {
                Step::Write(at, data) => put(&mut self.flushed, at, &data),
                Step::SetLen(len) => self.flushed.resize(usize::try_from(len).unwrap(), 0),
                Step::Sync => {}
            }
        }
    }

    /// A flush fails. The system tells it once: until it is written again it calls clean what never reached the disk.
    pub(super) fn lose(&mut self) {
        self.steps.clear();
    }
}

fn put(file: &mut Vec<u8>, at: u64, data: &[u8]) {
    let at = usize::try_from(at).unwrap();
    let end = at + data.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(data);
}
