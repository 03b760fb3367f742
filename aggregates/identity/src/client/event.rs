use kernel::{CascadeId, ClientId, Email, Personal, Text, UserId, domain_event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClientDetails, Pair};

/// What happened to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ClientEvent {
    Provisioned {
        id: ClientId,
        user_id: UserId,
        contact_email: Personal<Email>,
        contact_name: Personal<Text<1, 200>>,
        #[serde(flatten)]
        details: ClientDetails,
        reviewer_id: Option<UserId>,
        verticals_and_consultants: Vec<Pair>,
    },
    /// Email and name of the contact as they are from now on.
    ContactChanged {
        user_id: UserId,
        contact_email: Personal<Email>,
        contact_name: Personal<Text<1, 200>>,
    },
    /// The details as they are from now on.
    DetailsChanged(ClientDetails),
    ReviewerAssigned {
        reviewer_id: Option<UserId>,
    },
    /// All pairs as they are from now on.
    ConsultantsAssigned {
        verticals_and_consultants: Vec<Pair>,
    },
    Deactivated {
        user_id: UserId,
    },
    Reactivated {
        user_id: UserId,
    },
    Deleted {
        user_id: UserId,
        cascade: CascadeId,
    },
    /// What that cascade took along comes back with it.
    Restored {
        user_id: UserId,
        cascade: CascadeId,
    },
}

domain_event!(ClientEvent:
    Provisioned => "client.provisioned",
    ContactChanged => "client.contact_changed",
    DetailsChanged => "client.details_changed",
    ReviewerAssigned => "client.reviewer_assigned",
    ConsultantsAssigned => "client.consultants_assigned",
    Deactivated => "client.deactivated",
    Reactivated => "client.reactivated",
    Deleted => "client.deleted",
    Restored => "client.restored",
);
