//! Which file systems a board may lie on.

use std::path::{Path, PathBuf};

use kanban_core::{Error, Result, Unavailable};

use crate::error::system;

/// What is done about a file system on which WAL mode is known to fail, silently or not: network file systems, and
/// directories that a virtual machine shares with its host. Told by Linux's table of mounts; elsewhere nothing is
/// checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FilesystemCheck {
    /// The board is not opened: `Unavailable(Filesystem)`.
    #[default]
    Refuse,
    /// Nothing is checked. For file systems that only bear such a name (gVisor calls every one of its own `9p`), where
    /// no other machine or kernel opens the board.
    Skip,
}

/// File systems without memory that all their openers share, or without locks that they all see.
const UNFIT: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "orangefs",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
    "vmhgfs",
];

/// The same, behind FUSE: what follows `fuse.`.
const UNFIT_FUSE: &[&str] = &[
    "ceph",
    "cifs",
    "gcsfuse",
    "glusterfs",
    "gvfsd-fuse",
    "juicefs",
    "mfs",
    "moosefs",
    "rclone",
    "s3fs",
    "smbnetfs",
    "sshfs",
    "vmhgfs-fuse",
];

/// Refuses a directory on an unfit file system.
pub(crate) fn check(directory: &Path) -> Result<()> {
    let real = directory
        .canonicalize()
        .map_err(|error| system("finding the board's directory", error))?;
    // Without a table there is nothing to tell by: not Linux, or no /proc.
    let Ok(table) = std::fs::read("/proc/self/mountinfo") else {
        return Ok(());
    };
    match kind_at(&String::from_utf8_lossy(&table), &real) {
        Some(kind) if is_unfit(&kind) => Err(Error::unavailable(
            Unavailable::Filesystem,
            format!("boards do not work on {kind}: {}", real.display()),
        )),
        _ => Ok(()),
    }
}

fn is_unfit(kind: &str) -> bool {
    match kind.strip_prefix("fuse.") {
        Some(behind) => UNFIT_FUSE.contains(&behind),
        None => UNFIT.contains(&kind),
    }
}

/// The type of the file system that a path lies on, by a text in the form of `/proc/self/mountinfo`: of the mount points
/// that the path begins with, the longest; of several mounts on one point, the last.
fn kind_at(table: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for (point, kind) in table.lines().filter_map(mount) {
        let depth = point.components().count();
        if path.starts_with(&point) && best.is_none_or(|(deepest, _)| depth >= deepest) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

/// Mount point and type of one line: `id parent major:minor root POINT options [tags…] - TYPE source super`.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (before, after) = line.split_once(" - ")?;
    let point = before.split(' ').nth(4)?;
    let kind = after.split(' ').next()?;
    Some((PathBuf::from(unescape(point)), kind))
}

/// Blanks, tabs, line ends and backslashes stand as `\` and three octal digits.
fn unescape(point: &str) -> String {
    let mut plain = String::with_capacity(point.len());
    let mut rest = point;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = after.get(..3).unwrap_or_default();
        match u8::from_str_radix(digits, 8) {
            Ok(byte) if byte.is_ascii() => {
                plain.push(char::from(byte));
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                plain.push('\\');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:20 / /proc rw - proc proc rw
40 22 0:41 / /mnt/share rw,relatime - virtiofs shared rw
41 40 254:16 / /mnt/share/disk rw - ext4 /dev/vdb rw
42 22 0:50 / /mnt/with\040blank rw master:2 propagate_from:1 - nfs4 server:/x rw
43 22 0:51 / /mnt/back\134slash rw - cifs //server/x rw
44 22 0:52 / /mnt/ssh rw - fuse.sshfs me@host:/ rw
45 22 0:53 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw
46 22 0:54 / /mnt/twice rw - tmpfs tmpfs rw
47 46 0:55 / /mnt/twice rw - 9p share rw
not a mount
48 22 0:56 / /mnt/half";

    fn kind(path: &str) -> String {
        kind_at(TABLE, Path::new(path)).expect("the root covers everything")
    }

    #[test]
    fn the_deepest_mount_point_decides() {
        assert_eq!(kind("/home/board"), "ext4");
        assert_eq!(kind("/mnt/share/board"), "virtiofs");
        assert_eq!(kind("/mnt/share/disk/board"), "ext4");
        assert_eq!(kind("/mnt/shared"), "ext4", "a name that only begins alike");
    }

    #[test]
    fn the_last_of_two_mounts_on_one_point_decides() {
        assert_eq!(kind("/mnt/twice/board"), "9p");
    }

    #[test]
    fn escaped_mount_points_are_understood() {
        assert_eq!(kind("/mnt/with blank/board"), "nfs4");
        assert_eq!(kind(r"/mnt/back\slash/board"), "cifs");
        assert_eq!(unescape(r"tail\04"), r"tail\04");
        assert_eq!(unescape(r"a\011b\012c"), "a\tb\nc");
    }

    #[test]
    fn network_and_shared_file_systems_are_unfit_and_local_ones_are_fit() {
        for unfit in [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "9p",
            "virtiofs",
            "fuse.sshfs",
        ] {
            assert!(is_unfit(unfit), "{unfit}");
        }
        for fit in [
            "ext4",
            "xfs",
            "btrfs",
            "tmpfs",
            "overlay",
            "zfs",
            "fuseblk",
            "fuse.lazyfs",
        ] {
            assert!(!is_unfit(fit), "{fit}");
        }
    }

    #[test]
    fn a_text_without_mounts_tells_nothing() {
        assert_eq!(kind_at("", Path::new("/board")), None);
        assert_eq!(kind_at("garbage\n\n - \n", Path::new("/board")), None);
    }
}
