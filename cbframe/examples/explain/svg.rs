//! Layouts as pictures: a card for each ABI, with its registers and its stack, and each value's bytes in its colour.
//!
//! Nothing here knows of the rest of the example: any layouts can be drawn.

use std::fmt::Write;

use cbframe::abi::{Abi, Architecture, Layout, Parameter, Part, Parts, Place, Pointer, Register};
use cbframe::types::{Kind, Type};

use super::leaves::{Leaf, leaves};

/// What one card shows.
pub(crate) struct Card<'a> {
    /// The convention.
    pub(crate) title: String,
    /// Where it is one.
    pub(crate) subtitle: String,
    /// The layout, or why there is none.
    pub(crate) layout: Result<Layout<'a>, String>,
}

/// Pixels: a byte, a line, and what is around them.
const CELL: usize = 19;
const LINE: usize = 25;
const BOX: usize = 20;
const MARGIN: usize = 16;
const LABEL: usize = 84;
/// The bytes in one line.
const BYTES: usize = 16;
const CARD: usize = 2 * MARGIN + LABEL + BYTES * CELL;
const CAPTION: usize = 22;
/// The width of a character of 11 and of 13 pixels, of a typical monospaced font.
const NARROW: f32 = 6.7;
const WIDE: f32 = 7.9;
/// No more words of one stack are drawn, and no more lines of one value in memory.
const MOST_WORDS: usize = 16;
const MOST_LINES: usize = 6;

/// What a colour is for: a parameter by its index, or the result.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Parameter(usize),
    Result,
}

/// Fills of parameters, which black text can be read on; told apart also by who does not see all colours.
pub(crate) const COLOURS: [&str; 12] = [
    "#8ecdf0", "#ffc857", "#8fd6a9", "#f5a08c", "#c9b3f0", "#d9d27a", "#f2a9d0", "#9ed9d3", "#e0b58f", "#b5c7ff",
    "#c2e07f", "#e3b7f2",
];

impl Owner {
    fn colour(self) -> &'static str {
        match self {
            Self::Parameter(index) => COLOURS[index % COLOURS.len()],
            Self::Result => "#b9c6d3",
        }
    }

    fn name(self, layout: &Layout<'_>) -> String {
        match self {
            Self::Result => "return".into(),
            Self::Parameter(index) => match layout.parameters()[index].name {
                "" => format!("#{index}"),
                name => name.into(),
            },
        }
    }
}

/// Bytes in a row that belong together.
#[derive(Clone)]
struct Run {
    /// The first byte in its line, and how many.
    at: usize,
    len: usize,
    look: Look,
    /// What to write on it, the longest first.
    texts: Vec<String>,
}

#[derive(Clone, Copy)]
enum Look {
    /// Bytes of a value; every other field is lighter.
    Value(Owner, bool),
    /// The address of a value.
    Address(Owner),
    /// Nobody's: the return address, home space.
    Reserved,
}

/// A register, or a word of memory.
struct Row {
    label: String,
    bytes: usize,
    runs: Vec<Run>,
}

/// Rows under a caption.
struct Section {
    caption: &'static str,
    rows: Vec<Row>,
}

