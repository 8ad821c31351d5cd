//! Narrow screens and the dark theme.

use scheduler_browser_tests::{Page, testid};

use crate::{service, tour};

#[tokio::test]
async fn nothing_is_wider_than_a_phone() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let stops = tour::stops(scene).await;
        page.load_live("#/jobs").await;
        page.resize(360, 740).await;
        for dark in [true, false] {
            page.set_dark(dark).await;
            for stop in &stops {
                stop.visit(page).await;
                fits(page, &stop.view).await;
            }
            page.load_live("#/jobs").await;
            page.has(1, "[data-id=heartbeat]").await;
            for dialog in tour::DIALOGS {
                dialog.open(page).await;
                fits(page, dialog.name).await;
                page.click(&testid("dialog-close")).await;
                page.has_no("dialog").await;
            }
        }
    });
    play.await;
}

#[tokio::test]
async fn nothing_is_wider_than_a_desk() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let stops = tour::stops(scene).await;
        page.load_live("#/jobs").await;
        for width in [1280, 1024, 768] {
            page.resize(width, 900).await;
            for stop in &stops {
                stop.visit(page).await;
                fits(page, &stop.view).await;
            }
        }
    });
    play.await;
}

/// Asserts that neither the page nor an open dialog scrolls sideways.
async fn fits(page: &Page, what: &str) {
    let wide = page
        .script(
            "const dialog = document.querySelector('dialog[open]');
             const root = document.scrollingElement;
             const inside = (box) => [...(box ?? document.body).querySelectorAll('*')]
                 .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
                 .slice(0, 5).map((e) => e.cloneNode(false).outerHTML);
             const told = [];
             if (root.scrollWidth > innerWidth) told.push(`the page has ${root.scrollWidth} px of ${innerWidth}`, ...inside());
             for (const box of dialog ? [dialog, ...dialog.querySelectorAll('.dialog-body')] : [])
                 if (box.scrollWidth > box.clientWidth) told.push(`a dialog has ${box.scrollWidth} px of ${box.clientWidth}`, ...inside(box));
             return told",
            vec![],
        )
        .await;
    assert_eq!(wide, serde_json::json!([]), "{what}");
}

#[tokio::test]
async fn the_theme_follows_the_system_until_it_is_chosen() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let is_dark = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
                       return r + g + b < 200";
        let is_light = "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);
                        return r + g + b > 600";
        page.set_dark(true).await;
        page.load_live("#/jobs").await;
        page.holds("it is dark", is_dark).await;
        page.set_dark(false).await;
        page.holds("it is light", is_light).await;
        page.click(&testid("theme")).await;
        page.holds("it is dark by choice", is_dark).await;
        page.load_live("#/nodes").await;
        page.holds("the choice is kept", is_dark).await;
        page.click(&testid("theme")).await;
        page.holds("it is light again", is_light).await;
    });
    play.await;
}
