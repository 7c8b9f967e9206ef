//! A process that holds a board and works on it while its files are disturbed and other processes write and close; and
//! the judge of what is left when it has died.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use kanban_core::{BoardStore, Boards, NewTask, Policy, TaskId, Title};

const PART: &str = "KANBAN_ATTACK_PART";
const ROOT: &str = "KANBAN_ATTACK_ROOT";
pub(crate) const DONE: &str = "played: to its end";

/// What the holder said of itself, and what was found after it.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Writes that the holder was told are done.
    pub(crate) acknowledged: usize,
    /// Those of them that are gone.
    pub(crate) lost: usize,
    /// The same for the other processes' writes.
    pub(crate) foreign: u64,
    /// Or the other way round: were there one that nobody was told of, it could stand for one that is lost.
    pub(crate) foreign_lost: u64,
    /// Cycles after which the holder had a file open that has no name any more.
    pub(crate) deleted: usize,
    /// Answers that lack a write that was done before they were asked for.
    pub(crate) behind: usize,
    /// Every error that the holder got.
    pub(crate) errors: Vec<String>,
    /// What is wrong with the board, or why it cannot be opened.
    pub(crate) damage: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged, {} lost; by others {} acknowledged, {} lost; {} cycles with a deleted file in use; \
             {} answers behind; {} typed errors; {} findings",
            self.acknowledged,
            self.lost,
            self.foreign,
            self.foreign_lost,
            self.deleted,
            self.behind,
            self.errors.len(),
            self.damage.len(),
        )?;
        for what in self.errors.iter().chain(&self.damage).take(3) {
            write!(f, "\n    {what}")?;
        }
        Ok(())
    }
}

/// Runs this test program again as the holder, and judges what it leaves.
pub(crate) fn attack(part: &str, open: impl Fn(&Path) -> kanban_core::Result<Boards>) -> Figures {
    let root = tempfile::tempdir().unwrap();
    let printed = play(part, root.path());
    let figures = judge(&printed, open(root.path()));
    println!("{part} (shell: {}): {figures}", shell());
    figures
}

/// Runs this test program again for a part, and gives what it printed. Its failure is the test's, and so is a part that
/// nobody played: a test runner that finds no such test is content.
pub(crate) fn play(part: &str, place: &Path) -> String {
    let output = child(part, place).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(printed.contains(DONE), "{printed}");
    printed
}

/// Which part this process plays, and on which root; none where the test runner calls.
pub(crate) fn part() -> Option<(String, std::path::PathBuf)> {
    Some((std::env::var(PART).ok()?, std::env::var_os(ROOT)?.into()))
}

pub(crate) fn child(part: &str, root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", super::PLAYER, "--nocapture"])
        .env(PART, part)
        .env(ROOT, root);
    command
}

/// Holds the default board for so many cycles of a write, a disturbance and a look; then dies without closing.
/// The disturbance answers how many writes of others are done by then.
pub(crate) fn hold(boards: &Boards, cycles: u64, disturb: &mut dyn FnMut(&Path) -> u64) -> ! {
    work(boards, &mut |cycle| cycle < cycles, disturb);
    die()
}

/// The cycles alone, for as long as they are wanted.
pub(crate) fn work(
    boards: &Boards,
    goes_on: &mut dyn FnMut(u64) -> bool,
    disturb: &mut dyn FnMut(&Path) -> u64,
) {
    let directory = boards.root().join("boards").join("default");
    pollster::block_on(async {
        let store = boards.open(None).await.unwrap();
        for cycle in (0..).take_while(|cycle| goes_on(*cycle)) {
            let title = Title::new(format!("Task {cycle}")).unwrap();
            match store.create(NewTask::new(title)).await {
                Ok(task) => say("acknowledged", task.value.id),
                Err(error) => say("error", format!("create: {:?}: {error}", error.kind())),
            }
            let foreign = disturb(&directory);
            match foreign_writes(&*store).await {
                Ok(seen) if seen >= foreign => {}
                Ok(seen) => say("behind", format!("{seen} of {foreign}")),
                Err(error) => say("error", format!("policy: {:?}: {error}", error.kind())),
            }
            if let Some(name) = deleted_file() {
                say("deleted", name);
            }
        }
    });
}

