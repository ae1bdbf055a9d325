//! The demo's faults: to see how the dashboard looks when something is wrong.

pub mod api;

use leptos::prelude::*;

use crate::ui::confirm::{Said, follow};
use crate::ui::frame::Head;
use crate::ui::loaded::{loaded, read_live};
use api::{DemoView, SetFault, read_demo};

const CHOICES: [(&str, &str); 4] = [
    ("none", "works as it should"),
    ("flaky", "3 % of attempts fail, and pass when tried again"),
    ("slow", "a quarter of a second for each event"),
    ("outage", "every attempt fails; letters after three attempts"),
];

/// The page.
#[component]
pub fn DemoPage() -> impl IntoView {
    let reading = read_live(|| (), |()| read_demo());
    let set = ServerAction::<SetFault>::new();
    follow(move || set.value().get());
    view! {
        <Head title="Demo" />
        <Said value=set.value() done=|said| said.clone() />
        {loaded(
            reading,
            move |data: Signal<DemoView>| {
                let targets = Memo::new(move |_| data.with(|d| d.faults.clone()));
                view! {
                    <section class="panel" aria-labelledby="faults-title">
                        <h2 id="faults-title">"Faults " <small>"of the built-in demo application; nothing else is touched"</small></h2>
                        <div class="faults">
                            {move || targets.get().into_iter().map(|(target, fault)| view! { <Switch target fault set /> }).collect_view()}
                        </div>
                    </section>
                }
            },
        )}
    }
}

#[component]
fn Switch(target: String, fault: String, set: ServerAction<SetFault>) -> impl IntoView {
    let poison = target == "publishers";
    let choices = CHOICES
        .into_iter()
        .filter(|(name, _)| !poison || *name == "none")
        .chain(poison.then_some(("poison", "2 % of events have a payload that no consumer can use")))
        .map(|(name, what)| {
            let current = name == fault;
            view! {
                <label class="choice">
                    <input type="radio" name="fault" value=name checked=current required />
                    <span>
                        <b>{name}</b>
                        " "
                        <span class="dim">{what}</span>
                    </span>
                </label>
            }
        })
        .collect_view();
    view! {
        <ActionForm action=set>
            <fieldset>
                <legend>{target.clone()}</legend>
                <input type="hidden" name="target" value=target />
                {choices}
                <button class="button">"Set"</button>
            </fieldset>
        </ActionForm>
    }
}
