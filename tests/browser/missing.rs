//! What isn't there.

use tests::browser::Browser;

use crate::backend::{Backend, on_both};

on_both!(an_unknown_id_is_told_with_a_way_on);

async fn an_unknown_id_is_told_with_a_way_on(backend: Backend) {
    let server = backend.start().await;
    let browser = Browser::open(&server.site).await;
    for (path, words) in [
        ("/events/no-such-event", "no-such-event"),
        ("/dead-letters/no-such-letter", "no-such-letter"),
        ("/consumers/nobody", "nobody"),
        ("/no-such-page", "no page"),
    ] {
        server.site.get(path).await.expect(404);
        browser.open_path(path).await;
        browser.says("main", words).await;
        browser.says("nav.rail", "Overview").await;
    }
    browser.close_but_for(|complaint| complaint.contains("404")).await;
}
