//! What is prepared once and carried out again and again.

pub(super) const TASK: &str = "SELECT status, version, assignee, claim_run FROM task WHERE id = ?1";
pub(super) const CLAIM: &str = "UPDATE task SET status = 'running', updated_at = ?2, started_at = ?2, \
    version = ?3, claim_run = ?4, claim_claimant = ?5, claim_expires_at = ?6 WHERE id = ?1";
/// An update of a task whose claim ends.
macro_rules! unclaim {
    ($set:literal) => {
        concat!(
            "UPDATE task SET updated_at = ?2, version = ?3, claim_run = NULL, claim_claimant = NULL, \
            claim_expires_at = NULL, ",
            $set,
            " WHERE id = ?1"
        )
    };
}
pub(super) const COMPLETE: &str =
    unclaim!("status = 'done', completed_at = ?2, settled_at = ?2, collectable = 1");
pub(super) const FAIL: &str = unclaim!(
    "status = 'ready', failures = 1, last_error = 'worker_error', not_before = ?4, waiting = 1"
);
pub(super) const RELEASE: &str = unclaim!("status = 'ready'");
pub(super) const BLOCK: &str = unclaim!(
    "status = 'blocked', block_kind = 'needs_input', block_by = ?4, block_at = ?2, \
    block_streak_kind = 'needs_input', block_streak_count = 1"
);
pub(super) const REVIEW: &str =
    unclaim!("status = 'review', phase = 'review', implementer = assignee");
pub(super) const UNBLOCK: &str = "UPDATE task SET status = 'ready', updated_at = ?2, version = ?3, \
    block_kind = NULL, block_by = NULL, block_at = NULL WHERE id = ?1";
pub(super) const PROMOTE: &str = "UPDATE task SET status = 'ready', updated_at = ?2, version = ?3, \
    open_parents = 0 WHERE id = ?1";
pub(super) const HEARTBEAT: &str =
    "UPDATE task SET claim_heartbeat_at = ?2, claim_expires_at = ?3 WHERE id = ?1";
pub(super) const RETITLE: &str =
    "UPDATE task SET title = ?4, updated_at = ?2, version = ?3 WHERE id = ?1";
pub(super) const REASSIGN: &str =
    "UPDATE task SET assignee = ?4, updated_at = ?2, version = ?3 WHERE id = ?1";
pub(super) const DEMOTE: &str = "UPDATE task SET status = 'todo', updated_at = ?2, version = ?3, \
    open_parents = 1 WHERE id = ?1";
pub(super) const LINK: &str = "INSERT INTO link VALUES (?1, ?2)";
pub(super) const CHILD: &str = "SELECT child FROM link WHERE parent = ?1 ORDER BY child LIMIT 1";
pub(super) const OPEN_RUN: &str = "INSERT INTO run (id, task, phase, assignee, claimant, started_at) \
    VALUES (?1, ?2, 'work', ?3, ?4, ?5)";
pub(super) const CLOSE_RUN: &str =
    "UPDATE run SET ended_at = ?2, outcome = ?3, summary = ?4 WHERE id = ?1";
pub(super) const EVENT: &str = "INSERT INTO event (id, seq, at, task, run, actor, kind, data) \
    VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(super) const COUNT_DOWN: &str =
    "UPDATE task_count SET tasks = tasks - ?3 WHERE status = ?1 AND assignee = ?2 AND tasks > ?3";
pub(super) const COUNT_OUT: &str = "DELETE FROM task_count WHERE status = ?1 AND assignee = ?2";
pub(super) const COUNT_UP: &str = "INSERT INTO task_count VALUES (?1, ?2, ?3) \
    ON CONFLICT (status, assignee) DO UPDATE SET tasks = tasks + excluded.tasks";
pub(super) const NUMBERS: &str = "UPDATE board SET seq = ?1, event = ?1, run = ?1, comment = ?1, \
    subscription = ?1, lease = ?1 WHERE one = 1";
pub(super) const GROUP: &str = "INSERT INTO commit_group VALUES (1, ?1, ?2) \
    ON CONFLICT (instance) DO UPDATE SET number = excluded.number, at = excluded.at";
pub(super) const DETAIL: &str = "SELECT * FROM task WHERE id = ?1";
pub(super) const TEXTS: &str = "SELECT kind, text FROM task_text WHERE task = ?1";
pub(super) const LIST: &str = "SELECT * FROM task ORDER BY rank, created_at, id LIMIT ?1";
pub(super) const NEXT: &str =
    "SELECT id FROM task WHERE status = 'ready' ORDER BY rank, created_at, id LIMIT 1";
pub(super) const CREATE: &str = "INSERT INTO task (id, title, status, phase, priority, assignee, \
    created_at, updated_at, version, open_parents, failures, deferrals, review_rounds, waiting, \
    collectable) VALUES (?1, ?2, ?3, 'work', ?4, ?5, ?6, ?6, 1, ?7, 0, 0, 0, 0, 0)";
pub(super) const BODY: &str = "INSERT INTO task_text (task, kind, text) VALUES (?1, 'body', ?2)";
pub(super) const SAY: &str =
    "INSERT INTO comment (id, task, author, body, at) VALUES (?1, ?2, ?3, ?4, ?5)";
pub(super) const TOUCH: &str = "UPDATE task SET updated_at = ?2, version = ?3 WHERE id = ?1";
pub(super) const SUBSCRIBE: &str = "INSERT INTO subscription (id, task, channel, address, thread, \
    kinds, mode, created_at, cursor, attempts) VALUES (?1, ?2, ?3, ?4, '', ?5, 'notify', ?6, ?1, 0)";
pub(super) const SUBSCRIPTION: &str =
    "SELECT cursor, lease_id, lease_through, attempts FROM subscription WHERE id = ?1";
pub(super) const NEWS: &str = "SELECT * FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(super) const LEASE: &str = "UPDATE subscription SET attempts = 1, lease_id = ?2, lease_until = ?3, \
    lease_through = ?4 WHERE id = ?1";
pub(super) const ACK: &str = "UPDATE subscription SET cursor = max(cursor, lease_through), attempts = 0, \
    acked = lease_id, lease_id = NULL, lease_until = NULL, lease_through = NULL WHERE id = ?1";
pub(super) const COUNTS: &str =
    "SELECT status, assignee, tasks FROM task_count ORDER BY status, assignee";
pub(super) const OLDEST_READY: &str =
    "SELECT created_at FROM task WHERE status = 'ready' ORDER BY created_at LIMIT 1";
pub(super) const LISTENERS: &str = "SELECT * FROM subscription ORDER BY id LIMIT ?1";
pub(super) const FIRST_NEWS: &str =
    "SELECT * FROM event WHERE id > ?1 AND kind = ?2 ORDER BY id LIMIT 1";
