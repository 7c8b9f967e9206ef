//! A file is written again as it is, before anything of it is believed, where a flush of it may have failed.
//!
//! The system tells of a flush that failed once. The pages that it could not write stay in its cache, are called clean, and are
//! read by all processes like any others: no later flush takes them to the disk, and a power cut takes them. Written again they
//! are to be flushed again. Where redb commits in two phases its header names nothing that no flush has kept; in one phase
//! the flush that keeps the pages keeps the header too, and may have kept neither.
//!
//! Until the flush behind it has gone well, the disk has all pages of one commit, and of the next one some: a power cut in a
//! commit leaves the same, and redb finds by its checksums which of the two is whole.
//! More in `docs/decisions/0011-redb-writes-a-file-again-in-doubt.md`.

use std::io;
use std::sync::atomic::Ordering;

use redb::StorageBackend;

use super::Storage;

/// How redb's files begin. The flags of the header come next.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
/// How much of the header is looked at: up to the version of its second half.
const HEAD_LEN: usize = 193;
/// The flag of a commit in two phases.
const TWO_PHASES: u8 = 4;
/// The one format that redb opens: it refuses others from the header alone, and so they are left alone.
const VERSION: u8 = 3;
/// redb's page.
const PAGE: usize = 4096;
/// How much is read at once.
const CHUNK: usize = 16 * PAGE;

impl Storage {
    /// Makes sure that what redb reads from now on is on the disk. Before it reads anything, and once it has the locks that keep
    /// others from writing: those of the whole file, or in a shared one that of the writer. Written back over what another
    /// process has written meanwhile, the bytes would be damage.
    pub(super) fn make_sure(&self) -> io::Result<()> {
        if self.is_looked_at.load(Ordering::SeqCst) {
            return Ok(());
        }
        if self.health.is_in_doubt() {
            let len = self.file.len()?;
            if self.is_of_one_phase(len)? {
                self.write_again(len)?;
                self.sync_now()?;
            }
        }
        self.is_looked_at.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Whether redb may open it, and its last commit was made in one phase.
    fn is_of_one_phase(&self, len: u64) -> io::Result<bool> {
        let mut head = [0; HEAD_LEN];
        if len < HEAD_LEN as u64 {
            return Ok(false);
        }
        self.read_now(0, &mut head)?;
        let page = u32::try_from(PAGE).unwrap_or(0).to_le_bytes();
        let is_redbs = head.starts_with(MAGIC)
            && head.get(12..16) == Some(&page)
            && head.get(64) == Some(&VERSION)
            && head.get(192) == Some(&VERSION);
        let flags = head.get(MAGIC.len()).copied().unwrap_or(0);
        Ok(is_redbs && flags & TWO_PHASES == 0)
    }

    fn write_again(&self, len: u64) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        while at < len {
            let rest = usize::try_from(len - at).unwrap_or(CHUNK);
            let chunk = chunk.split_at_mut(rest.min(CHUNK)).0;
            if self.read_now(at, chunk).is_ok() {
                self.write_all_but_holes(at, chunk)?;
            } else {
                // What cannot be read is not in the system's cache, and so not there alone. redb meets the error itself, if it
                // needs the page.
                for (nth, page) in chunk.chunks_mut(PAGE).enumerate() {
                    let at = at + (nth * PAGE) as u64;
                    if self.read_now(at, page).is_ok() {
                        self.write_all_but_holes(at, page)?;
                    }
                }
            }
            at += chunk.len() as u64;
        }
        Ok(())
    }

    fn write_all_but_holes(&self, at: u64, chunk: &[u8]) -> io::Result<()> {
        let is_kept = |(nth, page): (usize, &[u8])| self.is_hole(at + (nth * PAGE) as u64, page);
        let holes: Vec<bool> = chunk.chunks(PAGE).enumerate().map(is_kept).collect();
        let mut nth = 0;
        for run in holes.chunk_by(|a, b| a == b) {
            let from = nth * PAGE;
            nth += run.len();
            let bytes = chunk.get(from..chunk.len().min(nth * PAGE));
            if let (Some(false), Some(bytes)) = (run.first(), bytes) {
                self.write_now(at + from as u64, bytes)?;
            }
        }
        Ok(())
    }

