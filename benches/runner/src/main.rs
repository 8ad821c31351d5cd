//! Measures this scheduler, similar ones, and the limit of what they can do, side by side in one run.
//!
//! ```text
//! cargo run --manifest-path benches/Cargo.toml --release -- PART… [--runs N] [--quick] [--only NAME,NAME] [--out FILE]
//! ```
//!
//! The parts are `jobs`, `fires`, `rate`, `triggers`, `stores`, `hello` and `startup`, or `all` of them; `tables`
//! rewrites the tables of `docs/benchmarks.md` and its chart from `results.json`. Every measurement is a separate
//! process. A round measures every subject once, one after the other; the next round runs in the opposite order, so
//! that a machine that warms up or slows down affects all subjects.
//!
//! Results of parts that are measured alone are merged into the existing ones.

mod chart;
mod figure;
mod fires;
mod generated;
mod hello;
mod jobs;
mod leftovers;
mod machine;
mod options;
mod part;
mod postgres;
mod process;
mod programs;
mod rate;
mod readme;
mod results;
mod rounds;
mod startup;
mod stores;
mod subject;
mod table;
mod triggers;

use std::error::Error;
use std::path::Path;

use options::Options;
use results::Results;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(std::env::args().skip(1))?;
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("no folder")?;
    let repository = benches.parent().ok_or("no folder")?;
    let committed = benches.join("results.json");
    let out = match &options.out {
        Some(out) => Some(out.as_path()),
        None if options.quick => None,
        None => Some(committed.as_path()),
    };
    let mut results = out.map_or_else(|| Ok(Results::default()), Results::read)?;
    leftovers::remove();
    let programs = programs::Programs::new(benches);
    for part in &options.parts {
        eprintln!("== {}", part.name);
        let section = rounds::measure((part.trials)(&options, &programs), &options, part.name);
        results.merge(part.name, section, &options);
        if let Some(out) = out {
            results.write(out)?;
        }
    }
    if out == Some(&committed) {
        readme::write(&results, repository)?;
        chart::write(&results, repository)?;
        return Ok(());
    }
    for part in part::PARTS
        .iter()
        .filter(|part| results.sections.contains_key(part.name))
    {
        println!("{}", readme::block(part, &results));
    }
    Ok(())
}
