//! Definitions and functions as people write them, and as they seldom do: each choice is one of the fuzzer's bytes.

use libfuzzer_sys::arbitrary::Unstructured;

/// How deep types are nested.
const MAX_DEPTH: usize = 4;

const NAMES: &[&str] = &[
    "a",
    "bits",
    "T",
    "r#type",
    "größe",
    "C",
    "cbframe",
    "self_",
    "r#fn",
    "TYPE",
    "core",
    "Option",
    "u8",
    "_x",
    "cbframe_bits",
    "__cbframe_ctx",
    "VALUE_0",
    "state",
    "Self_",
];

const LIFETIMES: &[&str] = &["'a", "'b", "'static", "'_", "'cbframe", "'r#type"];

const ATTRIBUTES: &[&str] = &[
    "#[allow(dead_code)]",
    "/// Documented.",
    "#[deprecated]",
    "#[cfg(unix)]",
    "#[cfg_attr(unix, repr(C))]",
    "#[doc = \"x\"]",
    "#[must_use]",
    "#[inline(always)]",
    "#[cbframe(crate = crate::ffi)]",
    "#[cbframe(crate = ::other)]",
    "#[cbframe]",
    "#[cbframe = 1]",
    "#[cbframe(crate = a, crate = b)]",
    "#[no_mangle]",
    "#[unsafe(no_mangle)]",
    "#[export_name = \"x\"]",
    "#[track_caller]",
    "#[target_feature(enable = \"avx\")]",
    "#[unsafe(naked)]",
    "#[a::b(c)]",
    "#[state]",
    "#[cpu]",
];

const REPRS: &[&str] = &[
    "#[repr(C)]",
    "#[repr(transparent)]",
    "#[repr(u8)]",
    "#[repr(C, packed)]",
    "#[repr(C, packed(2))]",
    "#[repr(C, align(16))]",
    "#[repr(i64)]",
    "#[repr(C)] #[repr(align(64))]",
    "",
    "#[repr(C, i8)]",
    "#[repr(u32, align(4))]",
    "#[repr(packed(16), C)]",
    "#[repr(align(128))]",
    "#[repr(C,)]",
    "#[repr()]",
    "#[repr]",
    "#[repr(Rust)]",
    "#[repr(r#C)]",
    "#[repr(u128)]",
    "#[repr(align(0xffff_ffff_ffff_ffff_f))]",
    "#[repr(align(a + b), C)]",
    "#[repr(C = 1)]",
    "#[repr(simd)]",
    "#[repr(a::b)]",
];

const EXPRESSIONS: &[&str] = &[
    "0",
    "-1",
    "4",
    "N",
    "{ N }",
    "1 + 2",
    "A as u8",
    "u8::MAX",
    "'x'",
    "b'a'",
    "m!(x)",
    "f(1)",
    "|x| x",
    "return",
    "..",
    "1..2",
    "if a { b } else { c }",
    "match x { _ => 1 }",
    "loop {}",
    "unsafe { f() }",
    "a = b",
    "[0; 4]",
    "break 'a 1",
    "&raw const x",
    "S { a: 1, ..b }",
    "{ ; }",
    "async {}",
    "const { 1 }",
    "let x = 1",
    "x?",
    "!x",
    "(1)",
    "\"text\"",
    "|| -> u8 { 1 }",
    "x as fn() -> u8",
    "for x in y {}",
    "a; b",
];

/// Writes items by the fuzzer's choices.
pub(crate) struct Items<'a, 'b> {
    bytes: &'a mut Unstructured<'b>,
}

impl<'a, 'b> Items<'a, 'b> {
    pub(crate) fn new(bytes: &'a mut Unstructured<'b>) -> Self {
        Self { bytes }
    }

    /// A number below `end`; 0 at the end of the bytes.
    fn below(&mut self, end: usize) -> usize {
        self.bytes.int_in_range(0..=end - 1).unwrap_or(0)
    }

    fn one_of(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    /// `text` in one of `count` cases.
    fn perhaps(&mut self, count: usize, text: &'static str) -> &'static str {
        if self.one_of(count) { text } else { "" }
    }

    fn name(&mut self) -> &'static str {
        self.pick(NAMES)
    }

    fn lifetime(&mut self) -> &'static str {
        self.pick(LIFETIMES)
    }

