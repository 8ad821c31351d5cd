//! Several nodes over one store in simulated time: the real driver and the real plan, under crashes, pauses longer
//! than a lease, clocks that jump, and a connection to the store that loses calls and answers.
//!
//! One seed always gives the same course of events. `SIM_SEED=17 SIM_SEEDS=1` replays seed 17.

#![allow(clippy::unwrap_used, clippy::panic)] // tests; the exception for them leaves out what they share
#![allow(clippy::disallowed_methods)] // what sleeps here sleeps in virtual time

mod checks;
mod dice;
mod faults;
mod journal;
mod model_store;
mod node;
mod process;
mod reached;
mod trace;
mod workload;
mod world;

use checks::Rule;
use model_store::without::Without;
use reached::Reached;
use world::{Outcome, simulate};

/// How many seeds are tried by default.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn seeds() -> std::ops::Range<u64> {
    let first = number("SIM_SEED").unwrap_or(1);
    first..first + number("SIM_SEEDS").unwrap_or(SEEDS)
}

/// Prints the end of a trace and what is wrong with it.
#[allow(clippy::print_stdout, reason = "shown when the test fails")]
fn show(seed: u64, outcome: &Outcome) {
    println!("SIM_SEED={seed} SIM_SEEDS=1");
    if number("SIM_TRACE").is_some() {
        for entry in &outcome.trace {
            println!("{:>6} {:?} {:?}", entry.at, entry.process, entry.what);
        }
    }
    for violation in outcome.violations.iter().take(10) {
        println!("  {violation}");
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "shown when the test fails")]
fn whatever_goes_wrong_the_rules_hold() {
    let mut failed = Vec::new();
    let mut bodies = 0;
    let mut reached = Reached::default();
    for seed in seeds() {
        let outcome = simulate(seed, Without::Nothing);
        bodies += outcome.bodies;
        reached.add(&outcome.trace);
        if !outcome.violations.is_empty() {
            show(seed, &outcome);
            failed.push(seed);
        }
    }
    println!("{} seeds, {bodies} bodies\n{reached}", seeds().count());
    assert!(
        failed.is_empty(),
        "{} seeds failed: {failed:?}",
        failed.len()
    );
    if number("SIM_SEED").is_none() {
        let count = seeds().end - seeds().start;
        let rare = reached.rarer_than((count / 400).max(1));
        assert!(rare.is_empty(), "hardly any seed reaches: {rare:?}");
    }
}

#[test]
fn a_seed_is_the_same_every_time() {
    for seed in seeds().take(20) {
        let (first, second) = (
            simulate(seed, Without::Nothing),
            simulate(seed, Without::Nothing),
        );
        let pairs = first.trace.iter().zip(&second.trace);
        if let Some((index, (one, other))) =
            pairs.enumerate().find(|(_, (one, other))| one != other)
        {
            panic!("seed {seed} differs at entry {index}: {one:?}, and then {other:?}");
        }
        assert_eq!(first.trace.len(), second.trace.len(), "seed {seed}");
        assert!(!first.trace.is_empty());
    }
}

/// Asserts that the store without this guard breaks this rule within the first seeds.
#[allow(clippy::print_stdout, reason = "shown when the test fails")]
fn bites(without: Without, rule: Rule) {
    let missed = seeds().find_map(|seed| {
        let found = simulate(seed, without).violations.into_iter();
        let mut found = found.filter(|violation| violation.rule == rule);
        Some((seed, found.next()?))
    });
    match missed {
        Some((seed, violation)) => println!("{without:?}, seed {seed}: {violation}"),
        None => panic!("no seed breaks {rule:?} for want of {without:?}"),
    }
}

#[test]
fn without_the_unique_key_a_fire_time_is_claimed_twice() {
    bites(Without::UniqueKey, Rule::ClaimedOnce);
}

#[test]
fn without_the_fence_too_many_run_and_runs_get_stuck() {
    bites(Without::Fence, Rule::NotTooMany);
    bites(Without::Fence, Rule::NothingStuck);
}

#[test]
fn without_row_locks_too_many_run_and_fire_times_are_lost() {
    bites(Without::RowLock, Rule::NotTooMany);
    bites(Without::RowLock, Rule::AccountedFor);
}
