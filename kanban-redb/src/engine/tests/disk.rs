//! What a power cut leaves of a file: what was flushed, and what the lot gives of the rest.

use fastrand::Rng;

use crate::trial::Step;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// A file as the disk has it.
#[derive(Debug)]
pub(super) struct Disk {
    flushed: Vec<u8>,
    /// Since its last flush.
    steps: Vec<Step>,
    /// What of these reaches the disk without a flush. Without a lot, nothing does.
    lot: Option<Rng>,
    /// After how many operations of the file the power is cut. That is once.
    cut_in: Option<u64>,
    /// The last group that is answered.
    pub(super) answered: u64,
    image: Option<Image>,
    /// How many bytes were written.
    pub(super) written: u64,
}

/// What a power cut has left.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) file: Vec<u8>,
    /// The last group that was answered before it.
    pub(super) answered: u64,
}

impl Disk {
    /// That of a file of which all is flushed.
    pub(super) fn of(flushed: Vec<u8>) -> Self {
        Self {
            flushed,
            steps: Vec::new(),
            lot: None,
            cut_in: None,
            answered: 0,
            image: None,
            written: 0,
        }
    }

    /// The power is cut after so many operations, or at the end, and by lot sectors reach the disk that no flush has taken
    /// there.
    pub(super) fn cut_in(mut self, operations: u64, lot: Rng) -> Self {
        self.cut_in = Some(operations);
        self.lot = Some(lot);
        self
    }

    /// What the power cut has left: the one that was asked for, or one at the end.
    pub(super) fn left(mut self) -> Image {
        self.image.take().unwrap_or_else(|| self.cut())
    }

    fn cut(&mut self) -> Image {
        let mut file = self.flushed.clone();
        by_lot(&mut file, &self.steps, self.lot.as_mut());
        Image {
            file,
            answered: self.answered,
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        if let Step::Write(_, data) = &step {
            self.written += data.len() as u64;
        }
        if matches!(step, Step::Sync) {
            for step in self.steps.drain(..) {
                take(&mut self.flushed, &step, |_| true);
            }
        } else {
            self.steps.push(step);
        }
        self.count();
    }

    fn count(&mut self) {
        match &mut self.cut_in {
            Some(0) => {
                self.cut_in = None;
                self.image = Some(self.cut());
            }
            Some(left) => *left -= 1,
            None => {}
        }
    }

    /// A flush fails. The system tells it once: until it is written again it calls clean what never reached the disk. The
    /// file's length is no page: a file system that loses that ends.
    pub(super) fn lose(&mut self) {
        by_lot(&mut self.flushed, &self.steps, self.lot.as_mut());
        for step in self.steps.drain(..) {
            if matches!(step, Step::SetLen(_)) {
                take(&mut self.flushed, &step, |_| true);
            }
        }
        self.count();
    }
}

/// What reaches the disk without a flush: nothing, all, or half of the sectors of half of the operations.
fn by_lot(file: &mut Vec<u8>, steps: &[Step], lot: Option<&mut Rng>) {
    let Some(lot) = lot else { return };
    let how = lot.u8(..4);
    for step in steps {
        match how {
            0 => {}
            1 => take(file, step, |_| true),
            _ if lot.bool() => {
                let is_torn = lot.bool();
                take(file, step, |_| !is_torn || lot.bool());
            }
            _ => {}
        }
    }
}

/// Does to the file what an operation did, in those of its sectors that are told.
fn take(file: &mut Vec<u8>, step: &Step, mut takes: impl FnMut(usize) -> bool) {
    match step {
        Step::Write(at, data) => {
            let at = usize::try_from(*at).unwrap();
            for (sector, data) in data.chunks(SECTOR).enumerate() {
                if takes(sector) {
                    put(file, at + sector * SECTOR, data);
                }
            }
        }
        Step::SetLen(len) => file.resize(usize::try_from(*len).unwrap(), 0),
        Step::Sync => {}
    }
}

/// What lies behind the end is lost: redb makes a file longer before it writes there.
fn put(file: &mut [u8], at: usize, data: &[u8]) {
    for (to, from) in file.iter_mut().skip(at).zip(data) {
        *to = *from;
    }
}
