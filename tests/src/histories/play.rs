//! Plays one history: every step on a board and on the oracle, and what is left of both at the end.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kanban_core::{
    BoardStore, Boards, Durability, ErrorKind, ImportLines, KeepClaims, Millis, Options, Rejection,
};
use tempfile::TempDir;

use super::call::{Call, Said};
use super::deadline;
use super::dice::Dice;
use super::differ::differences;
use super::figures::Figures;
use super::resolve;
use super::step::{Op, Step};
use crate::calls::{label, secs, slug};
use crate::clock::{TestClock, TestIds};
use crate::fixture::Opener;
use crate::oracle::{Oracle, born};

/// A root with many boards, one or a few for each history.
#[derive(Debug)]
pub(super) struct World {
    /// Its directory, which is there for as long as this is.
    _root: TempDir,
    boards: Boards,
    clock: Arc<TestClock>,
    boards_made: u64,
}

/// Where a board and the oracle differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// Every step that was played, as a line.
    pub(super) played: Vec<String>,
    /// What was expected and what was found.
    pub(super) what: String,
}

/// When the whole board is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    /// After the last step.
    AtTheEnd,
    /// After each step, so that the first wrong one is known.
    EachStep,
}

/// What an export writes into.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const SETS_UP: &str = "expected that the history's own call is answered, found";

impl World {
    pub(super) fn new(open: Opener) -> Self {
        let root = tempfile::tempdir().expect("the system has room for a directory");
        let clock = Arc::new(TestClock::at(TestClock::START));
        let ids = Arc::new(TestIds::default());
        let options = Options {
            durability: Durability::Process,
            reader_threads: 1,
            clock: Arc::clone(&clock) as Arc<dyn kanban_core::Clock>,
            ids,
            ..Options::default()
        };
        let boards = open(root.path(), options).expect(SETS_UP);
        Self {
            _root: root,
            boards,
            clock,
            boards_made: 0,
        }
    }

    /// Plays a history on a new board.
    pub(super) fn play(
        &mut self,
        steps: &[Step],
        compare: Compare,
        figures: &mut Figures,
    ) -> Result<(), Difference> {
        pollster::block_on(async {
            self.clock.jump(TestClock::START);
            let mut player = Player::new(self).await;
            let mut ended = Ok(());
            for step in steps {
                ended = player.step(*step, figures).await;
                if ended.is_ok() && compare == Compare::EachStep {
                    ended = player.compare().await;
                }
                if ended.is_err() {
                    break;
                }
            }
            if ended.is_ok() {
                ended = player.end(figures).await;
            }
            player.store.close().await.expect(SETS_UP);
            ended.map_err(|what| Difference {
                played: std::mem::take(&mut player.played),
                what,
            })
        })
    }

    async fn new_board(&mut self) -> (String, Arc<dyn BoardStore>) {
        self.boards_made += 1;
        let name = format!("board-{}", self.boards_made);
        let store = self.boards.create(&slug(&name)).await.expect(SETS_UP);
        (name, store)
    }
}

struct Player<'a> {
    world: &'a mut World,
    name: String,
    store: Arc<dyn BoardStore>,
    oracle: Oracle,
    /// The last few writes, to be repeated.
    writes: Vec<Call>,
    played: Vec<String>,
}

impl<'a> Player<'a> {
    async fn new(world: &'a mut World) -> Self {
        let (name, store) = world.new_board().await;
        let board = born(&export(&*store).await).expect("an export tells the board's birth");
        let oracle = Oracle::new(board, Arc::clone(&world.clock));
        Self {
            world,
            name,
            store,
            oracle,
            writes: Vec::new(),
            played: Vec::new(),
        }
    }

