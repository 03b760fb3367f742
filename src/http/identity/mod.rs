//! Who there is, over HTTP.

mod accounts;
mod clients;
mod companies;
mod facts;
mod me;
mod session;
mod users;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(session::login)
        .service(session::refresh_token)
        .service(session::logout)
        .service(session::set_password)
        .service(session::request_password_reset)
        .service(session::confirm_password_reset)
        .service(session::change_password)
        .service(me::get_me)
        .service(me::update_me)
        .service(users::list_users)
        .service(users::register_user)
        .service(users::get_user)
        .service(users::update_user)
        .service(users::delete_user)
        .service(users::restore_user)
        .service(users::deactivate_user)
        .service(users::reactivate_user)
        .service(clients::list_clients)
        .service(clients::add_client)
        .service(clients::get_client)
        .service(clients::update_client)
        .service(clients::delete_client)
        .service(clients::restore_client)
        .service(companies::list_companies)
        .service(companies::get_company)
        .service(companies::create_company)
        .service(companies::update_company)
        .service(companies::delete_company);
}
