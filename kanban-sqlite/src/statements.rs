//! Every text of SQL that reads or writes rows, in one place, so that a test sees the plan of each.
//!
//! Questions that need an index name it (`INDEXED BY`): a text whose index cannot answer it is then an error at
//! once, never a scan that grows with the board. Places in an order are row values; a place before all rows is
//! made of the least values. A bound below all ranks lets the planner see that an index has the order.

/// The columns of a table: their list as a literal, and their names.
macro_rules! columns {
    ($list:ident, $marks:ident, $names:ident = $first:literal $(, $more:literal)*) => {
        macro_rules! $list { () => { concat!($first $(, ", ", $more)*) }; }
        macro_rules! $marks { () => { concat!("?" $(, columns!(@mark $more))*) }; }
        pub(crate) const $names: &[&str] = &[$first $(, $more)*];
    };
    (@mark $column:literal) => { ", ?" };
}

columns! {
    board, board_marks, BOARD_COLUMNS = "one", "created_at", "seed", "seq", "event", "run",
    "comment", "attachment", "subscription", "lease", "reserved_seq", "reserved_event",
    "reserved_run", "reserved_comment", "reserved_attachment", "reserved_subscription",
    "reserved_lease", "boot", "horizon"
}
columns! {
    policy, policy_marks, POLICY_COLUMNS = "one", "claim_ttl_ms", "failure_limit",
    "backoff_base_ms", "backoff_max_ms", "block_streak_limit", "review_round_limit"
}
columns! {
    pause, pause_marks, PAUSE_COLUMNS = "assignee", "actor", "reason", "at"
}
columns! {
    group, group_marks, GROUP_COLUMNS = "instance", "number", "at"
}
columns! {
    task, task_marks, TASK_COLUMNS = "id", "title", "status", "phase", "priority", "assignee",
    "implementer", "reviewer", "tenant", "created_by", "created_from", "created_at", "updated_at",
    "started_at", "completed_at", "settled_at", "wake_at", "not_before", "idempotency_key",
    "version", "open_parents", "failures", "deferrals", "last_error", "failure_limit",
    "max_runtime_ms", "block_kind", "block_reason", "block_by", "block_at", "block_streak_kind",
    "block_streak_count", "review_rounds", "claim_run", "claim_claimant", "claim_expires_at",
    "claim_must_end_by", "claim_heartbeat_at", "claim_worker_host", "claim_worker_pid",
    "claim_worker_started", "claim_request_id", "archived_from", "archived_block_kind",
    "archived_block_reason", "archived_block_by", "archived_block_at", "archived_wake_at",
    "decomposed_at", "waiting", "collectable"
}
columns! {
    run, run_marks, RUN_COLUMNS = "id", "task", "phase", "assignee", "claimant", "request_id",
    "worker_host", "worker_pid", "worker_started", "started_at", "ended_at", "outcome", "ended_by",
    "summary", "error", "metadata"
}
columns! {
    event, event_marks, EVENT_COLUMNS = "id", "seq", "at", "task", "run", "actor", "kind", "data"
}
columns! {
    comment, comment_marks, COMMENT_COLUMNS = "id", "task", "author", "body", "at", "request_id"
}
columns! {
    attachment, attachment_marks, ATTACHMENT_COLUMNS = "id", "task", "file_name", "uri",
    "media_type", "size", "attached_by", "at", "request_id"
}
columns! {
    subscription, subscription_marks, SUBSCRIPTION_COLUMNS = "id", "task", "channel", "address",
    "thread", "kinds", "routing", "mode", "created_at", "cursor", "attempts", "lease_id",
    "lease_until", "lease_through", "acked", "retry_at"
}

macro_rules! statements {
    ($($name:ident = $($part:expr),+;)*) => {
        $(pub(crate) const $name: &str = concat!($($part),+);)*
        /// Every text above.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name),)*];
    };
}

