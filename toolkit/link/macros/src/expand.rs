//! Writes the trait, its client and its routes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::parse::{Contract, Kind, Method};

/// Writes everything that the attribute adds.
pub fn expand(contract: &Contract) -> TokenStream {
    let item = &contract.item;
    let constant = format_ident!("{}_CONTRACT", screaming(&item.ident.to_string()));
    let description = describe(contract, &constant);
    let client = client(contract, &constant);
    let routes = routes(contract, &constant);
    quote! {
        #[::ieum_link::async_trait]
        #item
        #description
        #client
        #routes
    }
}

fn screaming(name: &str) -> String {
    let mut text = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && i > 0 {
            text.push('_');
        }
        text.extend(letter.to_uppercase());
    }
    text
}

fn describe(contract: &Contract, constant: &proc_macro2::Ident) -> TokenStream {
    let name = &contract.name;
    let visibility = &contract.item.vis;
    let operations = contract.methods.iter().map(|method| {
        let word = method.name.to_string();
        let path = format!("{name}/{word}");
        let kind = match method.kind {
            Kind::Query => quote!(Query),
            Kind::Command => quote!(Command),
            Kind::Notice => quote!(Notice),
            Kind::Stream => quote!(Stream),
        };
        quote! {
            ::ieum_link::Operation { contract: #name, method: #word, path: #path, kind: ::ieum_link::Kind::#kind }
        }
    });
    let docs = format!("The operations of `{name}`.");
    quote! {
        #[doc = #docs]
        #visibility static #constant: ::ieum_link::Contract =
            ::ieum_link::Contract { name: #name, operations: &[#(#operations),*] };
    }
}

fn client(contract: &Contract, constant: &proc_macro2::Ident) -> TokenStream {
    let target = &contract.item.ident;
    let visibility = &contract.item.vis;
    let client = format_ident!("{target}Client");
    let docs = format!("Meets [`{target}`] over a link.");
    let methods = contract.methods.iter().enumerate().map(|(i, method)| {
        let Method { name, message, answer, kind, .. } = method;
        let send = if *kind == Kind::Stream { quote!(stream) } else { quote!(unary) };
        quote! {
            async fn #name(&self, cx: &::ieum_core::Cx, message: #message) -> #answer {
                self.link.#send(&#constant.operations[#i], cx, message).await
            }
        }
    });
    let marked = contract.methods.iter().enumerate().filter(|(_, method)| method.kind == Kind::Query).map(
        |(i, method)| {
            let Method { name, message, answer, docs, .. } = method;
            let marked = format_ident!("{name}_marked");
            quote! {
                #(#docs)*
                ///
                /// Tells also whether the answer is live or a fallback.
                pub async fn #marked(&self, cx: &::ieum_core::Cx, message: #message)
                    -> ::std::result::Result<
                        ::ieum_link::Marked<<#answer as ::ieum_link::Answer>::Value>,
                        ::ieum_core::Fault,
                    >
                {
                    self.link.unary_marked(&#constant.operations[#i], cx, message).await
                }
            }
        },
    );
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug)]
        #visibility struct #client {
            link: ::ieum_link::Link,
        }

        impl #client {
            /// Makes a client that sends over `link`.
            pub fn new(link: ::ieum_link::Link) -> Self {
                Self { link }
            }

            #(#marked)*
        }

        #[::ieum_link::async_trait]
        impl #target for #client {
            #(#methods)*
        }
    }
}

fn routes(contract: &Contract, constant: &proc_macro2::Ident) -> TokenStream {
    let target = &contract.item.ident;
    let visibility = &contract.item.vis;
    let routes = format_ident!("{target}Routes");
    let docs = format!("Serves any [`{target}`].");
    let handlers = contract.methods.iter().enumerate().map(|(i, method)| {
        let Method { name, message, kind, .. } = method;
        let serve = if *kind == Kind::Stream { quote!(stream) } else { quote!(unary) };
        quote! {
            let routes = {
                let target = ::std::sync::Arc::clone(&implementation);
                routes.#serve(&#constant.operations[#i], move |cx: ::ieum_core::Cx, message: #message| {
                    let target = ::std::sync::Arc::clone(&target);
                    async move { target.#name(&cx, message).await }
                })
            };
        }
    });
    quote! {
        #[doc = #docs]
        #visibility struct #routes;

        impl #routes {
            /// Returns the routes that `implementation` answers.
            pub fn of(implementation: ::std::sync::Arc<dyn #target>) -> ::ieum_link::Routes {
                let routes = ::ieum_link::Routes::new(&#constant);
                #(#handlers)*
                routes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expansion_is_as_committed() {
        let item: syn::ItemTrait = syn::parse_quote! {
            /// Greets.
            pub trait Greeter {
                /// Says hello.
                #[query]
                async fn hello(&self, cx: &Cx, ask: Ask) -> Result<Answer, Fault>;
                /// Repeats what it hears.
                #[stream]
                async fn echo(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
            }
        };
        let contract = Contract::read(&syn::parse_quote!("sample.greeter"), item).expect("is a contract");
        let file = syn::parse2(expand(&contract)).expect("is Rust");
        insta::assert_snapshot!(prettyplease::unparse(&file));
    }

    #[test]
    fn what_is_no_operation_is_refused_with_the_form() {
        let refused = |item: syn::ItemTrait| {
            Contract::read(&syn::parse_quote!("sample.greeter"), item).err().expect("is refused").to_string()
        };
        let unmarked = refused(syn::parse_quote! {
            trait Greeter { async fn hello(&self, cx: &Cx, ask: Ask) -> Result<Answer, Fault>; }
        });
        assert!(unmarked.contains("#[query]"), "{unmarked}");
        let borrowed = refused(syn::parse_quote! {
            trait Greeter { #[query] async fn hello(&self, cx: &Cx, ask: &Ask) -> Result<Answer, Fault>; }
        });
        assert!(borrowed.contains("nothing borrowed"), "{borrowed}");
        let blocking = refused(syn::parse_quote! {
            trait Greeter { #[command] fn hello(&self, cx: &Cx, ask: Ask) -> Result<Answer, Fault>; }
        });
        assert!(blocking.contains("async fn"), "{blocking}");
    }
}
