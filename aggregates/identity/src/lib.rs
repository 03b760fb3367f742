//! Who there is: the users who sign in, the companies that are served, and the clients that link the two.

pub mod client;
pub mod company;
pub mod user;
