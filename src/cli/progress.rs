//! Progress of what goes over the journal: a bar on a terminal, else a line now and then.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use runtime::rebuild::Advance;

/// Between two lines, where standard error is no terminal.
const EVERY: Duration = Duration::from_secs(2);

/// How far a pass over the journal is.
pub(super) struct Progress {
    name: &'static str,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Progress {
    pub(super) fn new(name: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = "{msg:28} [{bar:40}] {pos}/{len} ({per_sec}, {eta} left)";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_message(name)
        });
        Self { name, bar, told: Instant::now() }
    }

    pub(super) fn show(&mut self, advance: Advance) {
        let Advance { position, target, events, elapsed } = advance;
        let [done, all] = [position, target].map(|position| u64::try_from(position).unwrap_or_default());
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
        } else if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let spent = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let left = all.saturating_sub(done).saturating_mul(spent).checked_div(done).unwrap_or_default() / 1000;
            let rate = events.saturating_mul(1000).checked_div(spent).unwrap_or_default();
            let name = self.name;
            // Progress that nobody hears is no reason to stop.
            let _ = writeln!(
                std::io::stderr(),
                "{name}: position {done} of {all}, {events} events ({rate}/s), {left} s left"
            );
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
