use std::cell::Cell;
use std::collections::BTreeSet;
use std::pin::Pin;

use kanban_core::{Error, ErrorKind};

use super::*;

/// A future that is ready when it is asked again: it has let others go first.
#[derive(Default)]
struct AskedAgain(bool);

impl Future for AskedAgain {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A gap between calls that no machine keeps up with.
const FAR_TOO_FAST: f64 = 1e9;

#[test]
fn every_client_of_a_closed_loop_makes_its_calls_one_after_the_other() {
    let (under_way, most) = (Cell::new(0), Cell::new(0));
    let made = RefCell::new(Vec::new());
    let outcome = closed(3, 4, |client, nth| {
        let (under_way, most, made) = (&under_way, &most, &made);
        async move {
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            AskedAgain::default().await;
            under_way.set(under_way.get() - 1);
            made.borrow_mut().push((client, nth));
            Ok(())
        }
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.calls, outcome.latency.len()), (12, 12));
    assert_eq!(most.get(), 3, "expected one call of each client at once");
    let made = made.into_inner();
    for client in 0..3 {
        let own = made.iter().filter(|(caller, _)| *caller == client);
        let own: Vec<usize> = own.map(|(_, nth)| *nth).collect();
        assert_eq!(own, [0, 1, 2, 3], "client {client}");
    }
}

#[test]
fn the_first_error_of_a_closed_loop_is_told() {
    let outcome = closed(2, 2, |client, nth| async move {
        match (client, nth) {
            (1, 1) => Err(Error::new(ErrorKind::Overloaded, "the second call")),
            _ => Ok(()),
        }
    });
    let error = outcome.expect_err("one call fails");
    assert_eq!(*error.kind(), ErrorKind::Overloaded);
}

#[test]
fn every_call_of_an_open_loop_is_made_once_and_answered() {
    let made = RefCell::new(BTreeSet::new());
    let outcome = open(FAR_TOO_FAST, 100, |nth| {
        let made = &made;
        async move {
            AskedAgain::default().await;
            assert!(made.borrow_mut().insert(nth), "call {nth} is made twice");
            Ok(())
        }
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.calls, outcome.latency.len()), (100, 100));
    assert_eq!(made.into_inner(), (0..100).collect());
}

#[test]
fn an_open_loop_ends_with_the_last_answer_though_another_thread_gives_it() {
    let (send, receive) = std::sync::mpsc::sync_channel::<Waker>(1);
    let answered = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let answering = Arc::clone(&answered);
    let other = thread::Builder::new().name("answer".to_owned());
    let other = other.spawn(move || {
        let waker = receive.recv().expect("it is asked");
        answering.store(true, std::sync::atomic::Ordering::SeqCst);
        waker.wake();
    });
    let outcome = open(FAR_TOO_FAST, 1, |_| {
        let (send, answered) = (send.clone(), Arc::clone(&answered));
        std::future::poll_fn(move |context| {
            if answered.load(std::sync::atomic::Ordering::SeqCst) {
                return Poll::Ready(Ok(()));
            }
            // Asked a second time it has been handed over already.
            let _ = send.try_send(context.waker().clone());
            Poll::Pending
        })
    });
    assert_eq!(outcome.unwrap().calls, 1);
    other.unwrap().join().unwrap();
}

#[test]
fn a_late_call_of_an_open_loop_is_timed_from_when_it_was_due() {
    // All are due in the first microsecond, and each keeps the thread for itself: one waits for all before it.
    let busy = Duration::from_millis(1);
    let outcome = open(FAR_TOO_FAST, 20, |_| async move {
        let start = now();
        while start.elapsed() < busy {
            std::hint::spin_loop();
        }
        Ok(())
    });
    let latency = outcome.unwrap().latency;
    let (least, most) = (latency.min(), latency.max());
    assert!(least >= nanos(busy) * 99 / 100, "found {least} ns");
    assert!(most >= 20 * nanos(busy) * 99 / 100, "found {most} ns");
}

#[test]
fn a_call_that_falls_due_while_the_thread_is_busy_is_timed_from_then_too() {
    let busy = Duration::from_millis(20);
    let outcome = open(1000.0, 5, |nth| async move {
        let start = now();
        while nth == 0 && start.elapsed() < busy {
            std::hint::spin_loop();
        }
        Ok(())
    });
    // The last of them is due after 4 ms, and has no answer before the first one has its own.
    let (least, expected) = (outcome.unwrap().latency.min(), 16_000_000);
    assert!(least >= expected * 99 / 100, "found {least} ns");
}

#[test]
fn an_open_loop_makes_no_call_before_it_is_due() {
    let start = now();
    let made = RefCell::new(Vec::new());
    let outcome = open(1000.0, 5, |nth| {
        made.borrow_mut().push((nth, start.elapsed()));
        async { Ok(()) }
    });
    assert_eq!(outcome.unwrap().calls, 5);
    for (nth, at) in made.into_inner() {
        let due = Duration::from_millis(nth as u64);
        assert!(
            at >= due,
            "call {nth}, due after {due:?}, was made after {at:?}"
        );
    }
}

#[test]
fn the_first_error_of_an_open_loop_is_told() {
    let outcome = open(FAR_TOO_FAST, 10, |nth| async move {
        match nth {
            7 => Err(Error::new(ErrorKind::Busy, "the eighth call")),
            _ => Ok(()),
        }
    });
    let error = outcome.expect_err("one call fails");
    assert_eq!(*error.kind(), ErrorKind::Busy);
}

#[test]
fn a_histogram_tells_the_percentiles_of_what_it_was_given_to_a_thousandth() {
    let mut latency = latencies();
    (1..=1000).for_each(|micros| latency.saturating_record(micros * 1000));
    for (quantile, expected) in [
        (0.5, 500_000),
        (0.9, 900_000),
        (0.99, 990_000),
        (1.0, 1_000_000),
    ] {
        let found = latency.value_at_quantile(quantile);
        let apart = found.abs_diff(expected);
        assert!(
            apart * 1000 <= expected,
            "{quantile}: expected {expected}, found {found}"
        );
    }
    assert_eq!(latency.len(), 1000);
}

#[test]
fn a_histogram_counts_what_is_longer_than_an_hour_as_an_hour() {
    let mut latency = latencies();
    latency.saturating_record(u64::MAX);
    assert_eq!(latency.len(), 1);
    let found = latency.max();
    assert!(
        found.abs_diff(LATENCY_MAX) * 1000 <= LATENCY_MAX,
        "found {found}"
    );
}

#[test]
fn threads_are_told_their_numbers_and_their_histograms_add_up() {
    let (all, usage) = threads(
        4,
        |number| number,
        |number| {
            let mut latency = latencies();
            latency.saturating_record_n(1000, number as u64);
            latency
        },
    );
    assert_eq!(
        all.iter().map(Histogram::len).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    assert_eq!(merge(&all, usage).calls, 6);
}

#[test]
fn the_time_of_threads_is_no_shorter_than_the_longest_work_of_one() {
    let busy = Duration::from_millis(2);
    for _ in 0..50 {
        let (took, usage) = threads(
            4,
            |number| number,
            |number| {
                let start = now();
                while number == 0 && start.elapsed() < busy {
                    std::hint::spin_loop();
                }
                start.elapsed()
            },
        );
        let longest = took.into_iter().max().expect("there are threads");
        assert!(
            usage.elapsed >= longest,
            "{:?} is less than {longest:?}",
            usage.elapsed
        );
    }
}

#[test]
fn a_rate_is_calls_by_seconds() {
    let rate = per_second(500, Duration::from_millis(250));
    assert!((rate - 2000.0).abs() < 1e-9, "found {rate}");
}
