//! Caller-owned JSON that the store keeps and never reads.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Invalid;

/// A JSON object of at most 64 KiB (compact form) and 64 levels. Keys are kept sorted, so that equal
/// objects have equal bytes on every engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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

    /// What a rule writes itself: small by construction, so nothing is checked.
    pub(crate) fn of_rule(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// The object.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Its compact text, keys sorted.
    #[must_use]
    pub fn to_text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
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
