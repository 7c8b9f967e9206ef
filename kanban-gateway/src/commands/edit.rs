//! Editing cards.

use kanban_core::{AssignTask, Assignee, FailureLimit, JsonObject, Title, UpdateTask, Version};
use pollster::block_on;

use crate::cli::{AssignArgs, UpdateArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::values;

use super::make::{body, line};
use super::{Board, ids};

pub(super) fn update(
    board: &Board,
    args: &UpdateArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let text = body(args.body.as_deref(), args.body_file.as_deref())?;
    let tenant = values::optional_label("tenant", args.tenant.as_deref())?;
    let attributes = args.attributes.as_deref();
    let attributes = attributes.map(|text| JsonObject::parse("attributes", text));
    let max_runtime = args.max_runtime.as_deref();
    let max_runtime = max_runtime.map(|text| values::span("max_runtime", text));
    let limit = args.failure_limit.map(FailureLimit::new);
    let update = UpdateTask {
        actor: values::optional_label("actor", args.actor.as_deref())?,
        expected_version: args.if_version.map(Version::new),
        title: args.title.as_ref().map(Title::new).transpose()?,
        body: set_or_removed(text, args.no_body),
        priority: args.priority,
        tenant: set_or_removed(tenant, args.no_tenant),
        attributes: set_or_removed(attributes.transpose()?, args.no_attributes),
        max_runtime: set_or_removed(max_runtime.transpose()?, args.no_max_runtime),
        failure_limit: set_or_removed(limit.transpose()?, args.no_failure_limit),
        ..UpdateTask::new(ids::whole(&args.id)?)
    };
    let written = block_on(board.store()?.update(update))?;
    output.written(&written, line)?;
    Ok(Exit::Done)
}

/// What is to be set, what is to be removed, or nothing at all. The parser lets only one of the two through.
#[expect(
    clippy::option_option,
    reason = "an update says so: something, nothing, or as it is"
)]
fn set_or_removed<T>(set: Option<T>, removed: bool) -> Option<Option<T>> {
    match (set, removed) {
        (Some(value), _) => Some(Some(value)),
        (None, true) => Some(None),
        (None, false) => None,
    }
}

pub(super) fn assign(
    board: &Board,
    args: &AssignArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // No name is `--nobody`: the parser wants one of the two.
    let assign = AssignTask {
        task: ids::whole(&args.id)?,
        assignee: args.assignee.as_deref().map(Assignee::new).transpose()?,
        actor: values::optional_label("actor", args.actor.as_deref())?,
        expected_version: args.if_version.map(Version::new),
    };
    let written = block_on(board.store()?.assign(assign))?;
    output.written(&written, |task, paint| {
        let name = task.assignee.as_ref().map_or("-", Assignee::as_str);
        format!("{}  for {name}", line(task, paint))
    })?;
    Ok(Exit::Done)
}
