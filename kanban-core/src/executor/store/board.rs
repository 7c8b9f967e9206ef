//! The contract's methods: each hands its command or question on.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::engine::Engine;
use crate::error::Result;
use crate::model::{
    Attachment, AttachmentId, Claim, Comment, CommentId, EventId, Note, Pause, Policy, Run, RunId,
    Seq, Subscription, Task, TaskDetail, TaskId, Title,
};
use crate::options::Admission;
use crate::progress::{OnProgress, Tell};
use crate::request::{
    AckLease, ArchiveTask, AssignTask, AttachFile, BlockTask, ClaimNext, ClaimTask, Claimed,
    CollectEvents, CommentOn, Complete, CreateMany, DecomposeTask, Decomposed, DeleteTask,
    DetachFile, Ended, EventFilter, EventLease, EventPage, Events, Fail, Graph, GraphOf, Heartbeat,
    ImportForeign, ImportLines, Imported, Kin, LeaseEvents, LinkTasks, List, More, Moved,
    NackLease, NewTask, NextClaim, OfTask, Page, PauseClaims, PromoteTask, PurgeSettled, Read,
    ReclaimExpired, Reclaimed, Release, Removed, ReopenTask, Reopened, RequestChanges,
    RequestReview, RestoreTask, ResumeClaims, ScheduleTask, SetPolicy, SetWorker, SpecifyTask,
    Stats, SubscribeTo, SubscriptionsAfter, UnblockTask, UnlinkTasks, Unsubscribe, UpdateTask,
    Violation, WakeDue, Woken, Written,
};
use crate::rules::{
    AskPauses, AskPolicy, AskStats, AttachmentsOf, ChildrenOf, Collectable, CommentsOf,
    IdsByPrefix, LatestSummaries, ParentsOf, Pending, RunsOf, TaskById, TasksByIds,
};
use crate::store::BoardStore;
use crate::sync::Arc;
use crate::watch::Watch;

use super::EngineStore;

#[async_trait]
impl<E: Engine> BoardStore for EngineStore<E> {
    async fn create(&self, new: NewTask) -> Result<Written<Task>> {
        self.write(new).await
    }

    async fn create_many(&self, many: CreateMany) -> Result<Written<Vec<TaskId>>> {
        self.write(many).await
    }

    async fn update(&self, update: UpdateTask) -> Result<Written<Task>> {
        self.write(update).await
    }

    async fn assign(&self, assign: AssignTask) -> Result<Written<Task>> {
        self.write(assign).await
    }

    async fn link(&self, link: LinkTasks) -> Result<Written<Task>> {
        self.write(link).await
    }

    async fn unlink(&self, unlink: UnlinkTasks) -> Result<Written<Task>> {
        self.write(unlink).await
    }

    async fn claim(&self, claim: ClaimTask) -> Result<Written<Claimed>> {
        self.write(claim).await
    }

    async fn claim_next(&self, claim: ClaimNext) -> Result<Written<NextClaim>> {
        self.write(claim).await
    }

    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Written<Claim>> {
        self.write(heartbeat).await
    }

    async fn set_worker(&self, worker: SetWorker) -> Result<Written<Claim>> {
        self.write(worker).await
    }

    async fn reclaim_expired(&self, reclaim: ReclaimExpired) -> Result<Written<Reclaimed>> {
        self.write(reclaim).await
    }

    async fn wake_due(&self, wake: WakeDue) -> Result<Written<Woken>> {
        self.write(wake).await
    }

    async fn complete(&self, complete: Complete) -> Result<Written<Ended>> {
        self.write(complete).await
    }

    async fn fail(&self, fail: Fail) -> Result<Written<Ended>> {
        self.write(fail).await
    }

    async fn release(&self, release: Release) -> Result<Written<Ended>> {
        self.write(release).await
    }

    async fn pause(&self, pause: PauseClaims) -> Result<Written<Pause>> {
        self.write(pause).await
    }

