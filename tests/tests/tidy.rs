//! What no compiler checks about this workspace: that the contract, the list of cases and the crates stay in step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use kanban_conformance::{CASES, IN_PROCESS};

const CONTRACT: &str = include_str!("../../docs/semantics.md");

/// The page for engine authors.
const AUTHORS: &str = include_str!("../../docs/adding-a-backend.md");

/// The trait of all operations.
const STORE: &str = include_str!("../../kanban-core/src/store.rs");

/// The page of what operations cost.
const COSTS: &str = include_str!("../../docs/costs.md");

/// What reads the whole board by its nature, or none of it.
const NOT_COUNTED: &[&str] = &["verify", "export", "backup", "collectable_events", "close"];

/// From here on the contract tells what does not exist yet.
const NOT_YET_BUILT: u32 = 21;

#[test]
fn every_case_is_in_the_list_and_every_name_in_the_list_is_a_case() {
    let written: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    let listed: BTreeSet<String> = CASES.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(listed.len(), CASES.len(), "a case is listed twice");
    let forgotten: Vec<_> = written.difference(&listed).collect();
    assert!(forgotten.is_empty(), "written, not listed: {forgotten:#?}");
    let made_up: Vec<_> = listed.difference(&written).collect();
    assert!(made_up.is_empty(), "listed, not written: {made_up:#?}");
}

#[test]
fn a_backend_in_memory_is_asked_otherwise_only_where_a_case_starts_processes() {
    let named: BTreeSet<String> = IN_PROCESS.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(named.len(), IN_PROCESS.len(), "a case is named twice");
    let starters = cases().into_iter().filter(|case| case.starts_processes);
    let expected: BTreeSet<String> = starters.map(|case| case.name).collect();
    assert_eq!(named, expected, "expected the cases that start processes");
}

#[test]
fn every_rule_is_named_by_a_case() {
    let named: BTreeSet<Rule> = cases().into_iter().flat_map(|case| case.rules).collect();
    let unproved: Vec<_> = rules()
        .difference(&named)
        .map(ToString::to_string)
        .collect();
    assert!(unproved.is_empty(), "no case names {unproved:?}");
}

#[test]
fn every_case_says_its_rule_and_names_numbers_that_exist() {
    let rules = rules();
    for case in cases() {
        assert!(
            case.docs.lines().next().is_some_and(|line| line.len() > 20),
            "{} does not say its rule",
            case.name
        );
        assert!(!case.rules.is_empty(), "{} names no rule", case.name);
        for rule in &case.rules {
            assert!(
                rules.contains(rule),
                "{} names {rule}, which the contract has not",
                case.name
            );
        }
    }
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() {
    for package in members(&metadata()) {
        let manifest = read(package.manifest_path.as_std_path());
        let lints = manifest.split("[lints]").nth(1).unwrap_or_default();
        let first = lints.lines().find(|line| !line.trim().is_empty());
        assert_eq!(
            first.map(str::trim),
            Some("workspace = true"),
            "{}: expected [lints] workspace = true",
            package.name
        );
    }
}

#[test]
fn the_dependency_arrows_hold() {
    let metadata = metadata();
    let members = members(&metadata);
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let engines: BTreeSet<&str> = engines(&members).iter().map(|p| p.name.as_str()).collect();
    for member in &members {
        let inner: BTreeSet<(&str, bool)> = member
            .dependencies
            .iter()
            .filter(|dependency| names.contains(dependency.name.as_str()))
            .map(|dependency| {
                let dev = dependency.kind == DependencyKind::Development;
                (dependency.name.as_str(), dev)
            })
            .collect();
        for (name, dev) in inner {
            let allowed = match member.name.as_str() {
                "kanban-core" => false,
                "kanban-conformance" => name == "kanban-core",
                engine if engines.contains(engine) => {
                    name == "kanban-core" || (name == "kanban-conformance" && dev)
                }
                "kanban-gateway" | "kanban-bench" => {
                    name == "kanban-core" || engines.contains(name)
                }
                // The fault tests, and what else may come above all of these.
                _ => name != "kanban-gateway",
            };
            assert!(allowed, "{} must not depend on {name}", member.name);
        }
    }
}

#[test]
fn every_backend_has_the_same_files() {
    let metadata = metadata();
    let members = members(&metadata);
    let engines = engines(&members);
    assert!(!engines.is_empty(), "expected a backend, found none");
    for engine in engines {
        let source = folder(engine).join("src");
        for name in ["lib.rs", "schema.rs", "view.rs", "apply.rs", "engine.rs"] {
            let file = source.join(name);
            assert!(file.is_file(), "expected {}", file.display());
        }
    }
}

#[test]
fn every_member_is_on_the_map() {
    let metadata = metadata();
    let root = metadata.workspace_root.as_std_path();
    let map = read(&root.join("README.md"));
    for member in members(&metadata) {
        let folder = folder(member);
        let place = folder.strip_prefix(root).expect("a member is inside");
        let link = format!("]({})", place.display());
        assert!(map.contains(&link), "README.md: expected {link} in the map");
    }
}

#[test]
fn the_page_for_engine_authors_names_the_families_and_cases_that_exist() {
    let names = CASES.iter().flat_map(|case| {
        let family = case.name.split("::").next().unwrap_or_default();
        [case.name, family]
    });
    let names: BTreeSet<&str> = names.collect();
    let (_, page) = AUTHORS
        .split_once("## In which order")
        .expect("the page has an order");
    let quoted: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    let families = names.iter().filter(|name| !name.contains("::"));
    let forgotten: Vec<_> = families.filter(|name| !quoted.contains(*name)).collect();
    assert!(forgotten.is_empty(), "not in the order: {forgotten:?}");
    let cases = quoted.iter().filter(|name| name.contains("::"));
    let cases = cases.filter(|name| !name.starts_with(char::is_uppercase) && !name.contains(' '));
    let made_up: Vec<_> = cases.filter(|name| !names.contains(*name)).collect();
    assert!(made_up.is_empty(), "no such case: {made_up:?}");
}

#[test]
fn the_costs_of_every_operation_are_told() {
    let (_, body) = STORE
        .split_once("pub trait BoardStore")
        .expect("it is here");
    let methods = body
        .lines()
        .filter_map(|line| line.strip_prefix("    async fn ")?.split_once('('))
        .map(|(name, _)| name);
    let methods: BTreeSet<&str> = methods.filter(|name| !NOT_COUNTED.contains(name)).collect();
    assert!(methods.len() > 50, "the trait was read: {methods:?}");
    let tables = COSTS.split("<!-- costs: ").skip(1);
    for table in tables {
        let (name, rows) = table.split_once(" -->").expect("a table has a name");
        let told: BTreeSet<&str> = rows
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split([' ', ',']).next())
            .collect();
        let forgotten: Vec<_> = methods.difference(&told).collect();
        assert!(forgotten.is_empty(), "{name}: nothing about {forgotten:?}");
    }
}

