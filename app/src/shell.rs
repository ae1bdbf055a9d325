//! The document around the pages.

use axum::http::request::Parts;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::pages::parts::Part;

/// Where the browser's half is, as the server serves it; empty where it was built without one.
#[derive(Clone, Copy, Debug)]
pub struct Assets {
    /// The style sheet.
    pub css: Option<&'static str>,
    /// The script that loads the wasm.
    pub js: Option<&'static str>,
    /// The script that fetches the pages' parts.
    pub loader: Option<&'static str>,
    /// The main wasm.
    pub wasm: Option<&'static str>,
    /// The wasm that a part needs beside it, by the part's name.
    pub part: fn(&str) -> Vec<&'static str>,
    /// Sets the theme before the first paint.
    pub theme: Option<&'static str>,
    /// The icon.
    pub icon: Option<&'static str>,
}

/// The whole document.
#[must_use]
pub fn shell(assets: Assets) -> impl IntoView {
    secure();
    let part = use_context::<Parts>().and_then(|request| Part::of(request.uri.path()));
    // Named here, all is fetched at once; left to the scripts it would be one after the other.
    let modules = assets
        .wasm
        .into_iter()
        .chain(part.map(|part| (assets.part)(part.name)).unwrap_or_default());
    let modules = modules
        .map(|href| view! { <link rel="preload" href=href r#as="fetch" r#type="application/wasm" crossorigin="anonymous" /> })
        .collect_view();
    let start = assets.js.zip(assets.wasm).map(|(js, wasm)| {
        let script = format!("import init, {{ hydrate }} from '{js}'; init({{ module_or_path: '{wasm}' }}).then(hydrate);");
        view! {
            <link rel="modulepreload" href=js nonce=use_nonce() />
            {assets.loader.map(|href| view! { <link rel="modulepreload" href=href nonce=use_nonce() /> })}
            {modules}
            <script type="module" nonce=use_nonce() inner_html=script></script>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content="The health of a migration from direct calls to events." />
                {assets.icon.map(|href| view! { <link rel="icon" href=href type="image/svg+xml" /> })}
                {assets.css.map(|href| view! { <link rel="stylesheet" href=href /> })}
                {assets.theme.map(|src| view! { <script src=src nonce=use_nonce()></script> })}
                {start}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The page's Content-Security-Policy: scripts with this page's nonce, everything else from here, and no inline style.
fn secure() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<leptos_axum::ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(value) = axum::http::HeaderValue::from_str(&policy) {
        response.insert_header(axum::http::header::CONTENT_SECURITY_POLICY, value);
    }
}