    async fn step(&mut self, step: Step, figures: &mut Figures) -> Result<(), String> {
        let board = self.oracle.board.clone();
        let now = self.world.clock.time();
        let mut dice = Dice::new(&board, now, step.throws);
        let call = match step.op {
            Op::Tick => {
                self.tick(&mut dice);
                return Ok(());
            }
            Op::Due => {
                let Some((at, due)) = deadline::pick(&mut dice) else {
                    return Ok(());
                };
                self.jump(at);
                return self.call(deadline::call(due, &mut dice), figures).await;
            }
            Op::Crowd => return self.crowd(step, figures).await,
            Op::Reopened => {
                self.played
                    .push("the board is closed and opened".to_owned());
                self.store.close().await.expect(SETS_UP);
                let name = slug(&self.name);
                let opened = self.world.boards.open_existing(Some(&name)).await;
                self.store = opened.expect(SETS_UP);
                figures.reopened += 1;
                return Ok(());
            }
            Op::Moved => return self.moved(&mut dice, figures).await,
            Op::Again if self.writes.is_empty() => return Ok(()),
            Op::Again => {
                let back = 1 + dice.below(self.writes.len().min(8));
                self.writes[self.writes.len() - back].clone()
            }
            op => match resolve::call(op, &mut dice) {
                Some(call) => call,
                None => return Ok(()),
            },
        };
        self.call(call, figures).await
    }

    async fn call(&mut self, call: Call, figures: &mut Figures) -> Result<(), String> {
        let operation = call.operation();
        self.played.push(line(&call));
        if call.is_write() {
            self.writes.push(call.clone());
        }
        let found = call.clone().put(&*self.store).await;
        let given = found.made(operation);
        let expected = call.judge(&mut self.oracle, given);
        figures.count(operation, &expected);
        self.same(&expected, &found)
    }

    /// Whether both said the same, where the contract does not leave it free.
    fn same(&self, expected: &Said, found: &Said) -> Result<(), String> {
        let is_same = match (&expected.told, &found.told) {
            (Ok(expected), Ok(found)) => expected == found,
            (Err(expected), Err(found)) => self.is_same_kind(expected, found),
            _ => false,
        };
        let is_same_seq = found.seq == expected.seq;
        if is_same && is_same_seq {
            return Ok(());
        }
        Err(match (&expected.told, &found.told) {
            (Ok(expected), Ok(found)) => differences(expected, found),
            _ => format!("expected {expected:?}\nfound    {found:?}"),
        })
    }

    fn is_same_kind(&self, expected: &ErrorKind, found: &ErrorKind) -> bool {
        match (expected, found) {
            // The words are free, what they name is not.
            (ErrorKind::Invalid(expected), ErrorKind::Invalid(found)) => {
                (expected.field, expected.limit, expected.found)
                    == (found.field, found.limit, found.found)
            }
            // Of several circles any may be told.
            (
                ErrorKind::Rejected(Rejection::WouldCycle { path: expected }),
                ErrorKind::Rejected(Rejection::WouldCycle { path: found }),
            ) => {
                let is_joined = |pair: &[kanban_core::TaskId]| {
                    let mut links = self.oracle.board.links.iter();
                    links.any(|link| link.parent == pair[0] && link.child == pair[1])
                };
                expected.first() == found.first() && found.windows(2).all(is_joined)
            }
            (
                ErrorKind::Rejected(Rejection::CycleAmongItems { .. }),
                ErrorKind::Rejected(Rejection::CycleAmongItems { path }),
            ) => path.len() > 1 && path.first() == path.last(),
            (expected, found) => expected == found,
        }
    }

    /// Moves the clock: forward most often.
    fn tick(&mut self, dice: &mut Dice<'_>) {
        let now = self.world.clock.time();
        let ahead = |seconds| now.after(secs(seconds));
        let to = match dice.below(20) {
            0..4 => ahead(1),
            4..9 => ahead(30),
            9..13 => ahead(61),
            13..16 => ahead(900),
            16 => ahead(7200),
            17 => ahead(40 * 86_400),
            18 => Millis::new(now.get() + 1),
            _ => now.before(Duration::from_mins(3)),
        };
        self.jump(to);
    }

