//! A real browser in front of the dashboard.

mod accessibility;
mod acts;
mod command;
mod driver;

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::endpoint::Endpoint;
use crate::wait::eventually;
use command::{Cdp, Log};
use driver::Driver;

/// How many browsers run at once in a test binary: one a core of the smallest machine that runs the tests, and one for a test that mostly waits.
static SEATS: Semaphore = Semaphore::const_new(3);

/// The size of a window, in CSS pixels, and how it is lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Whether the system asks for dark.
    pub dark: bool,
}

impl Screen {
    /// A desk's screen, in the light.
    pub const DESK: Self = Self {
        width: 1440,
        height: 900,
        dark: false,
    };
    /// A phone's, in the light.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
        dark: false,
    };

    /// The narrowest that a page must fit without scrolling sideways: WCAG's reflow, 1.4.10.
    pub const NARROW: Self = Self {
        width: 320,
        height: 800,
        dark: false,
    };

    /// The same in the dark.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

/// A browser with one window.
pub struct Browser {
    client: Client,
    driver: Driver,
    base: String,
    // Dropped last: the browser writes to its profile until it has ended.
    _profile: TempDir,
    _seat: SemaphorePermit<'static>,
}

impl Browser {
    /// Opens a browser, at a desk's size, in front of `site`; waits for its turn if enough of them are open.
    ///
    /// # Panics
    /// There is no browser or no driver.
    pub async fn open(site: &Endpoint) -> Self {
        let seat = SEATS.acquire().await.expect("a semaphore that is never closed");
        let profile = TempDir::new().expect("a temporary directory");
        let mut driver = Driver::start().await;
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities = json!({
            // A page that listens for what is new is never idle, so waiting for it to be would wait for ever.
            "pageLoadStrategy": "eager",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().cloned().unwrap_or_default());
        let client = builder.connect(&driver.url()).await.expect("a browser session");
        driver.session = client.session_id().await.expect("a session");
        let browser = Self {
            client,
            driver,
            base: site.base().to_owned(),
            _profile: profile,
            _seat: seat,
        };
        browser.screen(Screen::DESK).await;
        browser
    }

    /// Sets the window's size and light.
    pub async fn screen(&self, screen: Screen) {
        let metrics = json!({ "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if screen.dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Sends a command of the Chrome DevTools Protocol.
    ///
    /// # Panics
    /// It is refused.
    pub async fn cdp(&self, command: &str, parameters: Value) -> Value {
        let request = Cdp {
            command: command.to_owned(),
            parameters,
        };
        self.client.issue_cmd(request).await.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Goes to a path of the dashboard, and waits until its own script has taken the page over and hears from the server.
    pub async fn visit(&self, path: &str) {
        self.open_path(path).await;
        self.live().await;
    }

    /// Goes to a path of the dashboard, without waiting for any script.
    ///
    /// # Panics
    /// The browser can't.
    pub async fn open_path(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.client.goto(&url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// Waits until the page is hydrated and its live connection is open, whether or not all that it is about can be read.
    pub async fn live(&self) {
        self.present(".chip.live .dot:is(.on, .part)").await;
    }

    /// Reloads the page and waits until it lives again.
    ///
    /// # Panics
    /// The browser can't.
    pub async fn reload(&self) {
        self.client.refresh().await.expect("a reload");
        self.live().await;
    }

    /// Goes back in the history.
    ///
    /// # Panics
    /// The browser can't.
    pub async fn back(&self) {
        self.client.back().await.expect("a way back");
    }

    /// Path and query of the page.
    ///
    /// # Panics
    /// The browser doesn't say.
    pub async fn address(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Runs the body of a function in the page.
    ///
    /// # Panics
    /// It throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client
            .execute(script, arguments)
            .await
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Waits until something matches `css`.
    pub async fn present(&self, css: &str) {
        eventually(&format!("{css} on the page"), async || {
            let there = self
                .run("return document.querySelector(arguments[0]) !== null", vec![css.into()])
                .await
                == true;
            if there { Ok(()) } else { Err(self.page().await) }
        })
        .await;
    }

    /// What makes the page wider than the screen, if anything does: named, so that whoever reads this finds it.
    pub async fn sticking_out(&self) -> Option<String> {
        let script = "const wide = document.documentElement.scrollWidth; if (wide <= innerWidth) return null;
             const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll'));
             return `${wide} of ${innerWidth}: ` + out.slice(0, 5).map(e => e.tagName + '.' + e.className).join(' ')";
        self.run(script, Vec::new()).await.as_str().map(ToOwned::to_owned)
    }

    /// The text of the first match of `css`, as a person sees it; nothing if there is no match.
    pub async fn text(&self, css: &str) -> String {
        let text = self
            .run("return document.querySelector(arguments[0])?.innerText ?? ''", vec![css.into()])
            .await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The texts of all matches of `css`.
    pub async fn texts(&self, css: &str) -> Vec<String> {
        let texts = self
            .run(
                "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)",
                vec![css.into()],
            )
            .await;
        serde_json::from_value(texts).unwrap_or_default()
    }

    /// Waits until the first match of `css` has `words` in its text.
    pub async fn says(&self, css: &str, words: &str) {
        eventually(&format!("{css} says “{words}”"), async || {
            let text = self.text(css).await;
            if text.contains(words) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    /// Writes a picture of what is seen to `target/screenshots/<name>.png`; returns where.
    ///
    /// # Panics
    /// It can't be written.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let this = std::env::current_exe().expect("this test's own path");
        let directory = this.ancestors().nth(3).expect("target/<profile>/deps/<test>").join("screenshots");
        std::fs::create_dir_all(&directory).expect("a directory for screenshots");
        let path = directory.join(format!("{name}.png"));
        self.picture_at(&path).await;
        path
    }

    /// Writes a picture of what is seen to `path`.
    ///
    /// # Panics
    /// It can't be written.
    pub async fn picture_at(&self, path: &Path) {
        let png = self.client.screenshot().await.expect("a screenshot");
        std::fs::write(path, png).expect("written");
    }

    /// What the page shows, for the message of a test that gives up.
    async fn page(&self) -> String {
        let text = self.text("body").await.replace('\n', " · ");
        format!(
            "console: {:?}; {} shows {text:.1500}",
            self.complaints().await,
            self.address().await
        )
    }

    /// What the browser complained of since the last call: errors and warnings of scripts, of hydration and of the
    /// content security policy.
    ///
    /// # Panics
    /// The browser has no log.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log).await.expect("the browser's log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let loud = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries
            .iter()
            .filter(loud)
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Closes the browser, which must have had nothing to complain of.
    ///
    /// # Panics
    /// It had.
    pub async fn close(self) {
        self.close_but_for(|_| false).await;
    }

    /// Closes the browser, which must have had nothing to complain of but what the test brought about.
    ///
    /// # Panics
    /// It had.
    pub async fn close_but_for(self, expected: impl Fn(&str) -> bool) {
        let complaints: Vec<String> = self.complaints().await.into_iter().filter(|c| !expected(c)).collect();
        let Self { client, mut driver, .. } = self;
        if client.close().await.is_ok() {
            driver.session = None;
        }
        assert!(complaints.is_empty(), "the browser's console: {complaints:#?}");
        driver.stop(Duration::from_secs(5)).await;
    }
}
