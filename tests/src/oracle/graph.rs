//! A task's surroundings.

use kanban_core::{Graph, GraphOf, Link, TaskId};

use super::{Asked, Board};

impl Board {
    /// All tasks within so many links, in both directions, each once. [15.5]
    pub(crate) fn graph(&self, ask: &GraphOf) -> Asked<Graph> {
        self.known(&ask.task)?;
        let mut found: Vec<TaskId> = vec![ask.task.clone()];
        let mut ring = vec![ask.task.clone()];
        for _ in 0..ask.depth {
            let mut next: Vec<TaskId> = Vec::new();
            for id in &ring {
                let mut near = self.parents_of(id);
                near.extend(self.children_of(id));
                for id in near {
                    if !found.contains(&id) {
                        found.push(id.clone());
                        next.push(id);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            ring = next;
        }
        let mut links: Vec<Link> = self.links.clone();
        links.retain(|link| found.contains(&link.parent) && found.contains(&link.child));
        links.sort();
        Ok(Graph {
            tasks: found.iter().map(|id| self.task(id).clone()).collect(),
            links,
            cut: false,
        })
    }
}