#[test]
fn nothing_is_left_to_do_without_a_reason() {
    // In two pieces, so that this file does not find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    for file in members(&metadata()).into_iter().flat_map(rust_files) {
        for (number, line) in read(&file).lines().enumerate() {
            for word in words {
                let Some(rest) = line.split(word).nth(1) else {
                    continue;
                };
                let reason = rest.strip_prefix('(').unwrap_or_default();
                assert!(
                    reason.trim_start().len() > 10,
                    "{}:{}: expected {word}(why and until when)",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

/// A number of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rule(u32, u32);

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let (section, number) = text.split_once('.')?;
        Some(Self(section.parse().ok()?, number.parse().ok()?))
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The numbers of the contract that hold today.
fn rules() -> BTreeSet<Rule> {
    let rules: BTreeSet<Rule> = CONTRACT
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .filter_map(|(number, _)| Rule::parse(number))
        .filter(|rule| rule.0 < NOT_YET_BUILT)
        .collect();
    assert!(rules.len() > 100, "expected the contract, found {rules:?}");
    rules
}

/// A case as it is written.
struct Written {
    name: String,
    docs: String,
    rules: Vec<Rule>,
    starts_processes: bool,
}

/// Every case function with its docs: an `async fn` with visibility at the margin of a file of a family.
fn cases() -> Vec<Written> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    let mut cases: Vec<Written> = Vec::new();
    for file in rust_files_under(&folder) {
        let family = file.file_stem().expect("a file has a name");
        let family = family.to_str().expect("the names here are ASCII");
        let mut docs = String::new();
        for line in read(&file).lines() {
            if let Some(doc) = line.strip_prefix("/// ") {
                docs.push_str(doc);
                docs.push('\n');
            } else if let Some(rest) = line.strip_prefix("pub(crate) async fn ") {
                let name = rest.split('(').next().unwrap_or_default();
                cases.push(Written {
                    name: format!("{family}::{name}"),
                    rules: numbers(&docs),
                    docs: std::mem::take(&mut docs),
                    starts_processes: false,
                });
            } else {
                if line.contains(".spawn_child(") || line.contains(".spawn_child_on(") {
                    let case = cases.last_mut().expect("processes are started by cases");
                    case.starts_processes = true;
                }
                docs.clear();
            }
        }
    }
    cases
}

/// `[6.3]`, wherever it stands.
fn numbers(docs: &str) -> Vec<Rule> {
    let brackets = docs.split('[').skip(1);
    let inside = brackets.filter_map(|rest| rest.split_once(']'));
    inside.filter_map(|(text, _)| Rule::parse(text)).collect()
}

fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo describes the workspace that it has just built")
}

fn members(metadata: &Metadata) -> Vec<&Package> {
    let by_name: BTreeMap<&str, &Package> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    by_name.into_values().collect()
}

/// The members that prove themselves by this suite.
fn engines<'a>(members: &[&'a Package]) -> Vec<&'a Package> {
    let proved = |package: &&&Package| {
        let mut dependencies = package.dependencies.iter();
        dependencies.any(|dependency| {
            dependency.name == "kanban-conformance"
                && dependency.kind == DependencyKind::Development
        })
    };
    members.iter().filter(proved).copied().collect()
}

fn folder(package: &Package) -> PathBuf {
    let manifest = package.manifest_path.as_std_path();
    manifest
        .parent()
        .expect("a manifest is in a folder")
        .to_owned()
}

fn rust_files(package: &Package) -> Vec<PathBuf> {
    ["src", "tests", "benches", "examples"]
        .iter()
        .flat_map(|name| rust_files_under(&folder(package).join(name)))
        .collect()
}

fn rust_files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("a folder of the workspace can be read").path();
        if path.is_dir() {
            files.extend(rust_files_under(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the workspace can be read")
}
