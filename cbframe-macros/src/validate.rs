//! Options and signature checked against each other: what is left is a callback that can be written out.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, FnArg, GenericParam, Ident, LitStr, Pat, PatType, Path, ReturnType, Safety, Type, TypeImplTrait,
    TypeReference, Variadic,
};

use crate::args::{Args, EntryKind, Save};
use crate::ast::{Function, is_role};
use crate::custom::{self, Custom};
use crate::lifetimes;
use crate::pointer::peel;
use crate::report::Report;

/// A checked callback.
pub(crate) struct Callback<'a> {
    pub(crate) args: &'a Args,
    pub(crate) function: &'a Function,
    /// The ABI string of the entry's and the shim's C signature.
    pub(crate) abi: String,
    /// Whether the C signature is unknown.
    pub(crate) raw: bool,
    /// A convention that rustc does not know.
    pub(crate) convention: Option<Convention<'a>>,
    /// The parameters in the order of the function.
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) state: Option<State>,
    pub(crate) has_cpu: bool,
    /// Whether the last parameter is [`Parameter::List`].
    pub(crate) is_variadic: bool,
    /// What to save, on the captured lane.
    pub(crate) captured: Option<Save>,
    /// The name of the type beside the function.
    pub(crate) item: &'a Ident,
    /// Whether the function is `unsafe`.
    pub(crate) is_unsafe: bool,
}

/// A convention that rustc does not know.
pub(crate) enum Convention<'a> {
    /// The type that describes it.
    Named(&'a Path),
    Custom(Custom),
}

pub(crate) enum Parameter<'a> {
    State,
    Cpu {
        ty: &'a Type,
    },
    /// `...`
    List,
    C {
        name: String,
        ty: &'a Type,
    },
}

pub(crate) struct State {
    /// What the reference points to.
    pub(crate) ty: Type,
    pub(crate) exclusive: bool,
}

/// What an attribute on a parameter makes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    State,
    Cpu,
    C,
}

/// Checks everything that tokens show; `None` when something was reported, now or before. `is_closure`: the function
/// stands for a closure, which is a state itself.
pub(crate) fn check<'a>(
    args: &'a Args,
    function: &'a Function,
    is_closure: bool,
    report: &mut Report,
) -> Option<Callback<'a>> {
    check_attributes(&function.attributes, report);
    check_signature(function, report);
    let raw = args.abi.as_ref().is_some_and(|abi| abi.value() == "raw");
    let custom = is_custom(args);
    let mut spots = Vec::new();
    let mut state = None;
    let mut has_cpu = false;
    let mut parameters = Vec::new();
    for input in &function.signature.inputs {
        match input {
            FnArg::Receiver(receiver) => report
                .error(receiver, "a callback is a plain function: take the state as `#[state] state: &S`, or `&mut S`"),
            FnArg::Typed(parameter) => {
                let name = check_parameter(parameter, report);
                let role = role(parameter, raw, report);
                match (role, custom) {
                    (Role::C, true) => spots.extend(custom::spot(&parameter.attrs, parameter, report)),
                    (Role::C, false) => custom::refuse_places(
                        parameter,
                        "only with `abi = \"custom\"`: other conventions say themselves where arguments lie",
                        report,
                    ),
                    _ => custom::refuse_places(parameter, "this is no argument of the caller's", report),
                }
                match role {
                    Role::State if state.is_some() => {
                        report
                            .error(parameter, "there is one `#[state]`: put the others into it, as fields or a tuple");
                    }
                    Role::State => {
                        state = Some(check_state(&parameter.ty, report));
                        parameters.push(Parameter::State);
                    }
                    Role::Cpu if has_cpu => report.error(parameter, "the CPU has one state: remove one of the two"),
                    Role::Cpu => {
                        has_cpu = true;
                        check_cpu(&parameter.ty, args, report);
                        parameters.push(Parameter::Cpu { ty: &parameter.ty });
                    }
                    Role::C => parameters.push(Parameter::C { name, ty: &parameter.ty }),
                }
            }
        }
    }
    if raw {
        check_raw(function, &parameters, report);
    }
    let convention = if custom {
        Some(Convention::Custom(custom::check(args, &function.signature, spots, report)))
    } else {
        custom::refuse_options(args, report);
        args.convention.as_ref().map(Convention::Named)
    };
    let variadic = function.signature.variadic.as_ref();
    if let Some(variadic) = variadic {
        check_variadic(variadic, has_cpu, raw, convention.is_some(), report);
        parameters.push(Parameter::List);
    }
    let is_variadic = variadic.is_some();
    if let (true, ReturnType::Type(_, ty)) = (state.is_some() || has_cpu || is_variadic, &function.signature.output) {
        // The lifetime of `#[state]`, `#[cpu]` or `...` is elided too, so this means that one, or nothing.
        for span in lifetimes::elided(ty) {
            report.push(syn::Error::new(
                span,
                "the result cannot borrow from what is there for one call only: name a lifetime of the arguments, or \
                 `'static`",
            ));
        }
    }
    check_options(args, state.is_some() || is_closure, has_cpu, is_variadic, report);
    if let Some(jump) = &args.jump {
        check_hook(args, jump, raw, state.is_some(), is_closure, report);
    }
    if !report.is_empty() {
        return None;
    }
    let captured = match (&args.save, has_cpu, &args.entry) {
        (Some((_, save)), ..) => Some(save.clone()),
        (None, true, _) if args.jump.is_some() => Some(Save::Hook),
        (None, true, _) => Some(Save::Default),
        (None, false, Some((_, EntryKind::Captured))) => Some(Save::Nothing),
        _ if is_variadic || convention.is_some() => Some(Save::Nothing),
        _ => None,
    };
    let abi = if convention.is_some() { "custom".to_owned() } else { args.abi.as_ref()?.value() };
    Some(Callback {
        args,
        function,
        abi: if raw { "C".to_owned() } else { abi },
        raw,
        convention,
        parameters,
        state: state.flatten(),
        has_cpu,
        is_variadic,
        captured,
        item: args.name.as_ref().unwrap_or(&function.signature.ident),
        is_unsafe: matches!(function.signature.safety, Safety::Unsafe(_)),
    })
}

