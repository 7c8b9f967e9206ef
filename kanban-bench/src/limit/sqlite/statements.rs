//! What is prepared once and carried out again and again.

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

macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(super) const $name: &str = $text;)*
        /// Every text.
        pub(super) const ALL: &[&str] = &[$($name),*];
    };
}

statements! {
    TASK = "SELECT status, version, assignee, claim_run FROM task WHERE id = ?1";
    CLAIM = "UPDATE task SET status = 'running', updated_at = ?2, started_at = ?2, \
        version = ?3, claim_run = ?4, claim_claimant = ?5, claim_expires_at = ?6 WHERE id = ?1";
    COMPLETE = unclaim!("status = 'done', completed_at = ?2, settled_at = ?2, collectable = 1");
    FAIL = unclaim!(
        "status = 'ready', failures = 1, last_error = 'worker_error', not_before = ?4, waiting = 1"
    );
    RELEASE = unclaim!("status = 'ready'");
    BLOCK = unclaim!(
        "status = 'blocked', block_kind = 'needs_input', block_by = ?4, block_at = ?2, \
        block_streak_kind = 'needs_input', block_streak_count = 1"
    );
    REVIEW = unclaim!("status = 'review', phase = 'review', implementer = assignee");
    UNBLOCK = "UPDATE task SET status = 'ready', updated_at = ?2, version = ?3, \
        block_kind = NULL, block_by = NULL, block_at = NULL WHERE id = ?1";
    PROMOTE = "UPDATE task SET status = 'ready', updated_at = ?2, version = ?3, \
        open_parents = 0 WHERE id = ?1";
    HEARTBEAT = "UPDATE task SET claim_heartbeat_at = ?2, claim_expires_at = ?3 WHERE id = ?1";
    RETITLE = "UPDATE task SET title = ?4, updated_at = ?2, version = ?3 WHERE id = ?1";
    REASSIGN = "UPDATE task SET assignee = ?4, updated_at = ?2, version = ?3 WHERE id = ?1";
    DEMOTE = "UPDATE task SET status = 'todo', updated_at = ?2, version = ?3, \
        open_parents = 1 WHERE id = ?1";
    LINK = "INSERT INTO link VALUES (?1, ?2)";
    CHILD = "SELECT child FROM link WHERE parent = ?1 ORDER BY child LIMIT 1";
    OPEN_RUN = "INSERT INTO run (id, task, phase, assignee, claimant, started_at) \
        VALUES (?1, ?2, 'work', ?3, ?4, ?5)";
    CLOSE_RUN = "UPDATE run SET ended_at = ?2, outcome = ?3, summary = ?4 WHERE id = ?1";
    EVENT = "INSERT INTO event (id, seq, at, task, run, actor, kind, data) \
        VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    COUNT_DOWN = "UPDATE task_count SET tasks = tasks - ?3 WHERE status = ?1 AND assignee = ?2 AND tasks > ?3";
    COUNT_OUT = "DELETE FROM task_count WHERE status = ?1 AND assignee = ?2";
    COUNT_UP = "INSERT INTO task_count VALUES (?1, ?2, ?3) \
        ON CONFLICT (status, assignee) DO UPDATE SET tasks = tasks + excluded.tasks";
    NUMBERS = "UPDATE board SET seq = ?1, event = ?1, run = ?1, comment = ?1, \
        subscription = ?1, lease = ?1 WHERE one = 1";
    GROUP = "INSERT INTO commit_group VALUES (1, ?1, ?2) \
        ON CONFLICT (instance) DO UPDATE SET number = excluded.number, at = excluded.at";
    DETAIL = "SELECT * FROM task WHERE id = ?1";
    TEXTS = "SELECT kind, text FROM task_text WHERE task = ?1";
    LIST = "SELECT * FROM task ORDER BY rank, created_at, id LIMIT ?1";
    NEXT = "SELECT id FROM task WHERE status = 'ready' ORDER BY rank, created_at, id LIMIT 1";
    CREATE = "INSERT INTO task (id, title, status, phase, priority, assignee, \
        created_at, updated_at, version, open_parents, failures, deferrals, review_rounds, waiting, \
        collectable) VALUES (?1, ?2, ?3, 'work', ?4, ?5, ?6, ?6, 1, ?7, 0, 0, 0, 0, 0)";
    BODY = "INSERT INTO task_text (task, kind, text) VALUES (?1, 'body', ?2)";
    SAY = "INSERT INTO comment (id, task, author, body, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    TOUCH = "UPDATE task SET updated_at = ?2, version = ?3 WHERE id = ?1";
    SUBSCRIBE = "INSERT INTO subscription (id, task, channel, address, thread, \
        kinds, mode, created_at, cursor, attempts) VALUES (?1, ?2, ?3, ?4, '', ?5, 'notify', ?6, ?1, 0)";
    SUBSCRIPTION = "SELECT cursor, lease_id, lease_through, attempts FROM subscription WHERE id = ?1";
    NEWS = "SELECT * FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
    LEASE = "UPDATE subscription SET attempts = 1, lease_id = ?2, lease_until = ?3, \
        lease_through = ?4 WHERE id = ?1";
    ACK = "UPDATE subscription SET cursor = max(cursor, lease_through), attempts = 0, \
        acked = lease_id, lease_id = NULL, lease_until = NULL, lease_through = NULL WHERE id = ?1";
    COUNTS = "SELECT status, assignee, tasks FROM task_count ORDER BY status, assignee";
    OLDEST_READY = "SELECT created_at FROM task INDEXED BY task_ready_age \
        WHERE status = 'ready' ORDER BY created_at LIMIT 1";
    LISTENERS = "SELECT * FROM subscription ORDER BY id LIMIT ?1";
    FIRST_NEWS = "SELECT * FROM event WHERE id > ?1 AND kind = ?2 ORDER BY id LIMIT 1";
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::board::Board;
    use crate::limit::sqlite::{Sqlite, Synchronous};
    use crate::subject::{Store, Subject};

    /// What is read from its first row on, in an order that is there. All else is sought.
    const WALKED: &[(&str, &str)] = &[
        (LIST, "SCAN task USING INDEX task_priority"),
        (COUNTS, "SCAN task_count"),
        (LISTENERS, "SCAN subscription"),
        (
            OLDEST_READY,
            "SCAN task USING COVERING INDEX task_ready_age",
        ),
    ];

    /// Otherwise the store would beat its limit.
    #[test]
    fn no_statement_sorts_or_looks_for_its_rows_without_an_index() {
        let place = tempfile::tempdir().expect("there is room for a folder");
        let board = block_on(Board::make(Subject::new(Store::Sqlite), place.path())).unwrap();
        let closed = block_on(board.close()).expect("it is closed");
        let database = Sqlite::open(&closed.file(), Synchronous::Full).unwrap();
        for text in ALL {
            let explained = format!("EXPLAIN QUERY PLAN {text}");
            let mut plan = database.connection.prepare(&explained).unwrap();
            let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
            for step in steps.map(Result::unwrap) {
                let is_sought = step.starts_with("SEARCH ");
                let walked = WALKED.contains(&(*text, step.as_str()));
                assert!(is_sought || walked, "{step}: {text}");
            }
        }
    }
}
