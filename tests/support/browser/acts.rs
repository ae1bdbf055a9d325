//! What a person does on a page: clicks, types, chooses, presses keys, draws the pointer.

use fantoccini::error::CmdError;
use fantoccini::wd::Locator;
use serde_json::json;

use super::Browser;
use crate::wait::eventually;

impl Browser {
    /// Clicks the first match of `css`.
    ///
    /// # Panics
    /// There is none, or it can't be clicked.
    pub async fn click(&self, css: &str) {
        self.present(css).await;
        eventually(&format!("{css} is clicked"), async || {
            let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
            still_there(css, element.click().await)
        })
        .await;
    }

    /// Clicks the first link or button whose text is `label`, inside `css`.
    ///
    /// # Panics
    /// There is none, or it can't be clicked.
    pub async fn press(&self, css: &str, label: &str) {
        let xpath = format!(".//*[self::a or self::button or self::summary or self::label][contains(normalize-space(.), \"{label}\")]");
        self.present(css).await;
        eventually(&format!("{label} in {css} is pressed"), async || {
            let within = self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
            let element = match within.find(Locator::XPath(&xpath)).await {
                Ok(element) => element,
                Err(error) => return still_there(&format!("{label} in {css}"), Err(error)),
            };
            still_there(css, element.click().await)
        })
        .await;
    }

    /// Types into the first match of `css`.
    ///
    /// # Panics
    /// There is none that takes text.
    pub async fn type_into(&self, css: &str, text: &str) {
        self.present(css).await;
        eventually(&format!("{css} is typed into"), async || {
            let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
            still_there(css, element.send_keys(text).await)
        })
        .await;
    }

    /// Chooses an option of the first match of `css` by its value.
    ///
    /// # Panics
    /// There is no such option.
    pub async fn choose(&self, css: &str, value: &str) {
        self.present(css).await;
        eventually(&format!("{value} of {css} is chosen"), async || {
            let element = self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
            still_there(css, element.select_by_value(value).await)
        })
        .await;
    }

    /// Presses a key while nothing has the focus.
    pub async fn key(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.cdp(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "text": if kind == "keyDown" { key } else { "" } }),
            )
            .await;
        }
    }

    /// Draws the pointer, pressed, from one point of the window to another.
    pub async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        for (kind, (x, y), buttons) in [
            ("mouseMoved", from, 0),
            ("mousePressed", from, 1),
            ("mouseMoved", middle, 1),
            ("mouseMoved", to, 1),
            ("mouseReleased", to, 0),
        ] {
            let button = if kind == "mouseMoved" && buttons == 0 { "none" } else { "left" };
            self.cdp(
                "Input.dispatchMouseEvent",
                json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 }),
            )
            .await;
        }
    }
}

/// What came of an act; an error where the page replaced its object after it was found, which a person would not notice.
fn still_there(what: &str, done: Result<(), CmdError>) -> Result<(), String> {
    match done {
        Ok(()) => Ok(()),
        Err(error) if error.is_stale_element_reference() => Err(error.to_string()),
        Err(error) => panic!("{what}: {error}"),
    }
}
