//! What holds for every expansion.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Data, DeriveInput, Expr, ExprLit, Fields, File, FnArg, GenericParam, Generics, Item, ItemImpl, Lit, Macro,
    ReturnType, Signature, Type, TypePath,
};

use crate::args::Args;
use crate::ast::Function;
use crate::report::Report;
use crate::tokens;

/// `#[derive(CType)]`.
pub(crate) fn derive(input: &TokenStream) {
    let expand = || crate::derive::expand(input.clone());
    let file = parsed(&same_twice(expand), input);
    let found = Found::of(&file);
    let Ok(definition) = syn::parse2::<DeriveInput>(input.clone()) else {
        assert!(found.errors > 0, "no definition, and no error:\n{input}");
        return;
    };

    // With errors too: an `impl`, so that each use of the type is not one more.
    let described: Vec<&ItemImpl> = found.of_trait("CType").collect();
    let [described] = described[..] else { panic!("{} descriptions of one type:\n{input}", described.len()) };
    let Type::Path(TypePath { path, .. }) = &*described.self_ty else { panic!("of no type:\n{input}") };
    assert!(path.segments[0].ident == definition.ident, "of another type:\n{input}");
    assert_eq!(parameters(&described.generics), parameters(&definition.generics), "other parameters:\n{input}");
    if found.errors > 0 {
        return;
    }

    let output = tokens::idents(described.to_token_stream());
    let mut expected: Vec<Ident> = Vec::new();
    match &definition.data {
        Data::Enum(data) => expected.extend(data.variants.iter().map(|variant| variant.ident.clone())),
        Data::Struct(syn::DataStruct { fields, .. }) if is_transparent(&definition) => {
            // Markers are left out.
            assert!(!fields.is_empty(), "transparent around nothing:\n{input}");
        }
        Data::Struct(data) => expected.extend(idents(&data.fields)),
        Data::Union(data) => expected.extend(idents(&Fields::Named(data.fields.clone()))),
    }
    for ident in expected {
        assert!(output.contains(&ident), "`{ident}` got lost:\n{input}\n\n{}", described.to_token_stream());
    }
    if let Data::Struct(syn::DataStruct { fields: Fields::Named(fields), .. }) = &definition.data
        && !is_transparent(&definition)
    {
        for field in &fields.named {
            let name = field.ident.as_ref().expect("a named field").unraw().to_string();
            assert!(found.strings.contains(&name), "no description is called `{name}`:\n{input}");
        }
    }
}

/// `c_type!`.
pub(crate) fn c_type(input: &TokenStream) {
    let file = parsed(&same_twice(|| crate::c_type::expand(input.clone())), input);
    let found = Found::of(&file);
    let described = found.of_trait("CType").count();
    assert!(found.errors > 0 || described > 0, "neither an error nor a description:\n{input}");
    if found.errors == 0 {
        let output = tokens::idents(file.to_token_stream());
        let options = ["crate", "local"];
        for ident in without_attributes(input.clone()) {
            let is_keyword = ["struct", "pub", "r#struct"].iter().any(|keyword| ident == keyword);
            let is_option = options.iter().any(|option| ident == option);
            assert!(
                is_keyword || is_option || output.contains(&ident),
                "`{ident}` got lost:\n{input}\n\n{}",
                file.to_token_stream()
            );
        }
    }
}

/// `convention!`.
pub(crate) fn convention(input: &TokenStream) {
    let file = parsed(&same_twice(|| crate::convention::expand(input.clone())), input);
    let found = Found::of(&file);
    assert!(
        found.errors > 0 || found.of_trait("CallingConvention").count() > 0,
        "neither an error nor a convention:\n{input}"
    );
}

/// `frame!`.
pub(crate) fn frame(input: &TokenStream) {
    let output = same_twice(|| crate::frame::expand(input.clone()));
    let text = output.to_string();
    let errors = text.matches("compile_error !").count();
    assert!(errors > 0 || text.contains("__cbframe_bind"), "neither an error nor a frame:\n{input}\n\n{text}");
    if input.to_string().contains("dyn") {
        // As for functions: `dyn A + B` in a function pointer.
        return;
    }
    if let Err(error) = syn::parse2::<Expr>(output) {
        panic!("no expression, {error}:\n{input}\n\n{text}");
    }
}

/// `#[cbframe(…)]`.
pub(crate) fn attribute(options: &TokenStream, item: &TokenStream) {
    let output = same_twice(|| crate::callback(options.clone(), item.clone()));
    let input = format!("#[cbframe({options})]\n{item}");
    let Ok(function) = syn::parse2::<Function>(item.clone()) else {
        // The item is left as it was.
        let (output, item) = (output.to_string(), item.to_string());
        assert!(output.starts_with(":: core :: compile_error !") && output.ends_with(&item), "{input}\n\n{output}");
        return;
    };
    // Its body is not looked at: it may be what is being typed.
    let private = Args::parse(options.clone(), &mut Report::default()).private();
    let plain = function.plain(&private);
    assert_eq!(
        output.to_string().matches(&plain.to_string()).count(),
        1,
        "the function got lost, or changed:\n{input}\n\n{output}"
    );
    if syn::parse2::<File>(plain).is_err() || takes_or_returns_unsized(&function.signature) {
        return;
    }
    let file = parsed(&output, &input);
    let found = Found::of(&file);
    let is_function = |item: &Item| matches!(item, Item::Fn(item) if item.sig.ident == function.signature.ident);
    assert!(file.items.iter().any(is_function), "the function is no item:\n{input}\n\n{output}");
    let structs = file.items.iter().filter(|item| matches!(item, Item::Struct(_))).count();
    assert!(found.errors > 0 || structs == 1, "neither an error nor a type beside the function:\n{input}\n\n{output}");
}

