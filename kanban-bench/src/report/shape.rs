//! The shape of a report as JSON: what a program may rely on. The JSON Schema of it is `docs/benchmarks.schema.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Grows when a field changes its meaning or goes; a new one does not change it.
    pub version: u32,
    /// How it was taken, and on what.
    pub setting: Setting,
    /// Each workload beside what it is compared with.
    pub comparisons: Vec<Comparison>,
    /// How long board files are.
    pub files: Vec<BoardFile>,
    /// What a store holds in memory while nobody calls it.
    pub idle: Vec<Idle>,
    /// What was to be reached, and whether it was.
    pub targets: Vec<Target>,
}

/// How a report was taken, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Setting {
    /// The command that takes the same again.
    pub command: String,
    /// `full`, `quick` or `tiny`.
    pub scale: String,
    /// What all that looks random was drawn from.
    pub seed: u64,
    /// When it began, in UTC.
    pub began: String,
    /// How long it took, in seconds.
    pub took_s: u64,
    /// The processor, as the system names it.
    pub processor: String,
    /// How many threads it runs at once for this process.
    pub cores: usize,
    /// The machine's memory.
    pub memory_bytes: Option<u64>,
    /// The system and its version.
    pub kernel: String,
    /// The file system that the boards lay on: its kind and device.
    pub file_system: String,
    /// How long a flush there took after a short append, the middle of some, in nanoseconds.
    pub flush_ns: u64,
    /// Of this crate, the engines and the compiler, by name.
    pub versions: BTreeMap<String, String>,
}

/// A workload beside what it is compared with: both taken in turns, so many rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// `WORKLOAD/ENGINE/DURABILITY/SIZE/CLIENTS/AGAINST`.
    pub id: String,
    /// What is called.
    pub workload: String,
    /// `sqlite`, `redb` or `redb_exclusive`.
    pub engine: String,
    /// What an answered write survives: `power` or `process`; `lazy_100ms`: any crash may lose the last 100 ms.
    pub durability: String,
    /// How many tasks the board was filled with.
    pub tasks: usize,
    /// How many call at once.
    pub clients: usize,
    /// What it is compared with: `limit` (the same by hand on the engine), a pattern of use without a store, or the same
    /// workload on a board of another size.
    pub against: String,
    /// How many calls shared a commit: the store's mean, and the limit's group.
    pub group_len: Option<f64>,
    /// The calls that fell due per second, if they did so at an even rate (an open loop).
    pub offered_per_second: Option<f64>,
    /// Calls per second ÷ the other's. None where the rate was given.
    pub throughput: Option<Spread>,
    /// Median latency ÷ the other's.
    pub latency: Spread,
    /// The workload's own figures.
    pub store: Figures,
    /// The figures of what it is compared with.
    pub other: Figures,
}

/// The ratios of the rounds of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Spread {
    /// The one in the middle: what is quoted.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// All of them, in the order of the rounds.
    pub rounds: Vec<f64>,
}

/// What one side of a comparison came to: medians of the rounds, and the latencies of all rounds together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Figures {
    /// Calls answered, in all rounds.
    pub calls: u64,
    /// Calls per second.
    pub per_second: f64,
    /// How long a call took. By hand each call of a transaction takes as long as the whole of it.
    pub latency: Percentiles,
    /// Processor time per call, of all threads, in microseconds; the bench's own callers are in it.
    pub cpu_us_per_call: f64,
    /// Bytes handed to the system per call, in calls that write; none where the system does not tell.
    pub handed_bytes_per_call: Option<f64>,
    /// The most memory that the process held; the bench's own is in it.
    pub memory_peak_bytes: Option<u64>,
}

/// Points of a distribution of times, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Percentiles {
    /// Half are at most this.
    pub p50_ns: u64,
    /// 90 in 100 are at most this.
    pub p90_ns: u64,
    /// 99 in 100 are at most this.
    pub p99_ns: u64,
    /// 999 in 1000 are at most this.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// How long a board's file is after it was filled and closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BoardFile {
    /// The engine.
    pub engine: String,
    /// How many tasks are in it.
    pub tasks: usize,
    /// Its length.
    pub bytes: u64,
    /// The length ÷ the tasks.
    pub bytes_per_task: f64,
    /// The length ÷ the bytes of the tasks' titles and bodies.
    pub ratio_to_text: f64,
}

/// What a process of its own holds that has opened a board, read a little and made no call since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Idle {
    /// The engine.
    pub engine: String,
    /// How many tasks are on the board.
    pub tasks: usize,
    /// All resident memory of the process (`VmRSS`); nothing is taken off it.
    pub held_bytes: u64,
    /// The same just before it opened the board.
    pub before_bytes: u64,
}

/// What was to be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// Stable from run to run: `WHAT/ENGINE/DURABILITY`.
    pub id: String,
    /// What was measured: a ratio, or MiB.
    pub value: f64,
    /// Where the border is; on it is met.
    pub target: f64,
    /// On which side of the border it is to be.
    pub wanted: Wanted,
    /// What both are counted in.
    pub unit: Unit,
    /// Whether it was reached.
    pub met: bool,
}

/// On which side of the border a value is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// On it or above.
    AtLeast,
    /// On it or below.
    AtMost,
}

/// What the value of a target is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// How many times.
    Ratio,
    /// 1,048,576 bytes.
    Mib,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Report;

    #[test]
    fn the_schema_that_is_checked_in_is_that_of_the_types() {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Report>();
        let expected = serde_json::to_string_pretty(&schema).expect("JSON can be written");
        let expected = format!("{expected}\n");
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let path = docs.join("benchmarks.schema.json");
        if std::env::var_os("KANBAN_UPDATE").is_some() {
            fs::write(&path, &expected).expect("the documentation can be written");
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        let differ = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
        assert!(
            found == expected,
            "docs/benchmarks.schema.json is behind: run the tests of kanban-bench with KANBAN_UPDATE=1; the first line \
             that differs: {differ:?}"
        );
    }
}
