//! The content security policy, and the console.

use scheduler_browser_tests::testid;
use serde_json::json;

use crate::{service, tour};

#[tokio::test]
async fn no_view_violates_it_or_complains() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let policy = page_policy(page).await;
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");

        for stop in tour::stops(scene).await {
            stop.visit(page).await;
        }
        page.load_live("#/jobs").await;
        for dialog in tour::DIALOGS {
            dialog.open(page).await;
            page.click(&testid("dialog-close")).await;
            page.has_no("dialog").await;
        }
        let said = page.forgive().await;
        assert!(said.is_empty(), "{said:#?}");

        // The policy is effective: an injected script would not run, and the violation would be seen here.
        page.script(
            "const script = document.createElement('script');
             script.textContent = 'window.gotIn = true';
             document.body.append(script);",
            vec![],
        )
        .await;
        page.holds(
            "the script did not run",
            "return window.gotIn === undefined",
        )
        .await;
        let said = page.forgive().await;
        assert!(
            said.iter()
                .any(|message| message.text.contains("Content Security Policy")),
            "{said:?}"
        );
        assert!(
            said.iter().any(scheduler_browser_tests::Message::is_fault),
            "{said:?}"
        );
    });
    play.await;
}

async fn page_policy(page: &scheduler_browser_tests::Page) -> String {
    page.load_live("#/jobs").await;
    let policy = page
        .script(
            "return fetch(arguments[0]).then((answer) => answer.headers.get('content-security-policy'))",
            vec![json!("./")],
        )
        .await;
    policy.as_str().unwrap().to_owned()
}
