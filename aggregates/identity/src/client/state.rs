use chrono::{DateTime, Utc};
use kernel::{
    CascadeId, ClientId, CompanyId, Email, IndustryTypeId, Personal, Resource, Stamp, Text, UserId, VerticalId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ClientEvent;

/// A client as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Client {
    #[default]
    NotYet,
    Known(Box<Profile>),
}

/// What is known of a provisioned client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub id: ClientId,
    pub user_id: UserId,
    pub contact_email: Personal<Email>,
    pub contact_name: Personal<Text<1, 200>>,
    pub details: ClientDetails,
    pub reviewer_id: Option<UserId>,
    pub verticals_and_consultants: Vec<Pair>,
    pub is_active: bool,
    /// The cascade that deleted it, while it is deleted.
    pub(super) deleted: Option<CascadeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ClientDetails {
    pub company_id: CompanyId,
    pub industry_id: Option<IndustryTypeId>,
}

/// Who consults the client on which vertical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Pair {
    pub vertical_id: VerticalId,
    pub consultant_id: UserId,
}

/// A client as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClientView {
    pub id: i64,
    pub user_id: UserId,
    /// `null` once the contact's personal data was erased.
    pub contact_email: Option<Email>,
    /// `null` once the contact's personal data was erased.
    pub contact_name: Option<Text<1, 200>>,
    #[serde(flatten)]
    pub details: ClientDetails,
    pub reviewer_id: Option<UserId>,
    pub verticals_and_consultants: Vec<Pair>,
    pub is_active: bool,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl Profile {
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// The cascade that deleted it, while it is deleted.
    #[must_use]
    pub const fn deleted_by(&self) -> Option<&CascadeId> {
        self.deleted.as_ref()
    }

    fn record(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::ContactChanged { contact_email, contact_name, .. } => {
                self.contact_email = contact_email;
                self.contact_name = contact_name;
            }
            ClientEvent::DetailsChanged(details) => self.details = details,
            ClientEvent::ReviewerAssigned { reviewer_id } => self.reviewer_id = reviewer_id,
            ClientEvent::ConsultantsAssigned { verticals_and_consultants } => {
                self.verticals_and_consultants = verticals_and_consultants;
            }
            ClientEvent::Deactivated { .. } => self.is_active = false,
            ClientEvent::Reactivated { .. } => self.is_active = true,
            ClientEvent::Deleted { cascade, .. } => self.deleted = Some(cascade),
            ClientEvent::Restored { .. } => self.deleted = None,
            ClientEvent::Provisioned { .. } => {}
        }
    }
}

impl Client {
    pub(super) fn record(&mut self, event: ClientEvent) {
        match (self, event) {
            (
                this,
                ClientEvent::Provisioned {
                    id,
                    user_id,
                    contact_email,
                    contact_name,
                    details,
                    reviewer_id,
                    verticals_and_consultants,
                },
            ) => {
                *this = Self::Known(Box::new(Profile {
                    id,
                    user_id,
                    contact_email,
                    contact_name,
                    details,
                    reviewer_id,
                    verticals_and_consultants,
                    is_active: true,
                    deleted: None,
                }));
            }
            (Self::Known(profile), event) => profile.record(event),
            (Self::NotYet, _) => {}
        }
    }

    /// The profile, deleted or not.
    #[must_use]
    pub fn known(&self) -> Option<&Profile> {
        match self {
            Self::Known(profile) => Some(profile),
            Self::NotYet => None,
        }
    }

    /// It exists and is not deleted.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.known().is_some_and(|profile| !profile.is_deleted())
    }

    /// It is live and not deactivated: new things may be made for it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.known().is_some_and(|profile| profile.is_active && !profile.is_deleted())
    }

    /// The login that it is the profile of.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.known().map(|profile| profile.user_id)
    }

    #[must_use]
    pub fn company(&self) -> Option<CompanyId> {
        self.known().map(|profile| profile.details.company_id)
    }

    #[must_use]
    pub fn reviewer(&self) -> Option<UserId> {
        self.known().and_then(|profile| profile.reviewer_id)
    }

    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        self.known().map_or(&[], |profile| &profile.verticals_and_consultants)
    }
}

impl Resource for Client {
    type State = Self;
    type View = ClientView;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: ClientEvent) {
        state.record(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<ClientView> {
        let profile = state.known()?;
        Some(ClientView {
            id: stamp.number(),
            user_id: profile.user_id,
            contact_email: profile.contact_email.reveal().cloned(),
            contact_name: profile.contact_name.reveal().cloned(),
            details: profile.details,
            reviewer_id: profile.reviewer_id,
            verticals_and_consultants: profile.verticals_and_consultants.clone(),
            is_active: profile.is_active && !profile.is_deleted(),
            is_deleted: profile.is_deleted(),
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
