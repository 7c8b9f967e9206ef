//! What loops do, whatever the engine.

use super::{End, Hand, HandTask, Result};

/// The changes of one open transaction.
pub(crate) trait Rows {
    /// Claims a ready task: reads its row; writes it with its index keys and counters, a run, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not ready.
    fn claim(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// Ends the run of a task that was claimed: reads both rows; writes them with their index keys and counters, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not running.
    fn end(&mut self, end: End, task: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// Keeps a claim alive: reads the task's row, and writes it with its index key.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not running.
    fn heartbeat(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// Lets a blocked task go on: reads its row; writes it with its index keys and counters, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not blocked.
    fn unblock(&mut self, task: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// Lets the only child of a task that is done go on, which is found by one seek in the index of links: reads its row; writes
    /// it with its index keys and counters, an event.
    ///
    /// # Errors
    /// The engine's; a child that is not there, is another one, or does not wait.
    fn promote(&mut self, parent: &str, child: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// The ready task of the highest priority, by one seek in the index of the list. The store merges the queues of all
    /// assignees, since one of them may be paused.
    ///
    /// # Errors
    /// The engine's.
    fn next_ready(&mut self) -> Result<Option<String>>;

    /// Creates the task with a number, on a board that holds a task: writes its row with its index keys and counter, its body,
    /// an event, and its link to a parent that is not done, with its index key.
    ///
    /// # Errors
    /// The engine's.
    fn create(
        &mut self,
        number: usize,
        parent: Option<&HandTask>,
        hand: &mut Hand,
    ) -> Result<HandTask>;

    /// Gives a task another title: reads its row; writes it with its index key, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there.
    fn update(&mut self, task: &mut HandTask, title: &str, hand: &mut Hand) -> Result<()>;

    /// Gives a ready task to somebody else: reads its row; writes it with its index keys and counters, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not ready.
    fn assign(&mut self, task: &mut HandTask, assignee: &str, hand: &mut Hand) -> Result<()>;

    /// Makes a ready task the child of one that is not done: reads its row; writes it with its index keys and counters, the link
    /// with its index key, two events.
    ///
    /// # Errors
    /// The engine's; a child that is not there, or not ready.
    fn link(&mut self, parent: &str, child: &mut HandTask, hand: &mut Hand) -> Result<()>;

    /// Writes a comment with its index key, and an event.
    ///
    /// # Errors
    /// The engine's.
    fn comment(&mut self, task: &str, hand: &mut Hand) -> Result<()>;

    /// Adds a subscription of a task with an address: reads the task's row; writes it with its index key, the subscription with its
    /// index keys, an event.
    ///
    /// # Errors
    /// The engine's; a task that is not there, or not ready.
    fn subscribe(&mut self, task: &mut HandTask, address: &str, hand: &mut Hand) -> Result<()>;

    /// Reads a subscription and the events after its cursor, of whatever kind, on redb as many of the last ones; writes its row.
    ///
    /// # Errors
    /// The engine's; a subscription that is not there.
    fn lease(&mut self, subscription: u64, limit: usize, hand: &mut Hand) -> Result<()>;

    /// Reads a subscription, and writes its row.
    ///
    /// # Errors
    /// The engine's; a subscription that is not there.
    fn ack(&mut self, subscription: u64, hand: &mut Hand) -> Result<()>;
}
