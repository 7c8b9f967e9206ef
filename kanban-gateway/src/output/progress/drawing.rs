//! Draws what a store tells, on a thread of its own: the call that tells may hold the board, and a terminal that somebody
//! has stopped takes nothing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use indicatif::ProgressBar;
use kanban_core::{BoardSlug, OnMigration, OnProgress, Progress as Told, Stage};

use super::{BAR, BAR_OF_BYTES, COUNT, COUNT_OF_BYTES, SPINNER, draw_end, style};

/// A line that shows the stages of a call.
#[derive(Clone)]
pub(super) struct Drawing {
    bar: ProgressBar,
    what: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    told: Mutex<Untold>,
    more: Condvar,
    /// Held by who draws; the stage that is drawn.
    drawn: Mutex<Option<Drawn>>,
}

/// A stage, of a board where there are several.
type Drawn = (Option<BoardSlug>, Stage);

/// What is not drawn yet: of each stage the newest.
#[derive(Default)]
struct Untold {
    stages: Vec<(Option<BoardSlug>, Told)>,
    is_over: bool,
}

impl Drawing {
    pub(super) fn new(bar: &ProgressBar, what: &'static str) -> Self {
        Self {
            bar: bar.clone(),
            what,
            shared: Arc::default(),
        }
    }

    /// Begins to draw what this listener hears. It never waits for the terminal.
    pub(super) fn listener(&self) -> std::io::Result<OnProgress> {
        self.begin()?;
        let shared = Arc::clone(&self.shared);
        Ok(Arc::new(move |now| shared.hear(None, *now)))
    }

    /// The same for several boards, each of which is named.
    pub(super) fn listener_by_board(&self) -> std::io::Result<OnMigration> {
        self.begin()?;
        let shared = Arc::clone(&self.shared);
        Ok(Arc::new(move |board, now| shared.hear(Some(board), *now)))
    }

    fn begin(&self) -> std::io::Result<()> {
        let theirs = self.clone();
        let builder = thread::Builder::new().name("kanban-progress".to_owned());
        // It ends with the drawing, which nobody waits for.
        builder.spawn(move || theirs.run()).map(drop)
    }

    /// Draws what is left, and clears the line. Nothing is drawn afterwards.
    pub(super) fn clear(&self) {
        lock(&self.shared.told).is_over = true;
        self.shared.more.notify_all();
        self.draw(&mut lock(&self.shared.drawn));
        self.bar.finish_and_clear();
    }

    fn run(&self) {
        loop {
            let told = lock(&self.shared.told);
            let wait = self
                .shared
                .more
                .wait_while(told, |told| !told.is_over && told.stages.is_empty());
            let is_over = wait.unwrap_or_else(PoisonError::into_inner).is_over;
            if is_over {
                return;
            }
            self.draw(&mut lock(&self.shared.drawn));
        }
    }

    fn draw(&self, drawn: &mut Option<Drawn>) {
        let stages = std::mem::take(&mut lock(&self.shared.told).stages);
        for (board, now) in stages {
            let what = match &board {
                Some(board) => format!("{} {board}: {}", self.what, now.stage),
                None => format!("{}: {}", self.what, now.stage),
            };
            let stage = Some((board, now.stage));
            if *drawn != stage {
                *drawn = stage;
                self.bar.reset();
                self.bar.set_message(what);
                self.fit(&now);
            } else if self.bar.length() != now.total {
                self.fit(&now);
            }
            self.bar.set_position(now.done);
            draw_end(&self.bar);
        }
    }

    /// Shows of a stage what is known of it.
    fn fit(&self, now: &Told) {
        let template = match (now.total, now.stage.counts_bytes()) {
            (Some(_), true) => BAR_OF_BYTES,
            (Some(_), false) => BAR,
            (None, true) => COUNT_OF_BYTES,
            (None, false) if now.stage == Stage::Check => SPINNER,
            (None, false) => COUNT,
        };
        self.bar.set_style(style(template));
        match now.total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
    }
}

impl Shared {
    fn hear(&self, board: Option<&BoardSlug>, now: Told) {
        let mut told = lock(&self.told);
        if told.is_over {
            return;
        }
        match told.stages.last_mut() {
            Some((of, last)) if of.as_ref() == board && last.stage == now.stage => *last = now,
            _ => told.stages.push((board.cloned(), now)),
        }
        self.more.notify_all();
    }
}

/// A panic of who held it has left values that are whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_tells_is_drawn_stage_by_stage() {
        let drawing = Drawing::new(&ProgressBar::hidden(), "exporting");
        let tell = |stage, done, total| {
            drawing.shared.hear(None, Told { stage, done, total });
            drawing.draw(&mut lock(&drawing.shared.drawn));
            let bar = &drawing.bar;
            (bar.message(), bar.position(), bar.length())
        };
        let reading = || "exporting: reading".to_owned();
        assert_eq!(tell(Stage::Read, 3, None), (reading(), 3, None));
        assert_eq!(tell(Stage::Read, 4, Some(5)), (reading(), 4, Some(5)));
        let found = tell(Stage::HandOver, 0, Some(70));
        assert_eq!(found, ("exporting: handing over".to_owned(), 0, Some(70)));
    }

    #[test]
    fn a_stage_has_the_name_of_its_board_however_late_it_is_drawn() {
        let drawing = Drawing::new(&ProgressBar::hidden(), "migrating");
        let now = Told {
            stage: Stage::Read,
            done: 2,
            total: Some(2),
        };
        for board in ["first", "second"] {
            let board = BoardSlug::new(board).expect("a name");
            drawing.shared.hear(Some(&board), now);
        }
        let heard = lock(&drawing.shared.told).stages.clone();
        let boards = heard.iter().filter_map(|(board, _)| board.as_ref());
        let boards: Vec<&str> = boards.map(BoardSlug::as_str).collect();
        assert_eq!(boards, ["first", "second"]);
        drawing.draw(&mut lock(&drawing.shared.drawn));
        assert_eq!(drawing.bar.message(), "migrating second: reading");
    }

    #[test]
    fn a_listener_waits_for_nobody_who_draws() {
        let drawing = Drawing::new(&ProgressBar::hidden(), "importing");
        let listener = drawing.listener().expect("a thread starts");
        // As if the terminal took nothing.
        let stopped = lock(&drawing.shared.drawn);
        for done in 0..1000 {
            for stage in [Stage::Write, Stage::Verify] {
                listener(&Told {
                    stage,
                    done,
                    total: None,
                });
            }
        }
        drop(stopped);
        drawing.clear();
        assert!(drawing.bar.is_finished());
    }
}
