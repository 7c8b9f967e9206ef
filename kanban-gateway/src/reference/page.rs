//! The page `docs/cli.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::Arg;
use serde_json::Value;

use super::examples::examples;
use super::operations::{OPERATIONS, WITHOUT_OPERATION};
use super::schema;

const HEAD: &str = "\
# The command line

Every command of `kanban`, its example, and what it answers with `--json`. The tests of `kanban-gateway` make this page from
the program itself and fail if it is behind; `KANBAN_UPDATE=1 cargo test -p kanban-gateway --bin kanban` writes it anew. What
is common to all commands (envelopes, exit codes, ids, durations, times) stands in
[the README of `kanban-gateway`](../kanban-gateway/README.md). The JSON Schema is [cli.schema.json](cli.schema.json): there the
answer of `board create` is `answer_board_create`, and that of what was not done `answer_error`.

## What is not there

- Arguments and input files are looked at before anything is opened: a call that is refused for them makes no root and no
  board. (An import whose content turns out to be unsound leaves the empty board that it was to go into.)
- `add` with `--parent` or `--created-from`, or a `--graph` that names tasks of the board, makes no board: one that is not there
  has no such tasks, and is `not_found`.
- An input file (`--body-file`, `--result-file`, `--graph`, `--file`, `import …`) that cannot be read, or is not what the
  command takes, is `invalid`: exit code 2. The error has the reason `unreadable` and the `path`; what is wrong inside a list
  of tasks or an export is told by field and line.
- A question about a root that is not there makes none: it is answered as an empty board would answer, and people are told
  on standard error that there is nothing yet. `verify`, `export` and `backup` are refused with `not_found` there: an empty
  answer would hide that the root is misspelt. `events --follow` and `reached` make the root, and wait.
- A file that is to be made (`export`, `backup`, `man`) and cannot be is `unavailable` (`io`, `read_only`, `no_space`), with
  its `path`: exit code 3. One that exists is not overwritten: `usage`, exit code 2.
- A pipe or another special file is not taken as an input file: what comes through a pipe is given as `-`.
- An error that is a file's (`unavailable`, `corrupt`, `busy`, `unknown`, `internal`) names the file, also as `path`.
";

fn page() -> String {
    let schema = schema::schema();
    let types = schema["$defs"]
        .as_object()
        .expect("the schema has its types");
    let mut text = HEAD.to_owned();
    line(&mut text, "\n## Options of every command\n");
    let whole = super::whole();
    for arg in whole.get_arguments().filter(|arg| arg.is_global_set()) {
        line(&mut text, &option(arg));
    }
    for (words, command) in super::commands() {
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let about = about.trim_end_matches('.');
        line(&mut text, &format!("\n## `{words}`\n\n{about}.\n\n```sh"));
        for example in examples(&command) {
            line(&mut text, &example);
        }
        line(&mut text, "```\n");
        for said in answers(&words, types) {
            line(&mut text, &said);
        }
        let is_own = |arg: &&Arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help");
        let own: Vec<&Arg> = command.get_arguments().filter(is_own).collect();
        if !own.is_empty() {
            line(&mut text, "");
        }
        for arg in own {
            line(&mut text, &option(arg));
        }
    }
    line(&mut text, "\n# The shapes\n");
    line(&mut text, "`?` marks what may be null.");
    for (name, shape) in types {
        if !name.starts_with("answer_") {
            text.push_str(&shape_text(name, shape));
        }
    }
    text
}

/// An argument or option: its words, what it is for, what it may be and what it is otherwise.
fn option(arg: &Arg) -> String {
    let mut said = vec![format!("- `{}`", arg.to_string().replace('`', ""))];
    if let Some(about) = arg.get_long_help().or(arg.get_help()) {
        let about = about.to_string().replace('\n', " ");
        said.push(format!(": {about}"));
    }
    let takes = arg.get_action().takes_values();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| takes && !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    // The page is the same whichever stores this program is built with.
    if matches!(arg.get_id().as_str(), "store" | "to") && takes && !values.is_empty() {
        said.push(" (`sqlite`, `redb`; as the program is built)".to_owned());
    } else if !values.is_empty() {
        said.push(format!(" ({})", values.join(", ")));
    }
    let otherwise = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy());
    let otherwise: Vec<_> = otherwise.filter(|_| takes).collect();
    if !otherwise.is_empty() {
        said.push(format!(" [default: {}]", otherwise.join(", ")));
    }
    if let Some(name) = arg.get_env() {
        said.push(format!("; environment: `{}`", name.to_string_lossy()));
    }
    said.concat()
}