    fn jump(&mut self, to: Millis) {
        self.world.clock.jump(to);
        self.played.push(format!("the clock shows {to}"));
    }

    /// Fills tasks up to what stored rows allow: rarely, for it takes as long as a whole history.
    async fn crowd(&mut self, step: Step, figures: &mut Figures) -> Result<(), String> {
        let board = self.oracle.board.clone();
        let now = self.world.clock.time();
        let mut dice = Dice::new(&board, now, step.throws);
        if !dice.chance(25) {
            return Ok(());
        }
        figures.crowds += 1;
        if dice.chance(50) {
            for call in resolve::crowd::subscriptions(&mut dice) {
                self.call(call, figures).await?;
            }
            return Ok(());
        }
        for part in 1..=5 {
            let mut throws = step.throws;
            throws.rotate_left(part * 4);
            let board = self.oracle.board.clone();
            let mut dice = Dice::new(&board, now, throws);
            self.call(resolve::crowd::parents(&mut dice), figures)
                .await?;
        }
        Ok(())
    }

    /// Moves the board to another, and goes on there.
    async fn moved(&mut self, dice: &mut Dice<'_>, figures: &mut Figures) -> Result<(), String> {
        self.compare().await?;
        let claims = dice.one(&[KeepClaims::No, KeepClaims::Yes]);
        self.played.push(format!("the board is moved, {claims:?}"));
        let bytes = export(&*self.store).await.into_bytes();
        let (name, store) = self.world.new_board().await;
        let lines = ImportLines {
            source: Box::new(std::io::Cursor::new(bytes)),
            claims,
            actor: label("olga"),
        };
        let moved = store.import_lines(lines).await;
        let moved = moved.map_err(|error| format!("expected a move, found {error:?}"))?;
        let expected = self.oracle.moved(claims);
        let expected = expected.map_err(|refused| format!("{refused:?}"))?;
        self.store.close().await.expect(SETS_UP);
        (self.name, self.store) = (name, store);
        figures.moved += 1;
        if moved != expected {
            return Err(format!("expected {expected:#?}\nfound {moved:#?}"));
        }
        self.compare().await
    }

    /// Compares all that is on the board, byte by byte.
    async fn compare(&self) -> Result<(), String> {
        let (expected, found) = (self.oracle.board.export(), export(&*self.store).await);
        if expected == found {
            return Ok(());
        }
        let (mut expected, mut found) = (expected.lines(), found.lines());
        loop {
            match (expected.next(), found.next()) {
                (left, right) if left == right => {}
                (Some(left), Some(right)) => {
                    let which: String = left.chars().take(100).collect();
                    let differences = differences(left, right);
                    return Err(format!("the boards differ at {which}\n{differences}"));
                }
                (left, right) => {
                    return Err(format!(
                        "the boards differ\nexpected {left:?}\nfound    {right:?}"
                    ));
                }
            }
        }
    }

    /// The board is as the oracle says, and sound.
    async fn end(&mut self, figures: &mut Figures) -> Result<(), String> {
        self.compare().await?;
        let violations = self.store.verify().await.expect(SETS_UP).value;
        if !violations.is_empty() {
            return Err(format!("expected a sound board, found {violations:#?}"));
        }
        figures.end(&self.oracle.board);
        Ok(())
    }
}

/// A call on one line.
fn line(call: &Call) -> String {
    let text = format!("{call:?}");
    let end = text.floor_char_boundary(2000.min(text.len()));
    text[..end].to_owned()
}

async fn export(store: &dyn BoardStore) -> String {
    let sink = Sink::default();
    store.export(Box::new(sink.clone())).await.expect(SETS_UP);
    let bytes = std::mem::take(&mut *sink.0.lock().unwrap_or_else(PoisonError::into_inner));
    String::from_utf8(bytes).expect("JSON is text")
}
