//! Two tasks with the same name, and two jobs with the same id: a separate program, because it cannot start.

use scheduler_core::prelude::*;

mod billing {
    use scheduler_core::prelude::*;

    #[scheduled_job(interval = "1h", id = "nightly")]
    pub(crate) async fn clean_up() {}
}

mod sessions {
    use scheduler_core::prelude::*;

    #[scheduled_job(interval = "2h", id = "nightly")]
    pub(crate) async fn clean_up() {}
}

#[tokio::test]
async fn both_places_and_the_cure_are_reported() {
    let error = Scheduler::builder().start().await.unwrap_err().to_string();
    assert!(
        error.starts_with("the scheduler cannot start, for 2 reasons:"),
        "{error}"
    );
    let line = |text: &str| {
        let lines = include_str!("duplicates.rs").lines().enumerate();
        let found: Vec<usize> = lines
            .filter(|(_, line)| line.trim().starts_with(text))
            .map(|(index, _)| index + 1)
            .collect();
        found
    };
    let (tasks, jobs) = (
        line("pub(crate) async fn clean_up"),
        line("#[scheduled_job("),
    );
    for (what, name, places, cure) in [
        ("task", "clean_up", &tasks, "`name = \"…\"`"),
        ("job", "nightly", &jobs, "`id = \"…\"`"),
    ] {
        let expected = format!(
            "the {what} `{name}` is there twice: at tests/tests/duplicates.rs:{} and at tests/tests/duplicates.rs:{}: give one of them another {cure}",
            places[0], places[1]
        );
        assert!(error.contains(&expected), "`{expected}` is not in\n{error}");
    }
    // They still work as functions.
    billing::clean_up().await;
    sessions::clean_up().await;
}
