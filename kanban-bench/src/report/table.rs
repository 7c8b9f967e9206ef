//! A report as tables: for a terminal and for a page of documentation.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle, presets};

use super::grid::{self, Grid};
use super::shape::Report;
use super::words::{self, put};

/// A report for a terminal.
#[must_use]
pub fn terminal(report: &Report) -> String {
    let mut text = String::new();
    for grid in grid::all(report) {
        let table = drawn(&grid, presets::NOTHING);
        put(
            &mut text,
            format_args!("\n{}\n{}\n\n{table}\n", grid.title, grid.note),
        );
    }
    text
}

/// A report for a page of documentation: how it was taken, then all tables.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    for (name, value) in setting(report) {
        put(&mut text, format_args!("- {name}: {value}\n"));
    }
    for grid in grid::all(report) {
        let table = drawn(&grid, presets::ASCII_MARKDOWN);
        put(
            &mut text,
            format_args!("\n### {}\n\n{}\n\n{table}\n", grid.title, grid.note),
        );
    }
    text
}

/// How a report was taken, and on what.
pub(super) fn setting(report: &Report) -> Vec<(&'static str, String)> {
    let setting = &report.setting;
    let memory = setting.memory_bytes.map_or_else(
        || "unknown".to_owned(),
        |bytes| words::bytes(super::figures::count(bytes)),
    );
    let versions = setting.versions.iter();
    let versions: Vec<String> = versions
        .map(
            |(name, version)| match version.strip_prefix(name.as_str()) {
                Some(_) => version.clone(),
                None => format!("{name} {version}"),
            },
        )
        .collect();
    vec![
        ("command", format!("`{}`", setting.command)),
        (
            "when",
            format!("{}, for {} s", setting.began, setting.took_s),
        ),
        (
            "machine",
            format!(
                "{}, threads: {}, memory: {memory}",
                setting.processor, setting.cores
            ),
        ),
        ("kernel", setting.kernel.clone()),
        ("file system", setting.file_system.clone()),
        ("one flush", words::time(setting.flush_ns)),
        ("versions", versions.join(", ")),
        (
            "scale, seed",
            format!("{}, {}", setting.scale, setting.seed),
        ),
    ]
}

fn drawn(grid: &Grid, style: TableStyle) -> String {
    let mut table = Table::new();
    table
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(grid.head.clone());
    for row in &grid.rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut() {
        let is_of_numbers = grid
            .rows
            .first()
            .and_then(|row| row.get(column.index))
            .is_some_and(|cell| cell.starts_with(|first: char| first.is_ascii_digit()));
        if is_of_numbers {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.force_no_tty();
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_terminal_and_a_page_are_told_the_same_targets() {
        let report = sample::report();
        let (terminal, markdown) = (terminal(&report), markdown(&report));
        for target in &report.targets {
            assert!(terminal.contains(&target.id), "{}", target.id);
            let row = format!("| {} ", target.id);
            assert!(markdown.contains(&row), "{row}");
        }
        assert!(
            markdown.contains("\n|--") || markdown.contains("\n| --"),
            "{markdown}"
        );
    }
}
