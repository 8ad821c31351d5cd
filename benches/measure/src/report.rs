//! The line of JSON at the end of a measured program's output.

use std::fmt::Write;

/// Named figures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report(Vec<(String, f64)>);

impl Report {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, name: &str, figure: f64) -> Self {
        self.0.push((name.to_owned(), figure));
        self
    }

    /// Returns the line of JSON. Names must be plain words; figures that are not finite are left out.
    pub fn json(&self) -> String {
        let mut line = String::from("{");
        for (name, figure) in self.0.iter().filter(|(_, figure)| figure.is_finite()) {
            let comma = if line.len() > 1 { "," } else { "" };
            write!(line, "{comma}\"{name}\":{figure}").expect("a text takes all");
        }
        line + "}"
    }

    /// Prints the line and exits the process, whatever else is running in it.
    pub fn finish(&self) -> ! {
        println!("{}", self.json());
        std::process::exit(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_one_object_and_those_that_are_no_numbers_are_left_out() {
        let report = Report::new()
            .with("a", 1.5)
            .with("b", f64::NAN)
            .with("c", 2.0);
        assert_eq!(report.json(), r#"{"a":1.5,"c":2}"#);
        assert_eq!(Report::new().json(), "{}");
    }
}
