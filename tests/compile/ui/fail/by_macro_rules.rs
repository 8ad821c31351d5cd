use scheduler_core::prelude::*;

macro_rules! every {
    ($name:ident, $cron:expr, $jitter:literal) => {
        #[scheduled_job(cron = $cron, jitter = $jitter)]
        async fn $name() {}
    };
}

every!(job, "0 25 * * *", 5);

fn main() {}
