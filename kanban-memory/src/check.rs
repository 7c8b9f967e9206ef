//! The engine's own integrity check: everything is indexed once more from the rows, and compared.

use kanban_core::{Result, Txn, Violation};

use crate::rows::{Row, rows};
use crate::schema::Tables;

/// What differs from a board with the same rows.
pub(crate) fn check(held: &Tables, limit: usize) -> Result<Vec<Violation>> {
    let mut again = Tables::new(held.board.clone());
    for change in rows(held).filter_map(Row::change) {
        again.apply(&change)?;
    }
    let compared: [(u8, &str, bool); 13] = [
        (11, "the counters", held.counts == again.counts),
        (13, "the tasks", held.indexes == again.indexes),
        (13, "the children", held.children_of == again.children_of),
        (13, "the parents", held.parents_of == again.parents_of),
        (13, "the runs", held.runs_of == again.runs_of),
        (
            13,
            "the summaries",
            held.summarised_of == again.summarised_of,
        ),
        (13, "the events", held.events_of == again.events_of),
        (13, "the comments", held.comments_of == again.comments_of),
        (
            13,
            "the comments' keys",
            held.comment_by_request == again.comment_by_request,
        ),
        (
            13,
            "the attachments",
            held.attachments_of == again.attachments_of,
        ),
        (
            13,
            "the attachments' keys",
            held.attachment_by_request == again.attachment_by_request,
        ),
        (
            13,
            "the subscriptions",
            held.subscriptions_of == again.subscriptions_of,
        ),
        (
            13,
            "the subscriptions' places",
            held.subscription_at == again.subscription_at,
        ),
    ];
    let wrong = compared.into_iter().filter(|(_, _, is_same)| !is_same);
    let found = wrong.map(|(invariant, index, _)| Violation {
        invariant,
        what: format!("the index of {index} holds something else than the rows say"),
    });
    Ok(found.take(limit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_sound_board_has_no_findings() {
        assert_eq!(check(&sample::board(), 100).unwrap(), []);
    }

    #[test]
    fn an_index_that_lost_a_key_is_found() {
        let twists: [fn(&mut Tables); 13] = [
            |held| held.counts = held.counts.remove(sample::first(&held.counts)),
            |held| held.indexes.due = held.indexes.due.remove(held.indexes.due.first().unwrap()),
            |held| held.children_of = held.children_of.remove(sample::first(&held.children_of)),
            |held| held.parents_of = held.parents_of.remove(sample::first(&held.parents_of)),
            |held| held.runs_of = held.runs_of.remove(sample::first(&held.runs_of)),
            |held| {
                held.summarised_of = held
                    .summarised_of
                    .remove(sample::first(&held.summarised_of));
            },
            |held| held.events_of = held.events_of.remove(sample::first(&held.events_of)),
            |held| held.comments_of = held.comments_of.remove(sample::first(&held.comments_of)),
            |held| {
                let rest = held
                    .comment_by_request
                    .remove(sample::first(&held.comment_by_request));
                held.comment_by_request = rest;
            },
            |held| {
                held.attachments_of = held
                    .attachments_of
                    .remove(sample::first(&held.attachments_of));
            },
            |held| {
                let key = sample::first(&held.attachment_by_request);
                held.attachment_by_request = held.attachment_by_request.remove(key);
            },
            |held| {
                let scope = sample::first(&held.subscriptions_of);
                held.subscriptions_of = held.subscriptions_of.remove(scope);
            },
            |held| {
                held.subscription_at = held
                    .subscription_at
                    .remove(sample::first(&held.subscription_at));
            },
        ];
        let sound = sample::board();
        for (number, twist) in twists.into_iter().enumerate() {
            let mut twisted = sound.clone();
            twist(&mut twisted);
            let found = check(&twisted, 100).unwrap();
            assert_eq!(found.len(), 1, "twist {number}: found {found:?}");
        }
    }
}
