//! A task's surroundings.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::{Link, Task, TaskId};
use crate::request::{Graph, GraphOf};
use crate::view::View;

use super::super::Question;
use super::{PAGE_MAX, subject};

/// How many tasks an answer holds.
const TASKS_MAX: usize = 10_000;

/// Walks links both ways from every task reached, breadth first: each task is as near as its shortest path.
impl Question for GraphOf {
    type Answer = Graph;

    fn ask(&self, view: &dyn View) -> Result<Graph> {
        surroundings(view, self, TASKS_MAX)
    }
}

fn surroundings(view: &dyn View, of: &GraphOf, tasks_max: usize) -> Result<Graph> {
    let middle = subject(view, &of.task)?;
    let mut walk = Walk {
        view,
        tasks_max,
        seen: BTreeSet::from([middle.id.clone()]),
        tasks: vec![middle],
        cut: false,
    };
    let mut depth = 0;
    let mut edge = vec![of.task.clone()];
    while depth < of.depth && !edge.is_empty() && !walk.cut {
        edge = walk.around(&edge)?;
        depth += 1;
    }
    let links = walk.links()?;
    Ok(Graph {
        tasks: walk.tasks,
        links,
        cut: walk.cut,
    })
}

struct Walk<'a> {
    view: &'a dyn View,
    tasks_max: usize,
    seen: BTreeSet<TaskId>,
    tasks: Vec<Task>,
    cut: bool,
}

impl Walk<'_> {
    /// Takes in what is one link away from these tasks. Answers what is new.
    fn around(&mut self, edge: &[TaskId]) -> Result<Vec<TaskId>> {
        let view = self.view;
        let mut new = Vec::new();
        for id in edge {
            self.take_all(&mut new, |after| view.parents(id, after, PAGE_MAX))?;
            self.take_all(&mut new, |after| view.children(id, after, PAGE_MAX))?;
            if self.cut {
                break;
            }
        }
        Ok(new)
    }

    fn take_all(
        &mut self,
        new: &mut Vec<TaskId>,
        next: impl Fn(Option<&TaskId>) -> Result<Vec<TaskId>>,
    ) -> Result<()> {
        let mut page = next(None)?;
        loop {
            for id in &page {
                self.take(new, id)?;
            }
            if page.len() < PAGE_MAX || self.cut {
                return Ok(());
            }
            page = next(page.last())?;
        }
    }

    fn take(&mut self, new: &mut Vec<TaskId>, id: &TaskId) -> Result<()> {
        if self.cut || self.seen.contains(id) {
            return Ok(());
        }
        if self.tasks.len() == self.tasks_max {
            self.cut = true;
            return Ok(());
        }
        let Some(task) = self.view.task(id)? else {
            return Ok(());
        };
        self.seen.insert(id.clone());
        new.push(id.clone());
        self.tasks.push(task);
        Ok(())
    }

    /// The links among the tasks found, by (parent, child). Asks for parents: a task has fewer of them than children.
    fn links(&self) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        for child in &self.seen {
            let mut page = self.view.parents(child, None, PAGE_MAX)?;
            loop {
                let known = page.iter().filter(|parent| self.seen.contains(*parent));
                links.extend(known.map(|parent| Link {
                    parent: parent.clone(),
                    child: child.clone(),
                }));
                if page.len() < PAGE_MAX {
                    break;
                }
                page = self.view.parents(child, page.last(), PAGE_MAX)?;
            }
        }
        links.sort_unstable();
        Ok(links)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::is_not_found;
    use super::*;
    use crate::memory::{MemoryBoard, link, task, task_id};

    fn ask(board: &MemoryBoard, id: &str, depth: u32) -> Graph {
        let task = task_id(id);
        GraphOf { task, depth }.ask(board).unwrap()
    }

    fn ids(graph: &Graph) -> Vec<&str> {
        graph.tasks.iter().map(|task| task.id.as_str()).collect()
    }

    #[test]
    fn a_graph_goes_both_ways_up_to_the_depth() {
        let mut board = MemoryBoard::new();
        for id in ["t_1", "t_2", "t_3", "t_4", "t_5", "t_6"] {
            board.put_task(task(id));
        }
        // 1 → 2 → 3 → 4, 1 → 5 and 1 → 3; 6 stands alone.
        for (parent, child) in [
            ("t_1", "t_2"),
            ("t_2", "t_3"),
            ("t_3", "t_4"),
            ("t_1", "t_5"),
            ("t_1", "t_3"),
        ] {
            board.put_link(parent, child);
        }
        let alone = ask(&board, "t_2", 0);
        assert_eq!((ids(&alone), alone.links.len()), (vec!["t_2"], 0));
        let near = ask(&board, "t_2", 1);
        assert_eq!(ids(&near), ["t_2", "t_1", "t_3"]);
        let links = [link("t_1", "t_2"), link("t_1", "t_3"), link("t_2", "t_3")];
        assert_eq!(near.links, links);
        let all = ask(&board, "t_2", u32::MAX);
        assert_eq!(ids(&all), ["t_2", "t_1", "t_3", "t_5", "t_4"]);
        assert_eq!((all.links.len(), all.cut), (5, false));
        assert_eq!(ids(&ask(&board, "t_6", 9)), ["t_6"]);
        let unknown = GraphOf {
            task: task_id("t_none"),
            depth: 1,
        };
        assert!(is_not_found(unknown.ask(&board)));
    }

    #[test]
    fn a_graph_that_is_too_large_is_cut_and_says_so() {
        let mut board = MemoryBoard::new();
        for id in ["t_1", "t_2", "t_3", "t_4"] {
            board.put_task(task(id));
        }
        for child in ["t_2", "t_3", "t_4"] {
            board.put_link("t_1", child);
        }
        for (tasks_max, expected, cut) in [
            (4, vec!["t_1", "t_2", "t_3", "t_4"], false),
            (3, vec!["t_1", "t_2", "t_3"], true),
        ] {
            let of = GraphOf {
                task: task_id("t_1"),
                depth: 2,
            };
            let graph = surroundings(&board, &of, tasks_max).unwrap();
            assert_eq!((ids(&graph), graph.cut), (expected, cut));
            assert_eq!(graph.links.len(), graph.tasks.len() - 1);
        }
    }
}
