//! `ddc --help`: the commands in groups, with examples.

use clap::{CommandFactory, FromArgMatches};

use super::Cli;

/// What the commands are for. One that is in no group stands under "Other".
const GROUPS: &[(&str, &[&str])] = &[
    ("Run", &["serve", "migrate", "demo"]),
    (
        "People and content",
        &[
            "create_admin",
            "load_verticals",
            "load_industry_types",
            "load_default_currencies",
            "load_regions",
            "import_questionnaire_snapshot",
            "import_validation_rules_json",
            "import_review_questions",
            "import_opportunity_templates",
            "import_benchmarks",
            "extract_benchmarks",
            "sync_prompts",
        ],
    ),
    (
        "Look after",
        &["projections", "journal", "history", "run_apscheduler", "send_azure_test_email", "fanout", "notifications"],
    ),
    ("Develop", &["contracts", "servers"]),
];

const EXAMPLES: &str = "Examples:
  ddc serve                                   serve on 127.0.0.1:8080 with private servers
  ddc create_admin --email you@example.com --password 'eight or more'
  ddc demo                                    play one engagement against the running server
  ddc projections rebuild --all               prove that every read model equals its rebuild
  ddc journal verify                          prove that the journal is as it was written
  ddc history assessment 12                   all that happened to assessment 12

Everything is configured by the environment and a .env file; without any, ddc brings its own PostgreSQL and NATS.
`ddc <command> --help` tells more.";

fn command() -> clap::Command {
    let command = Cli::command();
    let known = || command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help");
    let line = |sub: &clap::Command| {
        format!("  {:<32} {}\n", sub.get_name(), sub.get_about().map(ToString::to_string).unwrap_or_default())
    };
    let mut text = String::new();
    for (title, names) in GROUPS {
        let lines: String =
            names.iter().filter_map(|name| known().find(|sub| sub.get_name() == *name)).map(line).collect();
        if !lines.is_empty() {
            text.push_str(&format!("{title}:\n{lines}\n"));
        }
    }
    let others: String =
        known().filter(|sub| !GROUPS.iter().any(|(_, names)| names.contains(&sub.get_name()))).map(line).collect();
    if !others.is_empty() {
        text.push_str(&format!("Other:\n{others}\n"));
    }
    command
        .help_template("{about}\n\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}\n\n{after-help}\n")
        .before_help(text.trim_end().to_owned())
        .after_help(EXAMPLES)
}

/// Reads the arguments; a mistake ends the process with a message.
pub(super) fn parse() -> Cli {
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_the_help() {
        let help = command().render_help().to_string();
        for sub in Cli::command().get_subcommands() {
            assert!(help.contains(&format!("\n  {} ", sub.get_name())), "{help}");
        }
        assert!(help.contains("Examples:"), "{help}");
    }

    #[test]
    fn the_arguments_of_all_commands_agree_with_each_other() {
        Cli::command().debug_assert();
    }
}
