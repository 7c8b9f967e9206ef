//! Where two pieces of JSON differ.

use serde_json::Value;

/// Where two pieces of JSON differ, place by place.
pub(super) fn differences(expected: &str, found: &str) -> String {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut lines = Vec::new();
    differ("", &parse(expected), &parse(found), &mut lines);
    lines.join("\n")
}

fn differ(place: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (expected, found) if expected == found => {}
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> =
                left.keys().chain(right.keys()).collect();
            for key in keys {
                let at = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
                match (at(left), at(right)) {
                    (Some(left), Some(right)) => {
                        differ(&format!("{place}.{key}"), &left, &right, lines);
                    }
                    (left, right) => lines.push(format!(
                        "{place}.{key}: expected {}, found {}",
                        left.map_or("nothing".to_owned(), |value| value.to_string()),
                        right.map_or("nothing".to_owned(), |value| value.to_string()),
                    )),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (number, (left, right)) in left.iter().zip(right).enumerate() {
                differ(&format!("{place}[{number}]"), left, right, lines);
            }
        }
        (expected, found) => lines.push(format!("{place}: expected {expected}, found {found}")),
    }
}
