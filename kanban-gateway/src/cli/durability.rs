//! The durability on the command line: a word, and for `lazy` how much a crash may cost.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use kanban_core::Durability;

use crate::values;

const INTERVAL: Duration = Duration::from_secs(1);

/// Takes `power`, `process`, `lazy` and `lazy=INTERVAL`.
#[derive(Debug, Clone, Copy)]
pub(super) struct DurabilityParser;

impl TypedValueParser for DurabilityParser {
    type Value = Durability;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Durability, clap::Error> {
        let parser = StringValueParser::new().try_map(|text| durability(&text));
        parser.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = [
            PossibleValue::new("power").help("A power cut"),
            PossibleValue::new("process").help("A killed process"),
            PossibleValue::new("lazy")
                .help("Any crash, but for the last second; lazy=INTERVAL such as lazy=200ms for another span"),
        ];
        Some(Box::new(values.into_iter()))
    }
}

/// Whether an interval is within bounds is the store's to say.
fn durability(text: &str) -> Result<Durability, String> {
    let interval = match text.split_once('=') {
        None => match text {
            "power" => return Ok(Durability::Power),
            "process" => return Ok(Durability::Process),
            "lazy" => Ok(INTERVAL),
            _ => return Err(expected()),
        },
        Some(("lazy", interval)) => values::span("interval", interval),
        Some(_) => return Err(expected()),
    };
    match interval {
        Ok(interval) => Ok(Durability::Lazy { interval }),
        Err(_) => Err("the interval is a duration such as 200ms or 5s".to_owned()),
    }
}

fn expected() -> String {
    "expected power, process, lazy, or lazy=INTERVAL".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durability_is_a_word_and_lazy_takes_an_interval() {
        let lazy = |millis| Durability::Lazy {
            interval: Duration::from_millis(millis),
        };
        for (text, expected) in [
            ("power", Durability::Power),
            ("process", Durability::Process),
            ("lazy", lazy(1000)),
            ("lazy=200ms", lazy(200)),
            ("lazy=1m30s", lazy(90_000)),
        ] {
            assert_eq!(durability(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "Power",
            "lazy=",
            "lazy=soon",
            "lazy=-1s",
            "process=1s",
            "none",
        ] {
            assert!(durability(text).is_err(), "{text}");
        }
    }
}
