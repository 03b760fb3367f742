//! How much is measured, and how long.

use std::time::Duration;

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scale {
    /// 20,000 events, one short round: shows that everything runs, and nothing else
    Quick,
    /// 1 million events
    #[value(name = "1m")]
    Million,
    /// As `1m`, and the growth up to 10 million events
    #[value(name = "10m")]
    TenMillion,
}

/// Events a stream has before the measurement.
pub(crate) const EVENTS_EACH: u32 = 10;

impl Scale {
    /// Events in the journal of every measurement but the one of growth.
    pub(crate) const fn events(self) -> u32 {
        match self {
            Self::Quick => 20_000,
            Self::Million | Self::TenMillion => 1_000_000,
        }
    }

    pub(crate) const fn streams(self) -> u32 {
        self.events() / EVENTS_EACH
    }

    /// The sizes at which growth is looked at.
    pub(crate) const fn growth(self) -> &'static [u32] {
        match self {
            Self::Quick => &[2_000, 20_000],
            Self::Million => &[10_000, 1_000_000],
            Self::TenMillion => &[10_000, 1_000_000, 10_000_000],
        }
    }

    /// How often each measurement is taken, in alternation with its peers.
    pub(crate) const fn rounds(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Million | Self::TenMillion => 3,
        }
    }

    pub(crate) const fn warm_up(self) -> Duration {
        match self {
            Self::Quick => Duration::from_millis(300),
            Self::Million | Self::TenMillion => Duration::from_millis(700),
        }
    }

    pub(crate) const fn measure(self) -> Duration {
        match self {
            Self::Quick => Duration::from_millis(1000),
            Self::Million | Self::TenMillion => Duration::from_secs(3),
        }
    }
}