/// Draws the cards in so many columns, under a heading and what the colours mean.
pub(crate) fn draw(heading: &str, cards: &[Card<'_>], columns: usize) -> String {
    let columns = columns.clamp(1, cards.len().max(1));
    let width = columns * CARD + (columns + 1) * MARGIN;
    let mut body = String::new();
    let mut y = MARGIN + 14;
    for line in wrap(heading, (width - 2 * MARGIN) as f32 / WIDE) {
        text(&mut body, MARGIN, y, "heading", &line);
        y += 19;
    }
    y = legend(&mut body, cards, width, y + 4);
    for cards in cards.chunks(columns) {
        let sections: Vec<_> = cards.iter().map(|card| card.layout.as_ref().map(sections)).collect();
        let height = sections.iter().map(|card| height(card)).max().unwrap_or_default();
        for (column, (card, sections)) in cards.iter().zip(&sections).enumerate() {
            draw_card(&mut body, MARGIN + column * (CARD + MARGIN), y, height, card, sections);
        }
        y += height + MARGIN;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" width=\"{width}\" height=\"{y}\" \
         role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" \
         y2=\"6\"/></pattern></defs>\n{body}</svg>\n",
        escape(heading)
    )
}

/// Readable on a light and on a dark page.
const STYLE: &str = "
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 11px; fill: #1f2328 }
.heading { font-size: 13px; font-weight: bold }
.title { font-size: 13px; font-weight: bold }
.muted { fill: #59636e }
.label { text-anchor: end }
.on { text-anchor: middle; fill: #1f2328 }
.at { text-anchor: middle }
.card { fill: #ffffff; stroke: #d1d9e0 }
.byte { fill: #f1f4f7; stroke: #d1d9e0 }
.hatch { stroke: #b4bec8; stroke-width: 2 }
.tick { stroke: #1f2328; stroke-opacity: .13 }
.edge { fill: none; stroke: #1f2328; stroke-opacity: .45 }
.dashed { stroke-dasharray: 3 2; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.muted { fill: #9198a1 }
.on { fill: #1f2328 }
.card { fill: #161b22; stroke: #3d444d }
.byte { fill: #0d1117; stroke: #3d444d }
.hatch { stroke: #4c5560 }
}
";

/// What the colours mean, in lines that are not too long; gives where the next thing can be.
fn legend(out: &mut String, cards: &[Card<'_>], width: usize, mut y: usize) -> usize {
    let Some(layout) = cards.iter().find_map(|card| card.layout.as_ref().ok()) else { return y };
    let parameters = (0..layout.parameters().len()).map(Owner::Parameter);
    let has_result = layout.result().ty.size > 0;
    let mut x = MARGIN;
    for owner in parameters.chain(has_result.then_some(Owner::Result)) {
        let ty = match owner {
            Owner::Parameter(index) => layout.parameters()[index].ty,
            Owner::Result => layout.result().ty,
        };
        let what = clip(&format!("{}: {}", owner.name(layout), ty.name), (width - 2 * MARGIN - 20) as f32 / NARROW);
        let needed = 20 + (what.chars().count() as f32 * NARROW) as usize;
        if x > MARGIN && x + needed > width - MARGIN {
            (x, y) = (MARGIN, y + 20);
        }
        let fill = owner.colour();
        writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"13\" height=\"13\" rx=\"3\" fill=\"{fill}\"/>").unwrap();
        text(out, x + 19, y + 11, "", &what);
        x += needed + 18;
    }
    y + 13 + MARGIN
}

fn height(sections: &Result<Vec<Section>, &String>) -> usize {
    MARGIN
        + 22
        + match sections {
            Ok(sections) => {
                let rows = sections.iter().flat_map(|section| &section.rows).map(|row| lines(row) * LINE);
                rows.sum::<usize>() + sections.len() * CAPTION + 4
            }
            Err(why) => wrap_refusal(why).len() * 16 + 8,
        }
        + MARGIN / 2
}

/// How many lines of 16 bytes a row has.
fn lines(row: &Row) -> usize {
    row.bytes.div_ceil(BYTES).max(1)
}

fn draw_card(
    out: &mut String,
    x: usize,
    y: usize,
    height: usize,
    card: &Card<'_>,
    sections: &Result<Vec<Section>, &String>,
) {
    writeln!(out, "<g><rect class=\"card\" x=\"{x}\" y=\"{y}\" width=\"{CARD}\" height=\"{height}\" rx=\"8\"/>")
        .unwrap();
    let (left, mut y) = (x + MARGIN, y + MARGIN + 10);
    text(out, left, y, "title", &card.title);
    let behind = left + (card.title.chars().count() as f32 * WIDE) as usize + 10;
    text(out, behind, y, "muted", &card.subtitle);
    y += 12;
    match sections {
        Err(why) => {
            for line in wrap_refusal(why) {
                y += 16;
                text(out, left, y, "muted", &line);
            }
        }
        Ok(sections) => {
            for Section { caption, rows } in sections {
                text(out, left, y + 15, "muted", caption);
                y += CAPTION;
                for row in rows {
                    draw_row(out, left, y, row);
                    y += lines(row) * LINE;
                }
            }
        }
    }
    out.push_str("</g>\n");
}

fn draw_row(out: &mut String, left: usize, y: usize, row: &Row) {
    text(out, left + LABEL - 8, y + 14, "label", &clip(&row.label, (LABEL - 8) as f32 / NARROW));
    let start = left + LABEL;
    for line in 0..row.bytes.div_ceil(BYTES) {
        let (first, end) = (line * BYTES, row.bytes.min((line + 1) * BYTES));
        let y = y + line * LINE;
        let width = (end - first) * CELL;
        writeln!(out, "<rect class=\"byte\" x=\"{start}\" y=\"{y}\" width=\"{width}\" height=\"{BOX}\" rx=\"3\"/>")
            .unwrap();
        for run in &row.runs {
            let (from, to) = (run.at.max(first), (run.at + run.len).min(end));
            if from < to {
                let next = row.runs.iter().map(|other| other.at).filter(|at| *at >= to).min().unwrap_or(end);
                draw_run(out, start + (from - first) * CELL, y, to - from, next.min(end) - to, run);
            }
        }
    }
}

/// Behind the bytes of the run, so many are `free`.
fn draw_run(out: &mut String, x: usize, y: usize, bytes: usize, free: usize, run: &Run) {
    let width = bytes * CELL;
    let place = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BOX}\" rx=\"3\"");
    let class = match run.look {
        Look::Value(owner, lighter) => {
            writeln!(out, "<rect class=\"value\" {place} fill=\"{}\"/>", owner.colour()).unwrap();
            if lighter {
                writeln!(out, "<rect {place} fill=\"#ffffff\" fill-opacity=\".45\"/>").unwrap();
            }
            for byte in 1..bytes {
                let x = x + byte * CELL;
                writeln!(out, "<line class=\"tick\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\"/>", y + 15, y + BOX)
                    .unwrap();
            }
            writeln!(out, "<rect class=\"edge\" {place}/>").unwrap();
            "on"
        }
        Look::Address(owner) => {
            let fill = owner.colour();
            writeln!(out, "<rect class=\"value\" {place} fill=\"{fill}\" fill-opacity=\".22\"/>").unwrap();
            writeln!(out, "<rect class=\"dashed\" {place} fill=\"none\" stroke=\"{fill}\"/>").unwrap();
            "at"
        }
        Look::Reserved => {
            writeln!(out, "<rect class=\"value\" {place} fill=\"url(#hatch)\"/>").unwrap();
            "at muted"
        }
    };
    let fits = |width: usize| {
        run.texts.iter().find(move |text| text.chars().count() as f32 * NARROW <= width as f32 - 2.0) //
    };
    if let Some(fits) = fits(width) {
        // A hatch runs through no text.
        if matches!(run.look, Look::Reserved) {
            let behind = (fits.chars().count() as f32 * NARROW) as usize + 8;
            let x = x + (width - behind) / 2;
            writeln!(
                out,
                "<rect class=\"card\" x=\"{x}\" y=\"{}\" width=\"{behind}\" height=\"14\" stroke-opacity=\"0\"/>",
                y + 3
            )
            .unwrap();
        }
        text(out, x + width / 2, y + 13, class, fits);
    } else if let Some(fits) = fits((free * CELL).saturating_sub(6)) {
        text(out, x + width + 5, y + 13, "", fits);
    }
}

fn text(out: &mut String, x: usize, y: usize, class: &str, what: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    writeln!(out, "<text{class} x=\"{x}\" y=\"{y}\">{}</text>", escape(what)).unwrap();
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn wrap_refusal(why: &str) -> Vec<String> {
    wrap(&format!("refused: {why}"), (CARD - 2 * MARGIN) as f32 / NARROW)
}

/// At most so many characters of a text.
fn clip(text: &str, most: f32) -> String {
    if text.chars().count() as f32 <= most {
        return text.into();
    }
    text.chars().take(most as usize - 1).chain(['…']).collect()
}

/// Lines of at most so many characters, broken between words.
fn wrap(text: &str, most: f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word = &clip(word, most);
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if ((line.chars().count() + 1 + word.chars().count()) as f32) <= most {
            write!(line, " {word}").unwrap();
        } else {
            lines.push(word.into());
        }
    }
    lines
}

/// What is in a card.
fn sections(layout: &Layout<'_>) -> Vec<Section> {
    let mut drawing = Drawing::new(layout);
    if let Place::Hidden { arrives, .. } = layout.result().place {
        drawing.address(arrives, Owner::Result);
    }
    for (index, Parameter { ty, place, .. }) in layout.parameters().iter().enumerate() {
        drawing.parameter(Owner::Parameter(index), ty, place);
    }
    drawing.finish()
}

/// A card that is being filled.
struct Drawing<'a> {
    layout: &'a Layout<'a>,
    architecture: Architecture,
    word: usize,
    registers: Vec<(Register, Row)>,
    /// Runs by their offset in the arguments on the stack.
    stack: Vec<Run>,
    memory: Vec<Row>,
}

impl<'a> Drawing<'a> {
    fn new(layout: &'a Layout<'a>) -> Self {
        let abi = layout.abi();
        let (architecture, word) = (abi.architecture(), abi.pointer_size());
        Self { layout, architecture, word, registers: Vec::new(), stack: Vec::new(), memory: Vec::new() }
    }

    fn parameter(&mut self, owner: Owner, ty: &Type, place: &Place) {
        match *place {
            Place::Registers(parts) => self.parts(owner, ty, &parts),
            Place::Stack(offset) => self.on_stack(owner, ty, offset as usize, 0),
            Place::Split(parts, offset) => {
                self.parts(owner, ty, &parts);
                let before = parts.as_slice().iter().map(|part| usize::from(part.size)).sum();
                self.on_stack(owner, ty, offset as usize, before);
            }
            Place::Reference(pointer) => {
                self.address(pointer, owner);
                self.in_memory(owner, ty);
            }
            _ => {}
        }
    }

    fn parts(&mut self, owner: Owner, ty: &Type, parts: &Parts) {
        let name = owner.name(self.layout);
        for part in parts.as_slice() {
            self.register(part, in_register(owner, &name, ty, part));
        }
    }

    /// Adds what is in a register.
    fn register(&mut self, part: &Part, runs: Vec<Run>) {
        if let Some((_, row)) = self.registers.iter_mut().find(|(register, _)| *register == part.register) {
            row.runs.extend(runs);
            return;
        }
        let row = Row { label: self.name(part), bytes: self.width(part), runs };
        self.registers.push((part.register, row));
    }

    /// The name of a whole register; of Arm's, the one that is as large as the piece.
    fn name(&self, part: &Part) -> String {
        match self.architecture {
            Architecture::Arm => {
                Place::Registers(Parts::whole(part.register, part.size.into())).on(self.architecture).to_string()
            }
            _ if part.size > 16 => {
                Place::Registers(Parts::whole(part.register, part.size.into())).on(self.architecture).to_string()
            }
            architecture => part.register.on(architecture).to_string(),
        }
    }

    /// How many bytes of a register are drawn.
    fn width(&self, part: &Part) -> usize {
        let size = usize::from(part.size);
        match (part.register, self.architecture) {
            (Register::Integer(_), _) => self.word,
            (Register::X87(_), _) => 10,
            (_, Architecture::Arm) => size,
            (_, Architecture::Riscv64) => 8,
            _ => 16.max(size),
        }
    }

    fn address(&mut self, pointer: Pointer, owner: Owner) {
        let name = owner.name(self.layout);
        let name = if owner == Owner::Result { "the result".into() } else { name };
        let texts = vec![format!("address of {name}"), format!("→ {name}"), "→".into()];
        let run = |at| Run { at, len: self.word, look: Look::Address(owner), texts };
        match pointer {
            Pointer::Register(register) => {
                let runs = vec![run(0)];
                self.register(&Part { register, offset: 0, size: self.word as u16 }, runs);
            }
            Pointer::Stack(offset) => {
                let run = run(offset as usize);
                self.stack.push(run);
            }
        }
    }

    /// The bytes from `from` on of a value, on the stack.
    fn on_stack(&mut self, owner: Owner, ty: &Type, offset: usize, from: usize) {
        let name = owner.name(self.layout);
        self.stack.extend(runs(owner, &name, ty, from, ty.size - from, offset));
    }

    fn in_memory(&mut self, owner: Owner, ty: &Type) {
        let name = owner.name(self.layout);
        self.memory.extend(value(owner, &name, ty, &name));
    }

    fn finish(mut self) -> Vec<Section> {
        // General registers first, as they are in every ABI's documentation.
        self.registers.sort_by_key(|(register, _)| match register {
            Register::Integer(_) => 0,
            Register::Vector(_) => 1,
            _ => 2,
        });
        let registers = std::mem::take(&mut self.registers).into_iter().map(|(_, row)| row).collect();
        let stack = self.stack_rows();
        let memory = std::mem::take(&mut self.memory);
        let result = self.result();
        [
            ("registers at entry", registers),
            ("stack at entry", stack),
            ("in the caller's memory", memory),
            ("result", result),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(caption, rows)| Section { caption, rows })
        .collect()
    }

    /// Bytes that the callee may use, below the arguments.
    fn home(&self) -> usize {
        match self.layout.abi() {
            Abi::Win64 => 32,
            Abi::Named(convention) => convention.home as usize,
            _ => 0,
        }
    }

    /// `[rsp+8]`
    fn at(&self, offset: usize) -> String {
        let text = Pointer::Stack(offset as u32).on(self.architecture).to_string();
        let bracket = text.find('[').and_then(|start| Some(start..text.find(']')? + 1));
        bracket.map_or(text.clone(), |range| text[range].into())
    }

    fn stack_rows(&mut self) -> Vec<Row> {
        let stack = std::mem::take(&mut self.stack);
        let (home, word) = (self.home(), self.word);
        let end = stack.iter().map(|run| run.at + run.len).max().unwrap_or(home).max(home);
        if end == 0 {
            return Vec::new();
        }
        let reserved = |label: String, text: &str| {
            let run = Run { at: 0, len: word, look: Look::Reserved, texts: vec![text.into()] };
            Row { label, bytes: word, runs: vec![run] }
        };
        let mut rows = Vec::new();
        if matches!(self.architecture, Architecture::X86 | Architecture::X86_64) {
            let below = if word == 8 { "[rsp]" } else { "[esp]" };
            let texts = if word == 8 { "return address" } else { "return" };
            rows.push(reserved(below.into(), texts));
        }
        if home > 0 {
            rows.push(reserved(self.at(0), &format!("home space, {home} B")));
        }
        for offset in (home..end).step_by(word) {
            if rows.len() >= MOST_WORDS && offset + word < end {
                rows.push(more(end - offset));
                break;
            }
            let within = |run: &Run| {
                let (from, to) = (run.at.max(offset), (run.at + run.len).min(offset + word));
                (from < to).then(|| Run { at: from - offset, len: to - from, ..run.clone() })
            };
            rows.push(Row { label: self.at(offset), bytes: word, runs: stack.iter().filter_map(within).collect() });
        }
        rows
    }

    fn result(&self) -> Vec<Row> {
        let Parameter { ty, place, .. } = self.layout.result();
        match *place {
            Place::Registers(parts) => {
                let row = |part: &Part| Row {
                    label: self.name(part),
                    bytes: self.width(part),
                    runs: in_register(Owner::Result, "return", ty, part),
                };
                parts.as_slice().iter().map(row).collect()
            }
            Place::Hidden { leaves, .. } => {
                let leaves = leaves.map(|register| {
                    let texts = vec!["address of the result".into(), "→ result".into(), "→".into()];
                    let run = Run { at: 0, len: self.word, look: Look::Address(Owner::Result), texts };
                    Row { label: register.on(self.architecture).to_string(), bytes: self.word, runs: vec![run] }
                });
                leaves.into_iter().chain(value(Owner::Result, "return", ty, "memory")).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a register holds of a value.
fn in_register(owner: Owner, name: &str, ty: &Type, part: &Part) -> Vec<Run> {
    let mut runs = runs(owner, name, ty, part.offset.into(), part.size.into(), 0);
    // It is there in the format of the x87, however large it is in memory.
    if let (Register::X87(_), [run]) = (part.register, &mut runs[..]) {
        run.len = 10;
        run.texts.insert(0, format!("{name}, as 80 bits"));
    }
    runs
}

/// A line that stands for what is not drawn.
fn more(bytes: usize) -> Row {
    Row { label: format!("… {bytes} B"), bytes: 0, runs: Vec::new() }
}

/// A value in memory, as far as it is drawn.
fn value(owner: Owner, name: &str, ty: &Type, label: &str) -> Vec<Row> {
    let drawn = ty.size.min(MOST_LINES * BYTES);
    let row = Row { label: label.into(), bytes: drawn, runs: runs(owner, name, ty, 0, drawn, 0) };
    let rest = (drawn < ty.size).then(|| more(ty.size - drawn));
    [row].into_iter().filter(|row| row.bytes > 0).chain(rest).collect()
}

/// The fields of the bytes `from..from + size` of a value, of which the first is drawn at `at`.
fn runs(owner: Owner, name: &str, ty: &Type, from: usize, size: usize, at: usize) -> Vec<Run> {
    let is_whole = !matches!(ty.kind, Kind::Struct { .. } | Kind::Union { .. } | Kind::Complex { .. });
    let end = from + size;
    leaves(ty, end)
        .into_iter()
        .enumerate()
        .filter(|(_, leaf)| leaf.offset < end && from < leaf.offset + leaf.size)
        .map(|(index, Leaf { path, offset, size })| {
            let (first, last) = (offset.max(from), (offset + size).min(end));
            let texts = if is_whole || path.is_empty() {
                let is_part = last - first < size;
                let bytes = format!("{name}[{}..{}]", first - offset, last - offset);
                is_part.then_some(bytes).into_iter().chain([name.into()]).collect()
            } else {
                let short = path.rsplit('.').next().unwrap_or_default().to_string();
                vec![format!("{name}.{path}"), path, short]
            };
            Run { at: at + first - from, len: last - first, look: Look::Value(owner, index % 2 == 1), texts }
        })
        .collect()
}
