//! The command line of all measured programs: `SCENARIO COUNT SECONDS [URL]`.

/// The requested measurement.
#[derive(Debug, Clone)]
pub struct Arguments {
    pub scenario: String,
    pub count: usize,
    pub seconds: u64,
    /// The address of a store, if one is measured.
    pub url: String,
}

/// Parses the command line of this process.
///
/// # Panics
/// If it does not have this form.
pub fn arguments() -> Arguments {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, count, seconds, url @ ..] = words.as_slice() else {
        panic!("SCENARIO COUNT SECONDS [URL]");
    };
    Arguments {
        scenario: scenario.clone(),
        count: count.parse().expect("COUNT is a number"),
        seconds: seconds.parse().expect("SECONDS is a number"),
        url: url.first().cloned().unwrap_or_default(),
    }
}
