//! Many tasks from one file: a list in YAML, or in JSON, which is YAML too.

use std::collections::BTreeMap;

use kanban_core::{
    Assignee, CreateMany, DecomposeTask, Decomposed, FailureLimit, JsonObject, LongText, NewItem,
    NewTask, ParentRef, Reason, Start, Subtask, TaskId, Title,
};
use pollster::block_on;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::DecomposeArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Paint};
use crate::values::{self, malformed};

use super::make::line;
use super::{Board, ids};

/// A task as a file says it. A word that is not known is refused: a misspelt one would be lost without a trace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphItem {
    title: String,
    /// What other items of the file call it.
    name: Option<String>,
    /// Items of the file that it waits for.
    #[serde(default)]
    after: Vec<String>,
    /// Tasks of the board that it waits for.
    #[serde(default)]
    parents: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    priority: i32,
    assignee: Option<String>,
    tenant: Option<String>,
    idempotency_key: Option<String>,
    #[serde(default)]
    triage: bool,
    parked: Option<String>,
    wake_at: Option<String>,
    created_by: Option<String>,
    created_from: Option<String>,
    max_runtime: Option<String>,
    failure_limit: Option<u32>,
    attributes: Option<Map<String, Value>>,
}

/// A subtask as a file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubtaskItem {
    title: String,
    name: Option<String>,
    #[serde(default)]
    after: Vec<String>,
    body: Option<String>,
    priority: Option<i32>,
    assignee: Option<String>,
    idempotency_key: Option<String>,
    attributes: Option<Map<String, Value>>,
}

pub(super) fn add_graph(board: &Board, path: &str, output: &mut Output) -> Result<Exit, Failure> {
    let items: Vec<GraphItem> = read("graph", path)?;
    let names = Names::of(items.iter().map(|item| item.name.as_deref()))?;
    let items = items.into_iter().map(|item| new_item(item, &names));
    let many = CreateMany {
        items: items.collect::<Result<_, Failure>>()?,
    };
    if many.items.iter().any(names_tasks) {
        board.has_tasks();
    }
    let written = block_on(board.store()?.create_many(many))?;
    output.written(&written, |ids, _| ids_text(ids))?;
    Ok(Exit::Done)
}

pub(super) fn decompose(
    board: &Board,
    args: &DecomposeArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let subtasks = match &args.file {
        Some(path) => {
            let items: Vec<SubtaskItem> = read("file", path)?;
            let names = Names::of(items.iter().map(|item| item.name.as_deref()))?;
            let subtasks = items.into_iter().map(|item| subtask(item, &names));
            subtasks.collect::<Result<_, Failure>>()?
        }
        None => titled(&args.subtasks, args.in_order)?,
    };
    let decompose = DecomposeTask {
        task: ids::whole(&args.id)?,
        actor: values::label("actor", &args.actor)?,
        subtasks,
    };
    let written = block_on(board.store()?.decompose(decompose))?;
    output.written(&written, decomposed_text)?;
    Ok(Exit::Done)
}

fn decomposed_text(decomposed: &Decomposed, paint: Paint) -> String {
    let root = line(&decomposed.root, paint);
    format!("{root}\n{}", ids_text(&decomposed.subtasks))
}

fn ids_text(ids: &[TaskId]) -> String {
    let ids: Vec<&str> = ids.iter().map(TaskId::as_str).collect();
    ids.join("\n")
}

fn read<T: for<'de> Deserialize<'de>>(field: &'static str, path: &str) -> Result<Vec<T>, Failure> {
    let text = values::file_text(path)?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let error = error.without_snippet();
        malformed(field, &format!("a list of tasks in YAML or JSON ({error})")).into()
    })
}

/// The places of the items that have a name.
struct Names {
    places: BTreeMap<String, usize>,
}

impl Names {
    fn of<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Result<Self, Failure> {
        let mut places = BTreeMap::new();
        for (place, name) in names.enumerate() {
            let Some(name) = name else { continue };
            if places.insert(name.to_owned(), place).is_some() {
                return Err(malformed("name", &format!("given to one item only ({name})")).into());
            }
        }
        Ok(Self { places })
    }