statements! {
    SNAPSHOT = "SELECT seq FROM board WHERE one = 1";
    BOARD = "SELECT ", board!(), " FROM board WHERE one = 1";
    POLICY = "SELECT ", policy!(), " FROM policy WHERE one = 1";
    PAUSES = "SELECT ", pause!(), " FROM pause ORDER BY assignee";
    PAUSE = "SELECT ", pause!(), " FROM pause WHERE assignee = ?1";
    GROUP = "SELECT ", group!(), " FROM commit_group WHERE instance = ?1";

    TASK = "SELECT ", task!(), " FROM task WHERE id = ?1";
    TEXT = "SELECT text FROM task_text WHERE task = ?1 AND kind = ?2";
    TASK_BY_KEY = "SELECT id FROM task INDEXED BY task_key \
        WHERE idempotency_key = ?1 AND status <> 'archived'";
    TASK_IDS_BY_PREFIX = "SELECT id FROM task WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    TASKS = "SELECT ", task!(), " FROM task WHERE id > ?1 ORDER BY id LIMIT ?2";
    LISTED_BY_PRIORITY = "SELECT ", task!(), " FROM task INDEXED BY task_priority \
        WHERE (rank, created_at, id) > (?1, ?2, ?3) ORDER BY rank, created_at, id LIMIT ?4";
    LISTED_OLDEST = "SELECT ", task!(), " FROM task INDEXED BY task_age \
        WHERE (created_at, id) > (?1, ?2) ORDER BY created_at, id LIMIT ?3";
    LISTED_NEWEST = "SELECT ", task!(), " FROM task INDEXED BY task_age \
        WHERE (created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT ?3";
    LISTED_UPDATED = "SELECT ", task!(), " FROM task INDEXED BY task_updated \
        WHERE (updated_at, id) < (?1, ?2) ORDER BY updated_at DESC, id DESC LIMIT ?3";
    LISTED_IN_STATUS = "SELECT ", task!(), " FROM task INDEXED BY task_status \
        WHERE status = ?1 AND (rank, created_at, id) > (?2, ?3, ?4) \
        ORDER BY rank, created_at, id LIMIT ?5";
    LISTED_OF_ASSIGNEE = "SELECT ", task!(), " FROM task INDEXED BY task_assignee \
        WHERE assignee IS ?1 AND (rank, created_at, id) > (?2, ?3, ?4) \
        ORDER BY rank, created_at, id LIMIT ?5";
    LISTED_OF_TENANT = "SELECT ", task!(), " FROM task INDEXED BY task_tenant \
        WHERE tenant = ?1 AND (rank, created_at, id) > (?2, ?3, ?4) \
        ORDER BY rank, created_at, id LIMIT ?5";
    CLAIMED_BY_REQUEST = "SELECT id FROM task INDEXED BY task_request WHERE claim_request_id = ?1";
    CLAIMABLE = "SELECT ", task!(), " FROM task INDEXED BY task_claimable \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee IS ?2 \
        AND (rank, created_at, id) > (?3, ?4, ?5) ORDER BY rank, created_at, id LIMIT ?6";
    CLAIMABLE_OF_TENANT = "SELECT ", task!(), " FROM task INDEXED BY task_claimable_of_tenant \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee IS ?2 \
        AND (rank, created_at, id) > (?3, ?4, ?5) AND tenant = ?7 \
        ORDER BY rank, created_at, id LIMIT ?6";
    LANE_OF_NOBODY = "SELECT assignee, rank, created_at, id FROM task INDEXED BY task_claimable \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee IS NULL \
        AND rank > -2147483649 ORDER BY rank, created_at, id LIMIT 1";
    LANE_OF_NOBODY_OF_TENANT = "SELECT assignee, rank, created_at, id FROM task \
        INDEXED BY task_claimable_of_tenant \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee IS NULL \
        AND tenant = ?2 AND rank > -2147483649 ORDER BY rank, created_at, id LIMIT 1";
    LANE_AFTER = "SELECT assignee, rank, created_at, id FROM task INDEXED BY task_claimable \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee > ?2 \
        ORDER BY assignee, rank, created_at, id LIMIT 1";
    LANE_AFTER_OF_TENANT = "SELECT assignee, rank, created_at, id FROM task \
        INDEXED BY task_claimable_of_tenant \
        WHERE waiting = 0 AND status IN ('ready', 'review') AND status = ?1 AND assignee > ?2 \
        AND tenant = ?3 ORDER BY assignee, rank, created_at, id LIMIT 1";
    WAITING = "SELECT ", task!(), " FROM task INDEXED BY task_waiting \
        WHERE waiting = 1 AND not_before <= ?1 ORDER BY not_before, id LIMIT ?2";
    EXPIRED = "SELECT ", task!(), " FROM task INDEXED BY task_expiry \
        WHERE claim_expires_at <= ?1 ORDER BY claim_expires_at, id LIMIT ?2";
    DUE = "SELECT ", task!(), " FROM task INDEXED BY task_due \
        WHERE wake_at <= ?1 ORDER BY wake_at, id LIMIT ?2";
    COLLECTABLE = "SELECT ", task!(), " FROM task INDEXED BY task_collectable \
        WHERE collectable = 1 AND settled_at <= ?1 AND (settled_at, id) > (?2, ?3) \
        ORDER BY settled_at, id LIMIT ?4";

    COUNT_IN_STATUS = "SELECT coalesce(sum(tasks), 0) FROM task_count WHERE status = ?1";
    COUNT_OF = "SELECT tasks FROM task_count WHERE status = ?1 AND assignee = ?2";
    COUNTS = "SELECT status, assignee, tasks FROM task_count ORDER BY status, assignee";
    OLDEST_READY = "SELECT created_at FROM task INDEXED BY task_ready_age \
        WHERE status = 'ready' AND created_at >= ?1 ORDER BY created_at LIMIT 1";

    HAS_LINK = "SELECT 1 FROM link WHERE parent = ?1 AND child = ?2";
    PARENTS = "SELECT parent FROM link INDEXED BY link_child \
        WHERE child = ?1 AND parent > ?2 ORDER BY parent LIMIT ?3";
    CHILDREN = "SELECT child FROM link WHERE parent = ?1 AND child > ?2 ORDER BY child LIMIT ?3";
    COUNT_CHILDREN = "SELECT count(*) FROM (SELECT 1 FROM link WHERE parent = ?1 LIMIT ?2)";
    LINKS = "SELECT parent, child FROM link WHERE (parent, child) > (?1, ?2) \
        ORDER BY parent, child LIMIT ?3";

    RUN = "SELECT ", run!(), " FROM run WHERE id = ?1";
    RUNS_OF = "SELECT ", run!(), " FROM run INDEXED BY run_task \
        WHERE task = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    LAST_SUMMARISED_RUN = "SELECT ", run!(), " FROM run INDEXED BY run_summarised \
        WHERE task = ?1 AND summary IS NOT NULL ORDER BY id DESC LIMIT 1";
    RUNS = "SELECT ", run!(), " FROM run WHERE id > ?1 ORDER BY id LIMIT ?2";

    EVENTS = "SELECT ", event!(), " FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
    EVENTS_OF = "SELECT ", event!(), " FROM event INDEXED BY event_task \
        WHERE task = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    LAST_EVENT_OF = "SELECT id FROM event INDEXED BY event_task \
        WHERE task = ?1 ORDER BY id DESC LIMIT 1";

    COMMENT = "SELECT ", comment!(), " FROM comment WHERE id = ?1";
    COMMENT_BY_REQUEST = "SELECT ", comment!(), " FROM comment INDEXED BY comment_request \
        WHERE task = ?1 AND request_id = ?2";
    COMMENTS_OF = "SELECT ", comment!(), " FROM comment INDEXED BY comment_task \
        WHERE task = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    COMMENTS = "SELECT ", comment!(), " FROM comment WHERE id > ?1 ORDER BY id LIMIT ?2";
    ATTACHMENT = "SELECT ", attachment!(), " FROM attachment WHERE id = ?1";
    ATTACHMENT_BY_REQUEST = "SELECT ", attachment!(), " FROM attachment \
        INDEXED BY attachment_request WHERE task = ?1 AND request_id = ?2";
    ATTACHMENTS_OF = "SELECT ", attachment!(), " FROM attachment INDEXED BY attachment_task \
        WHERE task = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    ATTACHMENTS = "SELECT ", attachment!(), " FROM attachment WHERE id > ?1 ORDER BY id LIMIT ?2";

    SUBSCRIPTION = "SELECT ", subscription!(), " FROM subscription WHERE id = ?1";
    SUBSCRIPTION_AT = "SELECT ", subscription!(), " FROM subscription \
        INDEXED BY subscription_place \
        WHERE task = ?1 AND channel = ?2 AND address = ?3 AND thread = ?4";
    SUBSCRIPTIONS_OF = "SELECT ", subscription!(), " FROM subscription \
        INDEXED BY subscription_task WHERE task = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    SUBSCRIPTIONS = "SELECT ", subscription!(), " FROM subscription \
        WHERE id > ?1 ORDER BY id LIMIT ?2";
    ROWS = "SELECT (SELECT count(*) FROM task) + (SELECT count(*) FROM link) \
        + (SELECT count(*) FROM run) + (SELECT count(*) FROM comment) \
        + (SELECT count(*) FROM attachment) + (SELECT count(*) FROM subscription) \
        + (SELECT count(*) FROM event)";

    INSERT_BOARD = "INSERT INTO board (", board!(), ") VALUES (", board_marks!(), ")";
    INSERT_POLICY = "INSERT INTO policy (", policy!(), ") VALUES (", policy_marks!(), ")";
    INSERT_PAUSE = "INSERT INTO pause (", pause!(), ") VALUES (", pause_marks!(), ")";
    INSERT_GROUP = "INSERT INTO commit_group (", group!(), ") VALUES (", group_marks!(), ") \
        ON CONFLICT (instance) DO UPDATE SET number = excluded.number, at = excluded.at";
    INSERT_TASK = "INSERT INTO task (", task!(), ") VALUES (", task_marks!(), ")";
    INSERT_RUN = "INSERT INTO run (", run!(), ") VALUES (", run_marks!(), ")";
    INSERT_EVENT = "INSERT INTO event (", event!(), ") VALUES (", event_marks!(), ")";
    INSERT_COMMENT = "INSERT INTO comment (", comment!(), ") VALUES (", comment_marks!(), ")";
    INSERT_ATTACHMENT = "INSERT INTO attachment (", attachment!(), ") \
        VALUES (", attachment_marks!(), ")";
    INSERT_SUBSCRIPTION = "INSERT INTO subscription (", subscription!(), ") \
        VALUES (", subscription_marks!(), ")";
    PUT_TEXT = "INSERT INTO task_text (task, kind, text) VALUES (?1, ?2, ?3) \
        ON CONFLICT (task, kind) DO UPDATE SET text = excluded.text";
    INSERT_LINK = "INSERT INTO link (parent, child) VALUES (?1, ?2)";
    COUNT_UP = "INSERT INTO task_count (status, assignee, tasks) VALUES (?1, ?2, ?3) \
        ON CONFLICT (status, assignee) DO UPDATE SET tasks = tasks + excluded.tasks";
    COUNT_DOWN = "UPDATE task_count SET tasks = tasks - ?3 \
        WHERE status = ?1 AND assignee = ?2 AND tasks > ?3";
    COUNT_OUT = "DELETE FROM task_count WHERE status = ?1 AND assignee = ?2 AND tasks = ?3";
    FORGET_GROUPS = "DELETE FROM commit_group INDEXED BY commit_group_age \
        WHERE at < ?1 AND instance <> ?2";

    DELETE_PAUSE = "DELETE FROM pause WHERE assignee = ?1";
    DELETE_TASK = "DELETE FROM task WHERE id = ?1";
    DELETE_TEXT = "DELETE FROM task_text WHERE task = ?1 AND kind = ?2";
    DELETE_LINK = "DELETE FROM link WHERE parent = ?1 AND child = ?2";
    DELETE_EVENT = "DELETE FROM event WHERE id = ?1";
    DELETE_ATTACHMENT = "DELETE FROM attachment WHERE id = ?1";
    DELETE_SUBSCRIPTION = "DELETE FROM subscription WHERE id = ?1";
    FORGET_TEXTS = "DELETE FROM task_text WHERE task = ?1";
    FORGET_RUNS = "DELETE FROM run INDEXED BY run_task WHERE task = ?1";
    FORGET_EVENTS = "DELETE FROM event INDEXED BY event_task WHERE task = ?1";
    FORGET_COMMENTS = "DELETE FROM comment INDEXED BY comment_task WHERE task = ?1";
    FORGET_ATTACHMENTS = "DELETE FROM attachment INDEXED BY attachment_task WHERE task = ?1";
    FORGET_SUBSCRIPTIONS = "DELETE FROM subscription INDEXED BY subscription_task WHERE task = ?1";
    TOUCH = "UPDATE board SET seq = seq + 1 WHERE one = 1";
    TOUCH_BACK = "UPDATE board SET seq = seq - 1 WHERE one = 1";
}

/// An update of some columns of a row.
pub(crate) fn update(table: &str, key: &str, columns: &[&str]) -> String {
    let mut text = format!("UPDATE {table}");
    for (at, column) in columns.iter().enumerate() {
        text.push_str(if at == 0 { " SET " } else { ", " });
        text.push_str(column);
        text.push_str(" = ?");
    }
    text.push_str(" WHERE ");
    text.push_str(key);
    text.push_str(" = ?");
    text
}

#[cfg(test)]
mod tests;
