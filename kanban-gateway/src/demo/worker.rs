//! One worker: claims, works, finishes, and has an adventure with its first task.

use std::sync::mpsc::{SyncSender, sync_channel};

use kanban_core::{
    Authority, ClaimNext, Claimed, Complete, Fail, FailKind, Label, NextClaim, Note, Rejection,
    RetryAfter, Ttl,
};
use pollster::block_on;

use super::crew::{Crew, News, SHORT_TTL};
use crate::failure::Failure;
use crate::output::plain;

/// What becomes of a worker's first task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is finished.
    Steady,
    /// The worker dies over it.
    Dies,
    /// The worker comes back when its claim was taken away.
    Late,
    /// A rate limit holds the worker back.
    Limited,
}

impl Role {
    pub(super) const fn of(number: usize) -> Self {
        match number {
            3 => Self::Dies,
            5 => Self::Late,
            7 => Self::Limited,
            _ => Self::Steady,
        }
    }

    /// How long its first claim holds; those of the others never end during the demo.
    const fn ttl(self) -> std::time::Duration {
        match self {
            Self::Dies | Self::Late => SHORT_TTL,
            Self::Steady | Self::Limited => std::time::Duration::from_hours(24),
        }
    }
}

/// Whether a worker goes on.
enum Then {
    GoesOn,
    Ends,
}

pub(super) struct Worker<'a> {
    crew: &'a Crew,
    name: String,
    role: Role,
    tell: SyncSender<News>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(crew: &'a Crew, number: usize, role: Role, tell: SyncSender<News>) -> Self {
        Self {
            crew,
            name: format!("worker-{number}"),
            role,
            tell,
        }
    }

    /// Works until everything is done, or the worker dies.
    pub(super) fn work(self) -> Result<(), Failure> {
        let ended = self.works();
        if ended.is_err() {
            self.crew.stop();
        }
        self.crew.leave();
        if !matches!(ended, Ok(Then::Ends)) {
            self.tell.send(News::Left).ok();
        }
        ended.map(|_| ())
    }

    fn works(&self) -> Result<Then, Failure> {
        let first = self.claim(self.role);
        self.crew.gather();
        if let NextClaim::Claimed(claimed) = first? {
            let then = self.first(&claimed)?;
            if matches!(then, Then::Ends) {
                return Ok(then);
            }
        }
        while !self.crew.is_finished() {
            let seen = self.crew.moves();
            match self.claim(Role::Steady)? {
                NextClaim::Claimed(claimed) => self.finish(&claimed)?,
                NextClaim::None { next_at, .. } => self.crew.rest(seen, next_at),
            }
        }
        Ok(Then::GoesOn)
    }

    fn claim(&self, role: Role) -> Result<NextClaim, Failure> {
        let claim = ClaimNext {
            ttl: Some(Ttl::new(role.ttl())?),
            ..ClaimNext::new(Label::new("claimant", self.name.as_str())?)
        };
        let claimed = block_on(self.crew.store.claim_next(claim))?.value;
        if let NextClaim::Claimed(claimed) = &claimed {
            self.say(claimed, "claims");
        }
        Ok(claimed)
    }

    fn first(&self, claimed: &Claimed) -> Result<Then, Failure> {
        let task = &claimed.task.id;
        match self.role {
            Role::Steady => self.finish(claimed)?,
            Role::Dies => {
                self.say(claimed, "crashes over");
                self.crew.count(|tally| tally.died += 1);
                self.tell.send(News::Died(claimed.task.clone())).ok();
                return Ok(Then::Ends);
            }
            Role::Late => {
                self.say(claimed, "falls asleep over");
                let (wake, woken) = sync_channel(1);
                self.tell.send(News::Away(claimed.task.clone(), wake)).ok();
                woken.recv().ok();
                self.come_back(claimed)?;
            }
            Role::Limited => {
                let wait = RetryAfter::new(std::time::Duration::from_secs(5))?;
                block_on(self.crew.store.fail(Fail {
                    task: task.clone(),
                    authority: Authority::worker(claimed.run.id),
                    kind: FailKind::RateLimited,
                    error: Some(Note::new("error", "429: too many requests")?),
                    retry_after: Some(wait),
                }))?;
                self.say(claimed, "is rate-limited on");
                self.crew.count(|tally| tally.rate_limited += 1);
            }
        }
        Ok(Then::GoesOn)
    }

    /// A worker that was away too long tries to finish all the same.
    fn come_back(&self, claimed: &Claimed) -> Result<(), Failure> {
        match block_on(self.crew.store.complete(self.completion(claimed)?)) {
            Ok(_) => {
                self.say(claimed, "was let in late with");
                self.crew.count(|tally| tally.done += 1);
            }
            Err(error) => match error.rejection() {
                Some(Rejection::StaleRun { .. }) => {
                    self.say(claimed, "comes back late and is refused (stale_run):");
                    self.crew.count(|tally| tally.late_refused += 1);
                }
                _ => return Err(error.into()),
            },
        }
        Ok(())
    }

    fn finish(&self, claimed: &Claimed) -> Result<(), Failure> {
        block_on(self.crew.store.complete(self.completion(claimed)?))?;
        self.say(claimed, "finishes");
        self.crew.count(|tally| tally.done += 1);
        Ok(())
    }

    fn completion(&self, claimed: &Claimed) -> Result<Complete, Failure> {
        let summary = format!("{} by {}", claimed.task.title, self.name);
        Ok(Complete {
            summary: Some(Note::new("summary", summary)?),
            ..Complete::new(claimed.task.id.clone(), Authority::worker(claimed.run.id))
        })
    }

    fn say(&self, claimed: &Claimed, does: &str) {
        let title = plain(&claimed.task.title);
        let line = format!("  {:<9} {does} {title} (run {})", self.name, claimed.run.id);
        // The foreman may be gone: then nobody listens.
        self.tell.send(News::Told(line)).ok();
    }
}
