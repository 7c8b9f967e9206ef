//! What people add to a task.

use kanban_core::{
    AttachFile, AttachmentId, CommentId, CommentOn, Effect, EventKind, OfTask, Status, Subject,
};

use crate::answers::{invalid, kinds, missing, not_found};
use crate::calls::{self, label, note};
use crate::fixture::Fixture;

/// A comment is kept with its author and time, in every status, with the event `commented`. [12.1]
pub(crate) async fn a_comment_is_kept_in_every_status(t: &Fixture) {
    for &status in Status::ALL {
        let task = t.in_status(status).await;
        let call = calls::comment(&task.id, "well done");
        let (comment, events) = t.events_by(t.store.comment(call)).await;
        assert_eq!(
            (&comment.author, &comment.body),
            (&label("anna"), &note("well done"))
        );
        assert_eq!((comment.at, &comment.task), (t.now(), &task.id));
        assert_eq!(kinds(&events), [EventKind::Commented], "in {status}");
        assert_eq!(t.comments(&task.id).await.last(), Some(&comment));
    }
}

/// A blank author or a blank body is `Invalid`; so is a blank actor who writes comments by reopen or specify. [12.1]
pub(crate) async fn a_blank_comment_is_invalid(t: &Fixture) {
    let task = t.ready("quiet").await;
    let refused = t.store.comment(calls::comment(&task.id, " \n\t "));
    assert_eq!(invalid(t.nothing_written(refused).await).field, "body");
    let nobody = CommentOn {
        author: label("  "),
        ..calls::comment(&task.id, "hello")
    };
    let refused = t.nothing_written(t.store.comment(nobody)).await;
    assert_eq!(invalid(refused).field, "author");
    let done = t.done().await;
    let mut reopen = calls::reopen(&done.id);
    reopen.actor = label(" ");
    let refused = t.nothing_written(t.store.reopen(reopen)).await;
    assert_eq!(invalid(refused).field, "actor");
    let idea = t.triage().await;
    let mut specify = calls::specify(&idea.id);
    specify.actor = label(" ");
    let refused = t.nothing_written(t.store.specify(specify)).await;
    assert_eq!(invalid(refused).field, "actor");
}

/// A comment on a task that does not exist is refused. [12.1] [18.3]
pub(crate) async fn a_comment_on_an_unknown_task_is_not_found(t: &Fixture) {
    let id = calls::task_id("t_made_up");
    let refused = t.store.comment(calls::comment(&id, "hello"));
    missing(t.nothing_written(refused).await, &id);
}

/// A repeat by its key is answered the first comment; another task's key is another's. [12.1] [4.11]
pub(crate) async fn a_repeated_comment_is_answered_the_first(t: &Fixture) {
    let (task, other) = (t.ready("one").await, t.ready("other").await);
    let call = CommentOn {
        request_id: Some(label("key")),
        ..calls::comment(&task.id, "once")
    };
    let first = t.store.comment(call.clone()).await.unwrap().value;
    let again = CommentOn {
        body: note("twice"),
        ..call.clone()
    };
    let again = t.nothing_written(t.store.comment(again)).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first));
    let elsewhere = CommentOn {
        task: other.id.clone(),
        ..call
    };
    let comment = t.store.comment(elsewhere).await.unwrap();
    assert_eq!(
        (comment.effect, comment.value.task),
        (Effect::Applied, other.id)
    );
}

/// comments answers those with a greater id, in id order, a page at a time. [12.2]
pub(crate) async fn comments_are_paged_by_id(t: &Fixture) {
    let task = t.ready("talked about").await;
    for body in ["one", "two", "three"] {
        t.store
            .comment(calls::comment(&task.id, body))
            .await
            .unwrap();
    }
    let mut found = Vec::new();
    let mut after: Option<CommentId> = None;
    loop {
        let ask = OfTask {
            after,
            limit: 1,
            ..calls::all_of(&task.id)
        };
        let page = t.store.comments(ask).await.unwrap().value;
        let Some(comment) = page.first() else { break };
        after = Some(comment.id);
        found.extend(page);
    }
    assert_eq!(found, t.comments(&task.id).await);
    let bodies: Vec<_> = found.iter().map(|c| c.body.as_str()).collect();
    assert_eq!(bodies, ["one", "two", "three"]);
}

