//! The rules of the house, checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files below a folder.
pub(crate) fn rust_files(folder: PathBuf, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in folders {
        rust_files(root().join(folder), &mut files);
    }
    let read =
        |path: PathBuf| (path.strip_prefix(root()).unwrap().display().to_string(), fs::read_to_string(&path).unwrap());
    files.into_iter().map(read).collect()
}

const ALL: &[&str] = &["aggregates", "projections", "src", "tests", "bench"];

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
}

#[test]
fn dependencies_point_from_the_shell_to_the_kernel() {
    let metadata =
        cargo_metadata::MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours: BTreeMap<&str, &Path> = metadata
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.manifest_path.parent().unwrap().as_std_path()))
        .collect();
    let layer = |name: &str| {
        let path = ours[name].strip_prefix(root()).unwrap().display().to_string();
        path.split('/').next().unwrap().to_owned()
    };
    for package in &metadata.packages {
        let name = package.name.as_str();
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains_key(dependency.name.as_str())) {
            let on = dependency.name.as_str();
            let allowed = match (layer(name).as_str(), layer(on).as_str()) {
                ("aggregates", "aggregates") => on == "kernel",
                // A context's read models know that context only; oversight sees all.
                ("projections", "aggregates") => {
                    on == "kernel" || name == "oversight_projections" || name == format!("{on}_projections")
                }
                ("projections", "projections") => on == "runtime" && name != "runtime",
                ("" | "bench", _) => true,
                _ => false,
            };
            assert!(allowed, "{name} must not depend on {on}");
        }
    }
    for package in metadata.packages.iter().filter(|package| layer(package.name.as_str()) == "aggregates") {
        for dependency in &package.dependencies {
            let outside = ["tokio", "sqlx", "actix-web", "reqwest", "async-nats", "uuid", "rand"];
            let is_dev = dependency.kind == cargo_metadata::DependencyKind::Development;
            assert!(
                is_dev || !outside.contains(&dependency.name.as_str()),
                "{} must not meet the outside by {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn an_aggregate_has_the_same_seven_files_everywhere() {
    let seven: BTreeSet<&str> = ["mod", "command", "event", "refusal", "state", "rules", "tests"].into();
    let mut aggregates = 0;
    let mut files = Vec::new();
    rust_files(root().join("aggregates"), &mut files);
    let folders: BTreeSet<&Path> =
        files.iter().filter(|file| file.ends_with("command.rs")).map(|file| file.parent().unwrap()).collect();
    for folder in folders {
        let names: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names.iter().map(String::as_str).collect::<BTreeSet<_>>(), seven, "{}", folder.display());
        aggregates += 1;
    }
    assert!(aggregates >= 12, "only {aggregates} aggregates were found");
}

#[test]
fn nothing_below_aggregates_meets_a_clock_a_float_chance_or_the_environment() {
    let banned =
        ["std::env", "Utc::now", "SystemTime", "Instant::now", "f32", "f64", "rand::", "Uuid::", "std::fs", "std::net"];
    for (path, text) in sources(&["aggregates"]).into_iter().filter(|(path, _)| !is_test(path)) {
        let code = code(&text);
        for word in banned {
            let found = code.match_indices(word).find(|(at, _)| {
                let before = code[..*at].chars().next_back();
                let after = code[at + word.len()..].chars().next();
                let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !is_name(before) && (word.ends_with(':') || !is_name(after))
            });
            assert!(found.is_none(), "{path} uses {word}");
        }
    }
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let allowed = ["src/config", "src/embedded/"];
    for (path, text) in sources(ALL) {
        if is_test(&path) || allowed.iter().any(|start| path.starts_with(start)) {
            continue;
        }
        let code = code(&text);
        for word in ["env::var", "env::vars", "dotenvy::", "env::args"] {
            assert!(!code.contains(word), "{path} reads {word}");
        }
    }
}

#[test]
fn only_the_journal_inserts_events() {
    let mut writers = BTreeSet::new();
    for (path, text) in sources(&["aggregates", "projections", "src"]) {
        let code = code(&text).to_lowercase();
        let inserts = ["insert into events", "copy events", "update events", "delete from events", "select append"];
        if !path.starts_with("src/journal/") && inserts.iter().any(|words| code.contains(words)) {
            writers.insert(path);
        }
    }
    assert!(writers.is_empty(), "{writers:?} write events past the journal");
}

#[test]
fn each_read_table_belongs_to_one_projection_and_is_written_by_one_file() {
    let mut owners = BTreeMap::new();
    for projection in ddc::app::projections() {
        for table in projection.tables() {
            let other = owners.insert(table, projection.name());
            assert_eq!(other, None, "{table} belongs to {} too", projection.name());
        }
    }
    let sources = sources(&["projections", "src"]);
    for table in owners.keys() {
        let writers: Vec<&str> = sources
            .iter()
            .filter(|(path, text)| !is_test(path) && writes(&code(text), table))
            .map(|(path, _)| path.as_str())
            .collect();
        assert!(writers.len() <= 1, "{table} is written by {writers:?}");
    }
}

/// Whether the code has a statement, or a declaration of the runtime's, that writes the table.
fn writes(code: &str, table: &str) -> bool {
    let follows = |start: &str| {
        code.match_indices(start).any(|(at, _)| {
            let rest = &code[at + start.len()..];
            rest.starts_with(table) && !rest[table.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    };
    ["INSERT INTO ", "UPDATE ", "DELETE FROM ", "const NAME: &'static str = \"", "CREATE TABLE "]
        .iter()
        .any(|start| follows(start))
}

#[test]
fn files_stay_short_enough_to_be_read() {
    for (path, text) in sources(ALL) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{path} has {lines} lines");
    }
}

#[test]
fn the_readme_shows_the_house_as_it_is() {
    // What Git tracks on the top level; files without which nothing builds need no mention.
    let unsaid = [
        "Cargo.lock",
        "clippy.toml",
        "deny.toml",
        "rustfmt.toml",
        ".gitignore",
        ".ci",
        ".gitattributes",
        "README.md",
        "LICENSE",
    ];
    let Ok(readme) = fs::read_to_string(root().join("README.md")) else { return };
    let Some(tree) = readme.split("```").skip(1).step_by(2).find(|block| block.contains("\naggregates/")) else {
        return;
    };
    let shown: BTreeSet<&str> = tree
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_alphanumeric()))
        .flat_map(|line| line.split("  ").next().unwrap().split_whitespace())
        .filter(|word| word.ends_with('/') || word.contains('.') || *word == "Makefile")
        .map(|word| word.trim_end_matches('/'))
        .map(|word| word.split('/').next().unwrap())
        .collect();
    let output = std::process::Command::new("git").args(["ls-files"]).current_dir(root()).output().unwrap();
    let tracked = String::from_utf8(output.stdout).unwrap();
    let real: BTreeSet<&str> = tracked.lines().map(|path| path.split('/').next().unwrap()).collect();
    for name in &real {
        assert!(unsaid.contains(name) || shown.contains(name), "the README's tree lacks {name}");
    }
    for name in &shown {
        assert!(real.contains(name), "the README's tree has {name}, which is not there");
    }
}
