//! The page in a browser, used in the way a person uses it.

use std::sync::Mutex;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::console::{self, Message, Own};
use crate::driver::Driver;
use crate::programs::Programs;
use crate::wait::until;

/// Returns the selector of the elements with this `data-testid`.
pub fn testid(name: &str) -> String {
    format!("[data-testid=\"{name}\"]")
}

/// Observes if the next clicks hit their target.
const AIM: &str = "
    if (window.aim) removeEventListener('click', window.aim.look, true);
    const aim = { hasHit: false, look: ({ target }) => { aim.hasHit ||= target.closest(arguments[0]) !== null; } };
    window.aim = aim;
    addEventListener('click', aim.look, true);";

/// A browser with one tab. Every method waits for what it needs, and panics if that does not appear in time.
#[derive(Debug)]
pub struct Page {
    client: Client,
    address: String,
    console: Mutex<Vec<Message>>,
    // The browser ends with it.
    _driver: Driver,
}

impl Page {
    pub(crate) async fn open(programs: &Programs, address: &str) -> Self {
        let (driver, client) = Driver::start(programs).await;
        Self {
            client,
            address: address.to_owned(),
            console: Mutex::default(),
            _driver: driver,
        }
    }

    /// Returns the driver's client, for anything that this type does not cover.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reloads the page at a view such as `#/jobs`.
    pub async fn load(&self, view: &str) {
        self.client.goto("about:blank").await.unwrap();
        let address = format!("{}{view}", self.address);
        self.client.goto(&address).await.unwrap();
    }

    /// Reloads the page, and waits until it is connected.
    pub async fn load_live(&self, view: &str) {
        self.load(view).await;
        self.is_live().await;
    }

    /// Waits until the page shows changes as they happen.
    pub async fn is_live(&self) {
        self.sees(
            &format!("{}[data-state=\"live\"]", testid("connection")),
            "live",
        )
        .await;
    }

    /// Returns the part of the address after the page's own, such as `#/jobs`.
    pub async fn view(&self) -> String {
        let address = self.script("return location.href", vec![]).await;
        let address = address.as_str().unwrap();
        address
            .strip_prefix(&self.address)
            .unwrap_or(address)
            .to_owned()
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        match self.client.execute(script, arguments).await {
            Ok(value) => value,
            Err(problem) => panic!("{script}: {problem}"),
        }
    }

    /// Returns the number of matching elements.
    pub async fn count(&self, css: &str) -> usize {
        let script = "return document.querySelectorAll(arguments[0]).length";
        let count = self.script(script, vec![json!(css)]).await;
        usize::try_from(count.as_u64().unwrap()).unwrap()
    }

    /// Returns the texts of all matching elements, as displayed.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText ?? e.textContent)";
        let texts = self.script(script, vec![json!(css)]).await;
        let texts = texts.as_array().unwrap();
        texts
            .iter()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits for an element whose text contains `part`, and returns the text.
    pub async fn sees(&self, css: &str, part: &str) -> String {
        let what = format!("{css} with {part:?}");
        until(&what, async || {
            let texts = self.texts(css).await;
            let found = texts.iter().find(|text| text.contains(part)).cloned();
            found.ok_or_else(|| format!("{texts:?}"))
        })
        .await
    }

    /// Waits for an element with exactly this text.
    pub async fn reads(&self, css: &str, text: &str) {
        until(&format!("{css} that reads {text:?}"), async || {
            let texts = self.texts(css).await;
            if texts.iter().any(|found| found == text) {
                Ok(())
            } else {
                Err(format!("{texts:?}"))
            }
        })
        .await;
    }

    /// Waits until there are this many elements.
    pub async fn has(&self, count: usize, css: &str) {
        until(&format!("{count} of {css}"), async || {
            let found = self.count(css).await;
            if found == count {
                Ok(())
            } else {
                Err(format!("there are {found}"))
            }
        })
        .await;
    }

    /// Waits until there is no matching element.
    pub async fn has_no(&self, css: &str) {
        self.has(0, css).await;
    }

    /// Waits until a control has this value.
    pub async fn has_value(&self, css: &str, value: &str) {
        until(&format!("{css} with the value {value:?}"), async || {
            let found = self
                .script(
                    "return document.querySelector(arguments[0])?.value",
                    vec![json!(css)],
                )
                .await;
            if found == value {
                Ok(())
            } else {
                Err(found.to_string())
            }
        })
        .await;
    }

