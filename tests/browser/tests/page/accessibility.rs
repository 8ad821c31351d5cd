//! What a screen reader needs, and readable colours.

use scheduler_browser_tests::{Page, testid};

use crate::{service, tour};

/// Returns everything that is wrong with the current document.
const CHECK: &str = r#"
const wrong = [];
const told = (element) => element.cloneNode(false).outerHTML.slice(0, 160);
const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[aria-hidden=true]');
const byIds = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
const nameOf = (element) => (
    (element.getAttribute('aria-labelledby') && byIds(element.getAttribute('aria-labelledby')))
    || element.getAttribute('aria-label')
    || [...(element.labels ?? [])].map((label) => label.textContent).join(' ').trim()
    || (element.matches('input, select, textarea') ? '' : element.textContent.trim())
    || element.getAttribute('title') || element.getAttribute('alt') || '').trim();

for (const element of document.querySelectorAll('button, a[href], input, select, textarea, summary, [role=button], [tabindex="0"]'))
    if (isShown(element) && nameOf(element) === '') wrong.push(`has no name: ${told(element)}`);
for (const element of document.querySelectorAll('dialog[open], nav, [role=group], [role=img], section, fieldset, svg[role]'))
    if (isShown(element) && nameOf(element) === '') wrong.push(`has no name: ${told(element)}`);
for (const image of document.querySelectorAll('img')) if (!image.hasAttribute('alt')) wrong.push(`has no text: ${told(image)}`);
for (const table of document.querySelectorAll('table'))
    if (!table.caption && !nameOf(table)) wrong.push(`has no caption: ${told(table)}`);
for (const head of document.querySelectorAll('th')) if (head.textContent.trim() === '') wrong.push('a column has no name');

const ids = new Map();
for (const { id } of document.querySelectorAll('[id]')) ids.set(id, (ids.get(id) ?? 0) + 1);
for (const [id, count] of ids) if (count > 1) wrong.push(`${count} elements have the id ${id}`);
for (const name of ['aria-labelledby', 'aria-describedby', 'for', 'aria-controls'])
    for (const element of document.querySelectorAll(`[${name}]`))
        for (const id of element.getAttribute(name).split(/\s+/))
            if (!document.getElementById(id)) wrong.push(`${name} leads nowhere: ${told(element)}`);

const count = (css) => [...document.querySelectorAll(css)].filter((element) => element.checkVisibility()).length;
for (const [css, many] of [['h1', 1], ['main', 1], ['header.top, [role=banner]', 1], ['nav', 1]])
    if (count(css) !== many) wrong.push(`${count(css)} of ${css}`);
if (!document.documentElement.lang) wrong.push('the document has no language');
if (document.title.trim() === '') wrong.push('the document has no title');

const room = document.querySelector('dialog[open]') ?? document.body;
let level = room === document.body ? 0 : 1;
for (const heading of room.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (!isShown(heading) || (room === document.body && heading.closest('dialog'))) continue;
    const own = Number(heading.tagName[1]);
    if (own > level + 1) wrong.push(`h${own} after h${level}: ${heading.textContent}`);
    if (heading.textContent.trim() === '') wrong.push(`h${own} is empty`);
    level = own;
}

for (const group of document.querySelectorAll('.strip'))
    for (const cell of group.children) if (!nameOf(cell).match(/[a-z]{4}/)) wrong.push(`has no words: ${told(cell)}`);

// Contrast, of texts on plain grounds.
const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
const over = (above, below) => above.slice(0, 3).map((c, at) => c * (above[3] / 255) + below[at] * (1 - above[3] / 255));
const ground = (element) => {
    if (!element) return [255, 255, 255];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 255 ? own : over(own, ground(element.parentElement));
};
const opacity = (element) => (element ? Number(getComputedStyle(element).opacity) * opacity(element.parentElement) : 1);
for (const element of document.querySelectorAll('body *')) {
    if (element.closest('svg') || !element.checkVisibility({ visibilityProperty: true }) || element.matches(':disabled, .sr, .skip, option')) continue;
    if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '')) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const text = rgba(style.color);
    text[3] *= opacity(element);
    const [a, b] = [light(over(text, below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)}: ${told(element)} ${element.textContent.trim().slice(0, 30)}`);
}
return [...new Set(wrong)].slice(0, 20);
"#;

#[tokio::test]
async fn every_view_has_names_headings_and_contrast() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        let stops = tour::stops(scene).await;
        let mut found = Vec::new();
        page.load_live("#/jobs").await;
        for dark in [false, true] {
            page.set_dark(dark).await;
            let theme = if dark { "dark" } else { "light" };
            for stop in &stops {
                stop.visit(page).await;
                look(page, &format!("{theme} {}", stop.view), &mut found).await;
            }
            page.load_live("#/jobs").await;
            page.click(&testid("health")).await;
            look(page, &format!("{theme} health"), &mut found).await;
            for dialog in tour::DIALOGS {
                dialog.open(page).await;
                look(page, &format!("{theme} {}", dialog.name), &mut found).await;
                page.click(&testid("dialog-close")).await;
                page.has_no("dialog").await;
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    });
    play.await;
}

async fn look(page: &Page, what: &str, found: &mut Vec<String>) {
    // Colours change within a moment.
    page.holds(
        "nothing moves",
        "return document.getAnimations().length === 0",
    )
    .await;
    let wrong = page.script(CHECK, vec![]).await;
    let wrong = wrong.as_array().unwrap();
    found.extend(
        wrong
            .iter()
            .map(|text| format!("{what}: {}", text.as_str().unwrap())),
    );
}

#[tokio::test]
async fn changes_are_announced() {
    let play = service().play(async |scene| {
        let page = &scene.page;
        page.load_live("#/jobs").await;
        page.click("[data-id=broken-import] [data-testid=job-run]")
            .await;
        page.sees("[aria-live=polite] [data-testid=toast]", "Started")
            .await;
        scene
            .service
            .api()
            .post("jobs/on-leave/pause", &serde_json::json!({}))
            .await;
        page.holds(
            "the state of the connection is a status",
            "return document.getElementById('connection').getAttribute('role') === 'status'",
        )
        .await;
        page.click(&testid("nav-runs")).await;
        page.has_focus(&testid("heading")).await;
        page.holds(
            "the title follows",
            "return document.title === 'Runs · Page service'",
        )
        .await;
        page.has(1, "nav [aria-current=page]").await;
        page.reads("nav [aria-current=page]", "Runs").await;
    });
    play.await;
}