fn check_attributes(attributes: &[Attribute], report: &mut Report) {
    for attribute in attributes {
        // `#[unsafe(no_mangle)]` is a list with the path `unsafe`.
        let text = attribute.meta.to_token_stream().to_string();
        let is = |name: &str| attribute.path().is_ident(name) || text.starts_with(&format!("unsafe ({name}"));
        if is("no_mangle") || is("export_name") {
            report.error(
                attribute,
                "this would export the Rust function, which C cannot call: write `export = \"symbol\"` among the options",
            );
        } else if is("target_feature") {
            report.error(
                attribute,
                "a callback runs on whatever CPU calls it: put the feature on a function that this one calls after it has looked",
            );
        } else if is("track_caller") {
            report.error(attribute, "a C caller has no location: remove `#[track_caller]`");
        } else if is("naked") {
            report.error(attribute, "the entry is written for you: remove `#[naked]`, or do without `#[cbframe]`");
        }
    }
}

fn check_signature(function: &Function, report: &mut Report) {
    let signature = &function.signature;
    if let Some(token) = &signature.asyncness {
        report.error(token, "C cannot wait for a future: remove `async`, and hand the work to an executor");
    }
    if let Some(token) = &signature.constness {
        report.error(token, "remove `const`: C calls this when the program runs");
    }
    if let Some(abi) = &signature.abi {
        report.error(abi, "leave the function a Rust function: the option `abi = \"…\"` gives the calling convention");
    }
    for parameter in &signature.generics.params {
        match parameter {
            GenericParam::Lifetime(lifetime) if lifetime.bounds.is_empty() => {}
            GenericParam::Lifetime(lifetime) => report
                .error(&lifetime.bounds, "a function pointer type cannot say how lifetimes relate: remove the bound"),
            other => report.error(
                other,
                "a C function has one signature: write the types out, or call a generic function from here",
            ),
        }
    }
    if let Some(clause) = &signature.generics.where_clause {
        report.error(clause, "a C function has no `where` clause: remove it");
    }
    if let Some(Variadic { attrs, pat: Some((pattern, _)), .. }) = &signature.variadic {
        check_parameter_attributes(attrs, report);
        if let Some(role) = attrs.iter().find(|attribute| is_role(attribute)) {
            report.error(role, "`...` are arguments of the caller");
        }
        check_pattern(pattern, report);
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        check_type(ty, report);
        match peel(ty) {
            Type::Never(_) => report.error(ty, "C has no `!`: leave the result out"),
            Type::Array(_) => report.error(ty, "C has no arrays as results: put it in a struct"),
            _ => {}
        }
    }
}

fn check_type(ty: &Type, report: &mut Report) {
    struct Find<'a>(&'a mut Report);
    impl VisitMut for Find<'_> {
        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            self.0.error(ty, "C knows the type of every parameter: name it instead of `impl Trait`");
        }
    }
    Find(report).visit_type_mut(&mut ty.clone());
}

