//! Layouts as text.

use std::fmt::Write;

use cbframe::abi::Signature;
use cbframe::parse::ParseError;

use super::known::Known;

type Explained = (Known, Result<Signature, ParseError>);

/// One line for each ABI, one column for each parameter.
pub(crate) fn overview(text: &str, explained: &[Explained]) -> String {
    let Some(first) = explained.iter().find_map(|(_, signature)| signature.as_ref().ok()) else { return String::new() };
    let names = first.layout().parameters().iter().enumerate().map(|(index, parameter)| match parameter.name {
        "" => format!("#{index}"),
        name => name.into(),
    });
    let heads: Vec<String> = ["".into()].into_iter().chain(names).chain(["returns".into()]).collect();
    let lines: Vec<_> = explained.iter().map(|(known, signature)| (known, cells(known, signature))).collect();
    let mut widths: Vec<usize> = heads.iter().map(|head| width(head)).collect();
    for cells in lines.iter().filter_map(|(_, cells)| cells.as_ref().ok()) {
        widths.iter_mut().zip(cells).for_each(|(most, cell)| *most = (*most).max(width(cell)));
    }
    widths[0] = lines.iter().map(|(known, _)| width(known.abi.name()) + 2).max().unwrap_or(0).max(widths[0]);

    let mut out = format!("{text}\n\n");
    line(&mut out, &heads, &widths);
    let mut target = None;
    for (known, cells) in lines {
        if target != Some(known.target) {
            writeln!(out, "{}", known.target).unwrap();
            target = Some(known.target);
        }
        match cells {
            Ok(cells) => line(&mut out, &cells, &widths),
            Err(why) => {
                writeln!(out, "{:most$}  refused: {why}", format!("  {}", known.abi.name()), most = widths[0]).unwrap();
            }
        }
    }
    out.push_str("\n→ stands before the place of the address of a value in memory.\n");
    out
}

/// The table of each ABI as [`cbframe::abi::Layout`] prints it.
pub(crate) fn detail(explained: &[Explained]) -> String {
    let mut out = String::new();
    for (known, signature) in explained {
        let before = if out.is_empty() { "" } else { "\n" };
        writeln!(out, "{before}{}", known.target).unwrap();
        match signature {
            Ok(signature) => writeln!(out, "{signature}").unwrap(),
            Err(error) => writeln!(out, "refused by {}: {}", known.abi, error.message()).unwrap(),
        }
    }
    out
}

/// The name, where each parameter is, and where the result is.
fn cells(known: &Known, signature: &Result<Signature, ParseError>) -> Result<Vec<String>, String> {
    let signature = signature.as_ref().map_err(|error| error.message().to_string())?;
    // The lines of the detailed table: what is behind the size of each.
    let detailed = signature.to_string();
    let mut places = detailed.lines().skip(1).filter_map(|line| Some(short(line.split_once(" B  ")?.1)));
    let result = places.next().unwrap_or_default();
    let name =
        format!("  {}", if signature.layout().abi() == known.abi { known.abi } else { signature.layout().abi() });
    Ok([name].into_iter().chain(places).chain([result]).collect())
}

/// A place in few words.
fn short(place: &str) -> String {
    place
        .replace("by reference; its address is in ", "→ ")
        .replace("by reference; its address is on the ", "→ ")
        .replace("in memory; its address arrives in ", "→ ")
        .replace("in memory; its address arrives on the ", "→ ")
        .replace(" and leaves in ", ", back in ")
        .replace("stack, ", "")
        .replace(" at entry", "")
        .replace("nothing (no bytes)", "-")
}

fn line(out: &mut String, cells: &[String], widths: &[usize]) {
    let mut line = String::new();
    for (cell, most) in cells.iter().zip(widths) {
        write!(line, "{cell}{}  ", " ".repeat(most.saturating_sub(width(cell)))).unwrap();
    }
    writeln!(out, "{}", line.trim_end()).unwrap();
}

fn width(text: &str) -> usize {
    text.chars().count()
}