pub(crate) fn die() -> ! {
    println!("\n{DONE}");
    // As if killed: nothing is closed, checkpointed or tidied up.
    std::process::exit(0);
}

/// Reads all three files by hand, as a naive backup does; then another process writes and closes.
pub(crate) fn back_up_and_write(directory: &Path) -> u64 {
    read_all_files(directory);
    u64::from(another_process_writes(directory))
}

/// What a naive backup, a hash, or a probe of the header does.
pub(crate) fn read_all_files(directory: &Path) {
    for name in ["board.db", "board.db-wal", "board.db-shm"] {
        match fs::read(directory.join(name)) {
            Ok(_) => {}
            // Where locks are lost another process may have removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => panic!("expected to read {name}, found {error}"),
        }
    }
}

/// Another process opens the board, writes, and closes it as the last one as far as it knows: the system's `sqlite3`
/// shell. Whether it was told that it has written.
pub(crate) fn another_process_writes(directory: &Path) -> bool {
    let shell = Command::new("sqlite3")
        .args(["-batch", "-cmd", ".timeout 60000"])
        .arg(directory.join("board.db"))
        .arg(COUNT_UP)
        .output()
        .expect("this test needs the command sqlite3: install the package sqlite3");
    let done = shell.status.success();
    if done {
        say("foreign", 1);
    }
    done
}

/// The writes of others are counted in a number of the policy that nothing here depends on. The pragma before it is the
/// one that the field report blamed.
pub(crate) const COUNT_UP: &str =
    "PRAGMA journal_mode = WAL; UPDATE policy SET backoff_max_ms = backoff_max_ms + 1";

async fn foreign_writes(store: &dyn BoardStore) -> kanban_core::Result<u64> {
    let found = store.policy().await?.value.backoff_max_ms;
    Ok(found - Policy::default().backoff_max_ms)
}

fn shell() -> String {
    let output = Command::new("sqlite3").arg("--version").output();
    let output = output.expect("install the package sqlite3");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    version.split(' ').next().unwrap_or_default().to_owned()
}

/// A file of the board that this process has open and that has no name any more. `/proc` is Linux's.
fn deleted_file() -> Option<String> {
    let open = fs::read_dir("/proc/self/fd").ok()?;
    open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .find(|target| target.contains("board.db") && target.ends_with("(deleted)"))
}

pub(crate) fn say(what: &str, value: impl fmt::Display) {
    // On a line of its own, whatever the test harness has begun.
    println!("\n{what}: {value}");
}

fn judge(printed: &str, boards: kanban_core::Result<Boards>) -> Figures {
    let said = |what: &str| -> Vec<String> {
        let lines = printed.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| *key == what)
            .map(|(_, value)| value.to_owned())
            .collect()
    };
    let acknowledged = said("acknowledged");
    let foreign = said("foreign").len() as u64;
    let mut figures = Figures {
        acknowledged: acknowledged.len(),
        lost: acknowledged.len(),
        foreign,
        foreign_lost: foreign,
        deleted: said("deleted").len(),
        behind: said("behind").len(),
        errors: said("error"),
        damage: Vec::new(),
    };
    let found = boards.and_then(|boards| {
        pollster::block_on(async {
            let store = boards.open_existing(None).await?;
            figures.lost = missing(&*store, &acknowledged).await;
            figures.foreign_lost = foreign.abs_diff(foreign_writes(&*store).await?);
            let violations = store.verify().await?.value;
            boards.close().await?;
            Ok(violations)
        })
    });
    match found {
        Ok(violations) => figures
            .damage
            .extend(violations.into_iter().map(|found| found.what)),
        Err(error) => figures.damage.push(format!("{:?}: {error}", error.kind())),
    }
    figures
}

async fn missing(store: &dyn BoardStore, acknowledged: &[String]) -> usize {
    let mut missing = 0;
    for id in acknowledged {
        if store.task(TaskId::new(id).unwrap()).await.is_err() {
            missing += 1;
        }
    }
    missing
}
