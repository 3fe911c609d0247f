//! Nanoseconds per call.

use std::hint::black_box;
use std::time::Instant;

use crate::targets::{COUNT, Mode, NATIVE, Order, RAW, RAW_X87, Set, sets};

/// What to measure.
pub(crate) struct Options {
    /// How often everything is repeated.
    pub(crate) rounds: usize,
    /// The calls of one target in one round.
    pub(crate) calls: usize,
}

/// A shuffle of the 64 targets, again and again; the same in every run.
pub(crate) fn cycle() -> Order {
    let mut shuffled: [u8; COUNT] = std::array::from_fn(|i| i as u8);
    let mut draws = draws();
    for i in (1..COUNT).rev() {
        shuffled.swap(i, draws() as usize % (i + 1));
    }
    std::array::from_fn(|i| shuffled[i % COUNT])
}

/// Targets at random, the same in every run: more than a CPU remembers.
fn random() -> Order {
    let mut draws = draws();
    std::array::from_fn(|_| (draws() % COUNT as u32) as u8)
}

/// Numbers from xorshift64.
fn draws() -> impl FnMut() -> u32 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u32
    }
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds for each of `n` runs of what `run` runs `n` times.
pub(crate) fn time<R>(n: usize, run: impl FnOnce(i64) -> R) -> f64 {
    let start = Instant::now();
    black_box(run(n as i64));
    start.elapsed().as_nanos() as f64 / n as f64
}

/// A pair of `fxsave64` and `fxrstor64`, `n` times.
fn fxsave_fxrstor(n: i64) {
    #[repr(align(64))]
    struct Area {
        _bytes: [u8; 512],
    }
    let mut area = Area { _bytes: [0; 512] };
    for _ in 0..n {
        // SAFETY: 512 writable bytes at a multiple of 16; what is loaded is what was stored a moment before.
        unsafe {
            std::arch::asm!(
                "fxsave64 [{area}]",
                "fxrstor64 [{area}]",
                area = in(reg) &raw mut area,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// The figures of one set in one mode: for each round, the median over its targets.
struct Figures {
    rounds: Vec<f64>,
}

impl Figures {
    fn typical(&self) -> f64 {
        median(self.rounds.iter().copied())
    }

    /// The ratio to another set, from round to round: the median and the quartiles.
    fn beside(&self, other: &Self) -> [f64; 3] {
        let mut ratios: Vec<_> = self.rounds.iter().zip(&other.rounds).map(|(this, other)| this / other).collect();
        ratios.sort_by(f64::total_cmp);
        [2, 1, 3].map(|quarter| ratios[ratios.len() * quarter / 4])
    }
}

/// Measures all sets in one mode. Every target of every set has its turn before any has its next.
fn measure(sets: &[Set], mode: Mode, order: &Order, options: &Options, mut between: impl FnMut()) -> Vec<Figures> {
    let mut figures: Vec<_> = sets.iter().map(|_| Figures { rounds: Vec::new() }).collect();
    for _ in 0..options.rounds {
        let mut round = vec![Vec::new(); sets.len()];
        for index in 0..COUNT {
            for (set, times) in sets.iter().zip(&mut round) {
                let calls = options.calls / set.slowness;
                times.push(time(calls, |n| set.run(mode, index, order, n)));
            }
        }
        for (figures, times) in figures.iter_mut().zip(round) {
            figures.rounds.push(median(times));
        }
        between();
    }
    figures
}

/// Prints the table of calls; `instructions` has the instructions per iteration of each set, if they were counted.
pub(crate) fn report(options: &Options, instructions: impl Fn(&str) -> Option<f64>) {
    let sets = sets();
    let (cycle, random) = (cycle(), random());
    for set in &sets {
        set.check(&random);
    }
    let mut pairs = Vec::new();
    let same = measure(&sets, Mode::Same, &cycle, options, || {
        let calls = options.calls / 10;
        pairs.push(median((0..COUNT).map(|_| time(calls, fxsave_fxrstor))));
    });
    let others = [
        measure(&sets, Mode::Chain, &cycle, options, || ()),
        measure(&sets, Mode::Turns, &cycle, options, || ()),
        measure(&sets, Mode::Turns, &random, options, || ()),
    ];

    println!(
        "| call | ns | × native | quartiles | to reach | chained ns (×) | by turns ns (×) | at random ns (×) | instructions |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let at = |name: &str| sets.iter().position(|set| set.name == name).expect("a set of this name");
    for (i, set) in sets.iter().enumerate() {
        let counted = instructions(set.name).map_or("-".into(), |count| format!("{count:.0}"));
        let typical = same[i].typical();
        let Some(baseline) = set.baseline.map(at) else {
            let [chain, cycle, random] = others.each_ref().map(|figures| figures[i].typical());
            println!("| {} | {typical:.2} | 1 | | | {chain:.2} | {cycle:.2} | {random:.2} | {counted} |", set.name);
            continue;
        };
        let [chain, cycle, random] = others.each_ref().map(|figures| {
            let [ratio, _, _] = figures[i].beside(&figures[baseline]);
            format!("{:.2} ({ratio:.2})", figures[i].typical())
        });
        let [ratio, low, high] = same[i].beside(&same[baseline]);
        let limit = set
            .limit
            .map_or(String::new(), |limit| format!("{limit:.1}{}", if ratio <= limit { "" } else { " **missed**" }));
        println!(
            "| {} | {typical:.2} | {ratio:.2} | {low:.2}-{high:.2} | {limit} | {chain} | {cycle} | {random} | {counted} |",
            set.name,
        );
    }
    let pair = Figures { rounds: pairs };
    let (raw, x87) = (&same[at(RAW)], &same[at(RAW_X87)]);
    let limits = Figures { rounds: pair.rounds.iter().zip(&raw.rounds).map(|(pair, raw)| 1.3 * pair + raw).collect() };
    let [ratio, low, high] = x87.beside(&limits);
    println!();
    println!("fxsave64 + fxrstor64 alone: {:.1} ns", pair.typical());
    println!(
        "`{RAW_X87}`: {:.1} ns; 1.3 × that pair + `{RAW}`: {:.1} ns; {ratio:.2} of it ({low:.2}-{high:.2}){}",
        x87.typical(),
        limits.typical(),
        if ratio <= 1.0 { "" } else { " **missed**" },
    );
    println!(
        "(× native: {NATIVE} or, for eight arguments, its like; within one round; the median of {})",
        options.rounds
    );
}
