//! Questions about tasks by their ids, and about what belongs to one.

use crate::error::{Error, Invalid, Result};
use crate::model::{
    Attachment, AttachmentId, Comment, CommentId, JsonObject, LongText, Note, Run, RunId, Task,
    TaskDetail, TaskId, TextKind,
};
use crate::request::{Kin, OfTask};
use crate::view::View;

use super::super::Question;
use super::{PAGE_MAX, check_page, subject};

/// How many ids a question takes.
const IDS_MAX: usize = 1000;

/// Asks for one task with its texts.
#[derive(Debug, Clone)]
pub(crate) struct TaskById(pub(crate) TaskId);

impl Question for TaskById {
    type Answer = TaskDetail;

    fn ask(&self, view: &dyn View) -> Result<TaskDetail> {
        detail(view, subject(view, &self.0)?)
    }
}

/// A task with its texts.
pub(crate) fn detail(view: &dyn View, task: Task) -> Result<TaskDetail> {
    let text = |kind| view.text(&task.id, kind);
    let body = text(TextKind::Body)?.map(|text| LongText::new("body", text));
    let result = text(TextKind::Result)?.map(|text| LongText::new("result", text));
    let attributes = text(TextKind::Attributes)?.map(|text| JsonObject::parse("attributes", &text));
    // What is stored was checked before it was written.
    let damaged = |invalid: Invalid| {
        Error::corrupt(format!("a stored text of task {}", task.id)).with_source(invalid)
    };
    Ok(TaskDetail {
        body: body.transpose().map_err(damaged)?,
        result: result.transpose().map_err(damaged)?,
        attributes: attributes.transpose().map_err(damaged)?,
        task,
    })
}

/// Asks for tasks by their ids; unknown ones are left out.
#[derive(Debug, Clone)]
pub(crate) struct TasksByIds(pub(crate) Vec<TaskId>);

impl Question for TasksByIds {
    type Answer = Vec<Task>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Task>> {
        check_ids(&self.0)?;
        rows(view, &self.0)
    }
}

/// Asks for the ids that begin with a text. One that no id begins with finds nothing.
#[derive(Debug, Clone)]
pub(crate) struct IdsByPrefix {
    pub(crate) prefix: String,
    pub(crate) limit: usize,
}

impl Question for IdsByPrefix {
    type Answer = Vec<TaskId>;

    fn ask(&self, view: &dyn View) -> Result<Vec<TaskId>> {
        check_page(self.limit)?;
        // No engine is asked for letters that its pattern language might take for its own.
        if !self.prefix.is_empty() && TaskId::new(self.prefix.as_str()).is_err() {
            return Ok(Vec::new());
        }
        view.task_ids_by_prefix(&self.prefix, self.limit)
    }
}

/// Asks for the summary of the newest run that has one, of each of these tasks; those without are left out.
#[derive(Debug, Clone)]
pub(crate) struct LatestSummaries(pub(crate) Vec<TaskId>);

impl Question for LatestSummaries {
    type Answer = Vec<(TaskId, Note)>;

    fn ask(&self, view: &dyn View) -> Result<Vec<(TaskId, Note)>> {
        check_ids(&self.0)?;
        let mut found = Vec::new();
        for id in &self.0 {
            let run = view.last_summarised_run(id)?;
            found.extend(
                run.and_then(|run| run.summary)
                    .map(|summary| (id.clone(), summary)),
            );
        }
        Ok(found)
    }
}

/// Asks for the direct parents of a task.
#[derive(Debug, Clone)]
pub(crate) struct ParentsOf(pub(crate) Kin);

impl Question for ParentsOf {
    type Answer = Vec<Task>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Task>> {
        let Kin { task, after, limit } = &self.0;
        check_page(*limit)?;
        subject(view, task)?;
        rows(view, &view.parents(task, after.as_ref(), *limit)?)
    }
}

/// Asks for the direct children of a task.
#[derive(Debug, Clone)]
pub(crate) struct ChildrenOf(pub(crate) Kin);

impl Question for ChildrenOf {
    type Answer = Vec<Task>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Task>> {
        let Kin { task, after, limit } = &self.0;
        check_page(*limit)?;
        subject(view, task)?;
        rows(view, &view.children(task, after.as_ref(), *limit)?)
    }
}

/// Asks for the runs of a task.
#[derive(Debug, Clone)]
pub(crate) struct RunsOf(pub(crate) OfTask<RunId>);

