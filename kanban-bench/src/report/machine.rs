//! On what a report was taken.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The processor, as the system names it.
pub(super) fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = field(&info, "model name").or_else(|| field(&info, "Model"));
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// How many threads run at once.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The machine's memory, in bytes.
pub(super) fn memory() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = field(&info, "MemTotal")?;
    let kib: u64 = kib.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// The system and its version.
pub(super) fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let parts = [std::env::consts::OS, release.trim(), std::env::consts::ARCH];
    parts.join(" ")
}

/// Of this crate, the engines and the compiler, by name.
pub(super) fn versions() -> BTreeMap<String, String> {
    let lock = include_str!("../../../Cargo.lock");
    let mut versions = BTreeMap::from([
        ("kanban".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("sqlite".to_owned(), rusqlite::version().to_owned()),
        ("rustc".to_owned(), env!("KANBAN_BENCH_RUSTC").to_owned()),
    ]);
    for name in ["redb", "rusqlite"] {
        if let Some(version) = locked(lock, name) {
            versions.insert(name.to_owned(), version.to_owned());
        }
    }
    if let Some(commit) = commit() {
        versions.insert("commit".to_owned(), commit);
    }
    versions
}

/// The version of a package in a lock file.
fn locked<'l>(lock: &'l str, name: &str) -> Option<&'l str> {
    let (_, after) = lock.split_once(&format!("\nname = \"{name}\"\nversion = \""))?;
    after.split('"').next()
}

/// What was built, where its sources are still there and git is too.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"]);
    let answer = git.current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let words = String::from_utf8(answer.stdout).ok()?;
    (answer.status.success()).then(|| words.trim().to_owned())
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_the_package_whose_name_it_is() {
        let lock = "[[package]]\nname = \"redb-derive\"\nversion = \"9\"\n\n[[package]]\nname = \"redb\"\nversion = \"4.6.0\"\n";
        assert_eq!(locked(lock, "redb"), Some("4.6.0"));
        let versions = versions();
        for name in ["kanban", "redb", "rusqlite", "rustc", "sqlite"] {
            let version = versions.get(name).map_or("", String::as_str);
            assert!(version.contains('.'), "{name}: {version:?}");
        }
    }
}
