//! A call as a value, put to a store and to the oracle alike.

use kanban_core::{
    AckLease, ArchiveTask, AssignTask, AttachFile, AttachmentId, BlockTask, BoardStore, ClaimNext,
    ClaimTask, CollectEvents, CommentId, CommentOn, Complete, CreateMany, DecomposeTask,
    DeleteTask, DetachFile, ErrorKind, Events, Fail, GraphOf, Heartbeat, ImportForeign,
    ImportLines, KeepClaims, Kin, LeaseEvents, LinkTasks, List, NackLease, NewTask, OfTask, Page,
    PauseClaims, PromoteTask, PurgeSettled, Read, ReclaimExpired, Rejection, Release, ReopenTask,
    RequestChanges, RequestReview, RestoreTask, Result, ResumeClaims, RunId, ScheduleTask, Seq,
    SetPolicy, SetWorker, SpecifyTask, SubscribeTo, SubscriptionsAfter, Task, TaskId, UnblockTask,
    UnlinkTasks, Unsubscribe, UpdateTask, WakeDue, Written,
};
use serde::Serialize;

use crate::oracle::{Oracle, Refused};

/// What was answered: the whole answer as JSON, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) told: std::result::Result<String, ErrorKind>,
    /// With a refused write: the `seq` that it carries.
    pub(super) seq: Option<Seq>,
}

impl Said {
    fn answer(answer: &impl Serialize) -> Self {
        let told = serde_json::to_string(answer).expect("answers are plain values");
        Self {
            told: Ok(told),
            seq: None,
        }
    }

    fn of_store<T: Serialize>(answer: Result<T>) -> Self {
        match answer {
            Ok(answer) => Self::answer(&answer),
            Err(error) => Self {
                told: Err(error.kind().clone()),
                seq: error.seq(),
            },
        }
    }

    fn of_write<T: Serialize>(answer: std::result::Result<Written<T>, Refused>) -> Self {
        match answer {
            Ok(answer) => Self::answer(&answer),
            Err(refused) => Self {
                told: Err(refused.kind),
                seq: Some(refused.seq),
            },
        }
    }

    fn of_read<T: Serialize>(answer: std::result::Result<Read<T>, ErrorKind>) -> Self {
        match answer {
            Ok(answer) => Self::answer(&answer),
            Err(kind) => Self {
                told: Err(kind),
                seq: None,
            },
        }
    }
}

impl Said {
    /// The ids of the tasks that a call has made or found.
    pub(super) fn made(&self, operation: &str) -> Vec<TaskId> {
        let Ok(text) = &self.told else {
            return Vec::new();
        };
        let answer: serde_json::Value = serde_json::from_str(text).expect("an answer is JSON");
        let ids = match operation {
            "create" => vec![answer["value"]["id"].clone()],
            "create_many" => answer["value"].as_array().cloned().unwrap_or_default(),
            "decompose" => answer["value"]["subtasks"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        let ids = ids.into_iter().map(serde_json::from_value);
        ids.collect::<std::result::Result<_, _>>()
            .expect("tasks have ids")
    }
}

macro_rules! calls {
    (
        writes { $($write:ident($write_type:ty) = $write_method:ident,)* }
        reads { $($read:ident($read_type:ty) = $read_method:ident as $read_rule:ident,)* }
        plain { $($plain:ident = $plain_method:ident as $plain_rule:ident,)* }
    ) => {
        /// A call with its arguments.
        #[derive(Debug, Clone)]
        pub(super) enum Call {
            $($write($write_type),)*
            $($read($read_type),)*
            $($plain,)*
            /// Every page of a list.
            List(List),
            /// Ids that begin with a text.
            IdsByPrefix(String, usize),
            /// Subscriptions with news.
            Pending(usize),
            /// Waiting for what has been reached.
            Reached,
            /// A board of elsewhere, onto one with tasks.
            ImportForeign(Box<ImportForeign>),
            /// An export, onto a board that was written.
            ImportLines(Vec<u8>, KeepClaims),
        }

        impl Call {
            /// The operations of a store that histories call.
            pub(super) const OPERATIONS: &'static [&'static str] = &[
                $(stringify!($write_method),)*
                $(stringify!($read_method),)*
                $(stringify!($plain_method),)*
                "list", "ids_by_prefix", "pending", "reached", "import_foreign", "import_lines",
            ];

            /// The operation.
            pub(super) fn operation(&self) -> &'static str {
                match self {
                    $(Self::$write(_) => stringify!($write_method),)*
                    $(Self::$read(_) => stringify!($read_method),)*
                    $(Self::$plain => stringify!($plain_method),)*
                    Self::List(_) => "list",
                    Self::IdsByPrefix(..) => "ids_by_prefix",
                    Self::Pending(_) => "pending",
                    Self::Reached => "reached",
                    Self::ImportForeign(_) => "import_foreign",
                    Self::ImportLines(..) => "import_lines",
                }
            }

            /// Whether it may write.
            pub(super) fn is_write(&self) -> bool {
                match self {
                    $(Self::$write(_) => true,)*
                    Self::ImportForeign(_) | Self::ImportLines(..) => true,
                    _ => false,
                }
            }

            /// Puts it to a store.
            pub(super) async fn put(self, store: &dyn BoardStore) -> Said {
                match self {
                    $(Self::$write(call) => Said::of_store(store.$write_method(call).await),)*
                    $(Self::$read(call) => Said::of_store(store.$read_method(call).await),)*
                    $(Self::$plain => Said::of_store(store.$plain_method().await),)*
                    Self::List(list) => Said::of_store(whole(store, list).await),
                    Self::IdsByPrefix(text, limit) => {
                        Said::of_store(store.ids_by_prefix(text, limit).await)
                    }
                    Self::Pending(limit) => Said::of_store(store.pending(limit).await),
                    Self::Reached => Said::of_store(reached(store).await),
                    Self::ImportForeign(call) => Said::of_store(store.import_foreign(call).await),
                    Self::ImportLines(bytes, claims) => {
                        let lines = ImportLines {
                            source: Box::new(std::io::Cursor::new(bytes)),
                            claims,
                            actor: crate::calls::label("olga"),
                        };
                        Said::of_store(store.import_lines(lines).await)
                    }
                }
            }

            /// Puts it to the oracle. New tasks get the ids that the store gave them.
            pub(super) fn judge(self, oracle: &mut Oracle, given: Vec<TaskId>) -> Said {
                match self {
                    $(Self::$write(call) => {
                        Said::of_write(oracle.write(given, |board| board.$write_method(call)))
                    })*
                    $(Self::$read(call) => {
                        Said::of_read(oracle.read(|board| board.$read_rule(&call)))
                    })*
                    $(Self::$plain => Said::of_read(oracle.read(|board| board.$plain_rule())),)*
                    Self::List(list) => {
                        Said::of_read(oracle.read(|board| board.list(&list).map(Whole::of)))
                    }
                    Self::IdsByPrefix(text, limit) => {
                        Said::of_read(oracle.read(|board| board.ids_by_prefix(&text, limit)))
                    }
                    Self::Pending(limit) => {
                        Said::of_read(oracle.read(|board| board.pending(limit)))
                    }
                    Self::Reached => Said::answer(&oracle.board.counters.seq),
                    Self::ImportForeign(_) | Self::ImportLines(..) => {
                        Said::of_write::<()>(oracle.write(given, |_| {
                            Err(ErrorKind::Rejected(Rejection::BoardNotEmpty).into())
                        }))
                    }
                }
            }
        }
    };
}