    /// Whether there is nothing, and no place on the disk for it. If that were written, a board that was killed would not open
    /// on a full disk: redb makes a file longer before it fills it. A page that is something over a hole is what could not be
    /// written.
    fn is_hole(&self, at: u64, page: &[u8]) -> bool {
        use rustix::fs::SeekFrom;
        use rustix::io::Errno;
        if page.iter().any(|byte| *byte != 0) {
            return false;
        }
        match rustix::fs::seek(&*self.raw, SeekFrom::Data(at)) {
            Ok(data) => data >= at + page.len() as u64,
            // Nothing to the end.
            Err(error) => error == Errno::NXIO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::ops::Bound;
    use std::os::unix::fs::{FileExt, MetadataExt};
    use std::sync::Arc;
    use std::time::Duration;

    use redb::backends::FileBackend;
    use redb::{Builder, ConcurrencyMode, TableDefinition};

    use super::*;
    use crate::engine::tests::{Faults, Op};

    const TABLE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("table");

    /// A file as a kill leaves it, with one commit in one phase, and holes.
    fn killed() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = Builder::new();
        builder.set_concurrency_mode(ConcurrencyMode::ExclusiveWriter);
        let database = builder.create(file.path()).unwrap();
        let txn = database.begin_write().unwrap();
        let row = vec![7_u8; 300_000];
        txn.open_table(TABLE)
            .unwrap()
            .insert(1, row.as_slice())
            .unwrap();
        txn.commit().unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        let left = tempfile::NamedTempFile::new().unwrap();
        left.as_file().set_len(bytes.len() as u64).unwrap();
        for (page, data) in bytes.chunks(4096).enumerate() {
            if data.iter().any(|byte| *byte != 0) {
                let at = page as u64 * 4096;
                left.as_file().write_all_at(data, at).unwrap();
            }
        }
        left.as_file().sync_all().unwrap();
        left
    }

    fn open(file: &tempfile::NamedTempFile, faults: &Arc<Faults>) -> Storage {
        let file = File::options().read(true).write(true).open(file.path());
        let patience = Duration::from_millis(5);
        let mut storage = Storage::of(file.unwrap(), patience, Arc::default()).unwrap();
        storage.faults = Some(Arc::clone(faults));
        storage
    }

    /// Whether the file is written while redb opens it, and whether redb opens it.
    fn writes(file: &tempfile::NamedTempFile, mode: ConcurrencyMode) -> (bool, bool) {
        let faults = Arc::new(Faults::default());
        let storage = open(file, &faults);
        faults.plan_only(Op::Write, 1_000_000);
        let mut builder = Builder::new();
        builder.set_concurrency_mode(mode);
        let is_open = builder.create_with_backend(storage).is_ok();
        (faults.left() < 1_000_000, is_open)
    }

    #[test]
    fn a_file_is_written_again_before_it_is_known_only_where_one_phase_left_it() {
        for mode in [
            ConcurrencyMode::ExclusiveWriter,
            ConcurrencyMode::MultiWriter,
        ] {
            let file = killed();
            assert_eq!(writes(&file, mode), (true, true), "{mode:?}");
            let mut builder = Builder::new();
            builder.set_concurrency_mode(mode);
            builder.create(file.path()).unwrap().close().unwrap();
            assert_eq!(writes(&file, mode), (false, true), "{mode:?}");
        }
    }

    /// Written back over what another process has written meanwhile, the bytes would be damage.
    #[test]
    fn nothing_is_written_again_beside_another_who_may_write() {
        for mode in [
            ConcurrencyMode::ExclusiveWriter,
            ConcurrencyMode::MultiWriter,
        ] {
            let file = killed();
            let other = FileBackend::new(file.reopen().unwrap()).unwrap();
            let writer = Bound::Included(1 << 62);
            assert!(other.try_lock_range(writer, writer).unwrap());
            assert_eq!(writes(&file, mode), (false, false), "{mode:?}");
            other.unlock_range(writer, writer).unwrap();
            assert_eq!(writes(&file, mode), (true, true), "{mode:?}");
        }
    }

    #[test]
    fn a_hole_is_not_filled_and_all_else_is_written_again() {
        let file = killed();
        let before = file.as_file().metadata().unwrap();
        assert!(before.blocks() * 512 < before.len(), "it has holes");
        let faults = Arc::new(Faults::default());
        let storage = open(&file, &faults);
        faults.plan_only(Op::Write, 1_000_000);
        storage.make_sure().unwrap();
        file.as_file().sync_all().unwrap();
        let writes = 1_000_000 - faults.left();
        assert!(writes >= 300_000 / CHUNK as u64, "{writes} writes");
        let after = file.as_file().metadata().unwrap();
        assert_eq!(after.blocks(), before.blocks());
    }
}
