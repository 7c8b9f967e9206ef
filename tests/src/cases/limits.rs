//! How long a text may be, and how far a time.

use std::time::Duration;

use kanban_core::{
    Address, Complete, Invalid, JsonObject, Label, LongText, NewTask, Note, Reason, RetryAfter, Ttl,
};

use crate::answers::at_limit;
use crate::calls;
use crate::fixture::Fixture;

/// A body and a result of 1 MiB are taken and kept, one byte more is refused. [3.9] [3.12]
pub(crate) async fn a_body_and_a_result_have_up_to_1_mib(t: &Fixture) {
    let text = "b".repeat(1024 * 1024);
    let body = Some(LongText::new("body", text.clone()).unwrap());
    let task = t
        .create(NewTask {
            body: body.clone(),
            ..calls::new("long")
        })
        .await;
    let complete = Complete {
        result: body.clone(),
        ..calls::complete_by(&task.id, calls::olga())
    };
    t.store.complete(complete).await.unwrap();
    let detail = t.detail(&task.id).await;
    assert!(
        detail.body == body && detail.result == body,
        "expected the same 1 MiB twice"
    );
    for field in ["body", "result"] {
        at_limit(
            LongText::new(field, format!("{text}b")),
            field,
            1_048_576,
            1_048_577,
        );
    }
}

/// A comment, a summary and a note of 64 KiB are taken and kept, one byte more is refused. [3.9] [3.12]
pub(crate) async fn a_comment_and_a_summary_have_up_to_64_kib(t: &Fixture) {
    let text = "n".repeat(64 * 1024);
    let claimed = t.claimed().await;
    let comment = t
        .store
        .comment(calls::comment(&claimed.task.id, &text))
        .await
        .unwrap();
    assert_eq!(t.comments(&claimed.task.id).await, [comment.value]);
    let complete = Complete {
        summary: Some(calls::note(&text)),
        ..calls::complete(&claimed)
    };
    t.store.complete(complete).await.unwrap();
    let run = t.last_run(&claimed.task.id).await;
    assert!(
        run.summary.unwrap().as_str() == text,
        "expected the same 64 KiB"
    );
    for field in ["body", "summary", "note"] {
        at_limit(Note::new(field, format!("{text}n")), field, 65_536, 65_537);
    }
}

/// Attributes and metadata of 64 KiB are taken and kept, one byte more is refused. [3.9] [3.12]
pub(crate) async fn json_has_up_to_64_kib(t: &Fixture) {
    let sized = |bytes: usize| {
        JsonObject::parse(
            "metadata",
            &format!("{{\"a\":\"{}\"}}", "j".repeat(bytes - 8)),
        )
    };
    let largest = sized(65_536).unwrap();
    let attributes = Some(largest.clone());
    let task = t
        .create(NewTask {
            attributes,
            ..calls::new("wide")
        })
        .await;
    let claimed = t.claim(&task.id).await;
    let metadata = Some(largest.clone());
    let complete = Complete {
        metadata,
        ..calls::complete(&claimed)
    };
    t.store.complete(complete).await.unwrap();
    assert!(t.detail(&task.id).await.attributes.as_ref() == Some(&largest));
    assert!(t.last_run(&task.id).await.metadata.as_ref() == Some(&largest));
    at_limit(sized(65_537), "metadata", 65_536, 65_537);
}

/// A reason of 4 KiB and an address of 2 KiB are taken and kept, one byte more is refused. [3.9] [3.12]
pub(crate) async fn a_reason_has_up_to_4_kib_and_an_address_2(t: &Fixture) {
    let task = t.ready("reasoned").await;
    let text = "r".repeat(4096);
    let block = kanban_core::BlockTask {
        reason: Some(calls::reason(&text)),
        ..calls::block_by(&task.id, calls::olga(), kanban_core::WorkerBlockKind::Other)
    };
    let blocked = t
        .store
        .block(block)
        .await
        .unwrap()
        .value
        .task
        .block
        .unwrap();
    assert_eq!(blocked.reason.unwrap().as_str(), text);
    let attach = kanban_core::AttachFile {
        uri: calls::address(&"u".repeat(2048)),
        ..calls::attach(&task.id, "far away")
    };
    assert_eq!(
        t.store
            .attach(attach)
            .await
            .unwrap()
            .value
            .uri
            .as_str()
            .len(),
        2048
    );
    at_limit(
        Reason::new("reason", "r".repeat(4097)),
        "reason",
        4096,
        4097,
    );
    at_limit(Address::new("uri", "u".repeat(2049)), "uri", 2048, 2049);
}

