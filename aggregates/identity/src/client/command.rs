use kernel::{
    CascadeId, Change, ClientId, CompanyId, Email, IndustryTypeId, Reference, Role, Text, UserId, VerticalId,
};

/// What can be asked of a client. Only ADMIN may; that the email is unique is kept by a reservation, outside.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientCommand {
    Provision(NewClient),
    ChangeDetails(ClientChanges),
    /// The login follows by a reaction under the same cascade.
    Delete {
        cascade: CascadeId,
    },
    /// With a cascade: only if that cascade deleted the client.
    Restore {
        cascade: Option<CascadeId>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewClient {
    pub id: ClientId,
    /// The CLIENT user that is registered in the same append.
    pub user: UserId,
    pub contact_email: Email,
    pub contact_name: Text<1, 200>,
    pub company: Reference<CompanyId>,
    pub industry: Option<Reference<IndustryTypeId>>,
    pub reviewer: Option<StaffFacts>,
    pub verticals_and_consultants: Vec<PairFacts>,
}

/// A partial update; the list of pairs, when given, replaces the old one whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientChanges {
    pub contact_email: Option<Email>,
    pub contact_name: Option<Text<1, 200>>,
    pub company: Option<Reference<CompanyId>>,
    pub industry: Change<Reference<IndustryTypeId>>,
    pub reviewer: Change<StaffFacts>,
    pub verticals_and_consultants: Option<Vec<PairFacts>>,
    pub is_active: Option<bool>,
}

/// What was learned of a member of staff. `role` is `None` when there is no such user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffFacts {
    pub id: UserId,
    pub role: Option<Role>,
    pub is_active: bool,
}

/// Who is to consult the client on which vertical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairFacts {
    pub vertical: Reference<VerticalId>,
    pub consultant: StaffFacts,
}
