//! Caller-owned JSON that the store keeps and never reads.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Invalid;

/// A JSON object of at most 64 KiB (compact form) and 64 levels. Keys are kept sorted, so that equal
/// objects have equal bytes on every engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// The longest that is allowed, in bytes of its compact form.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// The deepest that is allowed; a flat object has depth 1.
    pub const MAX_DEPTH: usize = 64;

    /// # Errors
    /// [`Invalid`] over 64 KiB or deeper than 64 levels.
    pub fn new(field: &'static str, map: Map<String, Value>) -> Result<Self, Invalid> {
        let depth = map_depth(&map);
        if depth > Self::MAX_DEPTH {
            return Err(Invalid::too_deep(field, Self::MAX_DEPTH, depth));
        }
        let object = Self(map);
        let bytes = object.to_text().len();
        if bytes > Self::MAX_BYTES {
            return Err(Invalid::too_long(field, Self::MAX_BYTES, bytes));
        }
        Ok(object)
    }

    /// Parses an object from text.
    ///
    /// # Errors
    /// [`Invalid`] if it is no JSON object or over a limit.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Invalid> {
        let map = serde_json::from_str(text)
            .map_err(|error| Invalid::malformed_by(field, "a JSON object", &error))?;
        Self::new(field, map)
    }

    /// What a rule writes itself: flat, and cut to the limit where a note or a list of ids is too long for it.
    pub(crate) fn fitted(map: Map<String, Value>) -> Self {
        // Far below the limit whatever the escapes: the usual case, which needs no text.
        let at_most = |value: &Value| match value {
            Value::String(text) => 6 * text.len(),
            Value::Array(_) | Value::Object(_) => Self::MAX_BYTES,
            _ => 24,
        };
        let is_short = map
            .iter()
            .map(|(key, value)| key.len() + at_most(value) + 8)
            .sum::<usize>()
            < Self::MAX_BYTES;
        let mut object = Self(map);
        if is_short {
            return object;
        }
        loop {
            let excess = object.to_text().len().saturating_sub(Self::MAX_BYTES);
            if excess == 0 {
                return object;
            }
            let longest = object.0.values_mut().max_by_key(|value| match value {
                Value::String(text) => text.len(),
                Value::Array(items) => items.len() * 64,
                _ => 0,
            });
            match longest {
                Some(Value::String(text)) => {
                    text.truncate(text.floor_char_boundary(text.len().saturating_sub(excess)));
                }
                Some(Value::Array(items)) => items.truncate(items.len() / 2),
                _ => return object,
            }
            object.0.insert("cut".to_owned(), Value::Bool(true));
        }
    }

    /// The object.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Its compact text, keys sorted.
    ///
    /// # Panics
    /// Never: a tree of JSON values is a JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("a tree of JSON values is a JSON text")
    }
}

fn map_depth(map: &Map<String, Value>) -> usize {
    1 + map.values().map(depth).max().unwrap_or(0)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => map_depth(map),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl TryFrom<Map<String, Value>> for JsonObject {
    type Error = Invalid;

    fn try_from(map: Map<String, Value>) -> Result<Self, Invalid> {
        Self::new("json", map)
    }
}

impl From<JsonObject> for Map<String, Value> {
    fn from(object: JsonObject) -> Self {
        object.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::JsonObject;

    fn fitted(value: Value) -> JsonObject {
        let Value::Object(map) = value else {
            unreachable!("the tests give objects")
        };
        JsonObject::fitted(map)
    }

    #[test]
    fn what_a_rule_writes_is_cut_to_the_limit() {
        let long = fitted(json!({"note": "\u{1}".repeat(JsonObject::MAX_BYTES), "run": 1}));
        let ids: Vec<String> = (0..1000).map(|n| format!("{n:064}")).collect();
        let many = fitted(json!({ "phantom": ids }));
        for object in [long, many] {
            let bytes = object.to_text().len();
            assert!(bytes <= JsonObject::MAX_BYTES, "found {bytes}");
            assert_eq!(object.as_map().get("cut"), Some(&Value::Bool(true)));
            assert!(JsonObject::parse("data", &object.to_text()).is_ok());
        }
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let mut map = Map::new();
        map.insert("note".to_owned(), Value::from("short"));
        assert_eq!(JsonObject::fitted(map.clone()).as_map(), &map);
    }
}
