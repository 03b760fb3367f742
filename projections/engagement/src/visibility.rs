//! Row visibility of what is made of an assessment (spec 2), as conditions of a query on a table with the columns
//! `client_user_id`, `reviewer_id`, `staff_ids` and `is_deleted`.

use engagement::participants::Participants;
use kernel::{Actor, Role, UserId};
use runtime::page::Condition;

/// The consultants who are assigned: who manages the assessment, and those paired with its client.
#[must_use]
pub fn staff(participants: &Participants) -> Vec<UserId> {
    let mut staff = participants.consultants.clone();
    staff.insert(participants.managed_by);
    staff.into_iter().collect()
}

/// The rows that an actor takes part in, in the role that he has now: `Participants::include` in SQL. Deleted rows are
/// for ADMIN, who asks for them.
#[must_use]
pub fn participants(actor: Actor, include_deleted: bool) -> Vec<Condition> {
    let mut conditions = match actor {
        Actor::System | Actor::User { role: Role::Admin, .. } => Vec::new(),
        Actor::User { id, role: Role::Reviewer } => vec![Condition::Number("reviewer_id", id.get())],
        Actor::User { id, role: Role::Consultant } => vec![Condition::Holds("staff_ids", id.get())],
        Actor::User { id, role: Role::Client } => vec![Condition::Number("client_user_id", id.get())],
    };
    if !(include_deleted && actor.is_admin()) {
        conditions.push(Condition::Is("is_deleted", false));
    }
    conditions
}
