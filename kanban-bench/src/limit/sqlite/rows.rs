//! The changes by hand: one statement per row.

use rusqlite::{Result, params};

use super::{Sqlite, len, sql, text_len};
use crate::fill;
use crate::limit::hand::{BACKOFF_MS, LEASE_MS, TTL_MS};
use crate::limit::told::Told;
use crate::limit::{End, Failed, Hand, HandTask, Rows};
use crate::said::{CHANNEL, COMMENT, NEWS, WORKER};

impl Sqlite {
    /// Claims a ready task.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not ready.
    pub(crate) fn claim(&self, id: &str, hand: &mut Hand) -> Result<()> {
        let run = hand.next();
        let until = hand.now + TTL_MS;
        let row = self.task(id, "ready")?;
        let claim = params![id, hand.now, row.version + 1, run, WORKER, until];
        self.statement(sql::CLAIM)?.execute(claim)?;
        self.moved("ready", "running", &row.assignee);
        let open = params![run, id, row.assignee, WORKER, hand.now];
        self.statement(sql::OPEN_RUN)?.execute(open)?;
        self.tell(id, &Told::claimed(run, until), hand)
    }

    /// Ends the run of a task that was claimed.
    ///
    /// # Errors
    /// SQLite's; a task that is not there, or not running.
    pub(crate) fn end(&self, end: End, id: &str, hand: &mut Hand) -> Result<()> {
        hand.next();
        let row = self.task(id, "running")?;
        let (version, now, retry_at) = (row.version + 1, hand.now, hand.now + BACKOFF_MS);
        match end {
            End::Complete => self.execute(sql::COMPLETE, params![id, now, version])?,
            End::Fail => self.execute(sql::FAIL, params![id, now, version, retry_at])?,
            End::Release => self.execute(sql::RELEASE, params![id, now, version])?,
            End::Block => self.execute(sql::BLOCK, params![id, now, version, WORKER])?,
            End::Review => self.execute(sql::REVIEW, params![id, now, version])?,
        }
        self.moved("running", end.status(), &row.assignee);
        let close = params![row.run, now, end.outcome(), end.summary()];
        self.execute(sql::CLOSE_RUN, close)?;
        self.tell(id, &end.told(row.run, retry_at, &row.assignee), hand)
    }

    /// Makes a task ready that was in another status, and tells it.
    fn make_ready(
        &self,
        text: &str,
        from: &'static str,
        id: &str,
        told: &Told,
        hand: &mut Hand,
    ) -> Result<()> {
        hand.next();
        let row = self.task(id, from)?;
        self.execute(text, params![id, hand.now, row.version + 1])?;
        self.moved(from, "ready", &row.assignee);
        self.tell(id, told, hand)
    }

    fn execute(&self, text: &str, params: impl rusqlite::Params) -> Result<()> {
        self.statement(text)?.execute(params).map(drop)
    }

    /// What a loop looks at in the row of a task that has a status.
    fn task(&self, id: &str, status: &str) -> Result<Found> {
        self.statement(sql::TASK)?.query_row([id], |row| {
            if row.get_ref(0)?.as_str()? != status {
                return Err(rusqlite::Error::QueryReturnedNoRows);
            }
            let run: Option<i64> = row.get(3)?;
            Ok(Found {
                version: row.get(1)?,
                assignee: row.get(2)?,
                run: run.unwrap_or_default(),
            })
        })
    }

    /// Appends an event with the last number.
    fn tell(&self, task: &str, told: &Told, hand: &Hand) -> Result<()> {
        let Told {
            kind,
            actor,
            run,
            data,
        } = told;
        let event = params![hand.last, hand.now, task, run, actor, kind, data];
        self.execute(sql::EVENT, event)
    }

    /// The cursor of a subscription.
    fn subscription(&self, id: u64) -> Result<i64> {
        self.statement(sql::SUBSCRIPTION)?
            .query_row([id.cast_signed()], |row| row.get(0))
    }
}

/// What a loop looks at in the row of a task.
struct Found {
    version: i64,
    assignee: String,
    /// Its open run, or 0.
    run: i64,
}

impl Rows for &Sqlite {
    fn create(
        &mut self,
        number: usize,
        parent: Option<&HandTask>,
        hand: &mut Hand,
    ) -> Result<HandTask, Failed> {
        hand.next();
        let new = HandTask::new(number, parent, hand);
        let (id, assignee, status) = (new.id.as_str(), new.assignee.as_str(), new.place.status);
        let (title, priority) = (fill::title(number), fill::priority(number));
        let open_parents = i64::from(parent.is_some());
        let row = params![
            id,
            title,
            status,
            priority,
            assignee,
            hand.now,
            open_parents
        ];
        self.execute(sql::CREATE, row)?;
        self.execute(sql::BODY, [id, &fill::body()])?;
        if let Some(parent) = parent {
            self.execute(sql::LINK, [&parent.id, id])?;
        }
        self.count(status, assignee, 1);
        self.tell(id, &Told::created(&title, parent), hand)?;
        Ok(new)
    }