fn line(text: &mut String, more: &str) {
    writeln!(text, "{more}").expect("a string takes what is written to it");
}

/// What a command calls and answers, also with the options that make it another.
fn answers(words: &str, types: &serde_json::Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (command, operations, _) in OPERATIONS {
        if command.split(" --").next() == Some(words) {
            let calls: Vec<String> = operations
                .iter()
                .map(|name| match name.starts_with("Boards::") {
                    true => format!("`{name}`"),
                    false => format!("`BoardStore::{name}`"),
                })
                .collect();
            let answer = answer(&types[&schema::name(command)]);
            lines.push(format!(
                "- `{command}` calls {} and answers {answer}.",
                calls.join(", ")
            ));
        }
    }
    for (command, why, made) in WITHOUT_OPERATION {
        if *command == words {
            let answer = match made {
                Some(_) => answer(&types[&schema::name(command)]),
                None => "a script for the shell, also with `--json`".to_owned(),
            };
            lines.push(format!("- `{command}` {why}, and answers {answer}."));
        }
    }
    lines
}

/// The data of an envelope in words.
fn answer(envelope: &Value) -> String {
    if let Some(either) = envelope["anyOf"].as_array() {
        let words: Vec<String> = either.iter().map(answer).collect();
        return words.join(", or ");
    }
    let data = word(&envelope["properties"]["data"]);
    match envelope["properties"].get("effect") {
        Some(_) => format!("{data}, with an `effect`"),
        None => data,
    }
}

/// A type in a word or two.
fn word(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(any) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let is_null = |one: &&Value| one["type"] == "null";
        let words: Vec<String> = any.iter().filter(|one| !is_null(one)).map(word).collect();
        let mark = if any.iter().any(|one| is_null(&one)) {
            "?"
        } else {
            ""
        };
        return format!("{}{mark}", words.join(" or "));
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("a list of {}", word(&schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let words = kinds.iter().filter_map(Value::as_str);
            let words: Vec<&str> = words.filter(|kind| *kind != "null").collect();
            if words == ["array"] {
                return format!("a list of {}?", word(&schema["items"]));
            }
            format!("{}?", words.join(" or "))
        }
        _ if schema.get("const").is_some() => format!("`{}`", schema["const"]),
        _ => "anything".to_owned(),
    }
}

/// A type with its fields, or with its words.
fn shape_text(name: &str, shape: &Value) -> String {
    let about = shape["description"].as_str().unwrap_or_default();
    let mut text = format!("\n## {name}\n");
    if !about.is_empty() {
        line(&mut text, &format!("\n{about}"));
    }
    let words = shape["enum"].as_array().into_iter().flatten();
    let constants = shape["oneOf"].as_array().into_iter().flatten();
    let constants = constants.filter_map(|one| one.get("const"));
    let words: Vec<String> = words
        .chain(constants)
        .map(|word| format!("`{word}`"))
        .collect();
    if let Some(fields) = shape["properties"].as_object() {
        let fields: BTreeMap<_, _> = fields.iter().collect();
        text.push_str("\n| field | type | |\n| --- | --- | --- |\n");
        for (field, schema) in fields {
            let about = schema["description"].as_str().unwrap_or_default();
            let about = about.replace('\n', " ").replace('|', "\\|");
            line(
                &mut text,
                &format!("| `{field}` | {} | {about} |", word(schema)),
            );
        }
    } else if words.is_empty() {
        line(&mut text, &format!("\n{}", word(shape)));
    } else {
        line(&mut text, &format!("\nOne of {}.", words.join(", ")));
    }
    text
}

#[test]
fn the_page_of_the_command_line_is_that_of_the_program() {
    super::checked_in("cli.md", &page());
}
