//! Those of Terraform's functions that the module calls.

use hcl::eval::{Context, FuncArgs, FuncDef, ParamType};
use hcl::{Map, Value};

/// Makes them known.
pub(super) fn declare(context: &mut Context<'_>) {
    let any = || FuncDef::builder().param(ParamType::Any);
    let all = || FuncDef::builder().variadic_param(ParamType::Any);
    context.declare_func("jsonencode", any().build(|call| json(&call[0])));
    context.declare_func("length", any().build(|call| Ok(list(&call, 0)?.len().into())));
    context.declare_func("toset", any().build(|call| Ok(call[0].clone())));
    context.declare_func("one", any().build(|call| Ok(list(&call, 0)?.first().cloned().unwrap_or_default())));
    context.declare_func("keys", any().build(|call| Ok(object(&call, 0)?.keys().cloned().collect())));
    context.declare_func(
        "concat",
        all().build(|call| {
            let mut whole = Vec::new();
            for n in 0..call.len() {
                whole.extend_from_slice(list(&call, n)?);
            }
            Ok(Value::Array(whole))
        }),
    );
    context.declare_func(
        "merge",
        all().build(|call| {
            let mut whole = Map::new();
            for n in 0..call.len() {
                whole.extend(object(&call, n)?.clone());
            }
            Ok(Value::Object(whole))
        }),
    );
    context.declare_func(
        "lookup",
        all().build(|call| {
            let key = call[1].as_str().ok_or("the key is no text")?;
            Ok(object(&call, 0)?.get(key).unwrap_or(&call[2]).clone())
        }),
    );
    context.declare_func(
        "replace",
        all().build(|call| {
            let text = |n: usize| call[n].as_str().ok_or("no text");
            Ok(text(0)?.replace(text(1)?, text(2)?).into())
        }),
    );
}

fn json(value: &Value) -> Result<Value, String> {
    let text = serde_json::to_string(value).map_err(|fault| fault.to_string())?;
    Ok(text.into())
}

fn list(call: &FuncArgs, n: usize) -> Result<&Vec<Value>, String> {
    call[n].as_array().ok_or_else(|| format!("{:?} is no list", call[n]))
}

fn object(call: &FuncArgs, n: usize) -> Result<&Map<String, Value>, String> {
    call[n].as_object().ok_or_else(|| format!("{:?} is no object", call[n]))
}