/// Checks the pattern, the attributes and the type of a parameter; gives its name.
fn check_parameter(parameter: &PatType, report: &mut Report) -> String {
    check_parameter_attributes(&parameter.attrs, report);
    check_type(&parameter.ty, report);
    match peel(&parameter.ty) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => {
            report.error(tuple, "C has no parameters without a value: remove it");
        }
        Type::Array(array) => report.error(
            array,
            "C has no arrays as parameters, it passes a pointer to the first element: write `*const T`, or put the \
             array in a struct",
        ),
        _ => {}
    }
    check_pattern(&parameter.pat, report)
}

fn check_parameter_attributes(attributes: &[Attribute], report: &mut Report) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            report.error(
                attribute,
                "the macro cannot see whether this parameter is there: put `#[cfg]` on two versions of the function",
            );
        } else if is_role(attribute) && attribute.meta.require_path_only().is_err() {
            report.error(attribute, "this attribute has no arguments");
        }
    }
}

/// The name that a parameter is given.
fn check_pattern(pattern: &Pat, report: &mut Report) -> String {
    match pattern {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.unraw().to_string(),
        Pat::Wild(_) => "_".to_owned(),
        other => {
            report.error(other, "a parameter is a name here: take it apart in the body");
            String::new()
        }
    }
}

fn role(parameter: &PatType, raw: bool, report: &mut Report) -> Role {
    let has = |name| parameter.attrs.iter().any(|attribute: &Attribute| attribute.path().is_ident(name));
    match (has("state"), has("cpu")) {
        (true, true) => {
            report.error(parameter, "a parameter is either `#[state]` or `#[cpu]`");
            Role::State
        }
        (true, false) => Role::State,
        (false, true) => Role::Cpu,
        // The only thing that a raw callback is called with.
        (false, false) if raw && is_cpu_state(&parameter.ty) => Role::Cpu,
        (false, false) => Role::C,
    }
}

fn is_cpu_state(ty: &Type) -> bool {
    names(ty, "CpuState") || names(ty, "CpuSubset")
}

/// Whether a type is written as a reference to what is called so.
fn names(ty: &Type, name: &str) -> bool {
    let Type::Reference(TypeReference { elem, .. }) = peel(ty) else { return false };
    matches!(peel(elem), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn check_state(ty: &Type, report: &mut Report) -> Option<State> {
    let Type::Reference(reference) = peel(ty) else {
        report.error(ty, "the state is a reference, `&S` or `&mut S`: the frame keeps the value");
        return None;
    };
    if let Some(lifetime) = &reference.lifetime {
        report.error(lifetime, "the state is borrowed for one call only: leave the lifetime out");
    }
    let unsized_example = match peel(&reference.elem) {
        Type::TraitObject(_) => Some("&Box<dyn …>"),
        Type::Slice(_) => Some("&Vec<…>"),
        Type::Path(path) if path.path.is_ident("str") => Some("&String"),
        _ => None,
    };
    if let Some(example) = unsized_example {
        report.error(
            &reference.elem,
            format_args!("the address of the state is one pointer, so its type has a size: write `{example}`"),
        );
    }
    for lifetime in lifetimes::named(&reference.elem) {
        report.error(&lifetime, "the state's lifetimes are those of what is bound, not of the call: write `'_`");
    }
    Some(State { ty: (*reference.elem).clone(), exclusive: reference.mutability.is_some() })
}

fn check_cpu(ty: &Type, args: &Args, report: &mut Report) {
    let subset = args.save.as_ref().is_some_and(|(_, save)| save.is_subset());
    if subset && names(ty, "CpuState") {
        report.error(
            ty,
            "without `gpr` in `save(…)` most fields of `CpuState` would hold nothing: take `&mut CpuSubset`, whose methods \
             tell what was saved, or add `gpr`",
        );
    } else if !subset && names(ty, "CpuSubset") {
        report.error(ty, "with `gpr` saved the state of the CPU is `&mut CpuState`");
    }
    match peel(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => {
            if let Some(lifetime) = &reference.lifetime {
                report.error(lifetime, "the state of the CPU is there for one call only: leave the lifetime out");
            }
        }
        _ => report.error(ty, "the state of the CPU is taken as `&mut CpuState`"),
    }
}

fn check_raw(function: &Function, parameters: &[Parameter<'_>], report: &mut Report) {
    let mut has_cpu = false;
    for parameter in parameters {
        match parameter {
            Parameter::State | Parameter::List => {}
            Parameter::Cpu { .. } => has_cpu = true,
            Parameter::C { ty, .. } => report.error(
                ty,
                "with `abi = \"raw\"` nothing is known of the arguments: read them from `CpuState`, or name the calling \
                 convention and take `#[cpu] cpu: &mut CpuState` beside them",
            ),
        }
    }
    if let ReturnType::Type(_, ty) = &function.signature.output {
        report.error(ty, "with `abi = \"raw\"` results are written to `CpuState`: remove the return type");
    }
    if !has_cpu && !function.signature.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_))) {
        report.error(&function.signature.ident, "with `abi = \"raw\"` a callback takes `cpu: &mut CpuState`");
    }
}

