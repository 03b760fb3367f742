//! Measuring: contestants take turns, round after round, so that what changes on the machine hits all of them; what
//! counts is the median of the rounds.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{bench::Bench, progress::Progress};

/// What one run of one contestant gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// In the figure's unit.
    pub(crate) value: f64,
    /// Milliseconds, where each operation was timed.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

impl Sample {
    pub(crate) fn of(value: f64) -> Self {
        Self { value, ..Self::default() }
    }

    /// Operations a second, and how long each took.
    pub(crate) fn of_latencies(within: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let value = real(latencies.len()) / within.as_secs_f64();
        Self { value, p50: percentile(&latencies, 50), p99: percentile(&latencies, 99) }
    }

    /// So many in a time.
    pub(crate) fn rate(count: u64, took: Duration) -> Self {
        Self::of(real(usize::try_from(count).unwrap_or(usize::MAX)) / took.as_secs_f64().max(1e-9))
    }
}

/// Milliseconds; the latencies are sorted.
pub(crate) fn percentile(latencies: &[Duration], percent: usize) -> Option<f64> {
    let index = (latencies.len() * percent / 100).min(latencies.len().checked_sub(1)?);
    latencies.get(index).map(|latency| latency.as_secs_f64() * 1000.0)
}

/// A count as a number to calculate with; exact to 2^32.
pub(crate) fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        Some(upper)
    } else {
        values.get(values.len() / 2 - 1).map(|lower| (lower + upper) / 2.0)
    }
}

/// One in terms of another, round by round: what the machine did meanwhile, it did to both.
pub(crate) fn ratios(these: impl IntoIterator<Item = f64>, others: impl IntoIterator<Item = f64>) -> Vec<f64> {
    these.into_iter().zip(others).filter(|(_, other)| *other > 0.0).map(|(this, other)| this / other).collect()
}

/// All that was measured of one contestant.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// By which goals refer to it, e.g. `w1.ddc.32`.
    pub(crate) key: String,
    /// What it is, for readers.
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) samples: Vec<Sample>,
}

impl Figure {
    pub(crate) fn median(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.value))
    }

    pub(crate) fn p50(&self) -> Option<f64> {
        median(self.samples.iter().filter_map(|sample| sample.p50))
    }

    pub(crate) fn p99(&self) -> Option<f64> {
        median(self.samples.iter().filter_map(|sample| sample.p99))
    }
}

/// One run; the number is the round's, from 0.
type Run<'a> = Box<dyn FnMut(usize) -> Pin<Box<dyn Future<Output = Result<Sample>> + 'a>> + 'a>;

/// Somebody who takes part.
pub(crate) struct Contestant<'a> {
    key: String,
    what: String,
    unit: &'static str,
    run: Run<'a>,
}

impl<'a> Contestant<'a> {
    pub(crate) fn new<F>(
        key: impl Into<String>,
        what: impl Into<String>,
        unit: &'static str,
        mut run: impl FnMut(usize) -> F + 'a,
    ) -> Self
    where
        F: Future<Output = Result<Sample>> + 'a,
    {
        Self { key: key.into(), what: what.into(), unit, run: Box::new(move |round| Box::pin(run(round))) }
    }
}

/// Lets everybody run once a round, there and back.
pub(crate) async fn alternate(bench: &Bench, mut contestants: Vec<Contestant<'_>>) -> Result<Vec<Figure>> {
    let (progress, rounds) = (&bench.progress, bench.rounds());
    contestants.retain(|contestant| bench.is_wanted(&contestant.key));
    let mut figures: Vec<Figure> = contestants
        .iter()
        .map(|it| Figure { key: it.key.clone(), what: it.what.clone(), unit: it.unit, samples: Vec::new() })
        .collect();
    for round in 0..rounds {
        let mut turns: Vec<_> = contestants.iter_mut().zip(figures.iter_mut()).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (contestant, figure) in turns {
            progress.say(format!("round {} of {rounds}: {}", round + 1, contestant.what));
            let sample = (contestant.run)(round).await.with_context(|| contestant.what.clone())?;
            progress.note(format!("{:>12.1} {:<11} {}", sample.value, contestant.unit, contestant.what));
            figure.samples.push(sample);
        }
    }
    Ok(figures)
}

/// A figure that is measured only once in itself.
pub(crate) async fn once(
    progress: &Progress,
    key: impl Into<String>,
    what: impl Into<String>,
    unit: &'static str,
    run: impl Future<Output = Result<Sample>>,
) -> Result<Figure> {
    let what = what.into();
    progress.say(what.clone());
    let sample = run.await.with_context(|| what.clone())?;
    progress.note(format!("{:>12.1} {unit:<11} {what}", sample.value));
    Ok(Figure { key: key.into(), what, unit, samples: vec![sample] })
}

/// A little chance, the same each time.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `limit` (xorshift64*).
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit.max(1)
    }
}

/// When a run warms up and when it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
}

impl Window {
    pub(crate) fn new(warm_up: Duration, measure: Duration) -> Self {
        let begin = Instant::now() + warm_up;
        Self { begin, end: begin + measure }
    }

    pub(crate) fn length(&self) -> Duration {
        self.end - self.begin
    }

    /// Whether an operation counts: it ended within the window.
    pub(crate) fn counts(&self, ended: Instant) -> bool {
        ended >= self.begin && ended < self.end
    }
}
