//! Draws a plot as SVG, for a light page or a dark one.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Failed;
use super::chart::{Axis, Body, Chart, Range, Scale, Series, Stroke};
use super::theme::Theme;
use super::ticks::{self, Span};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Done<T = ()> = Result<T, Failed>;

const WIDTH: u32 = 880;
const HEIGHT: u32 = 400;
/// How high a row is, and what is around all rows.
const ROW: u32 = 24;
const AROUND_ROWS: u32 = 70;
/// What the names beside lines take, and those beside rows.
const NAMES: u32 = 225;
const ROW_NAMES: u32 = 300;
const TEXT: u32 = 17;
/// How far apart names stand at least.
const NAME_GAP: i32 = 18;

/// Draws a plot.
pub(super) fn draw(chart: &Chart, theme: Theme) -> Done<String> {
    let height = match &chart.body {
        Body::Lines { .. } => HEIGHT,
        Body::Ranges(rows) => ROW * u32::try_from(rows.len()).unwrap_or(0) + AROUND_ROWS,
    };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        match &chart.body {
            Body::Lines { series, border } => lines(&root, chart, series, *border, theme)?,
            Body::Ranges(rows) => ranges(&root, chart, rows, theme)?,
        }
        root.present().map_err(drawn)?;
    }
    Ok(svg)
}

fn drawn(error: impl std::fmt::Display) -> Failed {
    Failed::Plot(error.to_string())
}

fn lines(
    root: &Area<'_>,
    chart: &Chart,
    series: &[Series],
    border: Option<f64>,
    theme: Theme,
) -> Done {
    let points = || series.iter().flat_map(|one| &one.points);
    let xs = points().map(|(x, _)| *x);
    let ys = points().map(|(_, y)| *y).chain(border);
    let (x, y) = (ticks::span(&chart.x, xs), ticks::span(&chart.y, ys));
    let mut builder = ChartBuilder::on(root);
    builder
        .margin_top(12)
        .margin_right(NAMES)
        .x_label_area_size(46)
        .y_label_area_size(78);
    let mut plane = plane(&mut builder, &x, &y)?;
    mesh(root, &mut plane, chart, (&x, &y), theme)?;
    if let Some(border) = border {
        let ends = vec![(x.from, border), (x.to, border)];
        let style = theme.muted().stroke_width(1);
        let line = DashedPathElement::new(ends, 2, 4, style);
        plane.draw_series([line]).map_err(drawn)?;
    }
    for one in series {
        line(&mut plane, chart, one, theme)?;
    }
    let last = |one: &Series| {
        let (at, value) = *one.points.last()?;
        Some(
            plane
                .backend_coord(&(chart.x.place(at), chart.y.place(value)))
                .1,
        )
    };
    let mut names: Vec<(i32, &Series)> = series
        .iter()
        .filter_map(|one| Some((last(one)?, one)))
        .collect();
    apart(&mut names);
    let left = i32::try_from(WIDTH - NAMES).unwrap_or(0) + 10;
    for (at, one) in names {
        let style = text(theme.colour(one.hue), HPos::Left);
        let name = Text::new(one.name.clone(), (left, at), style);
        root.draw(&name).map_err(drawn)?;
    }
    Ok(())
}

fn line(plane: &mut Plane<'_, '_>, chart: &Chart, one: &Series, theme: Theme) -> Done {
    let colour = theme.colour(one.hue);
    let points: Vec<(f64, f64)> = one
        .points
        .iter()
        .map(|(x, y)| (chart.x.place(*x), chart.y.place(*y)))
        .collect();
    let dots = points.iter().map(|at| Circle::new(*at, 4, colour.filled()));
    match one.stroke {
        Stroke::Solid => {
            plane.draw_series(dots).map_err(drawn)?;
            let path = PathElement::new(points, colour.stroke_width(2));
            plane.draw_series([path]).map_err(drawn)?;
        }
        Stroke::Dashed => {
            let path = DashedPathElement::new(points, 6, 5, colour.stroke_width(2));
            plane.draw_series([path]).map_err(drawn)?;
        }
    }
    Ok(())
}

