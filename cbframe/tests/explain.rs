//! What `examples/explain` prints and draws.

#[allow(dead_code, reason = "`main`")]
#[path = "../examples/explain/main.rs"]
mod explain;

use std::collections::HashMap;
use std::path::Path;

use roxmltree::{Document, Node};

fn run(arguments: &[&str]) -> Result<String, String> {
    explain::run(arguments.iter().map(ToString::to_string))
}

/// The cells of the line of this ABI on this target, which are two spaces apart at least.
fn cells(overview: &str, target: &str, abi: &str) -> Vec<String> {
    let lines = overview.lines().skip_while(|line| *line != target).skip(1);
    let line = lines.take_while(|line| line.starts_with("  ")).find(|line| line.trim().starts_with(abi));
    let line = line.unwrap_or_else(|| panic!("no line for {abi} on {target}:\n{overview}"));
    line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).skip(1).map(String::from).collect()
}

/// By the documents that `cbframe::abi::Abi` names.
#[test]
fn overview() {
    let text = run(&["double (*)(int, struct { float x, y; })"]).unwrap();
    assert!(text.starts_with("double (*)(int, struct { float x, y; })\n\n"), "{text}");
    assert_eq!(text.lines().nth(2).unwrap().split_whitespace().collect::<Vec<_>>(), ["#0", "#1", "returns"]);
    for (target, abi, expected) in [
        // psABI, 3.2.3: one eightbyte of class SSE.
        ("x86-64 Unix", "sysv64", ["edi", "xmm0 (x, y)", "xmm0"]),
        // A struct of 8 bytes is passed as an integer of that size.
        ("x86-64 Windows", "win64", ["ecx", "rdx (x, y)", "xmm0"]),
        // A homogeneous vector aggregate.
        ("x86-64 Windows", "Vectorcall", ["ecx", "xmm0 (x), xmm1 (y)", "xmm0"]),
        // All on the stack; floats are returned on that of the x87.
        ("32-bit x86 Linux", "cdecl", ["[esp+4]", "[esp+8]", "st(0)"]),
        ("32-bit x86 Linux", "fastcall", ["ecx", "[esp+4]", "st(0)"]),
        // A homogeneous floating-point aggregate.
        ("AArch64 Linux", "aapcs64", ["w0", "s0 (x), s1 (y)", "d0"]),
        // "A struct containing two floating-point reals is passed in two floating-point registers".
        ("64-bit RISC-V Linux", "lp64d", ["a0", "fa0 (x), fa1 (y)", "fa0"]),
        ("32-bit Arm Linux, soft float", "aapcs", ["r0", "r1 (x), r2 (y)", "r0, r1"]),
        ("32-bit Arm Linux, hard float", "aapcs-vfp", ["r0", "s0 (x), s1 (y)", "d0"]),
    ] {
        assert_eq!(cells(&text, target, abi), expected, "{target}, {abi}\n{text}");
    }
    let refused = "refused: parameter #1 has the type `struct {…}`: `Regcall` has no place";
    assert!(cells(&text, "x86-64 Unix", "Regcall")[0].starts_with(refused), "{text}");
    // Each ABI of each target has its line.
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), explain::known::all().len() + 1);
}

/// `long` and results in memory.
#[test]
fn types_of_targets() {
    let given = "typedef struct { long a, b, c; } three;";
    let text = run(&["--given", given, "three f(three by, long n)"]).unwrap();
    assert_eq!(cells(&text, "x86-64 Unix", "sysv64"), ["[rsp+8]", "rsi", "→ rdi, back in rax"]);
    // 12 bytes there.
    assert_eq!(cells(&text, "x86-64 Windows", "win64"), ["→ rdx", "r8d", "→ rcx, back in rax"]);
    assert_eq!(cells(&text, "AArch64 Linux", "aapcs64"), ["→ x0", "x1", "→ x8"]);
    assert_eq!(cells(&text, "32-bit x86 Linux", "cdecl"), ["[esp+8]", "[esp+20]", "→ [esp+4], back in eax"]);
}

