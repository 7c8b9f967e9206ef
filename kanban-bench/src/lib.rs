//! What is measured, and how: workloads over [`BoardStore`](kanban_core::BoardStore), the same work written by hand on
//! each engine, and the patterns that programs use without a store.
//!
//! The criterion benches and the report share all of it. A figure of a store stands beside the
//! [`limit`] of its engine, taken in the same run and in turns with it, so that what is quoted is a ratio.
//!
//! # The workloads
//!
//! Each has a function `by_store`, over `&dyn BoardStore`, and one `by_hand`, over a board's file that nobody has open. Clients
//! are futures on one thread, as a gateway has them, and call again as soon as they are answered
//! (`clients::closed`); `clients::open` makes calls at an even rate instead.
//!
//! | workload | what the clients do | by hand |
//! | --- | --- | --- |
//! | [`point`](workload::point) | one operation alone, of 23; what it needs is made before, by the store | the same operation, each call a transaction; a lease and its ack are two |
//! | [`transitions`](workload::transitions) | each claims and completes its share of the tasks | claims, then completions, in groups |
//! | [`claim_next`](workload::claim_next) | all claim the best task of one column | one seek for the first ready task, where the store seeks once per assignee, and the claim, in groups |
//! | [`creation`](workload::creation) | each creates tasks with a body | the rows, in groups |
//! | [`reads`](workload::reads) | each reads tasks with their texts, in a random order | as many threads, each with prepared statements, or one database of redb |
//! | [`mixed`](workload::mixed) | dispatchers, readers, writers and notifiers at once | one thread that writes in groups, and some that read |
//! | [`opening`](workload::opening) | a board is opened cold, or after a kill, and read | the engine opens the file and reads the last number given, then a row |
//!
//! # What a limit includes
//!
//! The rows, the index keys and the counters that the store writes, in groups as long as the store's were
//! ([`Commits`](board::Commits) counts them), at the same durability, with the same caches, on a copy of the same board. Reading
//! the rows that are changed, and checking the status; finding the child of a task that is completed, and the events of a lease. A
//! test makes every operation by the store and by hand, from the same bytes, and compares every table and index. Of a read: every column
//! of every row that the store answers, and of what it looks at on the way there.
//!
//! It does not include: the other rules and what they read (pauses, circles of links, the policy, the run that a worker names, the
//! subscriptions that a task has, the kinds of leased events), the model's types and the answers, the queue, threads and wakers, the check that the files are still the board's, ids reserved below `Power`, the
//! flushes of a lazy board of SQLite. The board's numbers are written once per group and not with every command. On SQLite a commit
//! checkpoints when the `-wal` has 16 MiB; a busy store does so after 256 groups, too. On redb rows have the store's length, but are not encoded, and the keys of a task
//! come from memory. A limit is therefore a little faster than any program could be that keeps the board's promises.
//!
//! # Where boards are
//!
//! In a folder under [`place`]: `KANBAN_BENCH_DIR`, else cargo's target folder. A flush of a disk is most of what a write
//! costs, so a run says the file system and how long a flush takes. Sizes, clients and seeds are in [`extent`]; a board is
//! filled by [`fill`] and copied by [`template`]. It holds as many tasks as an id says when a measurement begins; what calls use
//! up is created between the samples, so that a board of a thousand holds some thousands in the end.
//!
//! # The benches
//!
//! `cargo bench -p kanban-bench -- --quick` runs five targets, all without a board of a million tasks: `point`, `mixed` (with
//! the transitions and creation), `contention`, `scale`, `open`. `--bench mixed` picks one, and an expression what is in it:
//! `transitions/redb/power`. Without `--quick` boards of a million tasks are filled, and other durabilities are measured.
//! `cargo test -p kanban-bench --benches` runs each thing once on small boards.
//!
//! An id reads `contention/redb/power/10k_tasks/64_clients` and is the time of a round of the store. It ends in `limit` or a
//! pattern's name for what stands [`beside`] it, and is then their [ratio](turns::Turns::ratio), taken in [`turns`]: the store, then
//! the other in transactions as long as the store's have just been. What criterion estimates, tells the interval of, and compares
//! with the last run is that ratio.

pub mod beside;
pub mod board;
pub mod clients;
mod clock;
pub mod extent;
pub mod fill;
pub mod limit;
pub mod pattern;
pub mod place;
pub mod report;
mod said;
pub mod subject;
pub mod template;
pub mod turns;
pub mod usage;
pub mod workload;