/// attach keeps the reference as given, with the event `attached`. [12.3]
pub(crate) async fn attach_keeps_the_reference(t: &Fixture) {
    let task = t.ready("with a file").await;
    let call = calls::attach(&task.id, "plan.txt");
    let (kept, events) = t.events_by(t.store.attach(call.clone())).await;
    assert_eq!((&kept.file_name, &kept.uri), (&call.file_name, &call.uri));
    assert_eq!((&kept.media_type, kept.size), (&call.media_type, Some(42)));
    assert_eq!((&kept.by, kept.at), (&call.actor, t.now()));
    assert_eq!(kinds(&events), [EventKind::Attached]);
    let asked = t.store.attachments(calls::all_of(&task.id)).await.unwrap();
    assert_eq!(asked.value, [kept]);
}

/// A repeat by its key is answered the first attachment. A comment's key is another's. [12.3] [4.11]
pub(crate) async fn a_repeated_attach_is_answered_the_first(t: &Fixture) {
    let task = t.ready("with a file").await;
    let comment = CommentOn {
        request_id: Some(label("key")),
        ..calls::comment(&task.id, "see the file")
    };
    t.store.comment(comment).await.unwrap();
    let call = AttachFile {
        request_id: Some(label("key")),
        ..calls::attach(&task.id, "plan.txt")
    };
    let first = t.store.attach(call.clone()).await.unwrap();
    assert_eq!(first.effect, Effect::Applied);
    let again = t.nothing_written(t.store.attach(call)).await.unwrap();
    assert_eq!((again.effect, again.value), (Effect::Repeated, first.value));
}

/// detach removes an attachment, with the event `detached`; a second time there is none. [12.3]
pub(crate) async fn detach_removes_an_attachment(t: &Fixture) {
    let task = t.ready("with a file").await;
    let call = calls::attach(&task.id, "plan.txt");
    let kept = t.store.attach(call).await.unwrap().value;
    let detach = calls::detach(&task.id, kept.id);
    let (gone, events) = t.events_by(t.store.detach(detach.clone())).await;
    assert_eq!(gone, kept);
    assert_eq!(kinds(&events), [EventKind::Detached]);
    let again = t.nothing_written(t.store.detach(detach)).await;
    assert_eq!(not_found(again), Subject::Attachment(kept.id.get()));
}

/// An attachment of another task is not found on this one. [12.3]
pub(crate) async fn an_attachment_of_another_task_is_not_found(t: &Fixture) {
    let (task, other) = (t.ready("mine").await, t.ready("other").await);
    let call = calls::attach(&task.id, "plan.txt");
    let kept = t.store.attach(call).await.unwrap().value;
    for (id, attachment) in [(&other.id, kept.id), (&task.id, AttachmentId::new(99))] {
        let detach = calls::detach(id, attachment);
        let refused = t.nothing_written(t.store.detach(detach)).await;
        assert_eq!(not_found(refused), Subject::Attachment(attachment.get()));
    }
}

/// Comments and attachments move neither version nor `updated_at`, nor the status. [12.4] [3.7]
pub(crate) async fn comments_and_attachments_leave_the_card_alone(t: &Fixture) {
    let task = t.ready("quiet").await;
    t.advance(60);
    t.store
        .comment(calls::comment(&task.id, "hello"))
        .await
        .unwrap();
    let call = calls::attach(&task.id, "plan.txt");
    let kept = t.store.attach(call).await.unwrap().value;
    t.store
        .detach(calls::detach(&task.id, kept.id))
        .await
        .unwrap();
    assert_eq!(t.task(&task.id).await, task);
}
