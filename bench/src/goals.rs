//! The goals of the issue "Fast, and unbreakable", and whether the figures meet them.

use std::fmt::Write as _;

use anyhow::Result;

use crate::{
    measure::median,
    report::{Results, number, spread},
};

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

struct Goal {
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    /// In each round.
    measured: fn(&Results) -> Vec<f64>,
}

const fn goal(what: &'static str, bound: Bound, unit: &'static str, measured: fn(&Results) -> Vec<f64>) -> Goal {
    Goal { what, bound, unit, measured }
}

use Bound::{AtLeast, AtMost};

const GOALS: &[Goal] = &[
    goal("W1 32 writers, against postgres-es (the aim is 12x)", AtLeast(9.5), "x", |r| {
        r.ratios_of_rates("w1.ddc.32", "w1.vanilla.32")
    }),
    goal("W1 128 writers, against postgres-es (the aim is 14x)", AtLeast(12.0), "x", |r| {
        r.ratios_of_rates("w1.ddc.128", "w1.vanilla.128")
    }),
    goal("W1 32 writers, against pgbench INSERT with 32 clients (the aim is 3x)", AtLeast(2.5), "x", |r| {
        r.ratios_of_rates("w1.ddc.32", "w1.pgbench_insert.32")
    }),
    goal("W1 one writer, median latency against pgbench INSERT with one client", AtMost(1.15), "x", |r| {
        r.ratios_of_p50("w1.ddc.1", "w1.pgbench_insert.1")
    }),
    goal("W1 3 events a command, 32 writers, against postgres-es", AtLeast(6.0), "x", |r| {
        r.ratios_of_rates("w1.ddc.three.32", "w1.vanilla.three.32")
    }),
    goal("W1 32 writers on 8 hot streams, one node", AtLeast(10_000.0), "commands/s", |r| r.values("w1.ddc.hot8.one")),
    goal("W1 32 writers on 20 hot streams, one node", AtLeast(10_000.0), "commands/s", |r| {
        r.values("w1.ddc.hot20.one")
    }),
    goal("W1 slow disk, 32 writers, against pgbench INSERT", AtLeast(1.0), "x", |r| {
        r.ratios_of_rates("slow.ddc.32", "slow.pgbench_insert.32")
    }),
    goal("W1 slow disk, 128 writers, against pgbench INSERT", AtLeast(3.0), "x", |r| {
        r.ratios_of_rates("slow.ddc.128", "slow.pgbench_insert.128")
    }),
    goal("W2 fold of one projection in memory, against COPY to a loop that parses", AtLeast(1.0), "x", |r| {
        r.ratios_of_rates("w2.ddc.fold", "w2.limit")
    }),
    goal("W2 rebuild of one projection into its table, against cqrs-es' replay into memory", AtLeast(3.0), "x", |r| {
        r.ratios_of_rates("w2.ddc.one", "w2.vanilla.memory")
    }),
    goal("journal verify", AtLeast(1_000_000.0 / 60.0), "events/s", |r| r.values("w2.verify")),
    goal("W3 p99 command → visible in a query, at 200/s", AtMost(2.5), "ms", |r| r.p99s("w3.visible.200")),
    goal("W3 the same, against the append's own p99", AtMost(2.5), "x", |r| {
        r.ratios_of_p99("w3.visible.200", "w3.append.200")
    }),
    goal(
        "W4 list of 50 with JWT, against pgbench with the bare SELECT: as it was last read",
        AtLeast(0.75),
        "x",
        |r| r.ratios_of_rates("w4.ddc.first", "w4.pgbench"),
    ),
    goal("W4 the same, read anew each time", AtLeast(0.75), "x", |r| {
        r.ratios_of_rates("w4.ddc.first.anew", "w4.pgbench")
    }),
    goal("W4 time of a deep page (row 900,000 of 1 M), against the first, both read anew", AtMost(1.3), "x", |r| {
        r.ratios_of_rates("w4.ddc.first.anew", "w4.ddc.deep")
    }),
    goal("W5 32 connections, role api, against a bare actix-web + PostgresCqrs endpoint", AtLeast(8.0), "x", |r| {
        r.ratios_of_rates("w5.ddc.api", "w5.vanilla")
    }),
    goal("W5 the same with all else that a node does on the same cores", AtLeast(8.0), "x", |r| {
        r.ratios_of_rates("w5.ddc", "w5.vanilla")
    }),
    goal("W6 the slowest of all against 10 k events in the journal", AtMost(1.2), "x", |r| r.values("w6.worst")),
    goal("W7 acknowledged publishes, every one flushed, against one at a time", AtLeast(2.0), "x", |r| {
        r.ratios_of_rates("w7.ddc.always", "w7.single.always")
    }),
    goal("W7 the same with the default flush", AtLeast(5.0), "x", |r| {
        r.ratios_of_rates("w7.ddc.default", "w7.single.default")
    }),
    goal("memory of the server at rest with the largest journal", AtMost(150.0), "MB", |r| r.values("w6.rss.largest")),
];

/// The table of goals.
pub(crate) fn write(page: &mut String, results: &Results) -> Result<()> {
    writeln!(page, "\n## Goals\n")?;
    writeln!(page, "| goal | at least / at most | measured | lowest – highest | |")?;
    writeln!(page, "|---|---:|---:|---:|---|")?;
    for Goal { what, bound, unit, measured } in GOALS {
        let rounds = measured(results);
        let measured = median(rounds.iter().copied());
        let (asked, limit, met) = match *bound {
            AtLeast(limit) => ("≥", limit, measured.is_some_and(|it| it >= limit)),
            AtMost(limit) => ("≤", limit, measured.is_some_and(|it| it <= limit)),
        };
        let verdict = match measured {
            None => "not measured",
            Some(_) if met => "met",
            Some(_) => "**not met**",
        };
        let measured = measured.map_or_else(|| "–".to_owned(), |it| format!("{} {unit}", number(it)));
        writeln!(page, "| {what} | {asked} {} {unit} | {measured} | {} | {verdict} |", number(limit), spread(&rounds))?;
    }
    Ok(())
}
