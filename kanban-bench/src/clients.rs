//! Many callers at once, as a gateway has them: futures on one thread.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hdrhistogram::Histogram;
use kanban_core::Result;
use pollster::block_on;

use crate::clock::{nanos, now};
use crate::usage::{Mark, Usage};

/// What a load of calls came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How many calls were answered.
    pub calls: u64,
    /// What it took.
    pub usage: Usage,
    /// From the moment when a call was due until its answer, in nanoseconds.
    pub latency: Histogram<u64>,
}

impl Outcome {
    /// Calls per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        per_second(self.calls, self.usage.elapsed)
    }
}

/// One outcome of several threads or clients.
///
/// # Panics
/// Where a histogram was not made by [`latencies`].
#[must_use]
pub(crate) fn merge(all: &[Histogram<u64>], usage: Usage) -> Outcome {
    let mut latency = latencies();
    for one in all {
        latency.add(one).expect("all are made alike");
    }
    Outcome {
        calls: latency.len(),
        usage,
        latency,
    }
}

/// How many per second.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "a count of calls is far below 2^52"
)]
pub(crate) fn per_second(count: u64, span: Duration) -> f64 {
    count as f64 / span.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The longest latency that is told apart, in nanoseconds: an hour.
const LATENCY_MAX: u64 = 3_600_000_000_000;

/// A histogram of latencies in nanoseconds, to three digits, up to an hour.
///
/// # Panics
/// Never: the bounds are within those of the library.
#[must_use]
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX, 3).expect("an hour to three digits is allowed")
}

/// Each client calls again as soon as it is answered, `calls` times. `call` is given the client's number and the number of its
/// call. What is measured is how much gets through.
///
/// # Errors
/// The first of a call.
pub(crate) fn closed<F: Future<Output = Result<()>>>(
    clients: usize,
    calls: usize,
    call: impl Fn(usize, usize) -> F,
) -> Result<Outcome> {
    // One histogram: a fresh one for each of 256 clients would be 60 MB of memory to touch.
    let latency = RefCell::new(latencies());
    let (call, times) = (&call, &latency);
    let client = |number| async move {
        for nth in 0..calls {
            let due = now();
            call(number, nth).await?;
            let took = nanos(due.elapsed());
            times.borrow_mut().saturating_record(took);
        }
        Ok::<_, kanban_core::Error>(())
    };
    let mark = Mark::set();
    let all = (0..clients).map(client).collect::<FuturesUnordered<_>>();
    let answered: Vec<Result<()>> = block_on(all.collect());
    let usage = mark.used();
    answered.into_iter().collect::<Result<()>>()?;
    Ok(merge(&[latency.into_inner()], usage))
}

/// Calls fall due at an even rate, whether or not the ones before are answered, and are timed from then: a call that had to
/// wait its turn shows it. `call` is given the number of the call.
///
/// # Errors
/// The first of a call.
///
/// # Panics
/// If the rate is not above 0.
pub(crate) fn open<F: Future<Output = Result<()>>>(
    per_second: f64,
    calls: usize,
    call: impl Fn(usize) -> F,
) -> Result<Outcome> {
    let gap = Duration::from_secs_f64(per_second.recip());
    let mark = Mark::set();
    let start = now();
    let mut latency = latencies();
    let mut waiting = FuturesUnordered::new();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut due = start;
    let mut started = 0;
    loop {
        while started < calls && due <= now() {
            let (answer, was_due) = (call(started), due);
            waiting.push(async move {
                answer.await?;
                Ok::<_, kanban_core::Error>(was_due.elapsed())
            });
            due += gap;
            started += 1;
        }
        match pin!(&mut waiting).as_mut().poll_next_unpin(&mut context) {
            Poll::Ready(Some(took)) => latency.saturating_record(nanos(took?)),
            Poll::Ready(None) if started == calls => break,
            Poll::Pending if started == calls => thread::park(),
            Poll::Ready(None) | Poll::Pending => {
                thread::park_timeout(due.saturating_duration_since(now()));
            }
        }
    }
    Ok(Outcome {
        calls: latency.len(),
        usage: mark.used(),
        latency,
    })
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs the same on as many threads at once, each with its number. What is measured lies between the moment when all may
/// begin and the end of the last; `prepare` runs before.
///
/// # Panics
/// Where a thread cannot be started, or panics.
pub(crate) fn threads<S: Send, T: Send>(
    count: usize,
    prepare: impl Fn(usize) -> S + Sync,
    work: impl Fn(S) -> T + Sync,
) -> (Vec<T>, Usage) {
    // Two, so that the clock is read while all wait: this thread may be woken last, when the others are done.
    let (ready, go) = (Barrier::new(count + 1), Barrier::new(count + 1));
    thread::scope(|scope| {
        let handles: Vec<_> = (0..count)
            .map(|number| {
                let (ready, go, prepare, work) = (&ready, &go, &prepare, &work);
                let run = move || {
                    let prepared = prepare(number);
                    ready.wait();
                    go.wait();
                    let done = work(prepared);
                    (done, now())
                };
                thread::Builder::new()
                    .name(format!("bench-{number}"))
                    .spawn_scoped(scope, run)
                    .expect("the system gives a bench its threads")
            })
            .collect();
        ready.wait();
        let (mark, start) = (Mark::set(), now());
        go.wait();
        let (done, ends): (Vec<T>, Vec<_>) = handles
            .into_iter()
            .map(|handle| handle.join().expect("the work of a bench does not panic"))
            .unzip();
        let end = ends.into_iter().max().unwrap_or(start);
        let elapsed = end.saturating_duration_since(start);
        (
            done,
            Usage {
                elapsed,
                ..mark.used()
            },
        )
    })
}

#[cfg(test)]
mod tests;
