//! Cutting what is over a limit.

use kanban_core::{JsonObject, Repair};
use serde_json::{Map, Value};

use super::row::Place;

/// How long a value of an object that is too large may stay, in bytes of JSON.
const VALUE_MAX: usize = 4096;

/// The longest beginning of a text that has at most so many bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// An object within the limits: values nested too deep become text, and of an object that is too large the longest
/// values are cut, or left out if they are no text, until it fits.
pub(super) fn object(
    field: &'static str,
    mut map: Map<String, Value>,
    place: Place<'_>,
) -> JsonObject {
    let Place { table, id, repairs } = place;
    let mut list = |what: &str, from: String, to: Option<String>| {
        repairs.push(Repair {
            table: table.to_owned(),
            id: id.to_owned(),
            what: format!("{field}.{what}"),
            from: Some(from),
            to,
        });
    };
    for (name, value) in &mut map {
        if depth(value) >= JsonObject::MAX_DEPTH {
            list(
                cut(name, 64),
                "nested too deep".to_owned(),
                Some("text".to_owned()),
            );
            *value = Value::String(value.to_string());
        }
    }
    while JsonObject::new(field, map.clone()).is_err() {
        let longest = map.iter().max_by_key(|(name, value)| size(name, value));
        let Some((name, size)) = longest.map(|(name, value)| (name.clone(), size(name, value)))
        else {
            break;
        };
        let value = map.remove(&name).unwrap_or_default();
        let shown = cut(&name, 64).to_owned();
        match value {
            Value::String(text) if size > VALUE_MAX && name.len() < 256 => {
                let kept = cut(&text, VALUE_MAX / 4).to_owned();
                let to = Some(format!("{} bytes", kept.len()));
                list(&shown, format!("{} bytes", text.len()), to);
                map.insert(name, Value::String(kept));
            }
            _ => list(&shown, format!("{size} bytes"), None),
        }
    }
    JsonObject::new(field, map).unwrap_or_default()
}

fn size(name: &str, value: &Value) -> usize {
    name.len() + value.to_string().len()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(map: Map<String, Value>) -> (JsonObject, Vec<Repair>) {
        let mut repairs = Vec::new();
        let place = Place {
            table: "tasks",
            id: "t_1",
            repairs: &mut repairs,
        };
        let object = object("attributes", map, place);
        (object, repairs)
    }

    #[test]
    fn the_longest_value_is_cut_and_the_others_stay() {
        let mut map = Map::new();
        map.insert("short".to_owned(), Value::from("kept"));
        map.insert("long".to_owned(), Value::from("x".repeat(70_000)));
        let (object, repairs) = fitted(map);
        assert_eq!(object.as_map().get("short"), Some(&Value::from("kept")));
        let expected = Repair::changed(
            "tasks",
            "t_1",
            "attributes.long",
            "70000 bytes",
            "1024 bytes",
        );
        assert_eq!(repairs, [expected]);
    }

    #[test]
    fn a_value_nested_too_deep_becomes_text() {
        let mut value = Value::from(1);
        for _ in 0..70 {
            value = Value::Array(vec![value]);
        }
        let mut map = Map::new();
        map.insert("deep".to_owned(), value);
        let (object, repairs) = fitted(map);
        assert!(object.as_map().get("deep").is_some_and(Value::is_string));
        assert_eq!(repairs.len(), 1);
    }
}
