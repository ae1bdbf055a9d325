//! What is wrong with the deployment, and what to do about it.

pub mod api;

use leptos::prelude::*;
use pipeline::finding::{Check, Examination, Finding, Severity};

use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::{Moment, ZoneName};
use api::read_findings;

/// The page.
#[component]
pub fn FindingsPage() -> impl IntoView {
    let reading = read_live(|| (), |()| read_findings());
    view! {
        <Head title="Findings" />
        {loaded(
            reading,
            |data: Signal<Examination>| {
                view! {
                    <Found data />
                    <Checks data />
                }
            },
        )}
    }
}

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Fail,
        Severity::Warning => Tone::Warn,
        Severity::Note => Tone::Unknown,
    }
}

/// Each finding, the worst first.
#[component]
fn Found(data: Signal<Examination>) -> impl IntoView {
    let findings = Memo::new(move |_| data.with(|d| d.findings().into_iter().cloned().collect::<Vec<_>>()));
    view! {
        <section class="panel findings" aria-labelledby="findings-title">
            <h2 id="findings-title">
                {move || data.with(Examination::summary)} " " <small>"looked at " {move || view! { <Moment at=data.with(|d| d.at) /> }} " " <ZoneName /></small>
            </h2>
            <Show
                when=move || findings.with(|all| !all.is_empty())
                fallback=|| {
                    view! {
                        <Empty
                            title="Nothing is wrong, as far as this goes"
                            text="What was looked at is listed below. It is looked at again while this page is open."
                        />
                    }
                }
            >
                <ul>
                    <For each=move || findings.get() key=|finding| format!("{finding:?}") let:finding>
                        <Item finding />
                    </For>
                </ul>
            </Show>
        </section>
    }
}

#[component]
fn Item(finding: Finding) -> impl IntoView {
    view! {
        <li>
            <StateSign tone=Signal::stored(tone(finding.severity)) word=finding.severity.word().to_owned() />
            <div>
                <h3>{finding.what}</h3>
                <dl>
                    <dt>"Where"</dt>
                    <dd class="mono">{finding.subject}</dd>
                    <dt>"How it shows"</dt>
                    <dd>{finding.evidence}</dd>
                    <dt>"What to do"</dt>
                    <dd>{finding.remedy}</dd>
                </dl>
            </div>
        </li>
    }
}

/// What was looked at.
#[component]
fn Checks(data: Signal<Examination>) -> impl IntoView {
    let checks = Memo::new(move |_| data.with(|d| d.checks.clone()));
    view! {
        <section class="panel checks" aria-labelledby="checks-title">
            <h2 id="checks-title">"What was looked at"</h2>
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Of"</th>
                        <th scope="col">"What is right if nothing is found"</th>
                        <th scope="col">"Found"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || checks.get() key=|check| format!("{check:?}") let:check>
                        <Row check />
                    </For>
                </tbody>
            </table>
        </section>
    }
}

#[component]
fn Row(check: Check) -> impl IntoView {
    let worst = check.findings.first().map_or(Tone::Pass, |finding| tone(finding.severity));
    let word = match check.findings.len() {
        0 => "nothing".to_owned(),
        n => n.to_string(),
    };
    view! {
        <tr>
            <th scope="row">{check.name}</th>
            <td class="wrap">{check.about}</td>
            <td>
                <StateSign tone=Signal::stored(worst) word />
            </td>
        </tr>
    }
}
