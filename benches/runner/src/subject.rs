//! The measured subjects.

/// A scheduler, or the limit for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Its name on the command line and in the results.
    pub name: &'static str,
    /// Its name in tables.
    pub title: &'static str,
    pub program: Program,
}

/// The program that is started to measure it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// A member of the workspace.
    Own(&'static str),
    /// A separate project below `peers`.
    Peer(&'static str),
    /// APScheduler in a virtual environment.
    Python,
}

pub const LIMIT: Subject = Subject {
    name: "limit",
    title: "the limit",
    program: Program::Own("bench-limit"),
};

pub const THIS: Subject = Subject {
    name: "this",
    title: "**this**",
    program: Program::Own("bench-runtime"),
};

/// This scheduler without history; the same program.
pub const BARE: Subject = Subject {
    name: "this-bare",
    title: "**this**, history off",
    program: Program::Own("bench-runtime"),
};

pub const TOKIO_CRON_SCHEDULER: Subject = peer("tokio-cron-scheduler", "tokio-cron-scheduler 0.15");
pub const APALIS_CRON: Subject = peer("apalis-cron", "apalis-cron 1.0");
pub const CLOKWERK: Subject = peer("clokwerk", "clokwerk 0.4");
pub const DELAY_TIMER: Subject = peer("delay_timer", "delay_timer 0.11");

pub const APSCHEDULER: Subject = Subject {
    name: "apscheduler",
    title: "APScheduler 3.11 (Python)",
    program: Program::Python,
};

const fn peer(name: &'static str, title: &'static str) -> Subject {
    Subject {
        name,
        title,
        program: Program::Peer(name),
    }
}

/// All subjects that run jobs in memory.
pub const SCHEDULERS: [Subject; 7] = [
    LIMIT,
    THIS,
    TOKIO_CRON_SCHEDULER,
    APALIS_CRON,
    CLOKWERK,
    DELAY_TIMER,
    APSCHEDULER,
];