impl Question for RunsOf {
    type Answer = Vec<Run>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Run>> {
        let OfTask { task, after, limit } = &self.0;
        check_page(*limit)?;
        subject(view, task)?;
        view.runs_of(task, *after, *limit)
    }
}

/// Asks for the comments on a task.
#[derive(Debug, Clone)]
pub(crate) struct CommentsOf(pub(crate) OfTask<CommentId>);

impl Question for CommentsOf {
    type Answer = Vec<Comment>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Comment>> {
        let OfTask { task, after, limit } = &self.0;
        check_page(*limit)?;
        subject(view, task)?;
        view.comments_of(task, *after, *limit)
    }
}

/// Asks for the attachments of a task.
#[derive(Debug, Clone)]
pub(crate) struct AttachmentsOf(pub(crate) OfTask<AttachmentId>);

impl Question for AttachmentsOf {
    type Answer = Vec<Attachment>;

    fn ask(&self, view: &dyn View) -> Result<Vec<Attachment>> {
        let OfTask { task, after, limit } = &self.0;
        check_page(*limit)?;
        subject(view, task)?;
        view.attachments_of(task, *after, *limit)
    }
}

fn check_ids(ids: &[TaskId]) -> Result<(), Invalid> {
    if ids.len() > IDS_MAX {
        return Err(Invalid::too_many("ids", IDS_MAX, ids.len()));
    }
    Ok(())
}

/// The rows of these tasks, in this order, without those that are not there.
fn rows(view: &dyn View, ids: &[TaskId]) -> Result<Vec<Task>> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.extend(view.task(id)?);
    }
    Ok(rows)
}

