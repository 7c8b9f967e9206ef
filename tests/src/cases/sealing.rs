//! Exports that say something else than the board they are of, with a footer that is right for it.

use kanban_core::{
    BoardStore, CreateMany, EventKind, ForeignEvent, ImportForeign, JsonObject, KeepClaims,
    NewItem, NewTask, Outcome, Scope, Status, TaskId,
};
use serde_json::{Deserializer, Map, Value};
use sha2::{Digest, Sha256};

use super::moving::{RAISED_BY, another, everything, export, import};
use crate::answers::invalid;
use crate::calls::{self, label};
use crate::fixture::{Fixture, verified};

/// The highest number that an export may bring.
const NUMBER_MAX: u64 = 1 << 62;

/// The lines of an export without its footer.
fn lines_of(export: &str) -> Vec<String> {
    let mut lines: Vec<String> = export.lines().map(str::to_owned).collect();
    let footer = lines.pop().unwrap();
    assert!(footer.starts_with(r#"{"footer""#), "found {footer}");
    lines
}

/// An export of these lines, with the footer that they have.
fn sealed(lines: &[String]) -> String {
    let text = lines.join("\n") + "\n";
    let sha256 = format!("{:x}", Sha256::digest(&text));
    let lines = lines.len();
    format!("{text}{{\"footer\":{{\"lines\":{lines},\"sha256\":\"{sha256}\"}}}}\n")
}

/// The number of the first line of a kind with something in it, from 1.
#[track_caller]
fn find(lines: &[String], kind: &str, with: &str) -> usize {
    let start = format!("{{\"{kind}\":");
    let found = lines
        .iter()
        .position(|line| line.starts_with(&start) && line.contains(with));
    1 + found.unwrap_or_else(|| panic!("expected a {kind} with {with} in {lines:#?}"))
}

/// A line with another value in the field that a path of names leads to.
#[track_caller]
fn with(line: &str, path: &str, value: &str) -> String {
    let mut start = 0;
    for name in path.split('.') {
        let name = format!("\"{name}\":");
        let found = line[start..].find(&name);
        start += found.unwrap_or_else(|| panic!("expected {path} in {line}")) + name.len();
    }
    let mut values = Deserializer::from_str(&line[start..]).into_iter::<Value>();
    values.next().unwrap().unwrap();
    let end = start + values.byte_offset();
    format!("{}{value}{}", &line[..start], &line[end..])
}

/// Imports lines that are wrong at one of them, and expects to be told so, and why.
async fn refused(copy: &dyn BoardStore, lines: &[String], at: usize, why: &str) {
    let found = import(copy, &sealed(lines), KeepClaims::Yes).await;
    let is_told = found.as_ref().is_err_and(|error| {
        let text = error.to_string();
        text.contains(&format!("line {at}: ")) && text.contains(why)
    });
    let line: String = lines[at - 1].chars().take(2_000).collect();
    assert!(
        is_told,
        "expected line {at} and {why} of {line}, found {found:?}"
    );
    assert_eq!(invalid(found).field, "export");
}

/// An object with floating-point numbers of any bits, as they come.
fn floats(random: &mut fastrand::Rng) -> JsonObject {
    let any = std::iter::repeat_with(|| f64::from_bits(random.u64(..)));
    let mut numbers: Vec<f64> = any.filter(|float| float.is_finite()).take(500).collect();
    // Read carelessly, this one becomes its neighbour.
    numbers.push(2.350_262_355_420_324_3e-8);
    let map = Map::from_iter([("numbers".to_owned(), Value::from(numbers))]);
    JsonObject::new("numbers", map).unwrap()
}

#[track_caller]
fn same_bits(found: Option<&JsonObject>, given: &JsonObject) {
    let numbers = |object: &JsonObject| object.as_map()["numbers"].as_array().unwrap().clone();
    let (found, given) = (numbers(found.unwrap()), numbers(given));
    assert_eq!(found.len(), given.len());
    for (found, given) in found.iter().zip(&given) {
        let bits = |number: &Value| number.as_f64().unwrap().to_bits();
        assert_eq!(bits(found), bits(given), "expected {given}, found {found}");
    }
}

/// A number in a caller's JSON is stored to the last bit, and an export of it is one that an import takes. [3.4] [19.2]
pub(crate) async fn a_number_stays_the_number_that_was_given(t: &Fixture) {
    let mut random = fastrand::Rng::with_seed(1902);
    let given: [JsonObject; 4] = std::array::from_fn(|_| floats(&mut random));
    let [data, attributes, metadata, routing] = &given;
    let mut foreign = ImportForeign::new(label("olga"), label("elsewhere"));
    foreign.events.push(ForeignEvent {
        id: 1,
        task: None,
        run: None,
        kind: EventKind::from("measured"),
        data: data.clone(),
        at: t.now(),
    });
    t.store.import_foreign(Box::new(foreign)).await.unwrap();
    let new = NewTask {
        attributes: Some(attributes.clone()),
        ..calls::new("measured")
    };
    let task = t.create(new).await;
    let claimed = t.store.claim(calls::claim(&task.id)).await.unwrap().value;
    let mut complete = calls::complete(&claimed);
    complete.metadata = Some(metadata.clone());
    t.store.complete(complete).await.unwrap();
    let mut subscribe = calls::subscribe(Scope::Board, "here");
    subscribe.routing = Some(routing.clone());
    t.store.subscribe(subscribe).await.unwrap();

    let event = t.events().await.remove(0);
    same_bits(Some(&event.data), data);
    let detail = t.store.task(task.id.clone()).await.unwrap().value;
    same_bits(detail.attributes.as_ref(), attributes);
    let run = t.runs(&task.id).await.remove(0);
    same_bits(run.metadata.as_ref(), metadata);
    let all = kanban_core::SubscriptionsAfter {
        task: None,
        after: None,
        limit: 10,
    };
    let subscription = t.store.subscriptions(all).await.unwrap().value.remove(0);
    same_bits(subscription.routing.as_ref(), routing);

    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    import(&*copy, &text, KeepClaims::Yes).await.unwrap();
    assert_eq!(export(&*copy).await, text);
}

/// A value of an export that is wrong: the kind of line, what else stands in it, the field, the value, and what is told.
type Wrong<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

/// Over the highest number that an export may bring.
const OVER: &str = "4611686018427387905";
/// The highest there is.
const MOST: &str = "18446744073709551615";

const WRONG: &[Wrong<'static>] = &[
    ("board", "", "counters.run", OVER, "counters"),
    ("board", "", "horizon", "4000", "horizon"),
    ("policy", "", "failure_limit", "0", "failure_limit"),
    ("task", "\"ready\"", "version", OVER, "version"),
    ("task", "\"ready\"", "version", MOST, "version"),
    ("task", "\"ready\"", "max_runtime_ms", "0", "max_runtime"),
    ("task", "\"ready\"", "max_runtime_ms", MOST, "max_runtime"),
    (
        "task",
        "",
        "block_streak",
        r#"{"kind":"other","count":0}"#,
        "block_streak",
    ),
    (
        "task",
        "",
        "block_streak",
        r#"{"kind":"breaker","count":1}"#,
        "block_streak",
    ),
    ("task", "\"running\"", "claim.run", "0", "run"),
    ("task", "\"running\"", "claim.run", MOST, "run"),
    ("task", "\"running\"", "must_end_by", "1", "expires_at"),
    (
        "task",
        "\"archived\"",
        "archived_from.status",
        "\"blocked\"",
        "archived_from",
    ),
    (
        "task",
        "\"archived\"",
        "archived_from.status",
        "\"archived\"",
        "archived_from",
    ),
    (
        "task",
        "\"archived\"",
        "archived_from.block",
        r#"{"kind":"other","reason":null,"by":null,"at":1}"#,
        "archived_from",
    ),
    (
        "task",
        "\"archived\"",
        "archived_from.wake_at",
        "7",
        "archived_from",
    ),
    ("task", "\"ready\"", "wake_at", "7", "wake_at"),
    ("run", "", "id", "0", "run"),
    ("comment", "", "id", "0", "comment"),
    ("comment", "", "author", "\" \"", "author"),
    ("comment", "", "body", "\" \\n\"", "body"),
    ("attachment", "", "id", "0", "attachment"),
    ("attachment", "", "size", MOST, "size"),
    ("subscription", "", "id", "0", "subscription"),
    ("subscription", "", "cursor", MOST, "cursor"),
    ("subscription", "\"through\"", "lease.id", "0", "lease"),
    ("subscription", "\"through\"", "lease.id", MOST, "lease"),
    (
        "subscription",
        "\"through\"",
        "lease.through",
        MOST,
        "through",
    ),
    ("subscription", "", "acked", "0", "lease"),
    ("subscription", "", "kinds", "[\" \"]", "kinds"),
    ("event", "", "id", "0", "event"),
    ("event", "", "seq", "0", "seq"),
    ("event", "", "kind", "\" \"", "kind"),
    ("event", "\"claimed\"", "run", MOST, "run"),
];

/// What no command writes is in no export: each such value is refused at its line, and nothing of it remains. [19.3]
pub(crate) async fn an_export_with_a_wrong_value_is_refused_with_its_line(t: &Fixture) {
    everything(t).await;
    let lines = lines_of(&export(&*t.store).await);
    let copy = another(t, "copy").await;
    let text = |len: usize| format!("\"{}\"", "x".repeat(len));
    let kinds = format!("[{}]", vec![r#""done""#; 101].join(","));
    let (error, kind, kind_of_many) = (text(501), text(257), format!("[{}]", text(257)));
    let long: [Wrong<'_>; 4] = [
        ("task", "", "last_error", &error, "last_error"),
        ("subscription", "", "kinds", &kinds, "kinds"),
        ("subscription", "", "kinds", &kind_of_many, "kinds"),
        ("event", "", "kind", &kind, "kind"),
    ];
    for (kind, has, path, value, why) in WRONG.iter().chain(&long) {
        let at = find(&lines, kind, has);
        let mut wrong = lines.clone();
        wrong[at - 1] = with(&lines[at - 1], path, value);
        refused(&*copy, &wrong, at, why).await;
    }
    assert_eq!(copy.stats().await.unwrap().seq.get(), 0, "nothing remains");
    import(&*copy, &sealed(&lines), KeepClaims::Yes)
        .await
        .unwrap();
}

/// An open run has the claimant, the request id and the worker of its task's claim; an event's run is of its task.
/// [19.3] [17.1] [17.8]
pub(crate) async fn a_claim_that_is_not_its_run_s_is_refused(t: &Fixture) {
    let done = t.done().await;
    let done = t.runs(&done.id).await.remove(0).id.to_string();
    let claimed = t.claimed().await;
    let lines = lines_of(&export(&*t.store).await);
    let copy = another(t, "copy").await;
    let worker = r#"{"host":"h","pid":1,"started":null}"#;
    for (path, value) in [
        ("claimant", "\"somebody\""),
        ("request_id", "\"another\""),
        ("worker", worker),
    ] {
        let at = find(&lines, "run", "\"outcome\":null");
        let mut wrong = lines.clone();
        wrong[at - 1] = with(&lines[at - 1], path, value);
        refused(&*copy, &wrong, at, "claim").await;
    }
    let theirs = format!("\"task\":\"{}\"", claimed.task.id);
    let at = find(&lines, "event", &theirs);
    let mut wrong = lines.clone();
    wrong[at - 1] = with(&lines[at - 1], "run", &done);
    let import = import(&*copy, &sealed(&wrong), KeepClaims::Yes).await;
    let error = invalid(import);
    assert!(error.must.contains("invariant 8:"), "found {error:?}");
}

fn many(count: usize) -> CreateMany {
    let item = |number: usize| NewItem {
        task: calls::new(&format!("number {number}")),
        parents: Vec::new(),
    };
    CreateMany {
        items: (0..count).map(item).collect(),
    }
}

fn link(parent: &TaskId, child: &TaskId) -> String {
    format!(r#"{{"link":{{"parent":"{parent}","child":"{child}"}}}}"#)
}

/// A task of an export has at most 1,000 parents, 10,000 children and 100 subscriptions. [19.3] [3.10]
pub(crate) async fn a_task_with_more_than_a_command_gives_it_is_refused(t: &Fixture) {
    const PARENTS: usize = 1_000;
    const CHILDREN: usize = 10_000;
    const SUBSCRIPTIONS: usize = 100;
    let mut ids = Vec::new();
    for _ in 0..=CHILDREN / 1_000 {
        ids.extend(t.store.create_many(many(1_000)).await.unwrap().value);
    }
    ids.sort();
    let (first, last) = (&ids[0], &ids[ids.len() - 1]);
    let here = calls::subscribe(Scope::Task(first.clone()), "here");
    t.store.subscribe(here).await.unwrap();
    let lines = lines_of(&export(&*t.store).await);
    let copy = another(t, "copy").await;
    let tasks = find(&lines, "task", last.as_str());
    let and = |at: usize, more: Vec<String>| {
        let mut all = lines.clone();
        all.splice(at..at, more);
        all
    };

    let parents = ids.iter().take(PARENTS + 1).map(|id| link(id, last));
    let wrong = and(tasks, parents.collect());
    refused(&*copy, &wrong, tasks + PARENTS + 1, "parents").await;

    let children = ids
        .iter()
        .skip(1)
        .take(CHILDREN + 1)
        .map(|id| link(first, id));
    let wrong = and(tasks, children.collect());
    refused(&*copy, &wrong, tasks + CHILDREN + 1, "children").await;

    let subscription = find(&lines, "subscription", "");
    let more = (2..=SUBSCRIPTIONS + 1).map(|number| {
        let line = with(&lines[subscription - 1], "id", &number.to_string());
        with(&line, "address", &format!("\"{number}\""))
    });
    let wrong = and(subscription, more.collect());
    refused(
        &*copy,
        &wrong,
        subscription + SUBSCRIPTIONS,
        "subscriptions",
    )
    .await;
}

/// The end that an import gives a run is no failure: it clears the deferrals. [19.5] [7.13]
pub(crate) async fn an_import_clears_the_deferrals_of_a_run_that_it_closes(t: &Fixture) {
    let claimed = t.claimed().await;
    let id = &claimed.task.id;
    let fail = calls::fail(&claimed, kanban_core::FailKind::RateLimited);
    let ended = t.store.fail(fail).await.unwrap().value;
    assert_eq!(ended.task.deferrals, 1);
    t.clock.jump(ended.task.not_before.unwrap());
    t.store.claim(calls::claim(id)).await.unwrap();
    let text = export(&*t.store).await;
    let copy = another(t, "copy").await;
    import(&*copy, &text, KeepClaims::No).await.unwrap();
    let task = copy.task(id.clone()).await.unwrap().value.task;
    assert_eq!((task.status, task.deferrals), (Status::Ready, 0));
    let runs = copy.runs(calls::all_of(id)).await.unwrap().value;
    assert_eq!(runs[1].outcome, Some(Outcome::Invalidated));
}

/// An import that is no move raises the counters to where the next import takes them; a board too far on for that is
/// only moved. [19.5] [19.6]
pub(crate) async fn a_board_that_cannot_be_raised_is_only_moved(t: &Fixture) {
    t.ready("kept").await;
    let mut lines = lines_of(&export(&*t.store).await);
    let copy = another(t, "copy").await;
    let raised = another(t, "raised").await;
    lines[1] = with(&lines[1], "counters.run", &NUMBER_MAX.to_string());
    let refused = invalid(import(&*copy, &sealed(&lines), KeepClaims::No).await);
    assert!(refused.must.contains("line 2: "), "found {refused:?}");
    import(&*copy, &sealed(&lines), KeepClaims::Yes)
        .await
        .unwrap();
    assert_eq!(export(&*copy).await, sealed(&lines));

    let highest = NUMBER_MAX - 2 * RAISED_BY;
    lines[1] = with(&lines[1], "counters.run", &highest.to_string());
    import(&*raised, &sealed(&lines), KeepClaims::No)
        .await
        .unwrap();
    verified(&*raised).await;
    let text = export(&*raised).await;
    let again = another(t, "again").await;
    import(&*again, &text, KeepClaims::Yes).await.unwrap();
}
