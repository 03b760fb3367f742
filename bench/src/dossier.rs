//! The small aggregate that the commands are given to: a dossier that entries are added to.
//!
//! It is decided by the same traits as every aggregate of DDC, and the peers run this very code.

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::{Issued, Kind, Refusal, domain_event};
use serde::{Deserialize, Serialize};

/// What is known of a dossier: how many entries it has, and the last one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Dossier {
    entries: u64,
    last: Option<Entry>,
}

/// About 250 bytes of JSON; as an event, about 300.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) author: u64,
    pub(crate) topic: String,
    pub(crate) stage: String,
    pub(crate) amount: String,
    pub(crate) currency: String,
    pub(crate) text: String,
}

impl Entry {
    /// One whose text differs from the next one's.
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            author: 1 + number % 97,
            topic: "order to cash".to_owned(),
            stage: "VALIDATION".to_owned(),
            amount: format!("{}.{:02}", 1000 + number % 9000, number % 100),
            currency: "EUR".to_owned(),
            text: "The approval of an order waits for the credit check, which waits for the statement of accounts; \
                   both are asked for by mail and answered within two days."
                .to_owned(),
        }
    }
}

/// What can be asked of it.
#[derive(Debug, Clone)]
pub(crate) enum DossierCommand {
    /// As many events as asked for.
    Add { count: usize, entry: Entry },
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum DossierEvent {
    EntryAdded(Entry),
}

domain_event!(DossierEvent: EntryAdded => "dossier.entry_added");

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DossierRefusal {
    #[error("an entry needs a text")]
    NoText,
}

impl Refusal for DossierRefusal {
    fn kind(&self) -> Kind {
        Kind::Unprocessable
    }

    fn code(&self) -> &'static str {
        "NO_TEXT"
    }
}

impl Aggregate for Dossier {
    const TYPE: &'static str = "dossier";
    type Command = Issued<DossierCommand>;
    type Event = DossierEvent;
    type Error = DossierRefusal;
    type Services = ();

    async fn handle(&mut self, issued: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), DossierRefusal> {
        let DossierCommand::Add { count, entry } = issued.command;
        if entry.text.is_empty() {
            return Err(DossierRefusal::NoText);
        }
        for _ in 0..count {
            let entry = Entry { number: self.entries + 1, ..entry.clone() };
            sink.write(DossierEvent::EntryAdded(entry), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: DossierEvent) {
        let DossierEvent::EntryAdded(entry) = event;
        self.entries += 1;
        self.last = Some(entry);
    }
}
