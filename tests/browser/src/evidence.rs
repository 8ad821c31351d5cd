//! Evidence that a failed test leaves behind.

use std::fmt::Write;
use std::path::PathBuf;

use crate::page::Page;

/// Saves a screenshot of the page, its address and the console messages, and prints where.
pub(crate) async fn save(name: &str, page: &Page, service_log: &str) {
    let folder = std::env::temp_dir().join("scheduler-browser-evidence");
    let _ = std::fs::create_dir_all(&folder);
    let file = |ending: &str| -> PathBuf { folder.join(format!("{name}.{ending}")) };
    match page.client().screenshot().await {
        Ok(picture) => {
            let path = file("png");
            std::fs::write(&path, picture).unwrap();
            println!("PICTURE OF THE PAGE: {}", path.display());
        }
        Err(problem) => println!("NO PICTURE OF THE PAGE: {problem}"),
    }
    let mut text = String::new();
    if let Ok(address) = page.client().current_url().await {
        let _ = writeln!(text, "{address}");
    }
    for message in page.console().await {
        let _ = writeln!(text, "{message}");
    }
    let _ = write!(text, "\nThe service:\n{service_log}");
    let path = file("log");
    std::fs::write(&path, text).unwrap();
    println!("CONSOLE OF THE PAGE: {}", path.display());
}
