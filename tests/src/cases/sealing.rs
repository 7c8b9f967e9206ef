//! Exports that say something else than the board they are of, with a footer that is right for it.

use kanban_core::{
    EventKind, ForeignEvent, ImportForeign, JsonObject, KeepClaims, NewTask, Outcome, Scope, Status,
};
use serde_json::{Map, Value};

use super::moving::{another, export, import};
use crate::calls::{self, label};
use crate::fixture::Fixture;

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
