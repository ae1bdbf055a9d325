//! What the platform under a consumer measures.

use leptos::prelude::*;
use pipeline::metric::{Unit, Vital, Vitals};

use crate::charts::{Hue, spark};
use crate::ui::number::{duration, group, or_dash, seconds};

/// A row for each measure; nothing, where the consumer runs in this process.
#[component]
pub(super) fn Platform(vitals: Signal<Vitals>) -> impl IntoView {
    let there = Memo::new(move |_| vitals.with(|v| !v.items.is_empty()));
    let about = move || {
        format!(
            "what the services under it measure, in steps of {}",
            duration(vitals.with(|v| v.step))
        )
    };
    move || {
        there.get().then(|| {
            view! {
                <section class="panel" aria-labelledby="platform-title">
                    <h2 id="platform-title">"On AWS " <small>{about}</small></h2>
                    <div class="scroll">
                        <table class="platform">
                            <thead>
                                <tr>
                                    <th scope="col">"Of"</th>
                                    <th scope="col">"Measure"</th>
                                    <th scope="col" class="num">
                                        "Newest step"
                                    </th>
                                    <th scope="col" class="num">
                                        "In all, or at most"
                                    </th>
                                    <th scope="col">"Course"</th>
                                    <th scope="col">"What it is"</th>
                                </tr>
                            </thead>
                            <tbody>
                                <For
                                    each=move || vitals.with(|v| v.items.iter().map(|i| (i.part.clone(), i.title.clone())).collect::<Vec<_>>())
                                    key=Clone::clone
                                    let:of
                                >
                                    <Row vitals of />
                                </For>
                            </tbody>
                        </table>
                    </div>
                </section>
            }
        })
    }
}

#[component]
fn Row(vitals: Signal<Vitals>, of: (String, String)) -> impl IntoView {
    let (part, title) = of.clone();
    let this = Memo::new(move |_| vitals.with(|v| v.items.iter().find(|i| i.part == of.0 && i.title == of.1).cloned()));
    let say = move |f: fn(&Vital) -> String| move || this.with(|v| v.as_ref().map(f).unwrap_or_default());
    view! {
        <tr>
            <td class="dim">{part}</td>
            <th scope="row">{title}</th>
            <td class="num">{say(|v| write(v, v.newest))}</td>
            <td class="num">{say(|v| write(v, v.overall()))}</td>
            <td class="spark-cell" inner_html=say(|v| spark(&v.values, Hue::Ink))></td>
            <td class="dim wrap">{say(|v| v.definition.clone())}</td>
        </tr>
    }
}

fn write(vital: &Vital, value: Option<f64>) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts, not negative
    let count = |value: f64| group(value.round() as u64);
    or_dash(value, if vital.unit == Unit::Seconds { seconds } else { count })
}
