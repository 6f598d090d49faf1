//! The `contract` attribute: a client and the routes for a plain trait.

mod expand;
mod parse;

use proc_macro::TokenStream;

/// Turns a trait into a contract that can be met in process or over any wire.
///
/// `#[contract("voice.context")]` leaves the trait as written (made object-safe by `async_trait`) and adds, for
/// a trait `ContextEngine`: `ContextEngineClient` (meets the trait over a `Link`; each query also has a
/// `…_marked` twin that tells a live answer from a fallback), `ContextEngineRoutes::of(implementation)` and
/// the constant `CONTEXT_ENGINE_CONTRACT`. Each method is marked `#[query]`, `#[command]`, `#[notice]` or
/// `#[stream]` and has the form `async fn name(&self, cx: &Cx, message: A) -> Result<B, Fault>`.
#[proc_macro_attribute]
pub fn contract(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let name = syn::parse_macro_input!(attribute as syn::LitStr);
    let item = syn::parse_macro_input!(item as syn::ItemTrait);
    match parse::Contract::read(&name, item) {
        Ok(contract) => expand::expand(&contract).into(),
        Err(error) => error.to_compile_error().into(),
    }
}
