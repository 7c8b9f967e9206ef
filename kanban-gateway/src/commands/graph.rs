//! Drawings of a task's surroundings: as text, and for Graphviz.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use kanban_core::{Graph, GraphOf, Task, TaskId};
use pollster::block_on;

use crate::cli::GraphArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint, plain};

use super::make::line;
use super::{Board, ids};

pub(super) fn graph(board: &Board, args: &GraphArgs, output: &mut Output) -> Result<Exit, Failure> {
    let root = ids::known(board, &args.id)?;
    let graph = GraphOf {
        task: root.clone(),
        depth: args.depth,
    };
    let read = block_on(board.store()?.graph(graph))?;
    output.read(&read, |graph, paint| match args.dot {
        true => dot(graph),
        false => tree(graph, &root, paint),
    })?;
    Ok(Exit::Done)
}

/// From a task to those on the other side of its links.
type Next<'a> = BTreeMap<&'a TaskId, Vec<&'a TaskId>>;

/// The task, what it waits for, and what waits for it. A task that several links lead to is drawn with its own links
/// once; elsewhere it has the mark `…`.
fn tree(graph: &Graph, root: &TaskId, paint: Paint) -> String {
    let tasks: BTreeMap<&TaskId, &Task> = graph.tasks.iter().map(|task| (&task.id, task)).collect();
    let mut parents = Next::new();
    let mut children = Next::new();
    for link in &graph.links {
        parents.entry(&link.child).or_default().push(&link.parent);
        children.entry(&link.parent).or_default().push(&link.child);
    }
    let mut lines = Vec::new();
    lines.extend(tasks.get(root).map(|task| line(task, paint)));
    for (name, next) in [("waits for", &parents), ("is waited for by", &children)] {
        if next.contains_key(root) {
            lines.push(name.to_owned());
            branches(root, next, &tasks, paint, &mut lines);
        }
    }
    if graph.cut {
        lines.push("there is more than fits into an answer".to_owned());
    }
    lines.join("\n")
}

/// What is reached from a task, depth first. It keeps a stack of its own: a chain may be 10,000 links long.
fn branches(
    root: &TaskId,
    next: &Next<'_>,
    tasks: &BTreeMap<&TaskId, &Task>,
    paint: Paint,
    lines: &mut Vec<String>,
) {
    let mut drawn = BTreeSet::new();
    let mut stack = Vec::new();
    push(root, "", next, &mut stack);
    while let Some(branch) = stack.pop() {
        let corner = if branch.is_last {
            "└── "
        } else {
            "├── "
        };
        let leaf = tasks
            .get(branch.task)
            .map_or_else(|| branch.task.to_string(), |task| line(task, paint));
        let is_new = drawn.insert(branch.task);
        let again = !is_new && next.contains_key(branch.task);
        let mark = if again { "  …" } else { "" };
        lines.push(format!("{}{corner}{leaf}{mark}", branch.indent));
        if is_new {
            let rail = if branch.is_last { "    " } else { "│   " };
            let indent = format!("{}{rail}", branch.indent);
            push(branch.task, &indent, next, &mut stack);
        }
    }
}

/// A task that is still to be drawn.
struct Branch<'a> {
    task: &'a TaskId,
    indent: String,
    is_last: bool,
}

fn push<'a>(from: &TaskId, indent: &str, next: &Next<'a>, stack: &mut Vec<Branch<'a>>) {
    let Some(found) = next.get(from) else { return };
    // The last is put on the stack first, and so drawn last.
    for (place, task) in found.iter().rev().enumerate() {
        stack.push(Branch {
            task,
            indent: indent.to_owned(),
            is_last: place == 0,
        });
    }
}

/// The same for Graphviz: an arrow leads from what comes first to what waits for it.
fn dot(graph: &Graph) -> String {
    let mut text = "digraph board {\n  rankdir = LR;\n  node [shape = box];\n".to_owned();
    for task in &graph.tasks {
        let label = format!("{}\n{}  {}", plain(&task.title), task.id, task.status);
        writeln!(
            text,
            "  {} [label = {}];",
            quoted(task.id.as_str()),
            quoted(&label)
        )
        .expect("a string takes what is written to it");
    }
    for link in &graph.links {
        let (parent, child) = (quoted(link.parent.as_str()), quoted(link.child.as_str()));
        writeln!(text, "  {parent} -> {child};").expect("a string takes what is written to it");
    }
    text.push('}');
    text
}

/// A text in quotes, as Graphviz reads it.
fn quoted(text: &str) -> String {
    let inner = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{inner}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