fn ranges(root: &Area<'_>, chart: &Chart, rows: &[Range], theme: Theme) -> Done {
    let values = rows
        .iter()
        .flat_map(|row| [row.max, row.border.unwrap_or(0.0)]);
    let x = ticks::span(&chart.x, values);
    let below = f64::from(u32::try_from(rows.len()).unwrap_or(0));
    let y = Span {
        from: 0.0,
        to: below,
        ticks: Vec::new(),
    };
    let mut builder = ChartBuilder::on(root);
    builder
        .margin_top(12)
        .margin_right(60)
        .margin_left(ROW_NAMES)
        .x_label_area_size(46);
    let mut plane = plane(&mut builder, &x, &y)?;
    mesh(root, &mut plane, chart, (&x, &y), theme)?;
    for (row, nth) in rows.iter().zip(1u32..) {
        let at = below - f64::from(nth) + 0.5;
        let colour = theme.colour(row.hue);
        if let Some(border) = row.border {
            let ends = vec![(border, at - 0.45), (border, at + 0.45)];
            let bar = PathElement::new(ends, theme.ink().stroke_width(2));
            plane.draw_series([bar]).map_err(drawn)?;
        }
        let reach = vec![(row.min, at), (row.max, at)];
        let reach = PathElement::new(reach, colour.stroke_width(3));
        plane.draw_series([reach]).map_err(drawn)?;
        let dot = Circle::new((row.median, at), 5, colour.filled());
        plane.draw_series([dot]).map_err(drawn)?;
        let (_, height) = plane.backend_coord(&(0.0, at));
        let right = i32::try_from(ROW_NAMES).unwrap_or(0) - 10;
        let style = text(theme.ink(), HPos::Right);
        let name = Text::new(row.name.clone(), (right, height), style);
        root.draw(&name).map_err(drawn)?;
        let right = i32::try_from(WIDTH).unwrap_or(0) - 50;
        let style = text(theme.ink(), HPos::Left);
        let value = Text::new(super::words::digits(row.median), (right, height), style);
        root.draw(&value).map_err(drawn)?;
    }
    Ok(())
}

fn plane<'a, 'b>(
    builder: &mut ChartBuilder<'a, '_, SVGBackend<'b>>,
    x: &Span,
    y: &Span,
) -> Done<Plane<'a, 'b>> {
    builder
        .build_cartesian_2d(x.from..x.to, y.from..y.to)
        .map_err(drawn)
}

/// Draws the grid and the numbers along it: those that were chosen, not those that the library would choose.
fn mesh(
    root: &Area<'_>,
    plane: &mut Plane<'_, '_>,
    chart: &Chart,
    (x, y): (&Span, &Span),
    theme: Theme,
) -> Done {
    let grid = theme.grid().stroke_width(1);
    let across = y
        .ticks
        .iter()
        .map(|(at, _)| vec![(x.from, *at), (x.to, *at)]);
    let up = x
        .ticks
        .iter()
        .map(|(at, _)| vec![(*at, y.from), (*at, y.to)]);
    let paths = across.chain(up).map(|ends| PathElement::new(ends, grid));
    plane.draw_series(paths).map_err(drawn)?;
    plane
        .configure_mesh()
        .disable_mesh()
        .axis_style(theme.muted())
        .set_all_tick_mark_size(0)
        .x_labels(0)
        .y_labels(0)
        .axis_desc_style(("sans-serif", TEXT).with_color(theme.ink()))
        .x_desc(chart.x.label)
        .y_desc(chart.y.label)
        .draw()
        .map_err(drawn)?;
    // Drawn on the whole: within the plane they would be pushed onto its axes.
    let (left, bottom) = plane.backend_coord(&(x.from, y.from));
    for (at, name) in &x.ticks {
        let (at, _) = plane.backend_coord(&(*at, y.from));
        let style = TextStyle {
            pos: Pos::new(HPos::Center, VPos::Top),
            ..text(theme.ink(), HPos::Center)
        };
        let name = Text::new(name.clone(), (at, bottom + 7), style);
        root.draw(&name).map_err(drawn)?;
    }
    for (at, name) in &y.ticks {
        let (_, at) = plane.backend_coord(&(x.from, *at));
        let style = text(theme.ink(), HPos::Right);
        let name = Text::new(name.clone(), (left - 8, at), style);
        root.draw(&name).map_err(drawn)?;
    }
    Ok(())
}

fn text(colour: RGBColor, side: HPos) -> TextStyle<'static> {
    TextStyle {
        color: colour.to_backend_color(),
        pos: Pos::new(side, VPos::Center),
        ..("sans-serif", TEXT).into_text_style(&(WIDTH, HEIGHT))
    }
}

/// Moves names apart that would lie on each other, those above first; their order stays that of their lines.
fn apart<T>(names: &mut [(i32, T)]) {
    names.sort_by_key(|(at, _)| *at);
    let mut free = i32::MIN;
    for (at, _) in names.iter_mut() {
        *at = (*at).max(free);
        free = *at + NAME_GAP;
    }
    // What was pushed below the plot comes back up.
    let mut free = i32::try_from(HEIGHT).unwrap_or(i32::MAX) - 30;
    for (at, _) in names.iter_mut().rev() {
        *at = (*at).min(free);
        free = *at - NAME_GAP;
    }
}

impl Axis {
    /// Where a value lies.
    pub(super) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(f64::MIN_POSITIVE).log10(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order_and_a_line_of_distance() {
        let mut names = vec![(100, "b"), (98, "a"), (103, "c"), (395, "z"), (390, "y")];
        apart(&mut names);
        let order: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        assert_eq!(order, ["a", "b", "c", "y", "z"]);
        for pair in names.windows(2) {
            assert!(pair[1].0 - pair[0].0 >= NAME_GAP, "{names:?}");
        }
        assert_eq!(names[0].0, 98, "nothing is above the first: {names:?}");
        assert!(names[4].0 <= 370, "within the plot: {names:?}");
    }
}
