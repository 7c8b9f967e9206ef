//! The JSON Schema of everything that `--json` prints, made from the types that are printed.

use kanban_core::{Claimed, Event};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::operations::{OPERATIONS, WITHOUT_OPERATION};
use crate::commands::{NothingToClaim, Truncated};

/// Makes the schema of a command's envelope.
pub(super) type Answer = fn(&mut SchemaGenerator) -> Value;

/// What `claim --next` answers: a claim, or why there is none.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(super) enum ClaimedNext {
    Claimed(Box<Claimed>),
    Nothing(NothingToClaim),
}

/// The envelope of a question.
pub(super) fn read<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let data = generator.subschema_for::<T>().to_value();
    envelope(&[("seq", seq()), ("data", data)])
}

/// The envelope of a write.
pub(super) fn written<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let effect = generator.subschema_for::<kanban_core::Effect>().to_value();
    let data = generator.subschema_for::<T>().to_value();
    envelope(&[("seq", seq()), ("effect", effect), ("data", data)])
}

/// The envelope of a command that is not about one board.
pub(super) fn boardless<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let data = generator.subschema_for::<T>().to_value();
    envelope(&[("seq", json!({"type": "null"})), ("data", data)])
}

/// The envelopes of `events --follow`.
pub(super) fn followed(generator: &mut SchemaGenerator) -> Value {
    json!({"anyOf": [read::<Event>(generator), boardless::<Truncated>(generator)]})
}

fn seq() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn envelope(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let fields: Map<String, Value> = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "properties": fields,
        "required": names,
        "additionalProperties": false,
    })
}

/// The envelope of what was not done. The fields beside these are the reason's own.
fn error() -> Value {
    let kinds = [
        "rejected",
        "not_found",
        "usage",
        "invalid",
        "unavailable",
        "corrupt",
        "unknown",
        "closed",
        "internal",
        "busy",
        "overloaded",
    ];
    let body = json!({
        "type": "object",
        "properties": {
            "kind": {"enum": kinds},
            "reason": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["kind", "reason", "message"],
    });
    envelope(&[("error", body)])
}

/// Under which name the answer of a command stands in the schema.
pub(super) fn name(command: &str) -> String {
    format!(
        "answer_{}",
        command.replace(" --", "_").replace([' ', '-'], "_")
    )
}

/// The whole schema.
pub(super) fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let with_operations = OPERATIONS
        .iter()
        .map(|(command, _, answer)| (*command, *answer));
    let others = WITHOUT_OPERATION
        .iter()
        .filter_map(|(command, _, answer)| Some((*command, (*answer)?)));
    let mut answers: Map<String, Value> = with_operations
        .chain(others)
        .map(|(command, answer)| (name(command), answer(&mut generator)))
        .collect();
    answers.insert(name("error"), error());
    let any: Vec<Value> = answers
        .keys()
        .map(|name| json!({"$ref": format!("#/$defs/{name}")}))
        .collect();
    let mut types = generator.take_definitions(true);
    types.append(&mut answers);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `kanban --json` prints, a line each",
        "anyOf": any,
        "$defs": types,
    })
}

#[test]
fn the_schema_that_is_checked_in_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON can be written");
    super::checked_in("cli.schema.json", &format!("{text}\n"));
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::meta::is_valid(&schema()));
}
