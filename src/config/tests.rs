use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{Config, LogFormat};

fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    Config::from_lookup(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
}

fn refusal(name: &str, value: &str) -> String {
    format!("{:#}", config(&[(name, value)]).unwrap_err())
}

#[test]
fn nothing_set_is_a_complete_configuration() {
    let config = config(&[]).unwrap();
    assert_eq!(config.data.to_str(), Some("data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.frontend_url, "http://127.0.0.1:8080");
    assert_eq!(config.mail.from, "ddc@localhost");
    assert_eq!(config.mail.retry_after, Duration::from_secs(60));
    assert_eq!(config.tokens.access, Duration::from_secs(900));
    assert_eq!(config.tokens.refresh, Duration::from_secs(604_800));
    assert_eq!(config.log.format, LogFormat::Human);
    assert!(config.database_url.is_none() && config.nats_url.is_none());
    assert!(!config.signals.allow_admin_self_approval && !config.signals.block_over_budget);
}

#[test]
fn an_empty_value_counts_as_unset() {
    let config = config(&[("DATABASE_URL", ""), ("DDC_LISTEN", "  "), ("DEBUG", "")]).unwrap();
    assert!(config.database_url.is_none());
    assert_eq!(config.listen.port(), 8080);
}

#[test]
fn a_malformed_value_is_refused_by_name_with_what_to_write() {
    assert_eq!(refusal("DDC_LISTEN", "8080"), "DDC_LISTEN is `8080`: write an address such as 127.0.0.1:8080");
    assert_eq!(refusal("DEBUG", "maybe"), "DEBUG is `maybe`: write true or false");
    assert_eq!(refusal("DDC_LOG", "xml"), "DDC_LOG is `xml`: write human or json");
    assert_eq!(
        refusal("ACCESS_TOKEN_SECS", "0"),
        "ACCESS_TOKEN_SECS is 0: write a whole number of seconds, at least 1"
    );
    assert!(refusal("TRUSTED_PROXIES", "10.0.0.1, proxy").starts_with("TRUSTED_PROXIES is `proxy`"));
    assert!(refusal("MAIL_FROM", "nobody").starts_with("MAIL_FROM (or AZURE_SENDER_EMAIL) is `nobody`"));
    assert!(refusal("DB_HOST", "db").contains("DB_NAME"));
}

#[test]
fn a_refused_address_is_not_repeated_because_it_may_hold_a_password() {
    for name in ["DATABASE_URL", "NATS_URL", "SMTP_URL"] {
        let refusal = refusal(name, "mysql://user:hunter2@db/ddc");
        assert!(refusal.starts_with(name) && !refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn the_separate_database_variables_make_one_address() {
    let config = config(&[
        ("DB_HOST", "db.internal"),
        ("DB_NAME", "ddc"),
        ("DB_USER", "app"),
        ("DB_PASSWORD", "a b&c/ü+"),
        ("DB_PORT", "5433"),
    ]);
    let url = config.unwrap().database_url.unwrap();
    assert_eq!(url.expose(), "postgres:///ddc?host=db.internal&port=5433&user=app&password=a%20b%26c%2F%C3%BC%2B");
    let options: sqlx::postgres::PgConnectOptions = url.expose().parse().unwrap();
    assert_eq!(
        (options.get_host(), options.get_port(), options.get_username(), options.get_database()),
        ("db.internal", 5433, "app", Some("ddc"))
    );
}

#[test]
fn the_whole_address_wins_over_its_parts() {
    let config = config(&[("DATABASE_URL", "postgres://a@h/x"), ("DB_HOST", "other"), ("DB_NAME", "y")]).unwrap();
    assert_eq!(config.database_url.unwrap().expose(), "postgres://a@h/x");
}

#[test]
fn lists_are_separated_by_commas_and_the_frontend_has_no_closing_slash() {
    let config = config(&[
        ("CORS_ALLOWED_ORIGINS", "https://a.example, https://b.example,"),
        ("TRUSTED_PROXIES", "10.0.0.1,::1"),
        ("FRONTEND_URL", "https://app.example/"),
        ("AZURE_SENDER_EMAIL", "desk@example.com"),
    ])
    .unwrap();
    assert_eq!(config.http.cors_allowed_origins, ["https://a.example", "https://b.example"]);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.http.frontend_url, "https://app.example");
    assert_eq!(config.mail.from, "desk@example.com");
}

#[test]
fn the_documented_insecure_key_is_refused_unless_debugging() {
    let key = ("SECRET_KEY", "django-insecure-key");
    let refusal = config(&[key]).unwrap().secret_key().unwrap_err().to_string();
    assert!(refusal.contains("SECRET_KEY") && refusal.contains("DEBUG"), "{refusal}");
    let permitted = config(&[key, ("DEBUG", "true")]).unwrap().secret_key().unwrap();
    assert_eq!(permitted.expose(), "django-insecure-key");
    assert!(config(&[("SECRET_KEY", "short")]).unwrap().secret_key().is_err());
}

#[test]
fn an_unset_key_is_made_once_and_only_we_can_read_it() {
    let folder = crate::embedded::TemporaryFolder::new().unwrap();
    let data = folder.path().join("data");
    let config = config(&[("DDC_DATA", data.to_str().unwrap())]).unwrap();
    let first = config.secret_key().unwrap();
    assert_eq!(first.expose().len(), 64);
    assert_eq!(config.secret_key().unwrap(), first);
    assert_ne!(config.master_key().unwrap(), first);
    let mode = fs::metadata(data.join("secret.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_debugged_configuration_shows_no_secret() {
    let config = config(&[
        ("DATABASE_URL", "postgres://u:hunter2@h/x"),
        ("NATS_URL", "nats://u:hunter2@h:4222"),
        ("SMTP_URL", "smtp://u:hunter2@h"),
        ("SECRET_KEY", "hunter2hunter2hunter2"),
        ("DDC_MASTER_KEY", "hunter2hunter2hunter2"),
        ("AZURE_OPENAI_API_KEY", "hunter2"),
    ]);
    let shown = format!("{:?}", config.unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}
