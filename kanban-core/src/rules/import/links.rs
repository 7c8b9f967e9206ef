//! Links: between tasks that are there, without circles, within the limits.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Link, TaskId};
use crate::request::Repair;
use crate::rules::links::{CHILDREN_MAX, PARENTS_MAX};

use super::Plan;

/// Takes over the links that can stay.
pub(super) fn take(plan: &mut Plan<'_>) {
    let mut parents: BTreeMap<&TaskId, usize> = BTreeMap::new();
    let mut children: BTreeMap<&TaskId, usize> = BTreeMap::new();
    for link in &plan.from.links {
        let of_child = parents.entry(&link.child).or_default();
        let of_parent = children.entry(&link.parent).or_default();
        let what = if link.parent == link.child {
            Some("self")
        } else if !plan.tasks.contains_key(&link.parent) {
            Some("parent")
        } else if !plan.tasks.contains_key(&link.child) {
            Some("child")
        } else if plan.links.contains(link) {
            Some("row")
        } else if *of_child >= PARENTS_MAX || *of_parent >= CHILDREN_MAX {
            Some("limit")
        } else {
            None
        };
        if let Some(what) = what {
            plan.repairs.push(dropped(link, what));
        } else {
            *of_child += 1;
            *of_parent += 1;
            plan.links.insert(link.clone());
        }
    }
    for link in closing(&plan.links) {
        plan.repairs.push(dropped(&link, "circle"));
        plan.links.remove(&link);
    }
}

fn dropped(link: &Link, what: &str) -> Repair {
    let id = format!("{}>{}", link.parent, link.child);
    Repair::dropped("links", &id, what, &id)
}

/// How far the walk through the links has come with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// On the way from the start to where the walk is.
    Entered,
    /// With everything below it.
    Left,
}

/// The links that close a circle, in the order of a walk from each task, by id, down to its children, by id.
fn closing(links: &BTreeSet<Link>) -> Vec<Link> {
    let mut children: BTreeMap<&TaskId, Vec<&TaskId>> = BTreeMap::new();
    for link in links {
        children.entry(&link.parent).or_default().push(&link.child);
    }
    let mut found = Vec::new();
    let mut walked: BTreeMap<&TaskId, Walk> = BTreeMap::new();
    for start in children.keys() {
        if walked.contains_key(start) {
            continue;
        }
        walked.insert(start, Walk::Entered);
        let mut path = vec![(*start, 0)];
        while let Some((task, next)) = path.last_mut() {
            let task = *task;
            let child = children.get(task).and_then(|below| below.get(*next));
            *next += 1;
            let Some(child) = child else {
                walked.insert(task, Walk::Left);
                path.pop();
                continue;
            };
            match walked.get(child) {
                None => {
                    walked.insert(child, Walk::Entered);
                    path.push((child, 0));
                }
                Some(Walk::Entered) => found.push(Link {
                    parent: task.clone(),
                    child: (*child).clone(),
                }),
                Some(Walk::Left) => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> Link {
        let (parent, child) = text.split_once('>').expect("a link has an arrow");
        Link {
            parent: TaskId::new(parent).expect("an id"),
            child: TaskId::new(child).expect("an id"),
        }
    }

    fn closing_of(links: &[&str]) -> Vec<Link> {
        closing(&links.iter().map(|text| link(text)).collect())
    }

    #[test]
    fn a_circle_loses_the_link_that_closes_it() {
        assert_eq!(closing_of(&["a>b", "b>c", "c>a"]), [link("c>a")]);
    }

    #[test]
    fn two_circles_through_one_task_lose_one_link_each() {
        assert_eq!(
            closing_of(&["a>b", "b>a", "b>c", "c>b", "c>d"]),
            [link("b>a"), link("c>b")]
        );
    }

    #[test]
    fn a_diamond_is_no_circle() {
        assert_eq!(closing_of(&["a>b", "a>c", "b>d", "c>d"]), []);
    }
}
