//! Tests cbframe with signatures that are made up from a seed, against gcc and clang.

mod batch;
mod options;
mod report;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use cbframe_signatures::compilers::Compiler;
use cbframe_signatures::signatures::Signature;
use cbframe_signatures::table::Table;
use cbframe_signatures::verdict::Verdict;
use cbframe_signatures::{made, shrink};

use crate::batch::{Profile, Workshop};
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
    let workshop = match Workshop::new(&options) {
        Ok(workshop) => workshop,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let indices: Vec<u64> = match options.index {
        Some(index) => vec![index],
        None => (0..).filter(|index| options.takes(*index)).take(options.count).collect(),
    };
    let (totals, failed) = run_all(&options, &workshop, &indices);
    println!("{totals}");
    let Some((index, profile)) = failed.into_iter().min() else { return ExitCode::SUCCESS };
    let table = Table::new(options.made_for());
    let first = made::signature(&table, options.made_for(), options.seed, index);
    println!("{}", report::failure(&options, &workshop, index, profile, &shrink(&workshop, &table, first, profile)));
    ExitCode::FAILURE
}

/// Tests the signatures with these indices, and gives the totals and those that failed.
fn run_all(options: &Options, workshop: &Workshop, indices: &[u64]) -> (Totals, Vec<(u64, Profile)>) {
    let (start, next, enough) = (Instant::now(), AtomicUsize::new(0), AtomicBool::new(false));
    let sum = Mutex::new((Totals::default(), Vec::new()));
    let batches: Vec<_> = indices.chunks(options.batch).collect();
    let work = |worker: usize| {
        let table = Table::new(options.made_for());
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed))
            && !enough.load(Ordering::Relaxed)
        {
            let signatures: Vec<_> =
                batch.iter().map(|index| made::signature(&table, options.made_for(), options.seed, *index)).collect();
            let verdicts = workshop.judge(worker, &table, &signatures, &Profile::ALL, false);
            let mut sum = sum.lock().expect("no worker panics");
            let (totals, failed) = &mut *sum;
            for (i, (index, signature)) in batch.iter().zip(&signatures).enumerate() {
                totals.add(signature, [&verdicts[0][i], &verdicts[1][i]]);
                for (profile, verdicts) in Profile::ALL.into_iter().zip(&verdicts) {
                    if let Verdict::Failed(lines) = &verdicts[i] {
                        println!("signature {index} failed, {profile:?}: {}", lines.first().map_or("", String::as_str));
                        failed.push((*index, profile));
                        enough.store(true, Ordering::Relaxed);
                    }
                }
            }
            totals.elapsed = start.elapsed();
            eprintln!("{}", totals.line());
        }
    };
    std::thread::scope(|scope| {
        (0..options.jobs).for_each(|worker| drop(scope.spawn(move || work(worker))));
    });
    sum.into_inner().expect("no worker panics")
}

/// The smallest signature that still fails, as far as the reductions lead, and how it fails.
fn shrink(workshop: &Workshop, table: &Table, first: Signature, profile: Profile) -> (Signature, Vec<String>) {
    let mut how = None;
    let mut fail = |signatures: &[Signature]| {
        eprintln!("shrinking: {} reductions", signatures.len());
        let named = |(i, signature): (usize, &Signature)| Signature { name: format!("r{i}"), ..signature.clone() };
        let named: Vec<_> = signatures.iter().enumerate().map(named).collect();
        let verdicts = workshop.judge(0, table, &named, &[profile], true).swap_remove(0);
        verdicts.into_iter().enumerate().find_map(|(index, verdict)| match verdict {
            Verdict::Failed(lines) => {
                how = Some(lines);
                Some(index)
            }
            _ => None,
        })
    };
    let fails_alone = fail(std::slice::from_ref(&first)).is_some();
    let smallest = if fails_alone { shrink::shrink(first, table, &mut fail) } else { first };
    (smallest, how.unwrap_or_else(|| vec!["it did not fail when it was alone".into()]))
}

/// Why a compiler calls no callbacks of this signature, for each that does not.
fn refusals(signature: &Signature) -> impl Iterator<Item = (Compiler, &'static str)> {
    Compiler::ALL.into_iter().filter_map(|compiler| Some((compiler, compiler.refuses(signature)?)))
}
