//! What is printed is what `docs/cli.schema.json` promises.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../docs/cli.schema.json");
    serde_json::from_str(text).expect("the schema is JSON")
});

/// A validator is dear to make, and most commands run in many tests.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// Options with which a command answers something else.
const OTHERWISE: [&str; 4] = ["--graph", "--next", "--pending", "--follow"];

/// Expects an envelope to be what the command promises: its answer, or an error.
pub(crate) fn check(args: &[&str], envelope: &Value) {
    let name = match envelope.get("error") {
        Some(_) => "answer_error".to_owned(),
        None => answer(args).unwrap_or_else(|| panic!("no answer is promised for {args:?}")),
    };
    let validator = validator(&name);
    let wrong: Vec<String> = validator
        .iter_errors(envelope)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{name} of {args:?}: {wrong:?}: {envelope}"
    );
}

/// The name of the answer that a command line promises. Before the command may stand `--board`
/// with a board that is called like a command.
fn answer(args: &[&str]) -> Option<String> {
    let there = |name: &String| SCHEMA["$defs"].get(name.as_str()).is_some();
    let option = args.iter().find(|arg| OTHERWISE.contains(arg));
    let option = option.map(|option| option.replace("--", "_"));
    let is_board = |place: usize| place.checked_sub(1).is_some_and(|it| args[it] == "--board");
    let words = args.iter().enumerate();
    let mut words = words.filter(|(place, _)| !is_board(*place));
    words.find_map(|(place, first)| {
        let two = args
            .get(place + 1)
            .map(|second| format!("answer_{first}_{second}"));
        let one = format!("answer_{first}");
        let other = option.as_ref().map(|option| format!("{one}{option}"));
        [two, other, Some(one)].into_iter().flatten().find(there)
    })
}

fn validator(name: &str) -> Arc<Validator> {
    let mut all = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let made = all.entry(name.to_owned()).or_insert_with(|| {
        let one = json!({"$ref": format!("#/$defs/{name}"), "$defs": SCHEMA["$defs"]});
        Arc::new(jsonschema::validator_for(&one).expect("the schema is one"))
    });
    made.clone()
}

#[test]
#[should_panic(expected = "answer_reached")]
fn an_envelope_that_is_not_promised_is_found() {
    check(&["reached", "1"], &json!({"seq": 1, "data": {"seq": "1"}}));
}
