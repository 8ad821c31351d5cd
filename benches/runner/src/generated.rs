//! Generated projects in a temporary folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::leftovers::PREFIX;
use crate::programs::{cargo, done};

/// A project in its own folder; removed when dropped.
#[derive(Debug)]
pub struct Project {
    name: String,
    folder: PathBuf,
}

impl Project {
    /// Writes a project with these dependencies and source files, and fetches its dependencies.
    pub fn new(
        name: &str,
        dependencies: &str,
        sources: &[(String, String)],
    ) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}-{name}", std::process::id()));
        let project = Self {
            name: name.to_owned(),
            folder,
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{dependencies}\n\n[profile.release]\nstrip = true\n"
        );
        let write = |path: &str, text: &str| {
            let path = project.folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))
                .and_then(|()| std::fs::write(&path, text))
                .map_err(|error| format!("{}: {error}", path.display()))
        };
        write("Cargo.toml", &manifest)?;
        for (path, text) in sources {
            write(&format!("src/{path}"), text)?;
        }
        done(&mut project.cargo("fetch"))?;
        Ok(project)
    }

    /// Builds the project from scratch, and returns how long that took.
    pub fn build(&self, is_release: bool) -> Result<Duration, String> {
        let _ = std::fs::remove_dir_all(self.target());
        let begun = Instant::now();
        let mut build = self.cargo("build");
        done(
            build
                .args(is_release.then_some("--release"))
                .arg("--offline"),
        )?;
        Ok(begun.elapsed())
    }

    /// Returns the path of the built program.
    pub fn program(&self, is_release: bool) -> PathBuf {
        self.target()
            .join(if is_release { "release" } else { "debug" })
            .join(&self.name)
    }

    /// Returns the number of packages that it is built from, excluding itself.
    pub fn packages(&self) -> Result<usize, String> {
        let tree =
            done(
                self.cargo("tree")
                    .args(["--offline", "-e", "normal,build", "--prefix", "none"]),
            )?;
        let mut names: Vec<String> = tree.lines().filter_map(package).collect();
        names.sort();
        names.dedup();
        Ok(names.len().saturating_sub(1))
    }

    fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn cargo(&self, command: &str) -> std::process::Command {
        let mut cargo = cargo();
        cargo.arg(command).current_dir(&self.folder);
        cargo.env("CARGO_TARGET_DIR", self.target());
        cargo
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns name and version from a line of `cargo tree`.
fn package(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_apart_by_name_and_version() {
        assert_eq!(package("syn v2.0.1 (*)").as_deref(), Some("syn v2.0.1"));
        assert_eq!(
            package("serde_derive v1.0.2 (proc-macro)").as_deref(),
            Some("serde_derive v1.0.2")
        );
        assert_eq!(package(""), None);
    }
}