/// All children of a task, up to as many as a task has at most, in id order.
pub(super) fn all_children(view: &dyn View, parent: &TaskId, limit: usize) -> Result<Vec<TaskId>> {
    let mut all: Vec<TaskId> = Vec::new();
    while all.len() < limit {
        let wanted = PAGE_MAX.min(limit - all.len());
        let page = view.children(parent, all.last(), wanted)?;
        let is_end = page.len() < wanted;
        all.extend(page);
        if is_end {
            break;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{is_not_found, refused_for};
    use super::*;
    use crate::error::ErrorKind;
    use crate::memory::{MemoryBoard, attachment, comment, run, task, task_id};

    fn ids(tasks: &[Task]) -> Vec<&str> {
        tasks.iter().map(|task| task.id.as_str()).collect()
    }

    fn of<I>(task: &str, after: Option<I>, limit: usize) -> OfTask<I> {
        let task = task_id(task);
        OfTask { task, after, limit }
    }

    fn board(names: &[&str]) -> MemoryBoard {
        let mut board = MemoryBoard::new();
        for name in names {
            board.put_task(task(name));
        }
        board
    }

    #[test]
    fn a_task_is_answered_with_its_texts() {
        let mut board = board(&["t_1"]);
        let id = task_id("t_1");
        for (kind, text) in [
            (TextKind::Body, "how"),
            (TextKind::Result, "so"),
            (TextKind::Attributes, "{\"model\":1}"),
        ] {
            board.texts.insert((id.clone(), kind), text.to_owned());
        }
        let detail = TaskById(id.clone()).ask(&board).unwrap();
        assert_eq!(detail.task, task("t_1"));
        assert_eq!(detail.body.unwrap().as_str(), "how");
        assert_eq!(detail.result.unwrap().as_str(), "so");
        assert_eq!(detail.attributes.unwrap().to_text(), "{\"model\":1}");
        assert!(is_not_found(TaskById(task_id("t_2")).ask(&board)));

        board
            .texts
            .insert((id.clone(), TextKind::Attributes), "no object".to_owned());
        let error = TaskById(id).ask(&board).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn tasks_are_answered_in_the_order_asked_without_unknown_ones() {
        let board = board(&["t_1", "t_2"]);
        let asked = ["t_2", "t_none", "t_1"].map(task_id).to_vec();
        assert_eq!(ids(&TasksByIds(asked).ask(&board).unwrap()), ["t_2", "t_1"]);
        let too_many = vec![task_id("t_1"); 1001];
        assert_eq!(refused_for(TasksByIds(too_many.clone()).ask(&board)), "ids");
        assert_eq!(refused_for(LatestSummaries(too_many).ask(&board)), "ids");
    }

    #[test]
    fn ids_are_found_by_their_beginning() {
        let board = board(&["a_1", "a_2", "b_1"]);
        let ask = |prefix: &str, limit| {
            let prefix = prefix.to_owned();
            IdsByPrefix { prefix, limit }.ask(&board)
        };
        assert_eq!(ask("a_", 10).unwrap(), [task_id("a_1"), task_id("a_2")]);
        assert_eq!(ask("", 1).unwrap(), [task_id("a_1")]);
        assert_eq!(ask("%", 10).unwrap(), []);
        assert_eq!(refused_for(ask("a_", 0)), "limit");
        assert_eq!(refused_for(ask("a_", 1001)), "limit");
    }

    #[test]
    fn the_latest_summary_is_that_of_the_newest_run_with_one() {
        let mut board = board(&["t_1", "t_2"]);
        for (id, summary) in [(1, Some("old")), (2, Some("new")), (3, None)] {
            let mut row = run(id, "t_1");
            row.summary = summary.map(|text| Note::new("summary", text).unwrap());
            board.runs.insert(row.id, row);
        }
        let asked = ["t_2", "t_1", "t_none"].map(task_id).to_vec();
        let found = LatestSummaries(asked).ask(&board).unwrap();
        assert_eq!(
            found,
            [(task_id("t_1"), Note::new("summary", "new").unwrap())]
        );
    }

    #[test]
    fn parents_and_children_are_paged_by_id() {
        let mut board = board(&["t_1", "t_2", "t_3", "t_4"]);
        board.put_link("t_1", "t_3");
        board.put_link("t_2", "t_3");
        board.put_link("t_1", "t_4");
        let kin = |task: &str, after: Option<&str>, limit| Kin {
            task: task_id(task),
            after: after.map(task_id),
            limit,
        };
        let parents = |kin| ParentsOf(kin).ask(&board);
        let children = |kin| ChildrenOf(kin).ask(&board);
        assert_eq!(ids(&parents(kin("t_3", None, 9)).unwrap()), ["t_1", "t_2"]);
        assert_eq!(ids(&parents(kin("t_3", Some("t_1"), 9)).unwrap()), ["t_2"]);
        assert_eq!(ids(&children(kin("t_1", None, 1)).unwrap()), ["t_3"]);
        assert_eq!(ids(&children(kin("t_1", Some("t_3"), 1)).unwrap()), ["t_4"]);
        assert!(is_not_found(parents(kin("t_none", None, 1))));
        assert!(is_not_found(children(kin("t_none", None, 1))));
        // An argument out of bounds is refused before an unknown id.
        assert_eq!(refused_for(children(kin("t_none", None, 0))), "limit");
        assert_eq!(refused_for(parents(kin("t_1", None, 1001))), "limit");
    }

    #[test]
    fn runs_comments_and_attachments_are_those_of_the_task_by_id() {
        let mut board = board(&["t_1", "t_2"]);
        for (id, of) in [(1, "t_1"), (2, "t_2"), (3, "t_1"), (4, "t_1")] {
            board.runs.insert(RunId::new(id), run(id, of));
            board.comments.insert(CommentId::new(id), comment(id, of));
            board
                .attachments
                .insert(AttachmentId::new(id), attachment(id, of));
        }
        let runs = RunsOf(of("t_1", Some(RunId::new(1)), 1)).ask(&board);
        assert_eq!(runs.unwrap(), [run(3, "t_1")]);
        let comments = CommentsOf(of("t_1", Some(CommentId::new(1)), 9)).ask(&board);
        assert_eq!(comments.unwrap(), [comment(3, "t_1"), comment(4, "t_1")]);
        let attachments = AttachmentsOf(of("t_2", None, 9)).ask(&board);
        assert_eq!(attachments.unwrap(), [attachment(2, "t_2")]);
        assert!(is_not_found(RunsOf(of("t_none", None, 9)).ask(&board)));
        assert!(is_not_found(CommentsOf(of("t_none", None, 9)).ask(&board)));
        assert!(is_not_found(
            AttachmentsOf(of("t_none", None, 9)).ask(&board)
        ));
        assert_eq!(refused_for(RunsOf(of("t_1", None, 0)).ask(&board)), "limit");
        assert_eq!(
            refused_for(CommentsOf(of("t_1", None, 1001)).ask(&board)),
            "limit"
        );
        assert_eq!(
            refused_for(AttachmentsOf(of("t_1", None, 0)).ask(&board)),
            "limit"
        );
    }
}
