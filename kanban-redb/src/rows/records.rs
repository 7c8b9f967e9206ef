//! Which field of a row has which number. A number is never given to another field, and a new field comes last, as an
//! `Option`: rows that were written before do not have it.

use kanban_core::{
    ArchivedFrom, Attachment, Block, BlockStreak, BoardState, Claim, Comment, Counters, Event,
    GroupRecord, Lease, Pause, Policy, Run, Subscription, Task, WorkerProcess,
};
use minicbor::Decoder;
use minicbor::decode::Error;

use super::Record;
use super::fields::{Field, Out, Put, len};

macro_rules! records {
    ($($record:ident { $($number:literal $field:ident,)* } $(where $check:expr)?;)*) => {$(
        impl Field for $record {
            fn put(&self, to: &mut Out) -> Put {
                to.array([$($number),*].len() as u64)?;
                $(self.$field.put(to)?;)*
                Ok(())
            }

            fn take(from: &mut Decoder<'_>) -> Result<Self, Error> {
                let found = len(from)?;
                $(let $field = {
                    let value = if $number < found {
                        Field::take(from)
                    } else {
                        Field::absent().ok_or_else(|| Error::message("missing"))
                    };
                    value.map_err(|error| {
                        Error::message(format_args!("{} {}: {error}", $number, stringify!($field)))
                    })?
                };)*
                for _ in [$($number),*].len() as u64..found {
                    from.skip()?;
                }
                let record = Self { $($field),* };
                $({
                    let check: fn(&Self) -> Result<(), kanban_core::Invalid> = $check;
                    check(&record).map_err(Error::message)?;
                })?
                Ok(record)
            }
        }

        impl Record for $record {
            const NAME: &'static str = stringify!($record);
        }

        /// The place of a field in the array is its number.
        const _: () = {
            let mut at: u64 = 0;
            $(assert!($number == at); at += 1;)*
            assert!(at > 0);
        };
    )*};
}

records! {
    Counters {
        0 seq, 1 event, 2 run, 3 comment, 4 attachment, 5 subscription, 6 lease,
    };
    BoardState {
        0 created_at, 1 seed, 2 counters, 3 reserved, 4 boot, 5 horizon,
    };
    Policy {
        0 claim_ttl_ms, 1 failure_limit, 2 backoff_base_ms, 3 backoff_max_ms, 4 block_streak_limit,
        5 review_round_limit,
    } where Policy::check;
    Pause {
        0 target, 1 actor, 2 reason, 3 at,
    };
    GroupRecord {
        0 instance, 1 number, 2 at,
    };
    Task {
        0 id, 1 title, 2 status, 3 phase, 4 priority, 5 assignee, 6 implementer, 7 reviewer, 8 tenant,
        9 created_by, 10 created_from, 11 created_at, 12 updated_at, 13 started_at, 14 completed_at,
        15 settled_at, 16 wake_at, 17 not_before, 18 idempotency_key, 19 version, 20 open_parents,
        21 failures, 22 deferrals, 23 last_error, 24 failure_limit, 25 max_runtime, 26 block,
        27 block_streak, 28 review_rounds, 29 claim, 30 archived_from, 31 decomposed_at, 32 waiting,
        33 collectable,
    };
    Block {
        0 kind, 1 reason, 2 by, 3 at,
    };
    BlockStreak {
        0 kind, 1 count,
    };
    Claim {
        0 run, 1 claimant, 2 expires_at, 3 must_end_by, 4 heartbeat_at, 5 worker, 6 request_id,
    };
    ArchivedFrom {
        0 status, 1 block, 2 wake_at,
    };
    WorkerProcess {
        0 host, 1 pid, 2 started,
    };
    Run {
        0 id, 1 task, 2 phase, 3 assignee, 4 claimant, 5 request_id, 6 worker, 7 started_at, 8 ended_at,
        9 outcome, 10 ended_by, 11 summary, 12 error, 13 metadata,
    };
    Event {
        0 id, 1 seq, 2 at, 3 task, 4 run, 5 actor, 6 kind, 7 data,
    };
    Comment {
        0 id, 1 task, 2 author, 3 body, 4 at, 5 request_id,
    };
    Attachment {
        0 id, 1 task, 2 file_name, 3 uri, 4 media_type, 5 size, 6 by, 7 at, 8 request_id,
    };
    Subscription {
        0 id, 1 scope, 2 channel, 3 address, 4 thread, 5 kinds, 6 routing, 7 mode, 8 created_at, 9 cursor,
        10 attempts, 11 lease, 12 acked, 13 retry_at,
    };
    Lease {
        0 id, 1 until, 2 through,
    };
}