    /// Waits until a script returns true.
    pub async fn holds(&self, what: &str, script: &str) {
        until(what, async || {
            let answer = self.script(script, vec![]).await;
            if answer == true {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        })
        .await;
    }

    /// Clicks an element with the mouse. Repeats a click that misses because the page is redrawn at that moment.
    pub async fn click(&self, css: &str) {
        self.script(AIM, vec![json!(css)]).await;
        self.try_until(css, async |element| {
            element.click().await?;
            let has_hit = self
                .client
                .execute("return window.aim.hasHit", vec![])
                .await?;
            Ok(has_hit == true)
        })
        .await;
    }

    /// Replaces the content of a control by typing.
    pub async fn fill(&self, css: &str, text: &str) {
        self.try_until(css, async |element| {
            // The driver sends everything but characters as keys.
            let all = Key::Control + "a";
            element
                .send_keys(&format!("{all}{}{}", Key::Null, Key::Backspace))
                .await?;
            element.send_keys(text).await.map(|()| true)
        })
        .await;
        self.has_value(css, text).await;
    }

    /// Chooses an option of a list by its value.
    pub async fn choose(&self, css: &str, value: &str) {
        self.try_until(css, async |element| {
            element.select_by_value(value).await.map(|()| true)
        })
        .await;
    }

    /// Acts on an element as soon as it exists and allows the action; repeats this while the action returns false.
    async fn try_until(&self, css: &str, act: impl AsyncFn(&Element) -> Result<bool, CmdError>) {
        until(css, async || {
            let element = self.client.find(Locator::Css(css)).await;
            let done = match &element {
                Ok(element) => act(element).await,
                Err(problem) => return Err(problem.to_string()),
            };
            match done {
                Ok(true) => Ok(()),
                Ok(false) => Err("it was missed".to_owned()),
                Err(problem) if is_passing(&problem) => Err(problem.to_string()),
                Err(problem) => panic!("{css}: {problem}"),
            }
        })
        .await;
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: impl IntoIterator<Item = char>) {
        let mut actions = KeyActions::new("keyboard".into());
        for value in keys {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Presses two keys together.
    pub async fn press_chord(&self, keys: [char; 2]) {
        let [held, value] = keys;
        let actions = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: held });
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Presses a key that is not a character.
    pub async fn press_key(&self, key: Key) {
        self.press([char::from(key)]).await;
    }

    /// Presses Tab until an element has the focus; panics after `most` presses.
    pub async fn tab_to(&self, css: &str, most: usize) {
        for _ in 0..most {
            self.press_key(Key::Tab).await;
            if self.is_focused(css).await {
                return;
            }
        }
        panic!(
            "{most} times Tab does not reach {css}; it reached {}",
            self.focused().await
        );
    }

    /// Returns `true` if an element has the focus.
    pub async fn is_focused(&self, css: &str) -> bool {
        let script = "return document.activeElement?.matches(arguments[0]) ?? false";
        self.script(script, vec![json!(css)]).await == true
    }

    /// Waits until an element has the focus.
    pub async fn has_focus(&self, css: &str) {
        until(&format!("{css} has the focus"), async || {
            if self.is_focused(css).await {
                Ok(())
            } else {
                Err(self.focused().await)
            }
        })
        .await;
    }

    async fn focused(&self) -> String {
        let script = "return document.activeElement?.cloneNode(false).outerHTML ?? 'nothing'";
        self.script(script, vec![]).await.to_string()
    }

    /// Shows the page in a window of this size, in CSS pixels; a narrow one acts like a phone.
    pub async fn resize(&self, width: u32, height: u32) {
        let is_phone = width < 500;
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        self.holds(
            &format!("it is {width} px wide"),
            &format!("return innerWidth === {width}"),
        )
        .await;
    }

    /// Sets the system's theme to dark or light.
    pub async fn set_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
        let script = format!("return matchMedia('(prefers-color-scheme: {value})').matches");
        self.holds("the system's theme", &script).await;
    }

    /// Sends a command of Chromium's debugging protocol.
    pub async fn devtools(&self, name: &str, parameters: Value) -> Value {
        let command = Own {
            path: "goog/cdp/execute",
            body: json!({ "cmd": name, "params": parameters }),
        };
        match self.client.issue_cmd(command).await {
            Ok(answer) => answer,
            Err(problem) => panic!("{name}: {problem}"),
        }
    }

    /// Returns all console messages so far.
    pub async fn console(&self) -> Vec<Message> {
        let new = console::take(&self.client).await.unwrap_or_default();
        let mut all = self.console.lock().unwrap();
        all.extend(new);
        all.clone()
    }

    /// Discards the console messages so far, which the test caused on purpose.
    pub async fn forgive(&self) -> Vec<Message> {
        let said = self.console().await;
        self.console.lock().unwrap().clear();
        said
    }

    /// Asserts that no script has opened a browser dialog.
    pub async fn has_no_alert(&self) {
        match self.client.get_alert_text().await {
            Err(problem) if problem.is_no_such_alert() => {}
            other => panic!("a dialog is open: {other:?}"),
        }
    }
}

/// Returns `true` if the action may work a moment later, since the page may have been redrawn in between.
fn is_passing(problem: &CmdError) -> bool {
    let CmdError::Standard(problem) = problem else {
        return false;
    };
    matches!(
        problem.error,
        ErrorStatus::StaleElementReference
            | ErrorStatus::ElementNotInteractable
            | ErrorStatus::ElementClickIntercepted
            | ErrorStatus::NoSuchElement
    )
}
