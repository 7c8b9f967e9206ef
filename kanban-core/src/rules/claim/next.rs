//! The best claimable task: found by one seek per lane in an index, whatever is paused, capped or waiting at the top.

use crate::error::{Error, Invalid, NotClaimable, Rejection, Result};
use crate::model::{Assignee, Millis, PauseTarget, Phase, Status, Task};
use crate::request::{ClaimFilter, ClaimNext, NextClaim, Who};
use crate::view::{Lane, PriorityKey};

use super::super::draft::{Decided, Draft};
use super::super::settle::PAGE;
use super::super::{Answered, Command};
use super::{Claimant, open_run, paused, repeated};

/// How many assignees a filter names.
const ASSIGNEES_MAX: usize = 1000;

impl Command for ClaimNext {
    type Answer = NextClaim;

    fn decide(&self, draft: &mut Draft<'_>) -> Decided<NextClaim> {
        check_filter(&self.filter)?;
        let claimant = Claimant {
            name: &self.claimant,
            ttl: self.ttl,
            request_id: self.request_id.as_ref(),
        };
        if let Some(open) = repeated(draft, &claimant)? {
            return Ok(Answered::again(NextClaim::Claimed(Box::new(open))));
        }
        if draft.pause(&PauseTarget::Board)?.is_some() {
            let why = NotClaimable::Paused(PauseTarget::Board);
            return Err(Rejection::NotClaimable(why).into());
        }
        let mut search = Search {
            draft,
            next: self,
            best: None,
            paused: false,
            capped: false,
        };
        search.run()?;
        let (best, paused, capped) = (search.best, search.paused, search.capped);
        let value = match best {
            Some(best) => {
                let task = found(draft, &self.filter, best)?;
                NextClaim::Claimed(Box::new(open_run(draft, task, &claimant)?))
            }
            None => NextClaim::None {
                next_at: next_at(draft, &self.filter)?,
                paused,
                capped,
            },
        };
        Ok(Answered::new(value))
    }
}

fn check_filter(filter: &ClaimFilter) -> std::result::Result<(), Invalid> {
    match &filter.who {
        Who::Only(names) | Who::OnlyOrNobody(names) => match names.len() {
            0 => Err(Invalid::below("assignees", 1, 0)),
            1..=ASSIGNEES_MAX => Ok(()),
            found => Err(Invalid::too_many("assignees", ASSIGNEES_MAX, found)),
        },
        Who::Anyone | Who::Nobody => Ok(()),
    }
}

/// A task that may start, as an index tells of it.
struct Best {
    phase: Phase,
    assignee: Option<Assignee>,
    place: PriorityKey,
    /// Its row, where that was read.
    task: Option<Task>,
}

/// The row of the best task. What it was chosen by was the index's word: a damaged one must not start what may not start.
fn found(draft: &mut Draft<'_>, filter: &ClaimFilter, best: Best) -> Result<Task> {
    let id = &best.place.id;
    let task = match best.task {
        Some(task) => {
            draft.has_read(&task);
            Some(task)
        }
        None => draft.task(id)?,
    };
    let is_as_told = |task: &Task| {
        task.status == best.phase.claimable_status()
            && !task.waiting
            && task.assignee == best.assignee
            && PriorityKey::of(task) == best.place
            && covers(filter, task)
    };
    task.filter(is_as_told).ok_or_else(|| {
        Error::corrupt(format!(
            "the index of claimable tasks tells of {id} what its row does not"
        ))
    })
}

struct Search<'s, 'd> {
    draft: &'s Draft<'d>,
    next: &'s ClaimNext,
    best: Option<Best>,
    paused: bool,
    capped: bool,
}

