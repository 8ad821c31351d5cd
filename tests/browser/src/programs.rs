//! The locations of Chromium and its driver.

use std::path::PathBuf;
use std::sync::Once;

/// The two programs.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

impl Programs {
    /// Returns the programs on this machine. If one is missing, prints once per process that tests are not run, or
    /// panics if these tests are required.
    pub(crate) fn find() -> Option<Self> {
        let found = in_path(&["chromium", "chromium-browser", "google-chrome"])
            .zip(in_path(&["chromedriver"]));
        let Some((browser, driver)) = found else {
            missing();
            return None;
        };
        Some(Self { browser, driver })
    }
}

fn in_path(names: &[&str]) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&paths).collect();
    let candidates = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|program| program.is_file())
}

fn missing() {
    const TOLD: &str = "BROWSER TESTS NOT RUN: no Chromium with its driver found; install them with \
                        `apt-get install chromium chromium-driver`";
    static ONCE: Once = Once::new();
    let required = std::env::var("REQUIRE_BROWSER").is_ok_and(|value| value == "1");
    assert!(!required, "{TOLD}");
    ONCE.call_once(|| println!("{TOLD}"));
}
