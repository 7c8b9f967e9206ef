//! A report as one page that needs nothing else: no script, no other file.

use super::Failed;
use super::chart::{self, Chart};
use super::grid::{self, Grid};
use super::plot::draw;
use super::shape::Report;
use super::table::setting;
use super::theme::Theme;
use super::words::put;

const STYLE: &str = include_str!("page.css");

/// A report as HTML. Plots are there twice; the reader's preferred colours choose.
///
/// # Errors
/// `Plot`.
pub fn page(report: &Report) -> Result<String, Failed> {
    let mut html =
        String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.push_str("<title>kanban: benchmarks</title>\n<style>\n");
    html.push_str(STYLE);
    html.push_str(
        "</style>\n</head>\n<body>\n<h1>kanban: the engines beside their own limits</h1>\n",
    );
    let met = report.targets.iter().filter(|target| target.met).count();
    put(
        &mut html,
        format_args!(
            "<p class=\"lead\">{met} of {} targets met.</p>\n<dl>\n",
            report.targets.len()
        ),
    );
    for (name, value) in setting(report) {
        let value = match value
            .strip_prefix('`')
            .and_then(|code| code.strip_suffix('`'))
        {
            Some(code) => format!("<code>{}</code>", escaped(code)),
            None => escaped(&value),
        };
        put(&mut html, format_args!("<dt>{name}</dt><dd>{value}</dd>\n"));
    }
    html.push_str("</dl>\n");
    let mut grids = grid::all(report).into_iter();
    if let Some(targets) = grids.next() {
        table(&mut html, &targets);
    }
    html.push_str("<h2>Plots</h2>\n");
    for chart in chart::all(report) {
        figure(&mut html, &chart)?;
    }
    for rest in grids {
        table(&mut html, &rest);
    }
    html.push_str("</body>\n</html>\n");
    Ok(html)
}

fn figure(html: &mut String, chart: &Chart) -> Result<(), Failed> {
    let Chart {
        id, title, caption, ..
    } = chart;
    put(
        html,
        format_args!("<figure id=\"{id}\">\n<h3>{title}</h3>\n"),
    );
    for (theme, class) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let svg = draw(chart, theme)?;
        // Within a page an SVG needs no name space, and the page then names nothing outside itself.
        let svg = svg.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
        let named = format!("<svg role=\"img\" aria-label=\"{title}\" ");
        let svg = svg.replacen("<svg ", &named, 1);
        put(html, format_args!("<div class=\"{class}\">{svg}</div>\n"));
    }
    put(
        html,
        format_args!("<figcaption>{caption}</figcaption>\n</figure>\n"),
    );
    Ok(())
}

fn table(html: &mut String, grid: &Grid) {
    put(
        html,
        format_args!("<h2>{}</h2>\n<p>{}</p>\n", grid.title, escaped(&grid.note)),
    );
    html.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for head in &grid.head {
        put(html, format_args!("<th>{head}</th>"));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &grid.rows {
        html.push_str("<tr>");
        for cell in row {
            let class = match cell.as_str() {
                "met" | "missed" => cell,
                number if number.starts_with(|first: char| first.is_ascii_digit()) => "number",
                _ => "word",
            };
            put(
                html,
                format_args!("<td class=\"{class}\">{}</td>", escaped(cell)),
            );
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_page_has_every_plot_twice_and_names_nothing_outside_itself() {
        let html = page(&sample::report()).expect("it is drawn");
        for id in [
            "against-limit",
            "throughput-power",
            "throughput-process",
            "latency-transitions",
            "latency-reads",
            "size-claim-next",
            "size-complete",
        ] {
            let start = format!("<figure id=\"{id}\">");
            let (_, figure) = html.split_once(&start).unwrap_or_else(|| panic!("{id}"));
            let (figure, _) = figure.split_once("</figure>").expect("it ends");
            assert_eq!(figure.matches("<svg ").count(), 2, "{id}");
            assert!(figure.contains("<circle"), "{id}: nothing is drawn");
        }
        assert_eq!(html.matches("<figure ").count(), 7);
        for outside in [
            "http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link",
        ] {
            assert!(!html.contains(outside), "the page names {outside}");
        }
    }

    #[test]
    fn the_page_tells_machine_and_verdicts_and_escapes_what_others_named() {
        let html = page(&sample::report()).expect("it is drawn");
        for told in [
            "A &lt;fast&gt; one",
            "ext4 (/dev/sda)",
            "1.50 ms",
            "redb 4.6.0",
            "<code>cargo run --release -p kanban-bench -- report</code>",
            "<td class=\"met\">met</td>",
        ] {
            assert!(html.contains(told), "expected {told}");
        }
    }

    #[test]
    fn a_page_of_a_report_without_comparisons_is_still_one() {
        let mut report = sample::report();
        report.comparisons.clear();
        report.targets.clear();
        let html = page(&report).expect("it is drawn");
        assert!(html.ends_with("</html>\n"));
    }
}
