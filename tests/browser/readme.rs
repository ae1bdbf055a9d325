//! The README's pictures, so that they stay true: `CUTOVER_SCREENSHOTS=1 cargo test --package tests --test browser readme`.

use std::path::Path;

use tests::browser::{Browser, Screen};
use tests::server::Setup;
use tests::wait::eventually;

#[tokio::test]
async fn the_readme_s_pictures() {
    // Everyone's run looks at the pages in `every_page`; only who asks for it changes files of the repository.
    if std::env::var("CUTOVER_SCREENSHOTS").as_deref() != Ok("1") {
        return;
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::create_dir_all(&docs).expect("the directory for pictures");
    let server = Setup::new().demo(600).start().await;
    // Days of it, which only a store that is empty is given: the letters come after.
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
        browser.picture_at(&docs.join(format!("{name}.png"))).await;
    }
    browser.close().await;
}