    async fn resume(&self, resume: ResumeClaims) -> Result<Written<Option<Pause>>> {
        self.write(resume).await
    }

    async fn block(&self, block: BlockTask) -> Result<Written<Ended>> {
        self.write(block).await
    }

    async fn unblock(&self, unblock: UnblockTask) -> Result<Written<Task>> {
        self.write(unblock).await
    }

    async fn promote(&self, promote: PromoteTask) -> Result<Written<Task>> {
        self.write(promote).await
    }

    async fn schedule(&self, schedule: ScheduleTask) -> Result<Written<Ended>> {
        self.write(schedule).await
    }

    async fn request_review(&self, request: RequestReview) -> Result<Written<Ended>> {
        self.write(request).await
    }

    async fn request_changes(&self, request: RequestChanges) -> Result<Written<Ended>> {
        self.write(request).await
    }

    async fn reopen(&self, reopen: ReopenTask) -> Result<Written<Reopened>> {
        self.write(reopen).await
    }

    async fn specify(&self, specify: SpecifyTask) -> Result<Written<Task>> {
        self.write(specify).await
    }

    async fn decompose(&self, decompose: DecomposeTask) -> Result<Written<Decomposed>> {
        self.write(decompose).await
    }

    async fn archive(&self, archive: ArchiveTask) -> Result<Written<Ended>> {
        self.write(archive).await
    }

    async fn restore(&self, restore: RestoreTask) -> Result<Written<Task>> {
        self.write(restore).await
    }

    async fn delete(&self, delete: DeleteTask) -> Result<Written<Title>> {
        self.write(delete).await
    }

    async fn comment(&self, comment: CommentOn) -> Result<Written<Comment>> {
        self.write(comment).await
    }

    async fn attach(&self, attach: AttachFile) -> Result<Written<Attachment>> {
        self.write(attach).await
    }

    async fn detach(&self, detach: DetachFile) -> Result<Written<Attachment>> {
        self.write(detach).await
    }

    async fn subscribe(&self, subscribe: SubscribeTo) -> Result<Written<Subscription>> {
        self.write(subscribe).await
    }

    async fn unsubscribe(&self, unsubscribe: Unsubscribe) -> Result<Written<Subscription>> {
        self.write(unsubscribe).await
    }

    async fn lease_events(&self, lease: LeaseEvents) -> Result<Written<EventLease>> {
        self.write(lease).await
    }

    async fn ack(&self, ack: AckLease) -> Result<Written<EventId>> {
        self.write(ack).await
    }

    async fn nack(&self, nack: NackLease) -> Result<Written<EventId>> {
        self.write(nack).await
    }

    async fn purge_settled(&self, purge: PurgeSettled) -> Result<Written<Removed>> {
        Ok(removed(&self.write(purge).await?))
    }

    async fn set_policy(&self, set: SetPolicy) -> Result<Written<Policy>> {
        self.write(set).await
    }

    async fn gc(&self, collect: CollectEvents) -> Result<Written<Removed>> {
        Ok(removed(&self.write(collect).await?))
    }

    async fn collectable_events(&self, collect: CollectEvents) -> Result<Read<u64>> {
        let now = self.shared().options.clock.now();
        let covered = collect.covered;
        let until = now.before(collect.older_than);
        // It reads all that there is to collect: no other question waits for it.
        let question = Collectable { covered, until };
        let counted = self
            .shared()
            .on_pool(move |shared| shared.ask_now(&question))?;
        counted.await
    }

    async fn import_foreign(&self, import: Box<ImportForeign>) -> Result<Written<Imported>> {
        self.write_told(import, self.tell.clone()).await
    }

    async fn import_lines(&self, import: ImportLines) -> Result<Written<Moved>> {
        self.import(import).await
    }

    async fn task(&self, id: TaskId) -> Result<Read<TaskDetail>> {
        self.read(TaskById(id)).await
    }