/// Actors, authors, claimants, tenants, keys, request ids, channels, threads and file names of 256 bytes are taken and
/// kept, one byte more is refused. [3.9] [3.12]
pub(crate) async fn names_have_up_to_256_bytes(t: &Fixture) {
    let longest = calls::label(&"ü".repeat(128));
    let new = NewTask {
        tenant: Some(longest.clone()),
        created_by: Some(longest.clone()),
        idempotency_key: Some(longest.clone()),
        ..calls::new("named")
    };
    let task = t.create(new).await;
    assert_eq!(task.tenant.as_ref(), Some(&longest));
    let claim = kanban_core::ClaimTask {
        claimant: longest.clone(),
        request_id: Some(longest.clone()),
        ..calls::claim(&task.id)
    };
    let claim = t
        .store
        .claim(claim)
        .await
        .unwrap()
        .value
        .task
        .claim
        .unwrap();
    assert_eq!(
        (claim.claimant, claim.request_id),
        (longest.clone(), Some(longest))
    );
    for field in [
        "actor",
        "author",
        "claimant",
        "tenant",
        "key",
        "request_id",
        "file_name",
    ] {
        at_limit(Label::new(field, "x".repeat(257)), field, 256, 257);
    }
}

/// An empty optional text is `Invalid`: it is to be left out. [3.12]
pub(crate) async fn an_empty_text_is_invalid(t: &Fixture) {
    let empty: [Result<(), Invalid>; 5] = [
        LongText::new("text", "").map(drop),
        Note::new("text", "").map(drop),
        Reason::new("text", "").map(drop),
        Address::new("text", "").map(drop),
        Label::new("text", "").map(drop),
    ];
    for found in empty {
        let invalid = found.expect_err("expected Invalid, found a value");
        assert_eq!((invalid.field, invalid.limit), ("text", None));
    }
    assert!(t.detail(&t.ready("without").await.id).await.body.is_none());
}

/// A time to live is 1 s to 30 days. [3.11] [3.12]
pub(crate) async fn a_ttl_is_1_second_to_30_days(t: &Fixture) {
    let longest = Duration::from_hours(24 * 30);
    for ttl in [calls::secs(1), longest] {
        let task = t.ready("claimed for long").await;
        let claim = kanban_core::ClaimTask {
            ttl: Some(Ttl::new(ttl).unwrap()),
            ..calls::claim(&task.id)
        };
        let claim = t
            .store
            .claim(claim)
            .await
            .unwrap()
            .value
            .task
            .claim
            .unwrap();
        assert_eq!(claim.expires_at, t.now().after(ttl));
    }
    let milli = Duration::from_millis(1);
    at_limit(
        Ttl::new(calls::secs(1).checked_sub(milli).unwrap()),
        "ttl",
        1000,
        999,
    );
    at_limit(
        Ttl::new(longest + milli),
        "ttl",
        2_592_000_000,
        2_592_000_001,
    );
}

/// A wait before the next attempt is at most a year. [3.11] [3.12]
pub(crate) async fn a_retry_is_at_most_a_year_away(t: &Fixture) {
    let longest = Duration::from_hours(24 * 366);
    let claimed = t.claimed().await;
    let release = kanban_core::Release {
        retry_after: Some(RetryAfter::new(longest).unwrap()),
        ..calls::release(&claimed)
    };
    let task = t.store.release(release).await.unwrap().value.task;
    assert_eq!(task.not_before, Some(t.now().after(longest)));
    let over = RetryAfter::new(longest + Duration::from_millis(1));
    at_limit(over, "retry_after", 31_622_400_000, 31_622_400_001);
}