    fn update(&mut self, task: &mut HandTask, title: &str, hand: &mut Hand) -> Result<(), Failed> {
        hand.next();
        let id = task.id.as_str();
        let row = self.task(id, "ready")?;
        let card = params![id, hand.now, row.version + 1, title];
        self.execute(sql::RETITLE, card)?;
        Ok(self.tell(id, &Told::updated(), hand)?)
    }

    fn assign(
        &mut self,
        task: &mut HandTask,
        assignee: &str,
        hand: &mut Hand,
    ) -> Result<(), Failed> {
        hand.next();
        let id = task.id.as_str();
        let row = self.task(id, "ready")?;
        let card = params![id, hand.now, row.version + 1, assignee];
        self.execute(sql::REASSIGN, card)?;
        self.count("ready", &row.assignee, -1);
        self.count("ready", assignee, 1);
        Ok(self.tell(id, &Told::assigned(&row.assignee, assignee), hand)?)
    }

    fn link(&mut self, parent: &str, child: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        hand.next();
        let id = child.id.as_str();
        let row = self.task(id, "ready")?;
        self.execute(sql::LINK, [parent, id])?;
        self.tell(id, &Told::linked(parent), hand)?;
        hand.next();
        let card = params![id, hand.now, row.version + 2];
        self.execute(sql::DEMOTE, card)?;
        self.moved("ready", "todo", &row.assignee);
        Ok(self.tell(id, &Told::demoted(parent), hand)?)
    }

    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        Ok(Sqlite::claim(self, &task.id, hand)?)
    }

    fn end(&mut self, end: End, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        Ok(Sqlite::end(self, end, &task.id, hand)?)
    }

    fn heartbeat(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        hand.next();
        let id = task.id.as_str();
        self.task(id, "running")?;
        let beat = params![id, hand.now, hand.now + TTL_MS];
        Ok(self.execute(sql::HEARTBEAT, beat)?)
    }

    fn unblock(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<(), Failed> {
        let told = Told::unblocked();
        Ok(self.make_ready(sql::UNBLOCK, "blocked", &task.id, &told, hand)?)
    }

    fn promote(
        &mut self,
        parent: &str,
        child: &mut HandTask,
        hand: &mut Hand,
    ) -> Result<(), Failed> {
        let mut found = self.statement(sql::CHILD)?;
        let found: String = found.query_row([parent], |row| row.get(0))?;
        if found != child.id {
            return Err(Failed::Row);
        }
        let told = Told::promoted(parent);
        Ok(self.make_ready(sql::PROMOTE, "todo", &found, &told, hand)?)
    }

    fn next_ready(&mut self) -> Result<Option<String>, Failed> {
        let mut statement = self.statement(sql::NEXT)?;
        let mut rows = statement.query([])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<(), Failed> {
        let number = hand.next();
        let row = params![number, task, WORKER, COMMENT, hand.now];
        self.execute(sql::SAY, row)?;
        Ok(self.tell(task, &Told::commented(number), hand)?)
    }

    fn subscribe(
        &mut self,
        task: &mut HandTask,
        address: &str,
        hand: &mut Hand,
    ) -> Result<(), Failed> {
        let number = hand.next();
        let id = task.id.as_str();
        let row = self.task(id, "ready")?;
        self.execute(sql::TOUCH, params![id, hand.now, row.version + 1])?;
        let kinds = format!(r#"["{NEWS}"]"#);
        let listener = params![number, id, CHANNEL, address, kinds, hand.now];
        self.execute(sql::SUBSCRIBE, listener)?;
        Ok(self.tell(id, &Told::subscribed(number), hand)?)
    }

    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<(), Failed> {
        let lease = hand.next();
        let cursor: i64 = self.subscription(subscription)?;
        let mut statement = self.statement(sql::NEWS)?;
        let mut rows = statement.query(params![cursor, len(limit)])?;
        let (mut through, mut bytes) = (cursor, 0);
        while let Some(row) = rows.next()? {
            through = row.get(0)?;
            bytes += text_len(row.get_ref(7)?);
        }
        std::hint::black_box(bytes);
        let until = hand.now + LEASE_MS;
        let lease = params![subscription.cast_signed(), lease, until, through];
        Ok(self.execute(sql::LEASE, lease)?)
    }

    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<(), Failed> {
        hand.next();
        self.subscription(subscription)?;
        Ok(self.execute(sql::ACK, [subscription.cast_signed()])?)
    }
}
