//! What the bench says while it runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line that says what is being measured, above it what has been.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self(bar)
    }

    /// What is going on.
    pub(crate) fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// What was found, kept on the screen; also where nobody watches a terminal.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if self.0.is_hidden() {
            use std::io::Write as _;
            // Nothing is lost but a line for people.
            let _ = writeln!(std::io::stderr(), "{:>6}s {}", self.0.elapsed().as_secs(), text.as_ref());
        } else {
            self.0.println(text.as_ref());
        }
    }
}
