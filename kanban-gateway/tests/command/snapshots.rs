//! What every command prints, for people and as JSON, on one board from its first task to its last.
//!
//! After a change that is meant, `INSTA_UPDATE=always cargo test -p kanban-gateway` writes the snapshots anew.

use std::fmt::Write;
use std::fs;

use crate::harness::Root;

/// The commands. `{a}` is the task that `a=` added, `{r}` a path beside the root.
const SESSION: &str = "\
boards
board create website
board archive website
board restore website
board archive website
board delete website
a=add Design --assignee anna --tenant acme
b=add Build --parent {a} --body Text
c=add Idea --triage
add --graph {r}/plan.yaml
update {b} --title Construct --priority 3
assign {b} writer --as anna
show {a}
tasks {b} {a}
ids t_ --limit 1
list --order oldest
parents {b}
children {a}
graph {a}
graph {b} --dot
claim {a} --as w1 --ttl 2h
heartbeat {a} --run 1 --note half
spawned {a} --run 1 --host h1 --pid 4711
release {a} --run 1
claim --next --as w2 --phase work --assignee anna
fail {a} --run 2 --kind rate_limited --retry-after 1h
promote {a} --as anna --dry-run
promote {a} --as anna
block {a} --operator anna --kind needs_input --reason Which
unblock {a} --as anna
schedule {a} --operator anna --at 2100-01-01T00:00:00Z
unblock {a} --as anna
pause --assignee anna --as boss --reason Ill
pauses
claim --next --as w3 --assignee anna
resume --assignee anna --as boss
resume --assignee anna --as boss
claim {a} --as w1
review request {a} --run 3 --summary Read --reviewer rob
claim {a} --as rob
review changes {a} --run 4 --reason Shorter
comment {a} Hello --as anna --request-id k1
comment {a} Hello --as anna --request-id k1
comments {a}
attach {a} https://example.com/x.pdf --size 12 --as anna
attachments {a}
detach {a} 1 --as anna
subscribe {a} --channel mail --address anna@example.com --kind completed
subscriptions
complete {a} --operator anna --summary Done
subscriptions --pending
lease 1 --ttl 1h
lease 1
nack 1 1
lease 1
ack 1 2
runs {a}
summaries {a}
reopen {a} --as anna --reason Wrong
specify {c} --as anna --title Plan
d=add Another --triage
decompose {d} --as anna --subtask Part
unlink {a} {b}
link {a} {b}
link {b} {a}
complete {a} --run 1
unsubscribe 1 --as anna
archive {c} --operator anna
restore {c} --as anna
archive {c} --operator anna
delete {c} --as anna
policy show
policy set --claim-ttl 30m --as anna
gc --older-than 1d
purge --older-than 1d
tick
reached 1
events --limit 5
events --follow --limit 1
stats
verify
export {r}/board.jsonl
man {r}/man
show {c}
list --status nonsense
";

#[derive(Debug, Clone, Copy)]
enum Wanted {
    Tables,
    Json,
}

/// Everything that the session prints, with ids and times replaced by others of their length.
fn transcript(wanted: Wanted) -> String {
    let root = Root::new();
    let beside = root.beside("");
    let beside = beside.to_str().expect("a plain path").trim_end_matches('/');
    fs::write(
        root.beside("plan.yaml"),
        "- {title: Planned, triage: true}\n",
    )
    .expect("the test may write");
    root.add("First", &["--priority", "-1"]);
    let mut tasks: Vec<(String, String)> = vec![("{r}".to_owned(), beside.to_owned())];
    let mut text = String::new();
    for line in SESSION.lines() {
        let (name, command) = match line.split_once('=') {
            Some((name, command)) if name.len() == 1 => (Some(name), command),
            _ => (None, line),
        };
        let mut filled = command.to_owned();
        for (name, value) in &tasks {
            filled = filled.replace(name, value);
        }
        let args: Vec<&str> = filled.split(' ').collect();
        let ended = match wanted {
            Wanted::Tables => root.run(&args),
            Wanted::Json => root.json(&args),
        };
        if let Some(name) = name {
            let id = ended.stdout.find("t_").map(|at| &ended.stdout[at..at + ID]);
            tasks.push((format!("{{{name}}}"), id.expect("an id").to_owned()));
        }
        writeln!(text, "$ kanban {line}").expect("a string takes it");
        text.push_str(&ended.stdout);
        text.push_str(&ended.stderr);
        if ended.code != 0 {
            writeln!(text, "[exit code {}]", ended.code).expect("a string takes it");
        }
        text.push('\n');
    }
    redacted(&text.replace(beside, "{r}"))
}

/// The length of an id.
const ID: usize = 28;

fn redacted(text: &str) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = if let Some(id) = head(rest, ID).filter(|it| is_id(it)) {
            let place = seen.iter().position(|it| *it == id).unwrap_or_else(|| {
                seen.push(id);
                seen.len() - 1
            });
            write!(out, "t_{place:026}").expect("a string takes it");
            ID
        } else if head(rest, 13).is_some_and(is_millis) {
            out.push_str("1700000000000");
            13
        } else if head(rest, 19).is_some_and(is_time) {
            out.push_str("2023-11-14 22:13:20");
            19
        } else {
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

fn head(text: &str, length: usize) -> Option<&str> {
    text.get(..length)
}

fn is_id(text: &str) -> bool {
    let ulid = text.strip_prefix("t_");
    ulid.is_some_and(|it| {
        it.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// A time of now, as JSON has it: one from 2001 to 2065. The session's own are later.
fn is_millis(text: &str) -> bool {
    text.starts_with(['1', '2']) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A time of now, as tables show it; one that the session gave stays.
fn is_time(text: &str) -> bool {
    let digit = |b: u8| if b.is_ascii_digit() { b'0' } else { b };
    let shape: Vec<u8> = text.bytes().map(digit).collect();
    shape == b"0000-00-00 00:00:00" && text.starts_with("20")
}

#[test]
fn tables_are_as_they_were() {
    insta::assert_snapshot!("tables", transcript(Wanted::Tables));
}

#[test]
fn envelopes_are_as_they_were() {
    insta::assert_snapshot!("json", transcript(Wanted::Json));
}

#[test]
fn every_command_is_in_the_session() {
    // Its answer changes with every command, with every run, or is of another board.
    let elsewhere = [
        "completions",
        "demo",
        "backup",
        "import backup",
        "import hermes",
        "import jsonl",
        "migrate",
    ];
    let page = include_str!("../../../docs/cli.md");
    let commands = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let missing: Vec<&str> = commands
        .filter(|command| !elsewhere.contains(command))
        .filter(|command| {
            let begins = |line: &str| {
                let line = line.split_once('=').map_or(line, |(_, command)| command);
                format!("{line} ").starts_with(&format!("{command} "))
            };
            !SESSION.lines().any(begins)
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
