//! The parts that other processes play on a case's root.

use std::env;
use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kanban_core::{
    BoardStore, Boards, ClaimNext, Durability, ErrorKind, Millis, NextClaim, Options, RandomIds,
};

use crate::calls;
use crate::clock::TestClock;
use crate::runner::Backend;

const PART: &str = "KANBAN_CONFORMANCE_PART";
const ROOT: &str = "KANBAN_CONFORMANCE_ROOT";
const NOW: &str = "KANBAN_CONFORMANCE_NOW";
const ARGUMENTS: &str = "KANBAN_CONFORMANCE_ARGUMENTS";

/// What a line of a child begins with that is meant for the case: the test harness writes to the same place.
const ANSWER: &str = "answer ";

/// A process that plays a part. It is killed if the case gives it up.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn spawn(
        backend: &Backend,
        part: &str,
        root: &Path,
        now: Millis,
        arguments: &str,
    ) -> Self {
        let this = env::current_exe().expect("a test knows its own program");
        let mut process = Command::new(this)
            .args(["--exact", &backend.test("child_process"), "--nocapture"])
            .env(PART, part)
            .env(ROOT, root)
            .env(NOW, now.get().to_string())
            .env(ARGUMENTS, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the system has room for a process");
        let input = process.stdin.take();
        let output = process.stdout.take().expect("its output is piped");
        Self {
            process,
            input,
            output: BufReader::new(output),
        }
    }

    /// Waits for its next answer.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line);
            assert_ne!(
                read.expect("the output of a child is text"),
                0,
                "expected an answer of the child, found its end"
            );
            if let Some(answer) = line.strip_prefix(ANSWER) {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Tells it to go on.
    pub fn go(&mut self) {
        let mut input = self.input.as_ref().expect("it was not told to end");
        input.write_all(b"go\n").expect("the child listens");
    }

    /// Waits for its end, which must be a good one.
    pub fn ended(mut self) {
        drop(self.input.take());
        // Reads what is left, so that the child does not wait for somebody to read it.
        let rest = self.output.by_ref().lines().count();
        let status = self.process.wait().expect("a child can be waited for");
        assert!(
            status.success(),
            "expected a good end of the child, found {status} after {rest} more lines"
        );
    }

    /// Kills it in the middle of what it does.
    pub fn kill(mut self) {
        self.process.kill().expect("a child can be killed");
        self.process.wait().expect("a child can be waited for");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails where it has ended already, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays the part that the environment names, if any.
pub(crate) fn play(backend: Backend) {
    let Ok(part) = env::var(PART) else { return };
    let now = given(NOW).parse().expect("the case gives a number");
    let durability = match part.rsplit_once("_at_") {
        Some((_, "process")) => Durability::Process,
        // Longer than any case takes: nothing is flushed but what must be.
        Some((_, "lazy")) => Durability::Lazy {
            interval: Duration::from_hours(1),
        },
        _ => Durability::Power,
    };
    let options = Options {
        durability,
        clock: Arc::new(TestClock::at(Millis::new(now))),
        ids: Arc::new(RandomIds),
        ..Options::default()
    };
    let root = given(ROOT);
    let boards = (backend.open)(Path::new(&root), options).expect("the root can be opened");
    pollster::block_on(async {
        match part.as_str() {
            "create_board" => create_board(&boards).await,
            "open_board" => open_board(&boards).await,
            "claim_all" => claim_all(&boards).await,
            "create_by_key" => create_by_key(&boards).await,
            "comment_at_process" | "comment_at_lazy" => comment(&boards).await,
            other => panic!("expected a part, found {other}"),
        }
        boards.close().await.expect("the boards can be closed");
    });
}

/// Opens the board named by the arguments, on the case's word, and makes one task on it.
async fn create_board(boards: &Boards) {
    wait();
    let slug = calls::slug(&given(ARGUMENTS));
    let store = boards.open(Some(&slug)).await.expect("many may race");
    let task = store.create(calls::new("from a child")).await;
    answer(task.expect("the board is there").value.id.as_str());
}

/// Opens the board named by the arguments, on the case's word, and answers how that went; holds it until no word comes.
async fn open_board(boards: &Boards) {
    wait();
    let slug = calls::slug(&given(ARGUMENTS));
    let opened = boards.open(Some(&slug)).await;
    match &opened {
        Ok(store) => {
            let task = store.create(calls::new("from a child")).await;
            task.expect("the board is there");
            answer("opened");
        }
        Err(error) => match error.kind() {
            ErrorKind::Unavailable(why) => answer(why.as_str()),
            other => panic!("expected that a board is unavailable, found {other:?}"),
        },
    }
    assert!(!heard(), "expected the end of the case's words");
}

/// Claims and completes, on the case's word, until nothing is left; answers what it claimed.
async fn claim_all(boards: &Boards) {
    let store = default(boards).await;
    wait();
    let claimant = calls::label(&given(ARGUMENTS));
    let mut ids = Vec::new();
    loop {
        let next = store.claim_next(ClaimNext::new(claimant.clone())).await;
        match next.expect("a claim is answered").value {
            NextClaim::Claimed(claimed) => {
                let done = store.complete(calls::complete(&claimed)).await;
                done.expect("the claim is this process's");
                ids.push(claimed.task.id.to_string());
            }
            NextClaim::None { .. } => break,
        }
    }
    answer(&ids.join(" "));
}

/// Creates a task by the key of the arguments, on the case's word; answers its id.
async fn create_by_key(boards: &Boards) {
    let store = default(boards).await;
    wait();
    let key = Some(calls::label(&given(ARGUMENTS)));
    let new = kanban_core::NewTask {
        idempotency_key: key,
        ..calls::new("by key")
    };
    let task = store.create(new).await.expect("a create is answered");
    answer(task.value.id.as_str());
}

/// Comments on the task of the arguments at each word of the case, until no word comes; answers each id and `seq`.
async fn comment(boards: &Boards) {
    let store = default(boards).await;
    let task = calls::task_id(&given(ARGUMENTS));
    answer("ready");
    while heard() {
        let comment = store.comment(calls::comment(&task, "from a child")).await;
        let comment = comment.expect("a comment is answered");
        answer(&format!("{} {}", comment.value.id, comment.seq));
    }
}

async fn default(boards: &Boards) -> Arc<dyn BoardStore> {
    boards.open(None).await.expect("the board can be opened")
}

fn given(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("expected {name} from the case, found none"))
}

/// Says that this process is ready, and waits for the case's word.
fn wait() {
    answer("ready");
    assert!(heard(), "expected a word of the case, found its end");
}

fn heard() -> bool {
    let mut line = String::new();
    stdin().read_line(&mut line).expect("the case writes text") > 0
}

#[expect(clippy::print_stdout, reason = "this is how a child answers")]
fn answer(text: &str) {
    // On a line of its own, whatever the test harness has begun.
    println!("\n{ANSWER}{text}");
}
