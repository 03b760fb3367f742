//! Who takes part in an engagement, and so sees its proposal and its project (spec 0 "Words", 2).

use std::collections::BTreeSet;

use kernel::{Actor, Role, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The people of an assessment: facts that its proposal and its project keep of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Participants {
    pub client: UserId,
    pub reviewer: Option<UserId>,
    pub managed_by: UserId,
    /// Paired with the client for one of the assessment's verticals.
    pub consultants: BTreeSet<UserId>,
}

impl Participants {
    /// Manages the assessment, or is paired with its client for one of its verticals.
    #[must_use]
    pub fn is_assigned(&self, user: UserId) -> bool {
        self.managed_by == user || self.consultants.contains(&user)
    }

    /// Whether the actor takes part: in the role that he has now, not in one that he had once.
    #[must_use]
    pub fn include(&self, actor: Actor) -> bool {
        match actor {
            Actor::System | Actor::User { role: Role::Admin, .. } => true,
            Actor::User { id, role: Role::Reviewer } => self.reviewer == Some(id),
            Actor::User { id, role: Role::Consultant } => self.is_assigned(id),
            Actor::User { id, role: Role::Client } => self.client == id,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::id;

    use super::*;

    #[test]
    fn everybody_takes_part_in_his_own_role_only() {
        let people = Participants {
            client: id(12),
            reviewer: Some(id(3)),
            managed_by: id(4),
            consultants: BTreeSet::from([id(5)]),
        };
        let user = |number, role| Actor::User { id: id(number), role };
        for (number, role) in
            [(99, Role::Admin), (3, Role::Reviewer), (4, Role::Consultant), (5, Role::Consultant), (12, Role::Client)]
        {
            assert!(people.include(user(number, role)), "{number} {role:?}");
        }
        for (number, role) in [
            (4, Role::Reviewer),
            (3, Role::Consultant),
            (12, Role::Consultant),
            (6, Role::Consultant),
            (4, Role::Client),
            (13, Role::Client),
        ] {
            assert!(!people.include(user(number, role)), "{number} {role:?}");
        }
        assert!(people.include(Actor::System));
    }
}
