//! What is drawn while a command goes on for long: on a terminal, and nowhere else.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::harness::{Ended, Root, run};

/// Runs a program whose standard error is a terminal. Answers all that was drawn there as its standard error.
fn on_terminal(command: &mut Command) -> Ended {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let terminal = openpt(flags).expect("there are terminals");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let size = Winsize {
        ws_row: 24,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).expect("a terminal has a size");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name, flags, Mode::empty()).expect("its other side opens");
    command.env("TERM", "xterm");
    command.stdout(Stdio::piped()).stderr(Stdio::from(theirs));
    let child = command.spawn().expect("the program starts");
    // The only other holder of the other side: without it the program's end would not be seen.
    command.stderr(Stdio::null());
    let mut drawn = Vec::new();
    // Linux tells the end of a terminal as an error; what was drawn before it is there.
    let _ = File::from(terminal).read_to_end(&mut drawn);
    let ended = child.wait_with_output().expect("it can be waited for");
    Ended {
        code: ended.status.code().expect("the program was not killed"),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&drawn).into_owned(),
    }
}

/// A root with some tasks, one of them done, and a foreign board beside it.
fn root() -> Root {
    let root = Root::new();
    let id = root.add("One", &[]);
    root.add("Two", &["--parent", &id]);
    let run = root.claim(&id);
    root.data(&["release", &id, "--run", &run]);
    let run = root.claim(&id);
    root.data(&["complete", &id, "--run", &run]);
    root
}

/// The numbers of a full bar, as they were drawn.
fn full<'a>(drawn: &'a str, line: &str) -> &'a str {
    let bar = format!("{line} {} ", "\u{2588}".repeat(30));
    let (_, after) = drawn
        .split_once(&bar)
        .unwrap_or_else(|| panic!("expected {line} to be full in {drawn:?}"));
    after.split(['\r', '\n', '\u{1b}']).next().unwrap_or(after)
}

/// A command that goes on for long, and the bars that it fills.
type Long<'a> = (&'a [&'a str], &'a [&'a str]);

fn expect_bars(root: &Root, (args, bars): Long<'_>) -> String {
    let ended = on_terminal(root.command().args(args));
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    for bar in bars {
        full(&ended.stderr, bar);
    }
    ended.stderr
}

#[test]
fn every_long_command_draws_bars_that_reach_their_total() {
    let root = root();
    let (lines, backup) = (root.beside("lines"), root.beside("backup"));
    let (lines, backup) = (lines.to_str().unwrap(), backup.to_str().unwrap());
    let export = ["exporting: reading", "exporting: handing over"];
    let drawn = expect_bars(&root, (&["export", lines], &export));
    // Tasks, links and runs; and events: created twice, claimed, released, claimed, completed, promoted.
    let rows = 2 + 1 + 2 + 7;
    let read = full(&drawn, "exporting: reading");
    assert!(
        read.starts_with(&format!("{rows}/{rows} ")),
        "found {read:?}"
    );
    let checks = ["checking the rows", "checking the indexes"];
    let verify = checks.map(|check| format!("verifying: {check}"));
    let drawn = expect_bars(&root, (&["verify"], &verify.each_ref().map(String::as_str)));
    assert!(drawn.contains("verifying: checking the file"), "{drawn:?}");
    expect_bars(&root, (&["backup", backup], &["backing up: copying"]));
    let import = [
        "importing: taking in",
        "importing: writing",
        "importing: checking the rows",
        "importing: checking the indexes",
    ];
    let into = ["--board", "lines", "import", "jsonl", lines];
    expect_bars(&root, (&into, &import));
    let restore = [
        "restoring: taking in",
        "restoring: reading",
        "restoring: handing over",
        "restoring: writing",
        "restoring: checking the rows",
        "restoring: checking the indexes",
    ];
    let into = ["--board", "restored", "import", "backup", backup];
    expect_bars(&root, (&into, &restore));
    let gc = ["gc", "--older-than", "0s"];
    let drawn = expect_bars(&root, (&gc, &["events removed"]));
    let removed = full(&drawn, "events removed");
    assert!(removed.starts_with("1/1 "), "found {removed:?}");
}

#[cfg(feature = "hermes")]
#[test]
fn an_import_of_a_foreign_board_draws_bars_that_reach_their_total() {
    let root = root();
    let board = crate::hermes_board::Board::new(&root);
    board.task("t_1", "done", "");
    board.task("t_2", "todo", "");
    let path = board.path();
    let into = ["--board", "hermes", "import", "hermes", &path];
    let bars = ["importing: reading", "importing: writing"];
    let drawn = expect_bars(&root, (&into, &bars));
    let read = full(&drawn, "importing: reading");
    assert!(read.starts_with("2/2 "), "found {read:?}");
}

#[cfg(all(feature = "sqlite", feature = "redb"))]
#[test]
fn a_migration_draws_the_bars_of_each_board() {
    let root = root();
    root.data(&["--board", "second", "add", "One"]);
    let bars = ["default", "second"].map(|board| {
        let stages = ["reading", "handing over", "taking in", "writing"];
        let checks = ["checking the rows", "checking the indexes"];
        let stages = stages.iter().chain(&checks);
        let bars = stages.map(|stage| format!("migrating {board}: {stage}"));
        bars.collect::<Vec<_>>()
    });
    let bars: Vec<&str> = bars.iter().flatten().map(String::as_str).collect();
    expect_bars(&root, (&["migrate", "--to", "redb"], &bars));
}

#[test]
fn an_export_to_the_output_draws_nothing_once_there_is_any() {
    let root = root();
    let drawn = expect_bars(&root, (&["export"], &["exporting: reading"]));
    assert!(!drawn.contains("handing over"), "{drawn:?}");
}

#[test]
fn a_line_is_cleared_when_its_command_ends() {
    let root = root();
    let drawn = expect_bars(&root, (&["verify"], &[]));
    let last = drawn.rsplit("\u{1b}[2K").next();
    assert_eq!(last, Some(""), "expected a cleared line after {drawn:?}");
}

#[test]
fn nothing_is_drawn_without_a_terminal_or_beside_json() {
    let root = root();
    for (round, wants_json) in [("a", false), ("b", true)] {
        let beside = |name: &str| root.beside(&format!("{name}{round}")).display().to_string();
        let (lines, backup) = (beside("lines"), beside("backup"));
        let (into_lines, into_backup) = (format!("lines{round}"), format!("backup{round}"));
        for args in [
            &["export", &lines][..],
            &["export"],
            &["verify"],
            &["backup", &backup],
            &["--board", &into_lines, "import", "jsonl", &lines],
            &["--board", &into_backup, "import", "backup", &backup],
            &["gc", "--older-than", "0s"],
            &["tick"],
        ] {
            let mut command = root.command();
            let ended = if wants_json {
                on_terminal(command.arg("--json").args(args))
            } else {
                run(command.args(args))
            };
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args:?}");
        }
    }
}
