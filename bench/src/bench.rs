//! What every measurement has at hand.

use std::{
    cell::{Cell, OnceCell},
    path::PathBuf,
};

use anyhow::{Context, Result};
use ddc::embedded::Durability;

use crate::{
    pgbench,
    progress::Progress,
    scale::Scale,
    seed::{Seed, Seeds},
    servers::{Nats, Postgres},
};

pub(crate) struct Bench {
    pub(crate) scale: Scale,
    pub(crate) progress: Progress,
    pub(crate) postgres: Postgres,
    /// The program, where the machine has it.
    pub(crate) pgbench: Option<PathBuf>,
    /// Only contestants whose key holds this; others are left out.
    matching: Option<String>,
    rounds: Option<usize>,
    nats: OnceCell<Nats>,
    seeds: Seeds,
    runs: Cell<usize>,
}

impl Bench {
    pub(crate) fn new(scale: Scale, rounds: Option<usize>, matching: Option<String>) -> Result<Self> {
        let progress = Progress::new();
        progress.say("starting a private PostgreSQL");
        Ok(Self {
            scale,
            progress,
            postgres: Postgres::start(None)?,
            pgbench: pgbench::find(),
            matching,
            rounds,
            nats: OnceCell::new(),
            seeds: Seeds::default(),
            runs: Cell::new(0),
        })
    }

    /// How often each measurement is taken.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or_else(|| self.scale.rounds())
    }

    pub(crate) fn is_wanted(&self, key: &str) -> bool {
        self.matching.as_ref().is_none_or(|text| key.contains(text))
    }

    /// A database of its own, seeded so; its address.
    pub(crate) async fn seeded(&self, seed: Seed, name: &str) -> Result<String> {
        self.seeds.copy(&self.postgres, &self.progress, seed, name).await
    }

    /// Forgets what was seeded so.
    pub(crate) async fn forget(&self, seed: Seed) -> Result<()> {
        self.seeds.drop(&self.postgres, seed).await
    }

    /// The NATS that flushes every message.
    pub(crate) fn nats(&self) -> Result<&Nats> {
        if self.nats.get().is_none() {
            let started = Nats::start(Durability::Full)?;
            return Ok(self.nats.get_or_init(|| started));
        }
        self.nats.get().context("there is no NATS")
    }

    /// Counts the runs, so that each may have streams of its own.
    pub(crate) fn next_run(&self) -> usize {
        let run = self.runs.get();
        self.runs.set(run + 1);
        run
    }
}
