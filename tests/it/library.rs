//! The library: imports, lists, matching, export; who may do what, and what bad files are told.

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::harness::{Node, Session, answer};

const QUESTIONS: &str = include_str!("../../demo/questionnaire.json");
const RULES: &str = include_str!("../../demo/rules.json");
const BENCHMARKS: &str = include_str!("../../demo/benchmarks.csv");
const TEMPLATES: &str = include_str!("../../demo/opportunity_templates.json");

const IMPORTS: [(&str, &str, &str); 4] = [
    ("/api/questionnaires/import/", "questionnaire.json", QUESTIONS),
    ("/api/questionnaires/rules/import/", "rules.json", RULES),
    ("/api/benchmarks/import/", "benchmarks.csv", BENCHMARKS),
    ("/api/opportunity-templates/import/", "opportunity_templates.json", TEMPLATES),
];

/// The verticals, regions and industries that the files name; ids by code.
async fn reference_data(admin: &Session<'_>) {
    let look_ups = [
        ("vertical", "P2P", "Procure to Pay"),
        ("vertical", "O2C", "Order to Cash"),
        ("vertical", "R2R", "Record to Report"),
        ("region", "USA", "United States"),
        ("region", "UK", "United Kingdom"),
        ("region", "INDIA", "India"),
        ("industry-type", "MANUFACTURING", "Manufacturing"),
        ("industry-type", "RETAIL", "Retail"),
        ("industry-type", "TECHNOLOGY", "Technology"),
    ];
    for (kind, code, name) in look_ups {
        admin.post(&format!("/api/common/{kind}/"), json!({"code": code, "name": name})).await.expect(201);
    }
}

