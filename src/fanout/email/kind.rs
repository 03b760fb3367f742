//! The kinds of mail, and the events that each is sent after (spec 18.3).

use std::collections::BTreeSet;

use identity::user::{User, UserEvent};
use kernel::UserId;
use runtime::{ApplyError, Recorded};
use serde_json::{Value, json};

use crate::{
    auth::OneTimePurpose,
    fanout::notice::{self, Notice},
    journal::Journal,
};

macro_rules! kinds {
    ($($variant:ident $name:literal $file:literal)*) => {
        /// What a mail is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($variant),* }

        impl Kind {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name as the API shows it.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Its template.
            pub(super) const fn template(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("../../../templates/email/", $file, ".txt"))),*
                }
            }
        }
    };
}

kinds! {
    SetPassword "SET_PASSWORD" "set_password"
    PasswordReset "PASSWORD_RESET" "password_reset"
    AccessRemoved "ACCESS_REMOVED" "access_removed"
    AccountDeactivated "ACCOUNT_DEACTIVATED" "account_deactivated"
    AccountDeletionWarning "ACCOUNT_DELETION_WARNING" "account_deletion_warning"
    ReportReady "REPORT_READY" "report_ready"
    ReworkRequested "REWORK_REQUESTED" "rework_requested"
    ProposalSent "PROPOSAL_SENT" "proposal_sent"
    ProposalDecision "PROPOSAL_DECISION" "proposal_decision"
}

impl Kind {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The token that its link carries, and the page that takes it.
    pub(super) const fn token(self) -> Option<(OneTimePurpose, &'static str)> {
        match self {
            Self::SetPassword => Some((OneTimePurpose::SetPassword, "/set-password")),
            Self::PasswordReset => Some((OneTimePurpose::PasswordReset, "/reset-password")),
            _ => None,
        }
    }
}

/// Mails that one event leads to.
pub(super) struct Mails {
    pub(super) kind: Kind,
    pub(super) to: BTreeSet<UserId>,
    /// What the template is filled with.
    pub(super) meta: Value,
}

/// Whether any mail is sent after this type of event.
pub(super) fn concerns(event_type: &str) -> bool {
    matches!(
        event_type,
        "user.registered" | "user.deactivated" | "user.deletion_requested" | "user.password_reset_requested"
    ) || engagement(event_type).is_some()
}

/// The kind of mail after an event of the engagement, and the word for what was decided.
fn engagement(event_type: &str) -> Option<(Kind, Option<&'static str>)> {
    match event_type {
        "assessment.analysis_completed" => Some((Kind::ReportReady, None)),
        "assessment.rework_requested" => Some((Kind::ReworkRequested, None)),
        "proposal.submitted" => Some((Kind::ProposalSent, None)),
        "proposal.approved" => Some((Kind::ProposalDecision, Some("approved"))),
        "proposal.rejected" => Some((Kind::ProposalDecision, Some("rejected"))),
        "proposal.expired" => Some((Kind::ProposalDecision, Some("expired"))),
        _ => None,
    }
}

/// The mails that an event leads to.
///
/// # Errors
/// When the event or an aggregate cannot be read.
pub(super) async fn after(journal: &Journal, event: &Recorded) -> Result<Option<Mails>, ApplyError> {
    if let Some((kind, decision)) = engagement(&event.event_type) {
        let notice = notice::of(journal, event).await?;
        return Ok(notice.map(|Notice { name, link, people, .. }| Mails {
            kind,
            to: people,
            meta: json!({"name": name, "path": link, "decision": decision}),
        }));
    }
    let Some(user) = event.number().and_then(|number| UserId::try_from(number).ok()) else { return Ok(None) };
    let kind = match notice::decode::<UserEvent>(journal, event).await? {
        UserEvent::Registered { must_set_password: true, .. } => Kind::SetPassword,
        UserEvent::Deactivated { cascade: None } => Kind::AccessRemoved,
        UserEvent::Deactivated { cascade: Some(_) } => Kind::AccountDeactivated,
        // Whoever has no access already is told nothing new.
        UserEvent::DeletionRequested if is_active(journal, event, user).await? => Kind::AccountDeletionWarning,
        UserEvent::PasswordResetRequested => Kind::PasswordReset,
        _ => return Ok(None),
    };
    Ok(Some(Mails { kind, to: BTreeSet::from([user]), meta: json!({}) }))
}

async fn is_active(journal: &Journal, event: &Recorded, user: UserId) -> Result<bool, ApplyError> {
    let active = journal.read::<User, _>(user, |user, _| user.live().is_some_and(|account| account.is_active())).await;
    active.map_err(|error| notice::unread(event, &error))
}