calls! {
    writes {
    Create(NewTask) = create,
    CreateMany(CreateMany) = create_many,
    Update(UpdateTask) = update,
    Assign(AssignTask) = assign,
    Link(LinkTasks) = link,
    Unlink(UnlinkTasks) = unlink,
    Claim(ClaimTask) = claim,
    ClaimNext(ClaimNext) = claim_next,
    Heartbeat(Heartbeat) = heartbeat,
    SetWorker(SetWorker) = set_worker,
    ReclaimExpired(ReclaimExpired) = reclaim_expired,
    WakeDue(WakeDue) = wake_due,
    Complete(Complete) = complete,
    Fail(Fail) = fail,
    Release(Release) = release,
    Pause(PauseClaims) = pause,
    Resume(ResumeClaims) = resume,
    Block(BlockTask) = block,
    Unblock(UnblockTask) = unblock,
    Promote(PromoteTask) = promote,
    Schedule(ScheduleTask) = schedule,
    RequestReview(RequestReview) = request_review,
    RequestChanges(RequestChanges) = request_changes,
    Reopen(ReopenTask) = reopen,
    Specify(SpecifyTask) = specify,
    Decompose(DecomposeTask) = decompose,
    Archive(ArchiveTask) = archive,
    Restore(RestoreTask) = restore,
    Delete(DeleteTask) = delete,
    Comment(CommentOn) = comment,
    Attach(AttachFile) = attach,
    Detach(DetachFile) = detach,
    Subscribe(SubscribeTo) = subscribe,
    Unsubscribe(Unsubscribe) = unsubscribe,
    LeaseEvents(LeaseEvents) = lease_events,
    Ack(AckLease) = ack,
    Nack(NackLease) = nack,
    PurgeSettled(PurgeSettled) = purge_settled,
    SetPolicy(SetPolicy) = set_policy,
    Gc(CollectEvents) = gc,
    }
    reads {
    Task(TaskId) = task as task_detail,
    Tasks(Vec<TaskId>) = tasks as tasks_by_ids,
    Parents(Kin) = parents as parents,
    Children(Kin) = children as children,
    Graph(GraphOf) = graph as graph,
    Runs(OfTask<RunId>) = runs as runs_of,
    Comments(OfTask<CommentId>) = comments as comments_of,
    Attachments(OfTask<AttachmentId>) = attachments as attachments_of,
    LatestSummaries(Vec<TaskId>) = latest_summaries as latest_summaries,
    Events(Events) = events as events_after,
    Subscriptions(SubscriptionsAfter) = subscriptions as subscriptions_after,
    }
    plain {
    Pauses = pauses as all_pauses,
    Policy = policy as policy_now,
    Stats = stats as stats,
    }
}

/// All pages of a list, one after the other: a cursor is the store's own, what the pages hold together is not.
#[derive(Debug, Serialize)]
struct Whole {
    tasks: Vec<Task>,
    /// Lengths of pages that are too long, or too short for one that is not the last: so few rows as histories have are
    /// looked at by one page. [15.3] [15.4]
    wrong: Vec<usize>,
}

impl Whole {
    fn of(tasks: Vec<Task>) -> Self {
        let wrong = Vec::new();
        Self { tasks, wrong }
    }
}

async fn whole(store: &dyn BoardStore, mut list: List) -> Result<Read<Whole>> {
    let mut found = Whole::of(Vec::new());
    loop {
        let Read { seq, value } = store.list(list.clone()).await?;
        let Page { items, next } = value;
        let is_right = match next {
            Some(_) => items.len() == list.limit,
            None => items.len() <= list.limit,
        };
        if !is_right {
            found.wrong.push(items.len());
        }
        found.tasks.extend(items);
        if next.is_none() {
            return Ok(Read { seq, value: found });
        }
        list.after = next;
    }
}

async fn reached(store: &dyn BoardStore) -> Result<Seq> {
    let seq = store.stats().await?.seq;
    store.reached(seq).await
}
