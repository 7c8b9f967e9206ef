//! What events say by hand: the same words as the store's, so that their rows are as long.

use super::hand::HandTask;
use crate::said::{CHANNEL, WORKER};

/// An event of a task.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) kind: &'static str,
    pub(super) actor: Option<&'static str>,
    pub(super) run: Option<i64>,
    pub(super) data: String,
}

impl Told {
    const fn by_nobody(kind: &'static str, data: String) -> Self {
        Self {
            kind,
            actor: None,
            run: None,
            data,
        }
    }

    pub(super) fn by_worker(kind: &'static str, data: String) -> Self {
        Self {
            actor: Some(WORKER),
            ..Self::by_nobody(kind, data)
        }
    }

    /// Names the run.
    pub(super) fn of(self, run: i64) -> Self {
        let run = Some(run);
        Self { run, ..self }
    }

    pub(super) fn created(title: &str, parent: Option<&HandTask>) -> Self {
        let data = match parent {
            None => format!(r#"{{"title":"{title}","to":"ready"}}"#),
            Some(HandTask { id, .. }) => {
                format!(r#"{{"parents":["{id}"],"title":"{title}","to":"todo"}}"#)
            }
        };
        Self::by_nobody("created", data)
    }

    pub(super) fn updated() -> Self {
        Self::by_nobody("updated", r#"{"fields":["title"]}"#.to_owned())
    }

    pub(super) fn assigned(from: &str, to: &str) -> Self {
        Self::by_nobody("assigned", format!(r#"{{"from":"{from}","to":"{to}"}}"#))
    }

    pub(super) fn linked(parent: &str) -> Self {
        Self::by_nobody("linked", format!(r#"{{"parent":"{parent}"}}"#))
    }

    /// A ready task got a parent that is not done.
    pub(super) fn demoted(parent: &str) -> Self {
        let data = format!(r#"{{"cause":"{parent}","from":"ready","to":"todo"}}"#);
        Self::by_nobody("demoted", data)
    }

    /// The only parent of a task is done.
    pub(super) fn promoted(parent: &str) -> Self {
        let data = format!(r#"{{"cause":"{parent}","from":"todo","to":"ready"}}"#);
        Self::by_worker("promoted", data)
    }

    pub(super) fn claimed(run: i64, until: i64) -> Self {
        let data = format!(
            r#"{{"claimant":"{WORKER}","expires_at":{until},"from":"ready","phase":"work","run":{run},"to":"running"}}"#
        );
        Self::by_worker("claimed", data).of(run)
    }

    pub(super) fn unblocked() -> Self {
        let data = r#"{"from":"blocked","to":"ready"}"#.to_owned();
        Self::by_worker("unblocked", data)
    }

    pub(super) fn commented(comment: i64) -> Self {
        Self::by_worker("commented", format!(r#"{{"comment":{comment}}}"#))
    }

    pub(super) fn subscribed(subscription: i64) -> Self {
        let data = format!(r#"{{"channel":"{CHANNEL}","subscription":{subscription}}}"#);
        Self::by_nobody("subscribed", data)
    }
}
