use kernel::{CascadeId, Change, Code, CompanyId, IndustryTypeId, Reference, Text};

/// What can be asked of a company. That name and code are unique is kept by reservations, outside.
#[derive(Debug, Clone, PartialEq)]
pub enum CompanyCommand {
    Create(NewCompany),
    ChangeDetails(CompanyChanges),
    /// Its clients, and their logins, follow by a reaction under the same cascade.
    Delete {
        cascade: CascadeId,
    },
    Restore,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewCompany {
    pub id: CompanyId,
    pub name: Text<1, 200>,
    pub code: Option<Code>,
    pub industry: Option<Reference<IndustryTypeId>>,
    pub country: Option<Text<1, 100>>,
    pub address: Option<Text<1, 500>>,
    pub website: Option<Text<1, 200>>,
    pub parent: Option<Reference<CompanyId>>,
    pub is_active: bool,
}

/// A partial update: what is kept is absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CompanyChanges {
    pub name: Option<Text<1, 200>>,
    pub code: Change<Code>,
    pub industry: Change<Reference<IndustryTypeId>>,
    pub country: Change<Text<1, 100>>,
    pub address: Change<Text<1, 500>>,
    pub website: Change<Text<1, 200>>,
    pub parent: Change<Reference<CompanyId>>,
    pub is_active: Option<bool>,
}
