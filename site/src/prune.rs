//! Wasm to less wasm: what this application is known never to call.
//!
//! Leptos 0.8 keeps, behind function pointers, a second way to take over a page, for applications that hydrate while
//! their code is still arriving. Ours waits for it instead (`app::pages::parts`), so these functions can't be reached,
//! but whoever optimises can't know that: <https://github.com/leptos-rs/leptos/issues/4852>. Their bodies become a trap
//! here, and wasm-opt then drops what only they used.

use std::path::Path;

use walrus::{FunctionBuilder, FunctionKind, Module, ModuleConfig};

use crate::error::Error;

/// The function itself and the future it makes, as symbols end before their hash. Not what is nested deeper, nor what
/// merely drops one: the compiler may have found such a small piece to be the same as another one that is called.
const NEVER_CALLED: [&str; 2] = ["13hydrate_async", "13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$"];

/// Rewrites `wasm` in place; says how many functions lost their body.
pub(crate) fn prune(wasm: &Path) -> Result<usize, Error> {
    let refused = |error| Error::Prune {
        wasm: wasm.to_owned(),
        message: format!("{error:#}"),
    };
    let mut module = Module::from_file_with_config(wasm, ModuleConfig::new().generate_producers_section(false)).map_err(refused)?;
    let doomed: Vec<_> = module
        .funcs
        .iter_local()
        .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(never_called))
        .map(|(id, function)| (id, function.ty(), function.args.clone()))
        .collect();
    for (id, ty, arguments) in &doomed {
        let (parameters, results) = module.types.params_results(*ty);
        let (parameters, results) = (parameters.to_vec(), results.to_vec());
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
        builder.func_body().unreachable();
        module.funcs.get_mut(*id).kind = FunctionKind::Local(builder.local_func(arguments.clone()));
    }
    module.emit_wasm_file(wasm).map_err(refused)?;
    Ok(doomed.len())
}

fn never_called(symbol: &str) -> bool {
    let path = symbol.rsplit_once("17h").map_or(symbol, |(path, _hash)| path);
    NEVER_CALLED.iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_function_and_its_future_are_meant() {
        for (symbol, meant) in [
            ("_ZN2tc8into_any13hydrate_async17h423459030f8c9a0dE", true),
            ("_ZN2tc13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$17h423459030f8c9a0dE", true),
            (
                "_ZN2tc13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$28_$u7b$$u7b$closure$u7d$$u7d$17h423459030f8c9a0dE",
                false,
            ),
            (
                "_ZN4core3ptr50drop_in_place$LT$tc..hydrate_async..closure$GT$17h423459030f8c9a0dE",
                false,
            ),
            ("_ZN2tc7hydrate17h423459030f8c9a0dE", false),
        ] {
            assert_eq!(never_called(symbol), meant, "{symbol}");
        }
    }
}
