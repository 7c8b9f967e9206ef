//! What stands beside a store, turn by turn on copies of its board.

use std::fmt;
use std::path::PathBuf;

use kanban_core::Task;

use crate::board::Closed;
use crate::clients::Outcome;
use crate::limit::LIMIT;
use crate::pattern::Pattern;
use crate::subject::{Store, Subject};
use crate::template::Known;
use crate::turns::Took;
use crate::workload::claim_next;
use crate::workload::point::{self, Point};

/// What one turn is given.
#[derive(Debug)]
pub struct Given<'a> {
    /// The file of a board that nobody has open.
    pub file: PathBuf,
    /// What is known of the board as it was filled.
    pub known: &'a Known,
    /// Tasks that no turn before has had from this copy: as many as the rounds use up.
    pub own: &'a [Task],
    /// How many rounds to make.
    pub rounds: usize,
    /// How many calls a transaction holds.
    pub group: usize,
}

type Work<'a> = Box<dyn Fn(&Given<'_>) -> Outcome + 'a>;
type Prepare<'a> = Box<dyn Fn(Closed) -> Closed + 'a>;

/// What a store is compared with. A copy of the board serves turn after turn until its tasks are used up, for to copy takes
/// longer than a turn.
pub struct Other<'a> {
    name: &'static str,
    uses: usize,
    work: Work<'a>,
    prepare: Option<Prepare<'a>>,
    copy: Option<Closed>,
    used: usize,
}

