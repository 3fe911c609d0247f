//! Where each argument of a function lies, by every ABI that cbframe knows, on any host.
//!
//! ```text
//! cargo run --example explain -- 'double (*)(int, struct { float x, y; })'
//! ```

pub(crate) mod known;
mod leaves;
pub(crate) mod svg;
mod table;

use std::process::ExitCode;

use known::{Known, Language};
use svg::Card;

const HELP: &str = "\
usage: explain [options] SIGNATURE

SIGNATURE is a C prototype or function pointer type: 'int (*)(const void *, long)'

  --given TEXT   declarations that it speaks of: 'typedef struct { double x, y; } point;'; may be repeated
  --rust         both are Rust: 'extern \"C\" fn(*const u8, c_long) -> i32'
  --abi NAME     only this ABI, in detail: sysv64, win64, cdecl, aapcs64, Regcall; may be repeated
  --svg FILE     also a picture, of C on each target if no ABI is named; `-` prints it instead
  --columns N    how many ABIs are side by side in the picture: 3";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    signature: String,
    given: Vec<String>,
    language: Language,
    abis: Vec<String>,
    svg: Option<String>,
    columns: Option<usize>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut signature = None;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: of what?\n\n{HELP}"));
            match &argument[..] {
                "--given" => options.given.push(value()?),
                "--rust" => options.language = Language::Rust,
                "--abi" => options.abis.push(value()?),
                "--svg" => options.svg = Some(value()?),
                "--columns" => {
                    options.columns = Some(value()?.parse().map_err(|error| format!("--columns: {error}"))?);
                }
                "--help" | "-h" => return Err(HELP.into()),
                _ if argument.starts_with("--") => return Err(format!("{argument}: no such option\n\n{HELP}")),
                _ if signature.is_some() => return Err(format!("one signature at a time: quote it\n\n{HELP}")),
                _ => signature = Some(argument),
            }
        }
        options.signature = signature.ok_or(HELP)?;
        Ok(options)
    }
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What is printed for a command line.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> Result<String, String> {
    let options = Options::read(arguments)?;
    let Options { signature, given, language, abis, svg, columns } = &options;
    let chosen = known::chosen(abis)?;
    let explained: Vec<_> =
        chosen.into_iter().filter_map(|known| Some((known, known.signature(*language, given, signature)?))).collect();
    // What no ABI has is wrong in itself.
    if let [(_, Err(error)), ..] = &explained[..]
        && explained.iter().all(|(_, signature)| signature.is_err())
    {
        return Err(error.to_string());
    }
    if let Some(file) = svg {
        let cards: Vec<_> = explained
            .iter()
            .filter(|(known, _)| !abis.is_empty() || known.abi == known.target.c())
            .map(|(Known { target, .. }, signature)| Card {
                title: signature.as_ref().map_or_else(|_| target.c(), |it| it.layout().abi()).to_string(),
                subtitle: target.to_string(),
                layout: signature.as_ref().map(|it| it.layout()).map_err(|error| error.message().into()),
            })
            .collect();
        let heading = signature.split_whitespace().collect::<Vec<_>>().join(" ");
        let picture = svg::draw(&heading, &cards, columns.unwrap_or(3));
        if file == "-" {
            return Ok(picture);
        }
        std::fs::write(file, picture).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(if abis.is_empty() { table::overview(signature, &explained) } else { table::detail(&explained) })
}
