//! Parity, operation by operation, and the newest differences.

use leptos::prelude::*;
use pipeline::parity::{ParityReport, ParityRow, Verdict};
use pipeline::trigger::{Trigger, operation_name};

use crate::routes;
use crate::ui::number::{group, percent};
use crate::ui::state::{Empty, StateSign, Tone};
use crate::ui::time::{Moment, ZoneName};

fn words(trigger: Option<Trigger>) -> String {
    trigger.map_or_else(|| "nothing".to_owned(), |t| format!("{} · {}", t.priority, t.types.words()))
}

#[allow(clippy::cast_precision_loss)] // counts far below 2^53
fn share(row: &ParityRow) -> Option<f64> {
    (row.compared() > 0).then(|| row.matched as f64 / row.compared() as f64 * 100.0)
}

fn sign(row: &ParityRow) -> (Tone, &'static str) {
    match row.compared() {
        0 => (Tone::Unknown, "not compared"),
        n if n == row.matched => (Tone::Pass, "identical"),
        _ if row.missing > 0 && row.different == 0 => (Tone::Fail, "missing"),
        _ => (Tone::Fail, "different"),
    }
}

/// The table.
#[component]
pub(super) fn ParityTable(report: Signal<ParityReport>) -> impl IntoView {
    let total = move || report.with(|r| share(&r.total).map_or_else(|| "–".to_owned(), percent));
    let compared = move || report.with(|r| format!("{} operations that ran both, in the range above", group(r.total.compared())));
    view! {
        <section class="panel" aria-labelledby="parity-title">
            <h2 id="parity-title">"Parity of the two paths " <small>{compared}</small> <span class="push">{total} " identical"</span></h2>
            {move || {
                report
                    .with(|r| {
                        if r.rows.is_empty() {
                            return view! { <Empty title="Nothing to compare" text="No operation ran in this range. Choose a longer one, or wait for traffic." /> }.into_any();
                        }
                        let rows = r.rows.iter().map(|row| view! { <Row row=row.clone() /> }).collect_view();
                        view! {
                            <div class="scroll" tabindex="0" role="region" aria-labelledby="parity-title">
                                <table>
                                    <thead>
                                        <tr>
                                            <th scope="col">"Operation"</th>
                                            <th scope="col">"Direct: priority, types"</th>
                                            <th scope="col">"Event: priority, types"</th>
                                            <th scope="col" class="num">
                                                "Compared"
                                            </th>
                                            <th scope="col" class="num">
                                                "Identical"
                                            </th>
                                            <th scope="col">"Verdict"</th>
                                        </tr>
                                    </thead>
                                    <tbody>{rows}</tbody>
                                </table>
                            </div>
                            <p class="note">
                                {format!(
                                    "{} different · {} missing on the event path · {} late · {} on the event path only · {} still have time",
                                    group(r.total.different),
                                    group(r.total.missing),
                                    group(r.total.late),
                                    group(r.total.extra),
                                    group(r.total.pending),
                                )}
                            </p>
                            <Differences report=report />
                        }
                            .into_any()
                    })
            }}
        </section>
    }
}

#[component]
fn Row(row: ParityRow) -> impl IntoView {
    let (tone, word) = sign(&row);
    view! {
        <tr>
            <th scope="row" class="wrap">
                {operation_name(&row.event_type).to_owned()}
            </th>
            <td class="wrap">{words(row.direct)}</td>
            <td class="wrap">{words(row.event)}</td>
            <td class="num">{group(row.compared())}</td>
            <td class="num">{share(&row).map_or_else(|| "–".to_owned(), percent)}</td>
            <td>
                <StateSign tone=Signal::stored(tone) word=word.to_owned() />
            </td>
        </tr>
    }
}

#[component]
fn Differences(report: Signal<ParityReport>) -> impl IntoView {
    let rows = move || {
        report.with(|r| {
            r.differences
                .iter()
                .take(20)
                .map(|d| {
                    let word = match d.verdict {
                        Verdict::Missing => "missing",
                        Verdict::Late => "late",
                        _ => "different",
                    };
                    view! {
                        <tr>
                            <td>
                                <Moment at=d.at />
                            </td>
                            <td>
                                <a href=routes::event(&d.operation_id)>{operation_name(&d.event_type).to_owned()}</a>
                            </td>
                            <td>{word}</td>
                            <td class="wrap">{words(d.direct)}</td>
                            <td class="wrap">{words(d.event)}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <details class="fold">
            <summary>"The newest differences"</summary>
            <div class="scroll">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"When (" <ZoneName /> ")"</th>
                            <th scope="col">"Operation"</th>
                            <th scope="col">"Verdict"</th>
                            <th scope="col">"Direct"</th>
                            <th scope="col">"Event"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}
