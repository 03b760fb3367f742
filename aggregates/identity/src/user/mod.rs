//! Somebody who signs in: staff, or a client's contact.
//!
//! What is personal (email, profile) is sealed with the user's own key from the first event on. Passwords, their hashes
//! and tokens are no events; that a password was set is one, and it moves the credential version, so that older tokens
//! stop working at once.

mod command;
mod event;
mod refusal;
mod rules;
mod state;
#[cfg(test)]
mod tests;

pub use command::{NewUser, ProfileChanges, UserChanges, UserCommand};
pub use event::UserEvent;
pub use refusal::UserRefusal;
pub use state::{Account, User, UserDetails, UserProfile, UserView};
