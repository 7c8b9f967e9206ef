//! The tables of the page that tells the costs.

use std::collections::BTreeMap;
use std::path::Path;

use super::stage::Row;
use super::{Costs, Told};

/// Compares a table with what was counted, or writes it.
pub(super) fn assert_told(costs: &Costs, page: &Path, name: &str) {
    let text = std::fs::read_to_string(page).expect("there is a page of the costs");
    let (begin, end) = (format!("<!-- costs: {name} -->\n"), "<!-- end -->");
    let (above, rest) = text.split_once(&begin).expect("the page has the table");
    let (told, below) = rest.split_once(end).expect("the table ends");
    let found = match name {
        "rules" => rules(costs),
        _ => engine(costs, told),
    };
    eprintln!("{found}");
    if std::env::var_os("KANBAN_UPDATE").is_some() {
        let text = format!("{above}{begin}{found}{end}{below}");
        std::fs::write(page, text).expect("the page can be written");
        return;
    }
    let differing = differences(told, &found);
    assert!(
        differing.is_empty(),
        "{}: the table `{name}` tells other costs than were found; if they are meant, run this test with \
         KANBAN_UPDATE=1\n{differing}",
        page.display()
    );
}

/// What rules ask and change, the same on every engine.
fn rules(costs: &Costs) -> String {
    let mut table = head(&["operation", "questions", "rows", "changes", "which"]);
    for Row { operation, cost } in &costs.large.rows {
        let (asked, changed) = (cost.told_questions(), cost.told_changes());
        let which = match changed.is_empty() {
            true => asked,
            false => format!("{asked}; {changed}"),
        };
        let numbers = [cost.questions(), cost.rows(), cost.changes()].map(|n| n.to_string());
        table += &line(operation, &[&numbers[..], &[which]].concat());
    }
    table
}

/// What an engine counted. A bound that still fits is left as it is told.
fn engine(costs: &Costs, told: &str) -> String {
    let each_told = told
        .lines()
        .find_map(|line| line.strip_prefix(EACH)?.parse().ok());
    let told: BTreeMap<&str, Vec<u64>> = told.lines().filter_map(numbers).collect();
    let names = costs.columns.iter().map(|column| match column.told {
        Told::Exactly => column.name.to_owned(),
        Told::AtMost => format!("{}, at most", column.name),
    });
    let names: Vec<String> = ["operation".to_owned()].into_iter().chain(names).collect();
    let mut table = head(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = costs.small.rows.iter().zip(&costs.large.rows);
    for (small, large) in rows {
        let operation = large.operation;
        let columns = costs.columns.iter().enumerate();
        let cells: Vec<String> = columns
            .map(|(at, column)| {
                let (few, many) = (small.cost.engine[at], large.cost.engine[at]);
                let told = told.get(operation).and_then(|cells| cells.get(at)).copied();
                match column.told {
                    Told::Exactly => many.to_string(),
                    Told::AtMost => bound(few.max(many), 4, told).to_string(),
                }
            })
            .collect();
        table += &line(operation, &cells);
    }
    let (few, many) = (&costs.small, &costs.large);
    let each = (many.len - few.len) / (many.tasks - few.tasks) as u64;
    let each = bound(each, 20, each_told);
    format!("{table}\n{EACH}{each}\n")
}

/// The line below an engine's table, without its number.
const EACH: &str = "Bytes of the file for each task, at most: ";

/// A bound that leaves room for another full page or two (one part in so many), and not for more.
fn bound(found: u64, part: u64, told: Option<u64>) -> u64 {
    let room = if found == 0 { 0 } else { 2 + found / part };
    match told {
        Some(told) if (found..=found + room).contains(&told) => told,
        _ => found + room / 2,
    }
}

/// The numbers of a line, by its first cell.
fn numbers(line: &str) -> Option<(&str, Vec<u64>)> {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    let name = cells.next()?;
    let numbers: Result<_, _> = cells.map(str::parse).collect();
    Some((name, numbers.ok()?))
}

fn head(names: &[&str]) -> String {
    let rule = names
        .iter()
        .enumerate()
        .map(|(at, name)| match (at, *name) {
            (0, _) | (_, "which") => " --- |",
            _ => " ---: |",
        });
    let rule: String = rule.collect();
    format!("\n| {} |\n|{rule}\n", names.join(" | "))
}

fn line(operation: &str, cells: &[String]) -> String {
    format!("| {operation} | {} |\n", cells.join(" | "))
}

/// The lines of each that the other has not.
fn differences(told: &str, found: &str) -> String {
    let only = |these: &str, others: &str, mark: &str| {
        let others: Vec<&str> = others.lines().collect();
        let lines = these.lines().filter(|line| !others.contains(line));
        let lines: Vec<String> = lines.map(|line| format!("{mark} {line}")).collect();
        lines
    };
    let lines = [only(told, found, "told: "), only(found, told, "found:")];
    lines.concat().join("\n")
}