impl Search<'_, '_> {
    fn run(&mut self) -> Result<()> {
        let is_board_full = match self.next.caps.board {
            Some(cap) => self.draft.view().count_in_status(Status::Running)? >= u64::from(cap),
            None => false,
        };
        let phases: &[Phase] = match self.next.filter.phase {
            Some(Phase::Work) => &[Phase::Work],
            Some(Phase::Review) => &[Phase::Review],
            None => &[Phase::Work, Phase::Review],
        };
        for phase in phases {
            match &self.next.filter.who {
                Who::Anyone => self.look_at_all(*phase, is_board_full)?,
                Who::Nobody => self.look_at(*phase, None, is_board_full)?,
                Who::Only(names) => self.look_at_these(*phase, names, is_board_full)?,
                Who::OnlyOrNobody(names) => {
                    self.look_at(*phase, None, is_board_full)?;
                    self.look_at_these(*phase, names, is_board_full)?;
                }
            }
        }
        Ok(())
    }

    fn look_at_all(&mut self, phase: Phase, is_board_full: bool) -> Result<()> {
        let tenant = self.next.filter.tenant.as_ref();
        let mut after: Option<Option<Assignee>> = None;
        loop {
            let lanes = self
                .draft
                .view()
                .lanes(phase, tenant, after.as_ref(), PAGE)?;
            let is_last = lanes.len() < PAGE;
            after = lanes.last().map(|lane| lane.assignee.clone());
            for lane in lanes {
                let head = Best {
                    phase,
                    assignee: lane.assignee,
                    place: lane.first,
                    task: None,
                };
                self.offer(head, is_board_full)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn look_at_these(
        &mut self,
        phase: Phase,
        names: &[Assignee],
        is_board_full: bool,
    ) -> Result<()> {
        names
            .iter()
            .try_for_each(|name| self.look_at(phase, Some(name.clone()), is_board_full))
    }

    fn look_at(
        &mut self,
        phase: Phase,
        assignee: Option<Assignee>,
        is_board_full: bool,
    ) -> Result<()> {
        let lane = Lane {
            phase,
            tenant: self.next.filter.tenant.clone(),
            assignee,
        };
        let Some(head) = self.draft.view().claimable(&lane, None, 1)?.pop() else {
            return Ok(());
        };
        let head = Best {
            phase,
            assignee: lane.assignee,
            place: PriorityKey::of(&head),
            task: Some(head),
        };
        self.offer(head, is_board_full)
    }

    /// Takes the first of a lane for the best, if it may start and is better than what was found so far.
    ///
    /// INVARIANT: what is in a lane may start. A task whose `not_before` is ahead is no part of it, and one that was
    /// reached is gone from the row.
    fn offer(&mut self, head: Best, is_board_full: bool) -> Result<()> {
        let assignee = head.assignee.as_ref();
        let is_better = |best: &Best| head.place < best.place;
        if paused(self.draft, assignee)?.is_some() {
            self.paused = true;
        } else if is_board_full || self.is_full(assignee)? {
            self.capped = true;
        } else if self.best.as_ref().is_none_or(is_better) {
            self.best = Some(head);
        }
        Ok(())
    }

    fn is_full(&self, assignee: Option<&Assignee>) -> Result<bool> {
        let (Some(cap), Some(_)) = (self.next.caps.assignee, assignee) else {
            return Ok(false);
        };
        Ok(self.draft.view().count_of(Status::Running, assignee)? >= u64::from(cap))
    }
}

/// When a back-off of the filter ends: the first among the waiting tasks looked at, else how far was looked.
fn next_at(draft: &Draft<'_>, filter: &ClaimFilter) -> Result<Option<Millis>> {
    // Whoever finds nothing asks again and again, and the first that waits is nearly always of the filter.
    let mut looks = 1;
    loop {
        let waiting = draft.view().waiting(Millis::new(i64::MAX), looks)?;
        let first = waiting.iter().find(|task| covers(filter, task));
        if let Some(first) = first {
            return Ok(first.not_before);
        }
        if waiting.len() < looks {
            return Ok(None);
        }
        if looks == PAGE {
            return Ok(waiting.last().and_then(|task| task.not_before));
        }
        looks = (looks * 32).min(PAGE);
    }
}

fn covers(filter: &ClaimFilter, task: &Task) -> bool {
    let is_theirs = match (&filter.who, &task.assignee) {
        (Who::Anyone, _) | (Who::Nobody | Who::OnlyOrNobody(_), None) => true,
        (Who::Only(names) | Who::OnlyOrNobody(names), Some(assignee)) => names.contains(assignee),
        (Who::Nobody, Some(_)) | (Who::Only(_), None) => false,
    };
    is_theirs
        && filter.phase.is_none_or(|phase| task.phase == phase)
        && filter
            .tenant
            .as_ref()
            .is_none_or(|tenant| task.tenant.as_ref() == Some(tenant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::memory::FixedIds;
    use crate::model::{Label, TaskId};
    use crate::rules::GroupRows;
    use crate::rules::testbed::Testbed;

    /// When to ask again for ada's tasks, of which there is one among so many that wait.
    fn next_at_of_ada(place: u32, waiting: u32) -> Option<i64> {
        let mut bed = Testbed::new();
        let ada = Assignee::new("ada").unwrap();
        for number in 1..=waiting {
            bed.put(&format!("t{number}"), |task| {
                task.not_before = Some(Millis::new(2_000_000 + i64::from(number)));
                task.waiting = true;
                task.assignee = Some(ada.clone()).filter(|_| number == place);
            });
        }
        let mut call = ClaimNext::new(Label::new("claimant", "worker").unwrap());
        call.filter.who = Who::Only(vec![ada]);
        match bed.unchanged(&call) {
            NextClaim::None { next_at, .. } => next_at.map(|at| at.get() - 2_000_000),
            NextClaim::Claimed(claimed) => panic!("expected nothing, found {claimed:?}"),
        }
    }

    #[test]
    fn the_time_to_ask_again_is_found_among_a_thousand_tasks_that_wait() {
        for place in [1, 2, 32, 33, 999, 1000] {
            assert_eq!(next_at_of_ada(place, 1100), Some(place.into()));
        }
        // Behind them it is not looked for: ask again once these have their time.
        assert_eq!(next_at_of_ada(1001, 1100), Some(1000));
        for waiting in [0, 1, 31, 32, 33, 999] {
            assert_eq!(next_at_of_ada(waiting + 1, waiting), None);
        }
    }

    #[test]
    fn what_an_index_tells_wrongly_is_not_claimed() {
        let mut bed = Testbed::new();
        bed.put("t_done", |task| task.status = Status::Done);
        bed.put("t_waiting", |task| task.waiting = true);
        bed.put("t_ready", |_| {});
        let names = FixedIds::default();
        let group = GroupRows::read(&bed.board).unwrap();
        let mut draft = Draft::new(&bed.board, &group, &names, bed.now);
        let mut found = |id: &str, edit: fn(&mut Best, &mut ClaimFilter)| {
            let id = TaskId::new(id).unwrap();
            let mut best = Best {
                phase: Phase::Work,
                assignee: None,
                place: bed.board.tasks.get(&id).map_or_else(
                    || PriorityKey {
                        priority: 0,
                        created_at: Millis::new(0),
                        id: id.clone(),
                    },
                    PriorityKey::of,
                ),
                task: None,
            };
            let mut filter = ClaimFilter::default();
            edit(&mut best, &mut filter);
            let found = found(&mut draft, &filter, best);
            found.map(|_| ()).map_err(|error| error.kind().clone())
        };
        assert_eq!(found("t_ready", |_, _| {}), Ok(()));
        for id in ["t_done", "t_waiting", "t_gone"] {
            assert_eq!(found(id, |_, _| {}), Err(ErrorKind::Corrupt), "{id}");
        }
        let wrong: &[fn(&mut Best, &mut ClaimFilter)] = &[
            |best, _| best.phase = Phase::Review,
            |best, _| best.assignee = Some(Assignee::new("ada").unwrap()),
            |best, _| best.place.priority += 1,
            |_, filter| filter.tenant = Some(Label::new("tenant", "acme").unwrap()),
        ];
        for edit in wrong {
            assert_eq!(found("t_ready", *edit), Err(ErrorKind::Corrupt));
        }
    }
}
