//! Reads a trait as a contract, or says what in it is not one.

use syn::{Attribute, Error, FnArg, Ident, ItemTrait, LitStr, ReturnType, TraitItem, TraitItemFn, Type};

/// A contract as written.
pub struct Contract {
    /// Such as `voice.context`.
    pub name: String,
    /// The trait without the markers of its methods.
    pub item: ItemTrait,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// One operation.
pub struct Method {
    /// The method's name.
    pub name: Ident,
    /// Its marker.
    pub kind: Kind,
    /// The message's name in the trait.
    pub message: Type,
    /// What it returns, the whole `Result`.
    pub answer: Type,
    /// Its documentation, taken over by the client.
    pub docs: Vec<Attribute>,
}

/// The four markers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Query,
    Command,
    Notice,
    Stream,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] = [
        ("query", Self::Query),
        ("command", Self::Command),
        ("notice", Self::Notice),
        ("stream", Self::Stream),
    ];

    fn of(attribute: &Attribute) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| attribute.path().is_ident(name)).map(|(_, kind)| kind)
    }
}

impl Contract {
    pub fn read(name: &LitStr, mut item: ItemTrait) -> Result<Self, Error> {
        let text = name.value();
        let plain = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if !text.contains('.') || !text.split('.').all(plain) {
            return Err(Error::new(
                name.span(),
                "a contract's name has two or more lower-case words, such as \"voice.context\"",
            ));
        }
        let mut methods = Vec::new();
        for member in &mut item.items {
            match member {
                TraitItem::Fn(method) => methods.push(Method::read(method)?),
                other => return Err(Error::new_spanned(other, "a contract has methods only")),
            }
        }
        // An answerer is shared between threads for as long as the process serves.
        item.supertraits.push(syn::parse_quote!(::std::marker::Send));
        item.supertraits.push(syn::parse_quote!(::std::marker::Sync));
        item.supertraits.push(syn::parse_quote!('static));
        Ok(Self { name: text, item, methods })
    }
}

impl Method {
    fn read(method: &mut TraitItemFn) -> Result<Self, Error> {
        let mut kinds = method.attrs.iter().filter_map(Kind::of);
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            let text = "mark the method with one of #[query], #[command], #[notice], #[stream]";
            return Err(Error::new_spanned(&method.sig.ident, text));
        };
        drop(kinds);
        method.attrs.retain(|attribute| Kind::of(attribute).is_none());
        let form =
            "an operation has the form `async fn name(&self, cx: &Cx, message: A) -> Result<B, Fault>`";
        let wrong = |_: ()| Error::new_spanned(&method.sig, form);
        if method.sig.asyncness.is_none()
            || method.default.is_some()
            || !method.sig.generics.params.is_empty()
        {
            return Err(wrong(()));
        }
        let inputs: Vec<_> = method.sig.inputs.iter().collect();
        let [FnArg::Receiver(_), FnArg::Typed(cx), FnArg::Typed(message)] = inputs.as_slice() else {
            return Err(wrong(()));
        };
        let ReturnType::Type(_, answer) = &method.sig.output else { return Err(wrong(())) };
        if !matches!(*cx.ty, Type::Reference(_)) {
            return Err(wrong(()));
        }
        if let Type::Reference(borrowed) = &*message.ty {
            return Err(Error::new_spanned(
                borrowed,
                "nothing borrowed crosses a link; take the message by value",
            ));
        }
        Ok(Self {
            name: method.sig.ident.clone(),
            kind,
            message: (*message.ty).clone(),
            answer: (**answer).clone(),
            docs: method.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
        })
    }
}