#[test]
fn options() {
    let detail = run(&["--abi", "WIN64", "--abi", "regcall", "int f(int a, double b)"]).unwrap();
    assert_eq!(
        detail,
        "\
x86-64 Windows
win64 fn(a: i32, b: f64) -> i32
  return  i32  4 B  eax
  a       i32  4 B  ecx
  b       f64  8 B  xmm1

x86-64 Unix
Regcall fn(a: i32, b: f64) -> i32
  return  i32  4 B  eax
  a       i32  4 B  eax
  b       f64  8 B  xmm0
"
    );
    let rust = ["--rust", "--given", "#[repr(C)] struct P(c_long, u8);", "extern \"C\" fn(p: P, &u8) -> c_long"];
    let text = run(&rust).unwrap();
    assert_eq!(cells(&text, "x86-64 Unix", "sysv64"), ["rdi (0), rsi (1)", "rdx", "rax"]);
    assert_eq!(cells(&text, "x86-64 Windows", "win64"), ["rcx (0, 1)", "rdx", "eax"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), 9 + 1, "one for each target");
    // A convention that is written down is shown once.
    let text = run(&["int __attribute__((ms_abi)) f(int)"]).unwrap();
    assert_eq!(cells(&text, "x86-64 Unix", "win64"), ["ecx", "eax"]);
    for (arguments, expected) in [
        (&["--abi", "sysv32", "int f(int)"][..], "there is no ABI `sysv32` here: there are GoInternal, "),
        (&["int f(int", "x"], "one signature at a time"),
        (&["--svg"], "--svg: of what?"),
        (&["--colour", "int f(int)"], "--colour: no such option"),
        (&[], "usage: explain"),
        (
            &["int f(int, foo x)"],
            "parameter #1, `x`: there is no type `foo`: declare it first\n  |\n1 | int f(int, foo x)\n  |            ^^^",
        ),
    ] {
        let error = run(arguments).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// A rectangle.
#[derive(Debug)]
struct Area {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Area {
    fn of(node: Node<'_, '_>) -> Self {
        let number = |name| -> f32 { node.attribute(name).unwrap_or("0").parse().unwrap() };
        let (left, top) = (number("x"), number("y"));
        if node.has_tag_name("text") {
            let width = 6.7 * node.text().unwrap_or_default().chars().count() as f32;
            let before = match node.attribute("class").unwrap_or_default() {
                "label" => width,
                class if class.starts_with("at") || class.starts_with("on") => width / 2.0,
                _ => 0.0,
            };
            return Self { left: left - before, top: top - 9.0, right: left - before + width, bottom: top + 2.0 };
        }
        Self { left, top, right: left + number("width"), bottom: top + number("height") }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_within(&self, other: &Self) -> bool {
        other.left <= self.left && self.right <= other.right && other.top <= self.top && self.bottom <= other.bottom
    }
}

fn assert_apart(areas: &[(Area, String)]) {
    for (i, (a, what)) in areas.iter().enumerate() {
        for (b, other) in &areas[..i] {
            assert!(!a.overlaps(b), "{what} at {a:?} and {other} at {b:?}");
        }
    }
}

/// Fails unless it is XML, everything is where it can be seen, and no two things are at the same place; gives for each card and
/// colour how many bytes are drawn.
fn check(svg: &str) -> Vec<(String, HashMap<String, f32>)> {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let root = document.root_element();
    let number = |name| -> f32 { root.attribute(name).unwrap().parse().unwrap() };
    let picture = Area { left: 0.0, top: 0.0, right: number("width"), bottom: number("height") };
    let name = |node: Node<'_, '_>| node.text().unwrap_or("a rectangle").to_string();
    let all = |of: Node<'_, '_>, tag: &'static str| {
        of.children().filter(|node| node.has_tag_name(tag)).map(|node| (Area::of(node), name(node))).collect::<Vec<_>>()
    };
    let class = |node: &Node<'_, '_>, class: &str| node.attribute("class") == Some(class);
    let mut cards = Vec::new();
    let mut bytes = Vec::new();
    for card in root.children().filter(|node| node.has_tag_name("g")) {
        let frame = Area::of(card.first_element_child().unwrap());
        assert!(frame.is_within(&picture));
        let texts = all(card, "text");
        for (area, what) in texts.iter().chain(&all(card, "rect")) {
            assert!(area.is_within(&frame), "{what} at {area:?} is outside of {frame:?}");
        }
        assert_apart(&texts);
        let values: Vec<_> = card.children().filter(|node| class(node, "value")).collect();
        assert_apart(&values.iter().map(|value| (Area::of(*value), "a value".into())).collect::<Vec<_>>());
        let mut drawn = HashMap::new();
        for value in values.into_iter().filter(|value| value.attribute("fill-opacity").is_none()) {
            let Area { left, right, .. } = Area::of(value);
            *drawn.entry(value.attribute("fill").unwrap().to_string()).or_default() += (right - left) / 19.0;
        }
        bytes.push((texts[0].1.clone(), drawn));
        cards.push((frame, texts[0].1.clone()));
    }
    assert_apart(&cards);
    let around = all(root, "text");
    assert!(around.iter().all(|(area, _)| area.is_within(&picture)), "{around:?}");
    around.iter().for_each(|(area, what)| assert!(cards.iter().all(|(card, _)| !card.overlaps(area)), "{what}"));
    assert_apart(&around);
    bytes
}

/// Every byte of every value is drawn once, in its colour.
#[test]
fn pictures() {
    let given = "typedef struct { double x; float y; short z; } point;";
    for (text, sizes) in [
        ("double (*)(int, struct { float x, y; })", &[4.0, 8.0][..]),
        ("point move(point at, char tag, const char *name, point *to)", &[14.0, 1.0]),
        (
            "void f(struct { char all[12]; } a, _Complex double b, int c, int d, int e, int f, int g, int h)",
            &[12.0, 16.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0],
        ),
        ("struct { long long a, b, c; } f(short x, union { int i; double d; } u, float y)", &[2.0, 8.0, 4.0]),
        ("int log(int level, const char *text, ...)", &[4.0, 0.0]),
        ("void f(void)", &[]),
        (
            "void f(struct { int x[2]; struct { char c; double d; } in; } a_name_that_is_longer_than_any_box_in_the_picture)",
            &[17.0],
        ),
    ] {
        for columns in ["1", "2", "3", "20"] {
            let svg = run(&["--given", given, "--columns", columns, "--svg", "-", text]).unwrap();
            let cards = check(&svg);
            assert_eq!(cards.len(), 9);
            for (card, drawn) in cards {
                for (index, size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0.0) {
                    let colour = explain::svg::COLOURS[index];
                    // Unions are one part, as large as they are.
                    assert_eq!(drawn.get(colour), Some(size), "#{index} of {text} in {card}: {drawn:?}");
                }
            }
        }
    }
    let long = "a".repeat(300);
    check(&run(&["--svg", "-", &format!("void f(struct {long} {{ int {long}; }} {long})")]).unwrap());
    // Refusals, markup in the text, more colours than there are.
    let many: Vec<_> = (0..30).map(|i| format!("int p{i}")).collect();
    check(&run(&["--svg", "-", &format!("int f({})", many.join(", "))]).unwrap());
    let svg =
        run(&["--abi", "sysv64", "--abi", "Regcall", "--svg", "-", "int f(struct { int a[1 << 2 & 7]; } \"<&\"x)"]);
    assert!(svg.unwrap_err().contains("`\"<&\"` where"));
    let svg =
        run(&["--abi", "sysv64", "--abi", "Regcall", "--svg", "-", "int f(struct { int a[1 << 2 & 7]; } x)"]).unwrap();
    check(&svg);
    assert!(svg.contains("1 &lt;&lt; 2 &amp; 7") && svg.contains("refused: "), "{svg}");
    check(&run(&["--svg", "-", "void f(struct { char all[100000]; } x, struct { double d[300]; } y)"]).unwrap());
}

/// The picture in README.md is what the program draws today; `UPDATE_SNAPSHOTS=1` draws it anew.
#[test]
fn picture_of_the_readme() {
    let readme = include_str!("../../README.md");
    let line = readme.lines().find_map(|line| line.strip_prefix("$ cargo run --example explain -- ")).unwrap();
    // The shell's words: single quotes only.
    let mut arguments: Vec<String> = Vec::new();
    for (i, piece) in line.split('\'').enumerate() {
        match i % 2 {
            0 => arguments.extend(piece.split_whitespace().map(String::from)),
            _ => arguments.push(piece.into()),
        }
    }
    let file = arguments.iter().position(|argument| argument == "--svg").expect("a picture") + 1;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&arguments[file]);
    assert!(readme.contains(&format!("]({})", arguments[file])), "the picture is shown");
    arguments[file] = "-".into();
    let drawn = explain::run(arguments.into_iter()).unwrap();
    check(&drawn);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == drawn,
        "{} is not what the program draws: run this with UPDATE_SNAPSHOTS=1, and look",
        path.display()
    );
}
