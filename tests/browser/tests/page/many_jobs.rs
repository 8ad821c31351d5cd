//! Ten thousand jobs.

use scheduler_browser_tests::{testid, until};

use crate::service;

/// Three pages of a hundred, the most that the page keeps.
const MOST_ROWS: usize = 300;

#[tokio::test]
async fn are_filtered_and_read_page_by_page() {
    let play = service().with("--crowd=10000").play(async |scene| {
        let page = &scene.page;
        let api = scene.service.api();
        page.load_live("#/jobs").await;
        page.sees(&testid("jobs-count"), "there are more").await;
        let rows = page.count(&testid("job-row")).await;
        assert!((100..=MOST_ROWS).contains(&rows), "{rows} rows");

        // Scrolls down farther than the page keeps, and up again.
        let first = "[data-id=\"broken-import\"]";
        page.has(1, first).await;
        until("the page has read far ahead", async || {
            page.script("scrollTo(0, document.documentElement.scrollHeight)", vec![])
                .await;
            let rows = page.count(&testid("job-row")).await;
            assert!(rows <= MOST_ROWS, "{rows} rows");
            if page.count("[data-id=\"crowd-00650\"]").await == 1 {
                Ok(())
            } else {
                Err(format!(
                    "{:?}",
                    page.texts(&testid("job-link")).await.last()
                ))
            }
        })
        .await;
        page.has_no(first).await;
        let elements = page.count("*").await;
        assert!(elements < 20_000, "{elements} elements");
        until("the page is back at its beginning", async || {
            page.script(
                "scrollTo(0, 0); document.querySelector('[data-testid=load-earlier]')?.click()",
                vec![],
            )
            .await;
            let rows = page.count(&testid("job-row")).await;
            assert!(rows <= MOST_ROWS, "{rows} rows");
            if page.count(first).await == 1 {
                Ok(())
            } else {
                Err(format!("{rows} rows"))
            }
        })
        .await;

        page.fill(&testid("jobs-filter"), "crowd-09999").await;
        page.has(1, &testid("job-row")).await;
        page.sees(&testid("jobs-count"), "1 job").await;
        assert_eq!(page.view().await, "#/jobs?q=crowd-09999");
        page.fill(&testid("jobs-filter"), "D-0999").await;
        let found = api.get("jobs?q=D-0999&limit=500").await["items"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(found, 10);
        page.has(found, &testid("job-row")).await;
        page.fill(&testid("jobs-filter"), "nothing-like-it").await;
        page.sees(&testid("jobs-empty"), "No job matches").await;
        page.fill(&testid("jobs-filter"), "").await;
        page.choose(&testid("jobs-origin"), "static").await;
        page.has(5, &testid("job-row")).await;

        // The timeline copes with this as well.
        page.load_live("#/timeline").await;
        page.has(1, &format!("{} svg", testid("timeline"))).await;
        let lanes = page.count(&format!("{} g.marks", testid("timeline"))).await;
        assert!((1..=40).contains(&lanes), "{lanes} lanes");
    });
    play.await;
}
