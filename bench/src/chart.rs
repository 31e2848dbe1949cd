//! The chart: commands per second by concurrent callers, on logarithmic axes.

use crate::results::Row;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 360.0;
const LOWEST: f64 = 100.0;
const HIGHEST: f64 = 200_000.0;
/// System, what it is called, its colour; those with a dash are levels without callers.
const SYSTEMS: [(&str, &str, &str, bool); 4] = [
    ("palmares", "Palmares", "#1b6e53", false),
    ("postgres-es", "cqrs-es + postgres-es", "#b5472f", false),
    ("batched-insert", "batched insert", "#6b7280", true),
    ("copy", "COPY", "#9aa1ab", true),
];

pub fn draw(rows: &[Row]) -> String {
    let mut callers: Vec<usize> = rows.iter().filter(|row| row.system == "palmares").map(|row| row.callers).collect();
    callers.sort_unstable();
    callers.dedup();
    let last = callers.len().saturating_sub(1).max(1) as f64;
    let x = |index: usize| LEFT + 30.0 + (RIGHT - LEFT - 60.0) * index as f64 / last;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>Commands per second by concurrent callers</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\" font-weight=\"600\" fill=\"#111827\">Place a hold: commands per second, logarithmic</text>\n"
    );
    for rate in [100.0, 1_000.0, 10_000.0, 100_000.0] {
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{0:.1}\" y2=\"{0:.1}\" stroke=\"#e5e7eb\"/>\n\
             <text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\" fill=\"#4b5563\">{3}</text>\n",
            y(rate),
            LEFT - 8.0,
            y(rate) + 4.0,
            thousands(rate)
        );
    }
    for (index, callers) in callers.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#4b5563\">{}</text>",
            x(index),
            BOTTOM + 20.0,
            thousands(*callers as f64)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#4b5563\">concurrent callers</text>",
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 42.0
    );
    for (system, name, colour, level) in SYSTEMS {
        line(&mut svg, rows, (system, name, colour, level), &callers, &x);
    }
    svg.push_str("</svg>\n");
    svg
}

fn line(
    svg: &mut String,
    rows: &[Row],
    (system, name, colour, level): (&str, &str, &str, bool),
    callers: &[usize],
    x: &impl Fn(usize) -> f64,
) {
    let of = |wanted: usize| rows.iter().find(|row| row.system == system && (level || row.callers == wanted));
    let points: Vec<(f64, f64, f64)> = callers
        .iter()
        .enumerate()
        .filter_map(|(index, callers)| of(*callers).map(|row| (x(index), y(row.rate_per_s), row.rate_per_s)))
        .collect();
    let Some((last_x, last_y, _)) = points.last().copied() else { return };
    let path: Vec<String> = points.iter().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
    let dash = if level { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>", path.join(" "));
    if !level {
        for (x, y, rate) in &points {
            let _ = write!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>\n\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{colour}\">{}</text>\n",
                if system == "palmares" { y - 10.0 } else { y + 20.0 },
                thousands(*rate)
            );
        }
    }
    // The levels lie close together: the upper label stands above its line, the lower one below.
    let label_y = match system {
        "batched-insert" => last_y.max(y_of(rows, "copy")) + 16.0,
        "copy" => last_y.min(y_of(rows, "batched-insert")) - 2.0,
        _ => last_y + 4.0,
    };
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{label_y:.1}\" fill=\"{colour}\">{name}</text>", last_x + 36.0);
}

fn y_of(rows: &[Row], system: &str) -> f64 {
    rows.iter().find(|row| row.system == system).map_or(TOP, |row| y(row.rate_per_s))
}

fn y(rate: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * (rate.max(LOWEST) / LOWEST).ln() / (HIGHEST / LOWEST).ln()
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