async fn filled() -> Node {
    let node = Node::start().await;
    {
        let admin = node.admin().await;
        reference_data(&admin).await;
        for (path, name, content) in IMPORTS {
            let report = admin.upload(path, name, content).await.expect(200);
            assert!(report["created"].as_u64() > Some(0), "{path}: {report}");
        }
    }
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_same_files_again_change_nothing() {
    let node = filled().await;
    let admin = node.admin().await;
    for (path, name, content) in IMPORTS {
        let report = admin.upload(path, name, content).await.expect(200);
        assert_eq!((report["created"].as_u64(), report["updated"].as_u64()), (Some(0), Some(0)), "{path}");
        assert!(report["unchanged"].as_u64() > Some(0), "{path}");
    }
    node.prove_projections().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn questions_rules_and_templates_are_listed_by_vertical() {
    let node = filled().await;
    let admin = node.admin().await;
    let questions = admin.get("/api/questionnaires/questions/?vertical=p2p&page_size=100").await.expect(200);
    let all: Vec<Value> = serde_json::from_str(QUESTIONS).unwrap();
    let wanted = all.iter().filter(|item| item["vertical_code"] == "P2P").count();
    assert_eq!(questions["count"], wanted);
    assert_eq!(questions["results"][0]["vertical"]["code"], "P2P");
    assert_eq!(admin.get("/api/questionnaires/questions/?vertical=NONE").await.expect(200)["count"], 0);
    let rules: Vec<Value> = serde_json::from_str(RULES).unwrap();
    assert_eq!(admin.get("/api/questionnaires/rules/").await.expect(200)["count"], rules.len());
    let templates: Vec<Value> = serde_json::from_str(TEMPLATES).unwrap();
    assert_eq!(admin.get("/api/opportunity-templates/").await.expect(200)["count"], templates.len());
    admin.get("/api/questionnaires/questions/?assessment_id=9").await.expect_problem(404, "NOT_FOUND");
    admin.get("/api/questionnaires/questions/?is_active=maybe").await.expect_problem(422, "INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn benchmarks_are_listed_matched_and_exported() {
    let node = filled().await;
    let admin = node.admin().await;
    let listed = admin.get("/api/benchmarks/?vertical=P2P&region=USA").await.expect(200);
    let metrics: Vec<&Value> = listed["results"].as_array().unwrap().iter().map(|row| &row["metric"]).collect();
    assert!(metrics.contains(&&json!("Cost per Invoice")), "{listed}");
    let single = admin.get("/api/benchmarks/?vertical=P2P&region=UK&single=true").await.expect(200);
    assert_eq!((&single["top_quartile"], &single["median"]), (&json!("6.80"), &json!("12.60")));
    let path = "/api/benchmarks/match/?question_code=p2p_cost_per_transaction&vertical=P2P";
    let found = admin.get(&format!("{path}&region=USA")).await.expect(200);
    assert_eq!(
        (&found["median"], &found["match_method"], &found["match_scope"]),
        (&json!("15.00"), &json!("CODE"), &json!("REGION"))
    );
    // Money is compared within its region only.
    admin.get(path).await.expect_problem(404, "NO_BENCHMARK");
    admin.get("/api/benchmarks/match/?vertical=P2P").await.expect_problem(422, "REQUIRED");
    let exported = admin.get("/api/benchmarks/export/").await;
    assert_eq!(exported.status, 200);
    let report = admin.upload("/api/benchmarks/import/", "again.csv", exported.text).await.expect(200);
    assert_eq!((&report["created"], &report["updated"], &report["removed"]), (&json!(0), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_more_specific_benchmark_comes_first() {
    let node = filled().await;
    let admin = node.admin().await;
    let file = "metric,question_code,vertical,industry,region,top_quartile,median,bottom_quartile,year,unit\n\
        A,X,P2P,,,1,2,3,2020,days\nB,X,P2P,RETAIL,,1,2,3,2020,days\n\
        C,X,P2P,,UK,1,2,3,2020,days\nD,X,P2P,RETAIL,UK,1,2,3,2020,days\n";
    admin.upload("/api/benchmarks/import/?dry_run=true", "b.csv", file).await.expect(200);
    let path = "/api/benchmarks/match/?question_code=X&vertical=P2P";
    admin.get(path).await.expect_problem(404, "NO_BENCHMARK");
    admin.upload("/api/benchmarks/import/", "b.csv", file).await.expect(200);
    for (place, metric) in
        [("", "A"), ("&industry=retail", "B"), ("&region=UK", "C"), ("&industry=RETAIL&region=uk", "D")]
    {
        assert_eq!(admin.get(&format!("{path}{place}")).await.expect(200)["metric"], metric, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bad_file_is_told_what_is_wrong_with_it() {
    let node = Node::start().await;
    let admin = node.admin().await;
    reference_data(&admin).await;
    for (path, content, code) in [
        (IMPORTS[0].0, "\u{feff} ", "EMPTY_FILE"),
        (IMPORTS[0].0, "[", "NOT_JSON"),
        (IMPORTS[0].0, "{}", "NOT_AN_ARRAY"),
        (IMPORTS[0].0, r#"[{"code": "A"}]"#, "INVALID_IMPORT"),
        (IMPORTS[0].0, r#"[{"code": "A", "text": "x", "vertical_code": "XXX"}]"#, "INVALID_IMPORT"),
        (IMPORTS[2].0, "metric,metric\n", "INVALID_HEADER"),
        (IMPORTS[2].0, "metric,colour\nA,red\n", "INVALID_IMPORT"),
        (
            IMPORTS[2].0,
            "metric,vertical,top_quartile,median,bottom_quartile,year\nA,P2P,5,5,5,2025\n",
            "INVALID_IMPORT",
        ),
        (
            IMPORTS[3].0,
            r#"[{"code": "A", "vertical_code": "P2P", "lever": "RPA", "title": "x", "complexity": "LOW", "applies_when": "{NOBODY} = 1"}]"#,
            "INVALID_IMPORT",
        ),
    ] {
        let problem = admin.upload(path, "file", content).await.expect_problem(422, code);
        if code == "INVALID_IMPORT" {
            assert!(problem["import_errors"][0]["code"].is_string(), "{problem}");
        }
    }
    admin.upload(IMPORTS[0].0, "file", vec![0xff, 0xfe]).await.expect_problem(422, "NOT_UTF8");
    let listed = admin.get("/api/questionnaires/questions/").await.expect(200);
    assert_eq!(listed["count"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_upload_is_one_file_of_at_most_ten_megabytes() {
    let node = Node::start().await;
    let admin = node.admin().await;
    let path = IMPORTS[0].0;
    let form = |name: &'static str| Form::new().part(name, Part::bytes(b"[]".to_vec()).file_name("x.json"));
    let send = async |form: Form| answer(admin.request(Method::POST, path).multipart(form)).await;
    let problem = send(form("document")).await.expect_problem(422, "UNKNOWN_FIELD");
    assert!(problem["errors"]["document"].is_array());
    let problem = send(Form::new()).await;
    assert!(matches!(problem.status.as_u16(), 400 | 422), "{}", problem.text);
    send(form("file").part("file", Part::bytes(b"[]".to_vec()))).await.expect_problem(422, "INVALID");
    admin.post(path, json!([])).await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    admin.upload(path, "big.json", vec![b' '; (10 << 20) + 1]).await.expect_problem(413, "TOO_LARGE");
    assert_eq!(admin.upload(path, "none.json", "[]").await.expect(200)["created"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_an_administrator_imports_and_nobody_reads_without_a_token() {
    let node = Node::start().await;
    let stranger = node.anonymous();
    for (path, name, content) in IMPORTS {
        stranger.upload(path, name, content).await.expect_problem(401, "NOT_AUTHENTICATED");
    }
    for path in [
        "/api/questionnaires/questions/",
        "/api/questionnaires/rules/",
        "/api/benchmarks/",
        "/api/benchmarks/match/",
        "/api/benchmarks/export/",
        "/api/opportunity-templates/",
    ] {
        stranger.get(path).await.expect_problem(401, "NOT_AUTHENTICATED");
    }
}
