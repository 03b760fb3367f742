//! Input that nobody thought of. Each target replays its saved corpus (`fuzz/corpus`), then tries what comes of it by
//! chance; what fails is saved there, and so tried for ever. A run says its seeds, and can be longer:
//! `FUZZ_TIMES=100 target/debug/ddc servers run -- cargo test --test it -- fuzz::`, `FUZZ_SEED=7` for the same again.

mod commands;
mod formulas;
mod imports;
mod inputs;
mod queries;
mod samples;
mod spoiling;
mod tokens;

use crate::harness::Answer;

/// What came back, unless there is none.
async fn ask(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let response = request.send().await.map_err(|error| format!("no answer: {error:?}"))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.map_err(|error| format!("half an answer: {error:?}"))?;
    Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text })
}

/// Whatever is sent is either taken or refused with a reason.
fn judge(answer: &Answer) -> Result<(), String> {
    let (status, said) = (answer.status.as_u16(), &answer.body);
    let is_problem = answer.header("content-type") == "application/problem+json"
        && said["status"] == status
        && said["code"].as_str().is_some_and(|code| !code.is_empty());
    match status {
        200..300 => Ok(()),
        400..500 if is_problem => Ok(()),
        _ => Err(format!("{status} {}", answer.text.chars().take(500).collect::<String>())),
    }
}
