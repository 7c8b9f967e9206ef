//! Many callers at once, and calls that nobody waits for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::thread;

/// Does the same on many threads that start together, and answers what each found, in order.
pub fn race<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                let (start, work) = (&start, &work);
                thread::Builder::new()
                    .name(format!("racer-{number}"))
                    .spawn_scoped(scope, move || {
                        start.wait();
                        work(number)
                    })
                    .expect("the system has room for a few threads")
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| match handle.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

/// Polls a call once, so that it is on its way. Answers what it found if it ended at once.
///
/// # Errors
/// The call, still on its way: to be awaited, or dropped.
pub fn polled<'a, T>(
    call: impl Future<Output = T> + Send + 'a,
) -> Result<T, Pin<Box<dyn Future<Output = T> + Send + 'a>>> {
    let mut call = Box::pin(call);
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => Ok(found),
        Poll::Pending => Err(call),
    }
}