    async fn tasks(&self, ids: Vec<TaskId>) -> Result<Read<Vec<Task>>> {
        self.read(TasksByIds(ids)).await
    }

    async fn ids_by_prefix(&self, prefix: String, limit: usize) -> Result<Read<Vec<TaskId>>> {
        self.read(IdsByPrefix { prefix, limit }).await
    }

    async fn list(&self, list: List) -> Result<Read<Page<Task>>> {
        self.read(list).await
    }

    async fn parents(&self, kin: Kin) -> Result<Read<Vec<Task>>> {
        self.read(ParentsOf(kin)).await
    }

    async fn children(&self, kin: Kin) -> Result<Read<Vec<Task>>> {
        self.read(ChildrenOf(kin)).await
    }

    async fn graph(&self, graph: GraphOf) -> Result<Read<Graph>> {
        self.read(graph).await
    }

    async fn runs(&self, of: OfTask<RunId>) -> Result<Read<Vec<Run>>> {
        self.read(RunsOf(of)).await
    }

    async fn comments(&self, of: OfTask<CommentId>) -> Result<Read<Vec<Comment>>> {
        self.read(CommentsOf(of)).await
    }

    async fn attachments(&self, of: OfTask<AttachmentId>) -> Result<Read<Vec<Attachment>>> {
        self.read(AttachmentsOf(of)).await
    }

    async fn latest_summaries(&self, ids: Vec<TaskId>) -> Result<Read<Vec<(TaskId, Note)>>> {
        self.read(LatestSummaries(ids)).await
    }

    async fn pauses(&self) -> Result<Read<Vec<Pause>>> {
        self.read(AskPauses).await
    }

    async fn policy(&self) -> Result<Read<Policy>> {
        self.read(AskPolicy).await
    }

    async fn stats(&self) -> Result<Read<Stats>> {
        self.read(AskStats).await
    }

    async fn events(&self, events: Events) -> Result<Read<EventPage>> {
        self.read(events).await
    }

    async fn subscriptions(&self, after: SubscriptionsAfter) -> Result<Read<Vec<Subscription>>> {
        self.read(after).await
    }

    async fn pending(&self, limit: usize) -> Result<Read<Vec<Subscription>>> {
        let now = self.shared().options.clock.now();
        self.read(Pending { limit, now }).await
    }

    fn watch(&self, after: EventId, filter: EventFilter) -> Watch {
        Watch::new(Arc::clone(self.shared()), after, filter)
    }

    async fn reached(&self, seq: Seq) -> Result<Seq> {
        self.reach(seq).await
    }

    async fn verify(&self) -> Result<Read<Vec<Violation>>> {
        self.check().await
    }

    async fn export(&self, to: Box<dyn std::io::Write + Send>) -> Result<Read<Moved>> {
        self.write_out(to).await
    }

    async fn backup(&self, to: PathBuf) -> Result<()> {
        self.copy_to(to).await
    }

    fn with_admission(&self, admission: Admission) -> std::sync::Arc<dyn BoardStore> {
        std::sync::Arc::new(Self {
            owner: Arc::clone(&self.owner),
            admission,
            tell: self.tell.clone(),
            seed: self.seed,
        })
    }

    fn with_progress(&self, on_progress: OnProgress) -> std::sync::Arc<dyn BoardStore> {
        std::sync::Arc::new(Self {
            owner: Arc::clone(&self.owner),
            admission: self.admission,
            tell: Tell::to(Some(on_progress)),
            seed: self.seed,
        })
    }

    fn on_progress(&self) -> Option<OnProgress> {
        self.tell.listener()
    }

    async fn close(&self) -> Result<()> {
        self.end().await
    }
}

/// Names what the rules count.
fn removed(written: &Written<(u64, More)>) -> Written<Removed> {
    let (removed, more) = written.value;
    Written {
        seq: written.seq,
        effect: written.effect,
        value: Removed { removed, more },
    }
}