fn check_variadic(variadic: &Variadic, has_cpu: bool, raw: bool, has_convention: bool, report: &mut Report) {
    if raw {
        report.error(
            variadic.dots,
            "with `abi = \"raw\"` nothing is known of the arguments, nor where `...` begin: name the calling convention",
        );
    } else if has_convention {
        report.error(
            variadic.dots,
            "C has no `...` in this calling convention: name the parameters, or write `abi = \"C\"`",
        );
    } else if has_cpu {
        // One of them would be a reference to what the other points to.
        report.error(
            variadic.dots,
            "`...` is taken from the state of the CPU, so there is either this or `CpuState`: remove one of the two",
        );
    }
}

fn is_custom(args: &Args) -> bool {
    args.abi.as_ref().is_some_and(|abi| abi.value() == "custom")
}

/// `jump` is the value of `enter`.
fn check_hook(args: &Args, jump: &LitStr, raw: bool, has_state: bool, is_closure: bool, report: &mut Report) {
    if is_closure {
        report.error(jump, "a hook is a function: write `#[cbframe(abi = \"raw\", enter = \"jump\")]`");
    } else if !raw {
        report.error(jump, "nothing passes arguments in a jump: a hook has `abi = \"raw\"`, and reads the registers");
    } else if !has_state {
        report.error(
            jump,
            "a hook is told where to go on when it is bound: take `#[state] state: &S`, or `&()` if there is none",
        );
    }
    if let Some(pool) = &args.pool {
        report.error(pool, "hooks have a pool of their own, `Pool::hooks()`: remove `pool`");
    }
    if let Some((text, _)) = &args.entry {
        report.error(text, "a hook has one entry: remove `entry`");
    }
    if let Some((span, save)) = &args.save
        && !(save.has(&["gpr"]) && save.has(&["flags"]) && save.has(&["avx512", "simd"]))
    {
        let message = "the function around a hook lives on in every register: write `save(gpr, flags, avx512)`, and `x87` if \
                       it is to be saved too, or leave `save` out";
        report.push(syn::Error::new(*span, message));
    }
}

fn check_options(args: &Args, has_state: bool, has_cpu: bool, is_variadic: bool, report: &mut Report) {
    if let (Some((span, _)), false) = (&args.save, has_cpu) {
        report.push(syn::Error::new(
            *span,
            "`save(…)` is about `CpuState`: take `#[cpu] cpu: &mut CpuState`, or remove it",
        ));
    }
    if let (Some(pool), false) = (&args.pool, has_state) {
        report.error(pool, "a callback without `#[state]` takes no slot: remove `pool`");
    }
    if let (Some(symbol), true) = (&args.export, has_state) {
        report.error(
            symbol,
            "a symbol is one address for all states: only a callback without `#[state]` can be exported",
        );
    }
    if let Some((text, kind)) = &args.entry {
        match kind {
            EntryKind::Captured => {}
            _ if has_cpu => report.error(text, "`CpuState` comes from the captured entry: remove `entry`"),
            _ if is_variadic => report.error(text, "`...` needs the captured entry: remove `entry`"),
            _ if args.convention.is_some() || is_custom(args) => report.error(
                text,
                "rustc does not know this convention, so only the captured entry serves it: remove `entry`",
            ),
            _ if !has_state => report.error(text, "a callback without `#[state]` has no such entry: remove `entry`"),
            _ => {}
        }
    }
    if let (Some(expr), Some(abi)) = (&args.on_panic, &args.abi)
        && abi.value().ends_with("-unwind")
    {
        report.push(syn::Error::new(
            expr.span(),
            format_args!(
                "a panic passes through a `{}` callback to its caller: remove `on_panic`, or `-unwind`",
                abi.value()
            ),
        ));
    }
}
