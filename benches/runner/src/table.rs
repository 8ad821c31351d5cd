//! Tables in Markdown.

use crate::figure::{grouped, median, spread};
use crate::results::{Cell, Section};
use crate::subject::{LIMIT, Subject};

/// The words for a figure that no run has: not supported, failed, or not measured.
pub const CANNOT: &str = "–";
pub const FAILED: &str = "failed";
pub const UNMEASURED: &str = "not measured";

/// A table that is built row by row.
#[derive(Debug)]
pub struct Table(String);

impl Table {
    /// Creates a table with a column of names and these columns of figures.
    pub fn new(columns: &[&str]) -> Self {
        let rule = " ---: |".repeat(columns.len());
        Self(format!("| | {} |\n| --- |{rule}\n", columns.join(" | ")))
    }

    pub fn row(&mut self, name: &str, cells: &[String]) {
        self.0
            .push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// A column: a figure of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub scenario: &'a str,
    pub count: u64,
    pub figure: &'a str,
}

pub const fn column<'a>(scenario: &'a str, count: u64, figure: &'a str) -> Column<'a> {
    Column {
        scenario,
        count,
        figure,
    }
}

/// Returns the figure of a subject: the median, its ratio to the limit, and the spread.
pub fn figure(section: &Section, subject: Subject, column: Column<'_>) -> String {
    let cell = section.cell(subject, column.scenario, column.count);
    let values = match values(cell, column.figure) {
        Ok(values) => values,
        Err(word) => return word.to_owned(),
    };
    let text = spread(values).unwrap_or_else(|| FAILED.to_owned());
    let limit = section.cell(LIMIT, column.scenario, column.count);
    let text = match self::values(limit, column.figure) {
        Ok(limit) if subject.name != LIMIT.name => with_ratio(&text, values, limit),
        _ => text,
    };
    match cell.map_or(0, |cell| cell.failures.len()) {
        0 => text,
        failures => format!("{text} ({failures} of {} failed)", failures + values.len()),
    }
}

/// Returns the figure of a subject without its ratio to the limit, for figures where that is meaningless.
pub fn plain(section: &Section, subject: Subject, column: Column<'_>) -> String {
    let cell = section.cell(subject, column.scenario, column.count);
    match values(cell, column.figure) {
        Ok(values) => spread(values).unwrap_or_else(|| FAILED.to_owned()),
        Err(word) => word.to_owned(),
    }
}

/// Returns the figures of a cell, or the word that says why there are none.
pub fn values<'a>(cell: Option<&'a Cell>, figure: &str) -> Result<&'a [f64], &'static str> {
    match cell {
        None => Err(UNMEASURED),
        Some(cell) if cell.cannot => Err(CANNOT),
        Some(cell) => match cell.figures.get(figure) {
            Some(values) => Ok(values),
            None if cell.failures.is_empty() => Err(CANNOT),
            None => Err(FAILED),
        },
    }
}

/// Inserts the ratio to the limit before the spread.
pub fn with_ratio(text: &str, values: &[f64], limit: &[f64]) -> String {
    let (Some(value), Some(limit)) = (median(values), median(limit)) else {
        return text.to_owned();
    };
    if limit == 0.0 || value == 0.0 {
        return text.to_owned();
    }
    let ratio = value / limit;
    let ratio = if ratio >= 9.95 {
        grouped(ratio.round() as i64)
    } else {
        two_digits(ratio)
    };
    match text.split_once(" <sub>") {
        Some((median, spread)) => format!("{median} ({ratio}×) <sub>{spread}"),
        None => format!("{text} ({ratio}×)"),
    }
}

fn two_digits(ratio: f64) -> String {
    let unit = 10_f64.powf(ratio.log10().floor() - 1.0);
    let ratio = (ratio / unit).round() * unit;
    let digits = (1.0 - ratio.log10().floor()).clamp(0.0, 4.0) as usize;
    format!("{ratio:.digits$}")
}

/// Creates a cell of a section, for tests of tables.
#[cfg(test)]
pub fn cell(subject: Subject, scenario: &str, count: u64, figures: &[(&str, &[f64])]) -> Cell {
    Cell {
        subject: subject.name.to_owned(),
        scenario: scenario.to_owned(),
        count,
        figures: figures
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.to_vec()))
            .collect(),
        ..Cell::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{APSCHEDULER, CLOKWERK, THIS};

    #[test]
    fn a_figure_has_its_ratio_to_the_limit_and_what_is_missing_is_reported() {
        let mut failed = cell(CLOKWERK, "same", 10, &[]);
        failed.failures.push("killed".to_owned());
        let mut flaky = cell(APSCHEDULER, "same", 10, &[("cpu_us", &[30.0, 30.0])]);
        flaky.failures.push("killed".to_owned());
        let section = Section {
            cells: vec![
                cell(LIMIT, "same", 10, &[("cpu_us", &[1.0, 2.0, 1.5])]),
                cell(THIS, "same", 10, &[("cpu_us", &[3.0, 3.5, 4.0])]),
                failed,
                flaky,
                Cell {
                    cannot: true,
                    ..cell(CLOKWERK, "spread", 10, &[])
                },
            ],
            ..Section::default()
        };
        let column = column("same", 10, "cpu_us");
        assert_eq!(figure(&section, LIMIT, column), "1.50 <sub>1.00–2.00</sub>");
        assert_eq!(
            figure(&section, THIS, column),
            "3.50 (2.3×) <sub>3.00–4.00</sub>"
        );
        assert_eq!(figure(&section, CLOKWERK, column), FAILED);
        assert_eq!(
            figure(&section, APSCHEDULER, column),
            "30.0 (20×) (1 of 3 failed)"
        );
        assert_eq!(
            figure(
                &section,
                CLOKWERK,
                Column {
                    scenario: "spread",
                    ..column
                }
            ),
            CANNOT
        );
        assert_eq!(
            figure(
                &section,
                THIS,
                Column {
                    scenario: "spread",
                    ..column
                }
            ),
            UNMEASURED
        );
    }

    #[test]
    fn rows_stand_below_their_columns() {
        let mut table = Table::new(&["a", "b"]);
        table.row("x", &["1".to_owned(), "2".to_owned()]);
        assert_eq!(
            table.finish(),
            "| | a | b |\n| --- | ---: | ---: |\n| x | 1 | 2 |\n"
        );
    }
}
