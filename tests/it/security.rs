//! What strangers and the careless try: slow senders, floods of guesses, input that wants to be code, and secrets that
//! want to be told. Roles, relations and tokens are proved beside, in `authorization`.

mod injection;
mod limits;
mod login;
mod secrets;
mod slow;
