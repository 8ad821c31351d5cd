//! A chart of the most telling figures, each on its own logarithmic scale.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use crate::figure::{median, short};
use crate::results::{Results, Section};
use crate::subject::{
    APALIS_CRON, APSCHEDULER, CLOKWERK, DELAY_TIMER, LIMIT, Subject, THIS, TOKIO_CRON_SCHEDULER,
};
use crate::table::{FAILED, values};
use crate::triggers;

/// A panel: its title, and the source of its figures.
struct Panel {
    title: &'static str,
    part: &'static str,
    scenario: &'static str,
    figure: &'static str,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "CPU per fire, µs (less is better)",
        part: "fires",
        scenario: "same",
        figure: "cpu_us",
    },
    Panel {
        title: "Fires a second, none lost (more is better)",
        part: "rate",
        scenario: "rate",
        figure: "rate",
    },
    Panel {
        title: "Memory per job, bytes (less is better)",
        part: "jobs",
        scenario: "jobs",
        figure: "bytes_per_job",
    },
    Panel {
        title: "Next fire time in UTC, ns (less is better)",
        part: "triggers",
        scenario: "next-utc",
        figure: "median_ns",
    },
];

const SCHEDULERS: [Subject; 7] = [
    LIMIT,
    THIS,
    TOKIO_CRON_SCHEDULER,
    APALIS_CRON,
    CLOKWERK,
    DELAY_TIMER,
    APSCHEDULER,
];

const WIDTH: f64 = 880.0;
const PANEL: f64 = 440.0;
/// The right edge of the names, and both edges of the scale.
const NAMES: f64 = 176.0;
const SCALE: (f64, f64) = (188.0, 360.0);
const ROW: f64 = 22.0;
const HEIGHT: f64 = 222.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600;font-size:13px}\
.n{text-anchor:end}.l{stroke:#8c959f;stroke-opacity:.35}.d{fill:#57606a}.ours{fill:#0969da}.limit{fill:#1a7f37}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.d{fill:#9198a1}.ours{fill:#58a6ff}.limit{fill:#3fb950}}";

/// Writes `docs/images/speed.svg`, if there is anything to show.
pub fn write(results: &Results, repository: &Path) -> Result<(), Box<dyn Error>> {
    let panels: Vec<String> = PANELS
        .iter()
        .filter_map(|panel| rows(panel, results))
        .collect();
    if panels.is_empty() {
        return Ok(());
    }
    Ok(std::fs::write(
        repository.join("docs/images/speed.svg"),
        picture(&panels),
    )?)
}

fn picture(panels: &[String]) -> String {
    let below = HEIGHT * panels.len().div_ceil(2) as f64;
    let height = below + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Speed beside the limit and other schedulers\">\n<style>{STYLE}</style>\n"
    );
    for (index, panel) in panels.iter().enumerate() {
        let (x, y) = ((index % 2) as f64 * PANEL, (index / 2) as f64 * HEIGHT);
        let _ = write!(svg, "<g transform=\"translate({x} {y})\">\n{panel}</g>\n");
    }
    let _ = writeln!(
        svg,
        "<text x=\"12\" y=\"{below}\">Scales are logarithmic; medians.</text>"
    );
    svg + "</svg>\n"
}

/// Returns the rows of a panel, if its part was measured.
fn rows(panel: &Panel, results: &Results) -> Option<String> {
    let section = results.sections.get(panel.part)?;
    let subjects = if panel.part == "triggers" {
        &triggers::SUBJECTS[..]
    } else {
        &SCHEDULERS[..]
    };
    let points: Vec<(Subject, Result<f64, &str>)> = subjects
        .iter()
        .map(|subject| (*subject, point(panel, section, *subject)))
        .collect();
    let known = || points.iter().filter_map(|(_, value)| value.ok());
    let (least, most) = (
        known().fold(f64::INFINITY, f64::min),
        known().fold(0.0, f64::max),
    );
    if most <= 0.0 {
        return None;
    }
    let mut text = format!(
        "<text class=\"t\" x=\"12\" y=\"24\">{}</text>\n",
        panel.title
    );
    for (row, (subject, value)) in points.into_iter().enumerate() {
        let y = 50.0 + row as f64 * ROW;
        let name = escaped(&subject.title.replace('*', "").replace(" (Python)", ""));
        let class = match subject.name {
            "this" => "ours",
            "limit" => "limit",
            _ => "d",
        };
        let _ = writeln!(
            text,
            "<text class=\"n\" x=\"{NAMES}\" y=\"{}\">{name}</text>",
            y + 4.0
        );
        let _ = writeln!(
            text,
            "<line class=\"l\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>",
            SCALE.0, SCALE.1
        );
        let value = match value {
            Ok(value) => value,
            Err(word) => {
                let _ = writeln!(
                    text,
                    "<text x=\"{}\" y=\"{}\">{word}</text>",
                    SCALE.0,
                    y + 4.0
                );
                continue;
            }
        };
        let x = place(value, least, most);
        let _ = writeln!(
            text,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"5\"/>"
        );
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{}\">{}</text>",
            x + 10.0,
            y + 4.0,
            short(value)
        );
    }
    Some(text)
}

/// Returns the figure at the highest count at which all subjects are measured, or the word that says why there is
/// none.
fn point<'a>(panel: &Panel, section: &'a Section, subject: Subject) -> Result<f64, &'a str> {
    let counts = section.counts(panel.scenario);
    // Not all subjects are measured with a million jobs.
    let last = counts
        .len()
        .saturating_sub(if panel.part == "jobs" { 2 } else { 1 });
    let count = counts.get(last).copied().unwrap_or_default();
    let values = values(section.cell(subject, panel.scenario, count), panel.figure)?;
    median(values).filter(|value| *value > 0.0).ok_or(FAILED)
}

/// Returns the position of a value between the least and the most.
fn place(value: f64, least: f64, most: f64) -> f64 {
    let span = (most / least).log10();
    let part = if span > 0.0 {
        (value / least).log10() / span
    } else {
        0.0
    };
    SCALE.0 + part * (SCALE.1 - SCALE.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::cell;

    #[test]
    fn equal_factors_are_equally_far_apart() {
        assert_eq!(place(1.0, 1.0, 100.0), SCALE.0);
        assert_eq!(place(10.0, 1.0, 100.0), f64::midpoint(SCALE.0, SCALE.1));
        assert_eq!(place(100.0, 1.0, 100.0), SCALE.1);
        assert_eq!(place(5.0, 5.0, 5.0), SCALE.0);
    }

    #[test]
    fn who_was_not_measured_is_in_the_picture_all_the_same() {
        let cells = vec![
            cell(LIMIT, "same", 9, &[("cpu_us", &[0.5])]),
            cell(THIS, "same", 9, &[("cpu_us", &[5.0])]),
        ];
        let mut results = Results::default();
        results.sections.insert(
            "fires".to_owned(),
            Section {
                cells,
                ..Section::default()
            },
        );
        let rows = rows(&PANELS[0], &results).unwrap();
        assert_eq!(rows.matches("<circle").count(), 2);
        assert_eq!(
            rows.matches("not measured</text>").count(),
            SCHEDULERS.len() - 2
        );
        assert!(picture(&[rows]).ends_with("medians.</text>\n</svg>\n"));
    }
}
