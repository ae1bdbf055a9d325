//! The README's pictures. Every run makes them, beside the other pictures in the target directory; who asks for it changes
//! those of the repository: `CUTOVER_SCREENSHOTS=1 cargo test --package tests --test browser readme`.

use std::path::Path;

use tests::browser::{Browser, Screen};
use tests::server::Setup;
use tests::wait::eventually;

#[tokio::test]
async fn the_readme_s_pictures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let asked = std::env::var("CUTOVER_SCREENSHOTS").as_deref() == Ok("1");
    // Days of it, which only a store that is empty is given: the letters come after. Those of the repository show more of them.
    let days = if asked { "3" } else { "1" };
    let server = Setup::new().demo(600).env("CUTOVER_DEMO__HISTORY_DAYS", days).start().await;
    eventually("a past", async || server.stderr().contains("past is filled in")).await;
    let entries: Vec<_> = (0..4).map(|_| tests::event::poison_entry().1).collect();
    server.ingest.put_events(&entries.into()).await.expect(200);
    let browser = Browser::open(&server.site).await;
    for (name, path, screen) in [
        ("overview", "/?range=6h", Screen::DESK),
        ("overview-phone-dark", "/?range=6h", Screen::PHONE.dark()),
        ("dead-letters", "/dead-letters", Screen::DESK),
        ("cutover", "/cutover?range=24h", Screen::DESK),
    ] {
        browser.screen(screen).await;
        browser.visit(path).await;
        browser.present("main section").await;
        let picture = browser.picture(&format!("readme-{name}")).await;
        let kept = docs.join(format!("{name}.png"));
        assert!(kept.exists(), "the README has no {name}");
        if asked {
            std::fs::copy(&picture, &kept).expect("the README's picture");
        }
    }
    browser.close().await;
}
