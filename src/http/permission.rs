//! What each role may ever do. Whose rows they are is decided where the rows are: in the aggregates for commands, in the
//! conditions of a query for lists.

use kernel::Role::{self, Admin, Client, Consultant, Reviewer};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $($role:ident)|+;)*) => {
        /// A thing that can be done, named as its route is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Permission { $($(#[$doc])* $name),* }

        impl Permission {
            /// All of them, for the tests that walk the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The roles that may ever do it.
            #[must_use]
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$($role),+]),* }
            }
        }
    };
}

permissions! {
    /// Companies, verticals and other master data.
    MasterDataRead: Admin | Reviewer | Consultant | Client;
    /// Day rates are not for clients.
    RolesRead: Admin | Reviewer | Consultant;
    MasterDataWrite: Admin;
    UserRead: Admin | Reviewer | Consultant;
    UserWrite: Admin;
    CompanyRead: Admin | Reviewer | Consultant;
    CompanyWrite: Admin;
    ClientRead: Admin | Reviewer | Consultant;
    ClientWrite: Admin;
    /// One's own, for a client.
    ClientProfileRead: Admin | Reviewer | Consultant | Client;
    ClientHistoryRead: Admin | Reviewer | Consultant | Client;
    QuestionRead: Admin | Reviewer | Consultant | Client;
    BenchmarkRead: Admin | Reviewer | Consultant | Client;
    /// Rules and levers are the firm's own.
    LibraryRead: Admin | Reviewer | Consultant;
    LibraryImport: Admin;
    AssessmentRead: Admin | Reviewer | Consultant | Client;
    AssessmentCreate: Admin | Consultant;
    AssessmentEdit: Admin | Consultant;
    AssessmentDelete: Admin;
    AnswersSubmit: Admin | Consultant | Client;
    AnswersValidate: Admin | Reviewer | Consultant | Client;
    AnalysisRun: Admin | Consultant;
    AssessmentComment: Admin | Reviewer | Consultant | Client;
    AssessmentDecide: Admin | Reviewer | Client;
    AssessmentLock: Admin;
    RateCardRead: Admin | Reviewer | Consultant;
    RateCardWrite: Admin | Consultant;
    CostingRead: Admin | Reviewer | Consultant | Client;
    CostingWrite: Admin | Consultant;
    CostingDecide: Admin | Reviewer;
    CostingArchive: Admin;
    ProposalRead: Admin | Reviewer | Consultant | Client;
    ProposalWrite: Admin | Consultant;
    ProposalDecide: Admin | Client;
    ProposalDelete: Admin;
    ProjectRead: Admin | Reviewer | Consultant | Client;
    ProjectWrite: Admin | Consultant;
    DashboardRead: Admin | Reviewer | Consultant | Client;
    AuditRead: Admin;
    NotificationRead: Admin | Reviewer | Consultant | Client;
    EmailLogRead: Admin;
}