    /// Fewer than `end` pieces, each followed by a comma, but perhaps not the last.
    fn list(&mut self, end: usize, mut piece: impl FnMut(&mut Self, usize) -> String) -> String {
        let count = self.below(end);
        let pieces: Vec<String> = (0..count).map(|i| piece(self, i)).collect();
        let comma = if count > 0 { self.perhaps(2, ",") } else { "" };
        pieces.join(", ") + comma
    }

    fn attributes(&mut self) -> String {
        (0..self.below(6).saturating_sub(3)).map(|_| format!("{}\n", self.pick(ATTRIBUTES))).collect()
    }

    fn visibility(&mut self) -> &'static str {
        self.pick(&["", "pub", "pub(crate)", "pub(in crate::a)"])
    }

    /// What `#[derive(CType)]` is called with.
    pub(crate) fn definition(&mut self) -> String {
        let repr = self.pick(REPRS);
        let (attributes, visibility, name) = (self.attributes(), self.visibility(), self.name());
        let (parameters, clause) = self.generics();
        let keyword = self.pick(&["struct", "struct", "enum", "union", "struct"]);
        let body = match (keyword, self.below(4)) {
            ("enum", _) => format!("{clause} {{ {} }}", self.list(6, Self::variant)),
            ("union", _) => format!("{clause} {{ {} }}", self.list(5, Self::field)),
            (_, 2) => format!("({}) {clause};", self.list(5, Self::tuple_field)),
            (_, 3) => format!("{clause};"),
            _ => format!("{clause} {{ {} }}", self.list(5, Self::field)),
        };
        format!("{attributes}{repr}\n{visibility} {keyword} {name}{parameters} {body}")
    }

    /// What `c_type!` is called with.
    pub(crate) fn foreign(&mut self) -> String {
        let options =
            self.pick(&["", "local = ();", "crate = a::b;", "crate = ::b, local = (),", "local = u8;", "x = y,"]);
        let count = 1 + self.below(3);
        let structs: String = (0..count)
            .map(|_| {
                let repr = self.pick(&["", "#[repr(C)]", "#[repr(transparent)]", "#[repr(C, packed)]", "#[repr(u8)]"]);
                let (attributes, visibility) = (self.attributes(), self.visibility());
                let keyword = self.pick(&["struct", "struct", "struct", "union", "enum", "r#struct", "fn"]);
                let path = match self.below(6) {
                    0 => format!("libc::{}", self.name()),
                    1 => self.name().to_owned(),
                    2 => format!("::a::{}<{}>", self.name(), self.list(3, |items, _| items.argument(2))),
                    3 => format!("{}::<{}, u8>", self.name(), self.lifetime()),
                    4 => format!("crate::{}", self.pick(&["self", "fn", "type", "dyn", "_x"])),
                    _ => self.pick(&["Self", "_", "fn", "crate", "self", "super", "super::super::A", "'a"]).to_owned(),
                };
                let fields = match self.below(4) {
                    3 => format!("({});", self.list(4, Self::tuple_field)),
                    _ => format!("{{ {} }}", self.list(5, Self::field)),
                };
                format!("{attributes}{repr} {visibility} {keyword} {path} {fields}\n")
            })
            .collect();
        format!("{options}\n{structs}")
    }

    /// The options and the function that `#[cbframe]` is called with.
    pub(crate) fn callback(&mut self) -> (String, String) {
        let abi = self.pick(&[
            "abi = \"C\"",
            "abi = \"sysv64\"",
            "abi = \"win64\"",
            "abi = \"raw\"",
            "abi = \"C-unwind\"",
            "abi = \"efiapi\"",
            "abi = \"system\"",
            "abi = \"win64-unwind\"",
            "abi = \"stdcall\"",
            "abi = \"custom\"",
            "abi = \"custom\", ret = \"eax\"",
            "abi = \"custom\", ret = \"xmm0\", callee_pops = 8",
            "abi = conventions::Regcall",
            "abi = \"raw\", enter = \"jump\"",
            "abi = c\"C\"",
            "abi = C",
            "abi",
            "",
        ]);
        let raw = abi.contains("raw");
        let others = self.list(4, |items, _| match items.below(12) {
            0 => format!("on_panic = {}", items.pick(EXPRESSIONS)),
            1 => {
                let saves = [
                    "save(gpr)",
                    "save(gpr, flags, sse, x87)",
                    "save(rax, xmm3)",
                    "save(gpr, avx512, r8)",
                    "save(eax, xmm16)",
                    "save()",
                    "save(gpr, gpr)",
                    "save",
                ];
                items.pick(&saves).to_owned()
            }
            2 => format!("pool = {}", items.pick(&["POOL", "crate::POOL", "<T>::POOL", "POOL::<u8>", "(POOL)"])),
            3 => format!("name = {}", items.name()),
            4 => format!("export = {}", items.pick(&["\"symbol\"", "\"\"", "\"a\\0b\"", "b\"x\"", "r#\"raw\"#"])),
            5 => format!("entry = {}", items.pick(&["\"direct\"", "\"stack\"", "\"captured\"", "\"other\""])),
            6 => format!("crate = {}", items.pick(&["a::b", "::a", "crate", "self::x", "super::x", "a::<u8>"])),
            7 => format!("{} = 1", items.name()),
            8 => format!("ret = {}", items.pick(&["\"eax\"", "\"xmm0\"", "\"rsp\"", "\"x\"", "eax"])),
            9 => format!("callee_pops = {}", items.pick(&["8", "0", "7", "65536", "-8", "0xffff_ffff_ffff"])),
            10 => items
                .pick(&["save_errno", "save_fenv", "enter = \"jump\"", "enter = \"x\"", "save_errno = 1"])
                .to_owned(),
            _ => items.pick(EXPRESSIONS).to_owned(),
        });
        let comma = if abi.is_empty() { "" } else { "," };
        (format!("{abi}{comma} {others}"), self.function(raw))
    }

    /// What `convention!` is called with.
    pub(crate) fn convention(&mut self) -> String {
        const REGISTERS: &[&str] =
            &["rax", "rdi", "r8", "rsp", "xmm0", "xmm7", "xmm15", "eax", "flags", "x", "rcx", "rdx"];
        let count = 1 + self.below(2);
        let conventions: String = (0..count)
            .map(|_| {
                let (attributes, visibility, name) = (self.attributes(), self.visibility(), self.name());
                let required = ["ints", "floats", "results", "preserves"].map(|field| {
                    let registers = self.list(6, |items, _| items.pick(REGISTERS).to_owned());
                    if self.one_of(16) { String::new() } else { format!("{field}: [{registers}],") }
                });
                let others = self.list(4, |items, _| match items.below(6) {
                    0 => format!("hidden: {} -> {}", items.pick(REGISTERS), items.pick(REGISTERS)),
                    1 => format!(
                        "aggregates: {}",
                        items.pick(&["Refused", "Eightbytes", "Fields", "Vectorcall", "Other"])
                    ),
                    2 => format!(
                        "{}: {}",
                        items.pick(&["home", "slot", "stack_align"]),
                        items.pick(&["8", "32", "1", "-1", "true"])
                    ),
                    3 => format!(
                        "{}: {}",
                        items.pick(&["narrow_ints", "by_position", "callee_pops"]),
                        items.pick(&["true", "false", "1"])
                    ),
                    4 => "preserves_whole_vectors: true".to_owned(),
                    _ => format!("{}: 1", items.name()),
                });
                format!("{attributes}{visibility} struct {name} {{ {} {others} }}\n", required.join(" "))
            })
            .collect();
        format!("{}{conventions}", self.perhaps(6, "crate = a::b;"))
    }

    /// What `frame!` is called with.
    pub(crate) fn closure(&mut self) -> String {
        let options = self.callback().0;
        let words = match self.below(8) {
            0 => "local,",
            1 => "once,",
            2 => "or = -1,",
            3 => "as = ffi::hook_t,",
            4 => self.pick(&["local = 1,", "as = 1,", "or,", "local, once,", "or = |x| x,", "guarded,"]),
            _ => "",
        };
        let (moves, parameters) = (self.perhaps(2, "move"), self.list(5, Self::parameter));
        let cpu = self.perhaps(6, "#[cpu] cpu: &mut CpuState,");
        let dots = self.dots();
        let result = if self.one_of(3) { format!("-> {}", self.ty(0)) } else { String::new() };
        let body = self.pick(&["{}", "{ 0 }", "{ x.y(|z| z) }", "{ loop {} }", "{ #![inner] ; }", "x", ""]);
        format!("{options}, {words} {moves} |{cpu} {parameters}{dots}| {result} {body}")
    }

    fn function(&mut self, raw: bool) -> String {
        let (attributes, visibility, name) = (self.attributes(), self.visibility(), self.name());
        let qualifiers = match self.below(12) {
            9 => "const",
            10 => "async",
            11 => "extern \"C\"",
            0..5 => "",
            _ => "unsafe",
        };
        let generics = match self.below(8) {
            5 => "<'a>",
            6 => "<'a, 'b>",
            7 => self.pick(&["<'a: 'b, 'b>", "<T>", "<const N: usize>", "<>", "<'a,>"]),
            _ => "",
        };
        let state = match self.below(8) {
            0..3 => "",
            3 => "#[state] s: &S,",
            4 => "#[state] s: &mut Vec<&'_ u8>,",
            5 => "#[state] r#type: &mut (dyn Fn(&u8) + Send),",
            6 => "#[state(x)] s: S,",
            _ => "#[state] _: &'a S<'a>, #[state] s: &(),",
        };
        let cpu = match (raw, self.below(6)) {
            (true, 0..4) => "cpu: &mut CpuState,",
            (_, 4) => "#[cpu] cpu: &mut CpuState,",
            (_, 5) => self.pick(&["#[cpu] mut c: &'a mut CpuState,", "#[cpu] c: CpuState,", "#[state] #[cpu] c: &u8,"]),
            _ => "",
        };
        let parameters = if raw && !self.one_of(4) { String::new() } else { self.list(7, Self::parameter) };
        let variadic = self.dots();
        let result = match self.below(6) {
            0..3 => String::new(),
            3 => format!("-> {}", self.pick(&["i32", "()", "!", "Point", "[u8; 4]", "&'static u8", "impl Copy"])),
            _ => format!("-> {}", self.ty(0)),
        };
        let clause = self.perhaps(16, "where u8: Copy");
        let body =
            self.pick(&["{}", "{ 0 }", "{ x.y(|z| z) }", "{ #![inner] ; }", "{ x. }", ";", "{ loop {} }", "{ $ }"]);
        format!(
            "{attributes}{visibility} {qualifiers} fn {name}{generics}({state} {cpu} {parameters}{variadic}) {result} {clause} {body}"
        )
    }

    /// `...`, perhaps, behind other parameters.
    fn dots(&mut self) -> &'static str {
        match self.below(12) {
            0 => ", ...",
            1 => ", args: ...",
            2 => ", mut args: ...",
            3 => self.pick(&[", _: ...", ", (a, b): ...", ", #[state] x: ...", ", a: ..., b: ...", ", ..."]),
            _ => "",
        }
    }

    fn parameter(&mut self, index: usize) -> String {
        let attributes = if self.one_of(8) { self.attributes() } else { String::new() };
        let places = [
            "#[reg(\"rdi\")]",
            "#[reg(\"xmm1\")]",
            "#[stack(0)]",
            "#[stack(8)] #[reg(\"al\")]",
            "#[reg]",
            "#[reg(\"esp\")]",
        ];
        let place = if self.one_of(8) { self.pick(&places) } else { "" };
        let pattern = match self.below(12) {
            7 => "_".to_owned(),
            8 => format!("mut {}", self.name()),
            9 => self.pick(&["(a, b)", "ref a", "a @ b", "&a", "S { x }", "1", "a | b", "m!()"]).to_owned(),
            10 => self.name().to_owned(),
            11 if index == 0 => return self.pick(&["self", "&self", "&mut self", "self: Box<Self>"]).to_owned(),
            _ => format!("p{index}"),
        };
        format!("{attributes}{place}{pattern}: {}", self.ty(0))
    }

    fn variant(&mut self, index: usize) -> String {
        let attributes = self.attributes();
        let name = if self.one_of(4) { self.name().to_owned() } else { format!("V{index}") };
        let fields = match self.below(12) {
            10 => "()",
            11 => "{ x: u8 }",
            _ => "",
        };
        let value = if self.one_of(3) { format!("= {}", self.pick(EXPRESSIONS)) } else { String::new() };
        // What is no expression in this place is none of ours.
        let value =
            if value.contains("let ") || value.contains(';') || value.contains("..") { String::new() } else { value };
        format!("{attributes}{name}{fields} {value}")
    }

    fn field(&mut self, index: usize) -> String {
        let (attributes, visibility) = (self.attributes(), self.visibility());
        let name = if self.one_of(3) { self.name().to_owned() } else { format!("f{index}") };
        format!("{attributes}{visibility} {name}: {}", self.ty(0))
    }

    fn tuple_field(&mut self, _: usize) -> String {
        let (attributes, visibility) = (self.attributes(), self.visibility());
        format!("{attributes}{visibility} {}", self.ty(0))
    }

    /// Parameters, and a `where` clause.
    fn generics(&mut self) -> (String, String) {
        if self.below(3) < 2 {
            return Default::default();
        }
        let parameters = self.list(4, |items, index| match items.below(7) {
            0 => "'a".to_owned(),
            1 => "'b: 'a".to_owned(),
            2 => format!("T{index}"),
            3 => format!("T: Copy + ?Sized + {} = u8", items.bound()),
            4 => format!("const N{index}: usize"),
            5 => "const M: u8 = { 3 }".to_owned(),
            _ => format!("#[cfg(x)] {}", items.name()),
        });
        let clause = if self.one_of(2) {
            let bound = self.bound();
            format!("where {}: {bound}", self.ty(2))
        } else {
            String::new()
        };
        (format!("<{parameters}>"), clause)
    }

    fn bound(&mut self) -> &'static str {
        self.pick(&["Copy", "'a", "for<'x> Fn(&'x u8) -> u8", "Iterator<Item = u8>", "a::B<'static>", "?Sized"])
    }

    fn argument(&mut self, depth: usize) -> String {
        match self.below(8) {
            5 => self.lifetime().to_owned(),
            6 => self.pick(&["4", "{ N }", "-1", "true"]).to_owned(),
            7 => format!("Item = {}", self.ty(depth + 1)),
            _ => self.ty(depth + 1),
        }
    }

    fn ty(&mut self, depth: usize) -> String {
        let leaf = depth >= MAX_DEPTH;
        match if leaf { self.below(3) } else { self.below(20) } {
            0 | 3 => {
                self.pick(&["u8", "i32", "f64", "bool", "()", "u128", "usize", "__m128", "core::ffi::c_int"]).to_owned()
            }
            1 => self
                .pick(&["T", "Self", "T::Item", "<T as Iterator>::Item", "PhantomPinned", "str", "r#type"])
                .to_owned(),
            2 => self.pick(&["!", "_", "m!(x)", "&'static str", "*const ()", "fn()", "'a"]).replace("'a", "&'a u8"),
            4 => format!("*{} {}", self.pick(&["const", "mut"]), self.ty(depth + 1)),
            5 => {
                let (lifetime, mutable) = (self.lifetime(), self.perhaps(2, "mut"));
                format!("&{lifetime} {mutable} {}", self.ty(depth + 1))
            }
            6 => format!("&{}", self.ty(depth + 1)),
            7 => {
                format!("[{}; {}]", self.ty(depth + 1), self.pick(&["4", "N", "{ N + 1 }", "size_of::<T>()", "_", "0"]))
            }
            8 => format!("[{}]", self.ty(depth + 1)),
            9 => format!("({})", self.list(4, |items, _| items.ty(depth + 1))),
            10 => format!("({})", self.ty(depth + 1)),
            11 => {
                let binder = self.pick(&["", "for<'x>", "for<>"]);
                let head =
                    self.pick(&["fn", "extern \"C\" fn", "unsafe extern \"sysv64\" fn", "unsafe fn", "extern fn"]);
                let inputs = self.list(4, |items, _| items.ty(depth + 1));
                let variadic = if inputs.ends_with(',') { self.perhaps(4, "...") } else { "" };
                let output = if self.one_of(2) { format!("-> {}", self.ty(depth + 1)) } else { String::new() };
                format!("{binder} {head}({inputs}{variadic}) {output}")
            }
            12 => {
                let path = self.pick(&["Option", "core::option::Option", "::std::option::Option", "r#Option"]);
                format!("{path}<{}>", self.ty(depth + 1))
            }
            13 => {
                let path = self.pick(&["NonNull", "PhantomData", "core::marker::PhantomData", "ManuallyDrop", "Box"]);
                format!("{path}<{}>", self.ty(depth + 1))
            }
            14 => format!("{}<{}>", self.name(), self.list(4, |items, _| items.argument(depth))),
            15 => format!("<{} as A<{}>>::B", self.ty(depth + 1), self.lifetime()),
            16 => format!("{} {} + {}", self.pick(&["dyn", "impl"]), self.bound(), self.bound()),
            17 => format!("({} {} + {})", self.pick(&["dyn", "impl"]), self.bound(), self.lifetime()),
            18 => format!("Fn({}) -> {}", self.ty(depth + 1), self.ty(depth + 1)),
            _ => format!("::a::{}::<{}>::C", self.name(), self.argument(depth)),
        }
    }
}