impl<'a> Other<'a> {
    /// The engine's own limit, by a function that makes the rounds. Each uses up so many tasks.
    pub fn limit(uses: usize, work: impl Fn(&Given<'_>) -> Outcome + 'a) -> Self {
        Self::new(LIMIT, uses, work)
    }

    /// A pattern of programs without a store.
    pub fn pattern(
        pattern: Pattern,
        uses: usize,
        work: impl Fn(&Given<'_>) -> Outcome + 'a,
    ) -> Self {
        Self::new(pattern.as_str(), uses, work)
    }

    /// The engine's own limit of an operation, one call per transaction.
    ///
    /// # Panics
    /// Not here; [`turn`](Self::turn) does where the engine fails.
    #[must_use]
    pub fn limit_of(point: Point, subject: Subject) -> Self {
        let uses = usize::from(point.is_write());
        let limit = Self::limit(uses, move |given| {
            let (file, rounds) = (&given.file, given.rounds);
            match point {
                // In the board's order: a task that an earlier turn made for itself would be none that is known.
                Point::ClaimNext => {
                    claim_next::by_hand(subject, file, 1, rounds, &given.known.first)
                }
                _ if point.is_write() => point::by_hand(subject, file, point, 1, rounds, given.own),
                _ => point::by_hand(subject, file, point, 1, rounds, &given.known.tasks),
            }
        });
        // By hand redb leaves the board's numbers where they were, so the store, which makes what the calls of the next turn need,
        // would give them again.
        match subject.store {
            Store::Redb if point.is_write() => limit.each_on(|copy| copy),
            Store::Redb | Store::Sqlite => limit,
        }
    }

    fn new(name: &'static str, uses: usize, work: impl Fn(&Given<'_>) -> Outcome + 'a) -> Self {
        Self {
            name,
            uses,
            work: Box::new(work),
            prepare: None,
            copy: None,
            used: 0,
        }
    }

    /// The same with a copy of its own for each turn, to which something is done before.
    #[must_use]
    pub fn each_on(mut self, prepare: impl Fn(Closed) -> Closed + 'a) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// What it is called in an id.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes so many rounds, in transactions of so many calls; fewer if the board has not as many tasks.
    ///
    /// # Panics
    /// Where the board cannot be copied, or the engine fails: then there is nothing to measure.
    pub fn turn(&mut self, subject: Subject, known: &Known, rounds: usize, group: usize) -> Took {
        let all = known.tasks.len();
        let most = all.checked_div(self.uses).unwrap_or(usize::MAX);
        let rounds = rounds.min(most).max(1);
        let end = self.used + self.uses * rounds;
        let is_used_up = end > all || self.prepare.is_some();
        let kept = self.copy.take().filter(|_| !is_used_up);
        let (copy, from) = match kept {
            Some(copy) => (copy, self.used),
            None => (self.fresh(subject, known), 0),
        };
        self.used = from + self.uses * rounds;
        let given = Given {
            file: copy.file(),
            known,
            own: known.tasks.get(from..self.used).unwrap_or(&known.tasks),
            rounds,
            group,
        };
        let took = Took::from(&(self.work)(&given));
        self.copy = Some(copy);
        took
    }

    fn fresh(&self, subject: Subject, known: &Known) -> Closed {
        let copy = known.template.copy(subject);
        let copy = copy.expect("the board is copied");
        match &self.prepare {
            Some(prepare) => prepare(copy),
            None => copy,
        }
    }
}

impl fmt::Debug for Other<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other")
            .field("name", &self.name)
            .field("uses", &self.uses)
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use kanban_core::TaskId;
    use pollster::block_on;

    use super::*;
    use crate::workload::transitions;

    const SUBJECT: Subject = Subject::new(Store::Sqlite);

    fn known(tasks: usize) -> (tempfile::TempDir, Known) {
        let place = tempfile::tempdir().expect("there is room for a folder");
        let known = block_on(Known::make(SUBJECT, place.path(), tasks));
        (place, known.expect("a board is filled"))
    }

    fn outcome() -> Outcome {
        Outcome {
            calls: 1,
            usage: crate::usage::Mark::set().used(),
            latency: crate::clients::latencies(),
        }
    }

    #[test]
    fn a_copy_serves_turns_until_its_tasks_are_used_up() {
        let (_place, known) = known(10);
        let seen = RefCell::new(Vec::new());
        let mut other = Other::limit(2, |given| {
            let own: Vec<TaskId> = given.own.iter().map(|task| task.id.clone()).collect();
            assert_eq!(own.len(), 2 * given.rounds);
            seen.borrow_mut().push((given.file.clone(), own));
            // Fails where a task has been claimed before.
            transitions::by_hand(SUBJECT, &given.file, given.group, given.own)
        });
        for rounds in [2, 2, 2, 9] {
            other.turn(SUBJECT, &known, rounds, 2);
        }
        let ids = &known.template.ids;
        let own: Vec<&[TaskId]> = vec![&ids[..4], &ids[4..8], &ids[..4], &ids[..]];
        let seen = seen.borrow();
        let found: Vec<&[TaskId]> = seen.iter().map(|(_, own)| own.as_slice()).collect();
        assert_eq!(found, own);
        assert_eq!(seen[0].0, seen[1].0, "the second turn fits into the copy");
        assert_ne!(seen[1].0, seen[2].0, "the third does not");
    }

    #[test]
    fn a_limit_of_an_operation_takes_turn_after_turn_on_each_engine() {
        for store in Store::ALL {
            let subject = Subject::new(*store);
            let place = tempfile::tempdir().expect("there is room for a folder");
            let known = block_on(Known::make(subject, place.path(), 20));
            let known = known.expect("a board is filled");
            for point in [Point::CompleteParent, Point::Claim, Point::Create] {
                let mut limit = Other::limit_of(point, subject);
                for _turn in 0..3 {
                    // Fails where the store finds its numbers given.
                    assert_eq!(limit.turn(subject, &known, 2, 1).calls, 2, "{subject}");
                }
            }
        }
    }

    #[test]
    fn what_uses_nothing_up_keeps_its_copy_and_what_prepares_does_not() {
        let (_place, known) = known(4);
        let files = RefCell::new(Vec::new());
        let run = |given: &Given<'_>| {
            files.borrow_mut().push(given.file.clone());
            outcome()
        };
        let mut reads = Other::limit(0, run);
        reads.turn(SUBJECT, &known, 1000, 1);
        reads.turn(SUBJECT, &known, 1000, 1);
        let prepared = RefCell::new(0);
        let mut listened = Other::limit(1, run).each_on(|copy| {
            *prepared.borrow_mut() += 1;
            copy
        });
        listened.turn(SUBJECT, &known, 1, 1);
        listened.turn(SUBJECT, &known, 1, 1);
        let files = files.borrow();
        assert_eq!(files[0], files[1]);
        assert_ne!(files[2], files[3]);
        assert_eq!(*prepared.borrow(), 2);
    }
}
