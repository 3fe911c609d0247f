//! Tests what knows signatures at run time only with signatures that are made up from a seed, against functions that gcc and clang
//! compile, in bulk: no Rust is compiled. C calls a `DynFrame`, and `Signature::call` calls C.

mod batch;
mod case;
mod options;
mod report;

use std::process::ExitCode;
use std::time::Instant;

use cbframe_signatures::made;
use cbframe_signatures::shrink;
use cbframe_signatures::signatures::{Signature, Target};
use cbframe_signatures::table::Table;
use cbframe_signatures::verdict::Verdict;

use crate::batch::{LEVELS, Workshop};
use crate::options::Options;
use crate::report::Totals;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut workshop = Workshop::new(&options);
    let (totals, failed) = test_all(&options, &mut workshop);
    println!("{totals}");
    let Some((index, lines)) = failed else { return ExitCode::SUCCESS };
    let (smallest, lines) =
        shrink(&mut workshop, made::of_c(&Table::new(Target::HOST), Target::HOST, options.seed, index), lines);
    println!("{}", report::failure(options.seed, index, &smallest, &lines));
    ExitCode::FAILURE
}

/// Tests what was asked for; the totals, and the first that failed, with what was wrong.
fn test_all(options: &Options, workshop: &mut Workshop) -> (Totals, Option<(u64, Vec<String>)>) {
    let (start, table) = (Instant::now(), Table::new(Target::HOST));
    let indices = options.indices();
    // One level for each batch: twice as many signatures say more than both levels for each.
    let levels = LEVELS.chunks(1).cycle();
    let mut batches = indices.chunks(options.batch).zip(levels).map(|(indices, levels)| {
        let signatures: Vec<_> =
            indices.iter().map(|index| made::of_c(&table, Target::HOST, options.seed, *index)).collect();
        (indices, signatures, levels)
    });
    let (mut totals, mut failed) = (Totals::default(), None);
    // The compilers work on the next batch while one is tested.
    let mut begin = |workshop: &mut Workshop| {
        let (indices, signatures, levels) = batches.next()?;
        let compiling = workshop.compile(&table, &signatures, levels);
        Some((indices, signatures, compiling))
    };
    let mut next = begin(workshop);
    while let Some((indices, signatures, compiling)) = next.take() {
        next = begin(workshop);
        let verdicts = workshop.judge(&table, &signatures, compiling, false);
        for ((index, signature), verdict) in indices.iter().zip(&signatures).zip(verdicts) {
            totals.add(signature, &verdict);
            if let Verdict::Failed(lines) = verdict {
                println!("signature {index} failed: {}", lines.first().map_or("", String::as_str));
                failed = failed.or(Some((*index, lines)));
            }
        }
        totals.elapsed = start.elapsed();
        eprintln!("{}", totals.line());
        if failed.is_some() {
            break;
        }
    }
    (totals, failed)
}

/// The smallest signature that still fails, as far as the reductions lead, and how it fails.
fn shrink(workshop: &mut Workshop, first: Signature, lines: Vec<String>) -> (Signature, Vec<String>) {
    let (table, mut how) = (Table::new(Target::HOST), lines);
    let mut fail = |signatures: &[Signature]| {
        let named = |(i, signature): (usize, &Signature)| Signature { name: format!("r{i}"), ..signature.clone() };
        let named: Vec<_> = signatures.iter().enumerate().map(named).collect();
        let compiling = workshop.compile(&table, &named, LEVELS);
        let verdicts = workshop.judge(&table, &named, compiling, true);
        verdicts.into_iter().enumerate().find_map(|(index, verdict)| match verdict {
            Verdict::Failed(lines) => {
                how = lines;
                Some(index)
            }
            _ => None,
        })
    };
    let fails_alone = fail(std::slice::from_ref(&first)).is_some();
    let smallest = if fails_alone { shrink::shrink(first, &table, &mut fail) } else { first };
    (smallest, how)
}
