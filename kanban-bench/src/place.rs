//! Where boards are measured: a folder on a real disk, by default.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::now;

/// The variable that names the folder.
pub const DIR_VARIABLE: &str = "KANBAN_BENCH_DIR";
/// How often a flush is timed.
const FLUSHES: usize = 33;
/// How many bytes are appended before each.
const FLUSH_LEN: usize = 512;

/// A folder for boards, and what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// The file system's kind and device, such as `ext4 (/dev/vda)`.
    pub file_system: String,
    /// How long `fdatasync` takes after an append of 512 bytes: the middle of 33.
    pub flush: Duration,
}

impl Place {
    /// The folder that `KANBAN_BENCH_DIR` names; else cargo's target folder, else `target` in the current one. It is made if
    /// it is not there, and a flush in it is timed.
    ///
    /// # Errors
    /// The file system's.
    pub fn find() -> io::Result<Self> {
        let named = std::env::var_os(DIR_VARIABLE).map(PathBuf::from);
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        Self::at(
            &named
                .or(target)
                .or_else(target_of_program)
                .unwrap_or_else(|| "target".into()),
        )
    }

    /// This folder.
    ///
    /// # Errors
    /// The file system's.
    pub fn at(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        // Where the system does not tell, the figure of the flush still does.
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Ok(Self {
            file_system: file_system(&mounts, &folder),
            flush: flush_time(&folder)?,
            folder,
        })
    }
}

/// `/home/me/kanban/target on ext4 (/dev/vda), where a flush takes 1.8 ms`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on {}, where a flush takes {:.3} ms",
            self.folder.display(),
            self.file_system,
            self.flush.as_secs_f64() * 1000.0
        )
    }
}

/// The folder above the program that cargo has marked as its target.
fn target_of_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let mut above = program.ancestors().skip(1);
    let target = above.find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.map(Path::to_owned)
}

/// The kind and device of the mount that a folder is under: the last one of those with the longest path.
fn file_system(mounts: &str, folder: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let (place, source) = line.split_once(" - ")?;
        // Spaces and the like are written as octal escapes.
        let point = place.split(' ').nth(4)?.replace("\\040", " ");
        let mut source = source.split(' ');
        let (kind, device) = (source.next()?, source.next()?);
        let is_above = folder.starts_with(&point);
        is_above.then(|| (point.len(), format!("{kind} ({device})")))
    });
    let nearest = mounts.max_by_key(|(len, _)| *len);
    nearest.map_or_else(
        || "a file system that is not told".to_owned(),
        |(_, name)| name,
    )
}

fn flush_time(folder: &Path) -> io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut took = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.write_all(&[0; FLUSH_LEN])?;
        let start = now();
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(took.get(FLUSHES / 2).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /tmp rw - tmpfs tmpfs rw
31 22 254:16 / /mnt/a\\040disk rw master:7 - xfs /dev/vdb rw
32 30 254:32 / /tmp/over rw - btrfs /dev/old rw
33 30 254:32 / /tmp/over rw - btrfs /dev/new rw
";

    #[test]
    fn a_folder_is_on_the_file_system_that_was_mounted_nearest_above_it_last() {
        let on = |folder: &str| file_system(MOUNTS, Path::new(folder));
        assert_eq!(on("/home/me/target"), "ext4 (/dev/vda)");
        assert_eq!(on("/tmp/boards"), "tmpfs (tmpfs)");
        assert_eq!(on("/tmpother"), "ext4 (/dev/vda)");
        assert_eq!(on("/mnt/a disk/boards"), "xfs (/dev/vdb)");
        assert_eq!(on("/tmp/over"), "btrfs (/dev/new)");
        let nowhere = file_system("", Path::new("/home"));
        assert_eq!(nowhere, "a file system that is not told");
    }

    #[test]
    fn a_place_that_is_not_there_is_made_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::at(&folder.path().join("new/boards")).unwrap();
        assert!(place.folder.is_dir(), "expected a folder, found {place}");
        assert!(place.flush > Duration::ZERO, "found {place}");
    }
}