    fn place(&self, name: &str) -> Result<usize, Failure> {
        self.places.get(name).copied().ok_or_else(|| {
            malformed(
                "after",
                &format!("the name of an item of the file ({name})"),
            )
            .into()
        })
    }

    fn all(&self, names: &[String]) -> Result<Vec<usize>, Failure> {
        names.iter().map(|name| self.place(name)).collect()
    }
}

fn new_item(item: GraphItem, names: &Names) -> Result<NewItem, Failure> {
    let items = names.all(&item.after)?.into_iter().map(ParentRef::Item);
    let tasks = ids::whole_all(&item.parents)?
        .into_iter()
        .map(ParentRef::Task);
    let parents = items.chain(tasks).collect();
    let start = start(&item)?;
    let max_runtime = item.max_runtime.as_deref();
    let max_runtime = max_runtime.map(|text| values::span("max_runtime", text));
    let task = NewTask {
        body: body(item.body)?,
        start,
        priority: item.priority,
        assignee: item.assignee.map(Assignee::new).transpose()?,
        tenant: values::optional_label("tenant", item.tenant.as_deref())?,
        created_by: values::optional_label("created_by", item.created_by.as_deref())?,
        created_from: item.created_from.as_deref().map(ids::whole).transpose()?,
        idempotency_key: values::optional_label(
            "idempotency_key",
            item.idempotency_key.as_deref(),
        )?,
        failure_limit: item.failure_limit.map(FailureLimit::new).transpose()?,
        max_runtime: max_runtime.transpose()?,
        attributes: attributes(item.attributes)?,
        ..NewTask::new(Title::new(item.title)?)
    };
    Ok(NewItem { task, parents })
}

/// Whether an item waits for, or came from, a task that the board must have already.
fn names_tasks(item: &NewItem) -> bool {
    let is_task = |parent: &ParentRef| matches!(parent, ParentRef::Task(_));
    item.task.created_from.is_some() || item.parents.iter().any(is_task)
}

fn start(item: &GraphItem) -> Result<Start, Failure> {
    match (item.triage, &item.parked, &item.wake_at) {
        (false, None, None) => Ok(Start::Landing),
        (true, None, None) => Ok(Start::Triage),
        (false, Some(reason), None) => Ok(Start::Parked {
            reason: Some(Reason::new("parked", reason.as_str())?),
        }),
        (false, None, Some(at)) => Ok(Start::WakeAt(values::instant("wake_at", at)?)),
        _ => Err(malformed("triage", "the only one of triage, parked and wake_at").into()),
    }
}

fn subtask(item: SubtaskItem, names: &Names) -> Result<Subtask, Failure> {
    Ok(Subtask {
        title: Title::new(item.title)?,
        body: body(item.body)?,
        assignee: item.assignee.map(Assignee::new).transpose()?,
        priority: item.priority,
        after: names.all(&item.after)?,
        attributes: attributes(item.attributes)?,
        idempotency_key: values::optional_label(
            "idempotency_key",
            item.idempotency_key.as_deref(),
        )?,
    })
}

/// Subtasks that have nothing but a title; in order, each waits for the one before.
fn titled(titles: &[String], in_order: bool) -> Result<Vec<Subtask>, Failure> {
    let subtask = |(place, title): (usize, &String)| {
        Ok(Subtask {
            title: Title::new(title)?,
            body: None,
            assignee: None,
            priority: None,
            after: place
                .checked_sub(1)
                .filter(|_| in_order)
                .into_iter()
                .collect(),
            attributes: None,
            idempotency_key: None,
        })
    };
    titles.iter().enumerate().map(subtask).collect()
}

fn body(text: Option<String>) -> Result<Option<LongText>, Failure> {
    Ok(text.map(|text| LongText::new("body", text)).transpose()?)
}

fn attributes(map: Option<Map<String, Value>>) -> Result<Option<JsonObject>, Failure> {
    Ok(map
        .map(|map| JsonObject::new("attributes", map))
        .transpose()?)
}
