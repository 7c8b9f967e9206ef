-- A board. Times are UTC milliseconds. NULL means "none"; only where a unique index must compare it, '' does.

CREATE TABLE board (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    created_at INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event INTEGER NOT NULL,
    run INTEGER NOT NULL,
    comment INTEGER NOT NULL,
    attachment INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    reserved_seq INTEGER NOT NULL,
    reserved_event INTEGER NOT NULL,
    reserved_run INTEGER NOT NULL,
    reserved_comment INTEGER NOT NULL,
    reserved_attachment INTEGER NOT NULL,
    reserved_subscription INTEGER NOT NULL,
    reserved_lease INTEGER NOT NULL,
    boot TEXT,
    horizon INTEGER NOT NULL
) STRICT;

CREATE TABLE policy (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    claim_ttl_ms INTEGER NOT NULL,
    failure_limit INTEGER NOT NULL,
    backoff_base_ms INTEGER NOT NULL,
    backoff_max_ms INTEGER NOT NULL,
    block_streak_limit INTEGER NOT NULL,
    review_round_limit INTEGER NOT NULL
) STRICT;

-- assignee is '' for the board's own pause.
CREATE TABLE pause (
    assignee TEXT NOT NULL PRIMARY KEY,
    actor TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last commit group of each store instance of the last day.
CREATE TABLE commit_group (
    instance INTEGER NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX commit_group_age ON commit_group (at);

-- rank turns "highest priority first" into an ascending order, so that a place in it is one row value.
CREATE TABLE task (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    phase TEXT NOT NULL,
    priority INTEGER NOT NULL,
    assignee TEXT,
    implementer TEXT,
    reviewer TEXT,
    tenant TEXT,
    created_by TEXT,
    created_from TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    settled_at INTEGER,
    wake_at INTEGER,
    not_before INTEGER,
    idempotency_key TEXT,
    version INTEGER NOT NULL,
    open_parents INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    deferrals INTEGER NOT NULL,
    last_error TEXT,
    failure_limit INTEGER,
    max_runtime_ms INTEGER,
    block_kind TEXT,
    block_reason TEXT,
    block_by TEXT,
    block_at INTEGER,
    block_streak_kind TEXT,
    block_streak_count INTEGER,
    review_rounds INTEGER NOT NULL,
    claim_run INTEGER,
    claim_claimant TEXT,
    claim_expires_at INTEGER,
    claim_must_end_by INTEGER,
    claim_heartbeat_at INTEGER,
    claim_worker_host TEXT,
    claim_worker_pid INTEGER,
    claim_worker_started TEXT,
    claim_request_id TEXT,
    archived_from TEXT,
    archived_block_kind TEXT,
    archived_block_reason TEXT,
    archived_block_by TEXT,
    archived_block_at INTEGER,
    archived_wake_at INTEGER,
    decomposed_at INTEGER,
    waiting INTEGER NOT NULL,
    collectable INTEGER NOT NULL,
    rank INTEGER NOT NULL GENERATED ALWAYS AS (-priority) VIRTUAL
) STRICT, WITHOUT ROWID;

CREATE INDEX task_claimable ON task (status, assignee, rank, created_at, id)
    WHERE waiting = 0 AND status IN ('ready', 'review');
CREATE INDEX task_claimable_of_tenant ON task (tenant, status, assignee, rank, created_at, id)
    WHERE tenant IS NOT NULL AND waiting = 0 AND status IN ('ready', 'review');
CREATE INDEX task_waiting ON task (not_before, id) WHERE waiting = 1;
CREATE INDEX task_expiry ON task (claim_expires_at, id) WHERE claim_expires_at IS NOT NULL;
CREATE INDEX task_due ON task (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX task_collectable ON task (settled_at, id) WHERE collectable = 1;
CREATE UNIQUE INDEX task_key ON task (idempotency_key)
    WHERE idempotency_key IS NOT NULL AND status <> 'archived';
CREATE UNIQUE INDEX task_request ON task (claim_request_id) WHERE claim_request_id IS NOT NULL;
CREATE INDEX task_priority ON task (rank, created_at, id);
CREATE INDEX task_age ON task (created_at, id);
CREATE INDEX task_updated ON task (updated_at, id);
CREATE INDEX task_status ON task (status, rank, created_at, id);
CREATE INDEX task_assignee ON task (assignee, rank, created_at, id);
CREATE INDEX task_tenant ON task (tenant, rank, created_at, id) WHERE tenant IS NOT NULL;
CREATE INDEX task_ready_age ON task (created_at) WHERE status = 'ready';

-- How many tasks; assignee is '' for nobody; no row at 0.
CREATE TABLE task_count (
    status TEXT NOT NULL,
    assignee TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (status, assignee)
) STRICT, WITHOUT ROWID;

-- body, result, attributes: apart from the row that every transition rewrites.
CREATE TABLE task_text (
    task TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (task, kind)
) STRICT;

CREATE TABLE link (
    parent TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    child TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;

CREATE INDEX link_child ON link (child, parent);

CREATE TABLE run (
    id INTEGER NOT NULL PRIMARY KEY,
    task TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    phase TEXT NOT NULL,
    assignee TEXT,
    claimant TEXT,
    request_id TEXT,
    worker_host TEXT,
    worker_pid INTEGER,
    worker_started TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    ended_by TEXT,
    summary TEXT,
    error TEXT,
    metadata TEXT
) STRICT;

CREATE INDEX run_task ON run (task);
CREATE INDEX run_summarised ON run (task) WHERE summary IS NOT NULL;

-- task and run are not references: a board may hold events that an import brought along.
CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    task TEXT,
    run INTEGER,
    actor TEXT,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX event_task ON event (task) WHERE task IS NOT NULL;

CREATE TABLE comment (
    id INTEGER NOT NULL PRIMARY KEY,
    task TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    request_id TEXT
) STRICT;

CREATE INDEX comment_task ON comment (task);
CREATE UNIQUE INDEX comment_request ON comment (task, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE attachment (
    id INTEGER NOT NULL PRIMARY KEY,
    task TEXT NOT NULL REFERENCES task (id) DEFERRABLE INITIALLY DEFERRED,
    file_name TEXT NOT NULL,
    uri TEXT NOT NULL,
    media_type TEXT,
    size INTEGER,
    attached_by TEXT,
    at INTEGER NOT NULL,
    request_id TEXT
) STRICT;

CREATE INDEX attachment_task ON attachment (task);
CREATE UNIQUE INDEX attachment_request ON attachment (task, request_id) WHERE request_id IS NOT NULL;

-- task is '' for a subscription of the whole board, thread is '' for none.
CREATE TABLE subscription (
    id INTEGER NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    thread TEXT NOT NULL,
    kinds TEXT NOT NULL,
    routing TEXT,
    mode TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease_id INTEGER,
    lease_until INTEGER,
    lease_through INTEGER,
    acked INTEGER,
    retry_at INTEGER
) STRICT;

CREATE UNIQUE INDEX subscription_place ON subscription (task, channel, address, thread);
CREATE INDEX subscription_task ON subscription (task);