/// Whether a parameter or the result is written `dyn A`, which rustc refuses in the function itself. In a function
/// pointer `dyn A + B` needs parentheses, so that the expansion is no Rust.
fn takes_or_returns_unsized(signature: &Signature) -> bool {
    let mut types = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) => Some(&*parameter.ty),
        FnArg::Receiver(_) => None,
    });
    let is_unsized = |ty: &Type| matches!(ty, Type::TraitObject(_));
    types.any(is_unsized) || matches!(&signature.output, ReturnType::Type(_, ty) if is_unsized(ty))
}

/// What `expand` gives, each time.
fn same_twice(expand: impl Fn() -> TokenStream) -> TokenStream {
    let first = expand();
    let second = expand();
    assert_eq!(first.to_string(), second.to_string(), "two expansions of the same input");
    first
}

/// The items of an expansion.
fn parsed(output: &TokenStream, input: &impl std::fmt::Display) -> File {
    let file = syn::parse2(output.clone()).unwrap_or_else(|error| panic!("no items, {error}:\n{input}\n\n{output}\n"));
    if !tokens::has_invisible_group(output.clone()) {
        let text = output.to_string();
        assert!(syn::parse_file(&text).is_ok(), "no items once it is text:\n{input}\n\n{text}");
    }
    file
}

/// The names of the parameters, in an order of their own: `syn` puts lifetimes first.
fn parameters(generics: &Generics) -> Vec<String> {
    let name = |parameter: &GenericParam| match parameter {
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_string(),
        GenericParam::Type(parameter) => parameter.ident.to_string(),
        GenericParam::Const(parameter) => parameter.ident.to_string(),
    };
    let mut names: Vec<String> = generics.params.iter().map(name).collect();
    names.sort();
    names
}

fn idents(fields: &Fields) -> Vec<Ident> {
    fields
        .iter()
        .flat_map(|field| tokens::idents(field.ty.to_token_stream()).into_iter().chain(field.ident.clone()))
        .collect()
}

fn is_transparent(definition: &DeriveInput) -> bool {
    definition.attrs.iter().any(|attribute| {
        attribute.path().is_ident("repr") && attribute.meta.to_token_stream().to_string().contains("transparent")
    })
}

/// The identifiers of `c_type!`'s input that are neither in an attribute nor in a visibility.
fn without_attributes(input: TokenStream) -> Vec<Ident> {
    let (mut found, mut tokens) = (Vec::new(), tokens::visible(input).into_iter().peekable());
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => drop(tokens.next()),
            TokenTree::Ident(ident) if ident == "pub" => {
                tokens.next_if(|next| matches!(next, TokenTree::Group(group) if is_restriction(group)));
            }
            TokenTree::Ident(ident) => found.push(ident),
            TokenTree::Group(group) => found.extend(without_attributes(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// Whether what follows `pub` belongs to it, as `(crate)` and `(in a::b)` do, and is not the type of a tuple's field.
fn is_restriction(group: &Group) -> bool {
    let content = tokens::visible(group.stream());
    let is = |token: &TokenTree, words: &[&str]| matches!(token, TokenTree::Ident(ident) if words.iter().any(|word| ident == word));
    group.delimiter() == Delimiter::Parenthesis
        && match &content[..] {
            [word] => is(word, &["crate", "self", "super"]),
            [first, ..] => is(first, &["in"]),
            [] => false,
        }
}

/// What is in an expansion.
#[derive(Default)]
struct Found {
    errors: usize,
    impls: Vec<ItemImpl>,
    strings: Vec<String>,
}

impl Found {
    fn of(file: &File) -> Self {
        let mut found = Self::default();
        found.visit_file(file);
        found
    }

    fn of_trait<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a ItemImpl> {
        self.impls.iter().filter(move |item| {
            let path = item.trait_.as_ref().map(|(path, _)| path);
            path.and_then(|path| path.segments.last()).is_some_and(|last| last.ident == name)
        })
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        self.impls.push(item.clone());
        visit::visit_item_impl(self, item);
    }

    fn visit_macro(&mut self, found: &'ast Macro) {
        self.errors += usize::from(found.path.segments.last().is_some_and(|last| last.ident == "compile_error"));
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        if let Expr::Lit(ExprLit { lit: Lit::Str(string), .. }) = expr {
            self.strings.push(string.value());
        }
        visit::visit_expr(self, expr);
    }
}
