//! The audit log (E45), as pages and as one CSV.

use actix_web::{HttpResponse, get, web::Bytes};
use futures::{Stream, TryStreamExt, stream};
use oversight_projections::audit_log::{self, AuditEntry, Filter, NAME, ORDER, Operation};
use runtime::page::{Condition, push_all};
use serde_json::Value;
use sqlx::{PgPool, QueryBuilder};

use crate::{
    http::{call::Call, params::Params, permission::Permission, problem::Problem},
    imports::cell::shielded,
};

/// How many rows an export fetches at a time.
const CHUNK: i64 = 1000;

const COLUMNS: [&str; 11] = [
    "position",
    "created_at",
    "user",
    "role",
    "action",
    "operation",
    "entity_type",
    "entity_id",
    "request_id",
    "ip",
    "details",
];

fn conditions(params: &Params) -> Result<Vec<Condition>, Problem> {
    let text = |name| params.text(name).map(str::to_owned);
    let operation = match params.text("operation") {
        None => None,
        Some(name) => {
            let found = Operation::ALL.into_iter().find(|operation| operation.as_str().eq_ignore_ascii_case(name));
            let refused = || Problem::field("INVALID", "operation", "must be CREATED, UPDATED or DELETED");
            Some(found.ok_or_else(refused)?)
        }
    };
    let filter = Filter {
        user: params.get("user")?,
        entity_type: text("entity_type"),
        entity_id: text("entity_id"),
        operation,
        action: text("action"),
        from: params.instant("from")?,
        to: params.instant("to")?,
        search: text("search"),
    };
    Ok(filter.conditions())
}

/// Who did what, latest first; `format=csv` answers all that matches as CSV.
#[utoipa::path(tag = "audit",
    params(("user" = Option<i64>, Query), ("entity_type" = Option<String>, Query),
        ("entity_id" = Option<String>, Query), ("operation" = Option<Operation>, Query),
        ("action" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query),
        ("search" = Option<String>, Query), ("format" = Option<String>, Query)),
    responses((status = 200, body = [AuditEntry]), (status = 401), (status = 403), (status = 422)))]
#[get("/api/audit_logs/")]
pub(super) async fn list_audit_logs(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::AuditRead)?;
    match params.text("format") {
        None | Some("json") => {
            let list = params.log(audit_log::NAME, ORDER, &[])?;
            call.list(audit_log::NAME, &params, list, conditions(&params)?).await
        }
        Some("csv") => export(&call, &params).await,
        Some(_) => Err(Problem::field("INVALID", "format", "must be json or csv")),
    }
}

/// All of the audit log that matches, as CSV.
#[utoipa::path(tag = "audit", responses((status = 200, content_type = "text/csv"), (status = 401), (status = 403)))]
#[get("/api/audit_logs/export/")]
pub(super) async fn export_audit_logs(call: Call, params: Params) -> Result<HttpResponse, Problem> {
    call.may(Permission::AuditRead)?;
    export(&call, &params).await
}

async fn export(call: &Call, params: &Params) -> Result<HttpResponse, Problem> {
    let conditions = conditions(params)?;
    let position = call.settled(NAME).await?;
    let header = stream::once(async { csv_line(&COLUMNS) });
    let rows = chunks(call.tenant().pool.clone(), conditions);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("DDC-Position", position.to_string()))
        .insert_header(("Content-Disposition", "attachment; filename=\"audit_logs.csv\""))
        .streaming(Box::pin(futures::StreamExt::chain(header, rows))))
}

/// The rows that match, latest first, a chunk at a time: an export of any length holds one chunk in memory.
fn chunks(pool: PgPool, conditions: Vec<Condition>) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    let pages = stream::try_unfold(Some(i64::MAX), move |before| {
        let (pool, conditions) = (pool.clone(), conditions.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            let mut query = QueryBuilder::new(format!("SELECT id, body FROM {NAME} WHERE id < "));
            query.push_bind(before).push(" AND ");
            push_all(&mut query, &conditions);
            query.push(" ORDER BY id DESC LIMIT ").push_bind(CHUNK);
            let rows: Vec<(i64, Value)> = query.build_query_as().fetch_all(&pool).await?;
            let full = i64::try_from(rows.len()).unwrap_or(0) == CHUNK;
            let next = rows.last().map(|(id, _)| *id).filter(|_| full);
            Ok::<_, sqlx::Error>(Some((rows, next)))
        }
    });
    pages.map_err(std::io::Error::other).and_then(|rows| async move {
        let mut text = Vec::new();
        for (_, body) in rows {
            text.extend_from_slice(&csv_line(&COLUMNS.map(|column| cell(body.get(column))))?);
        }
        Ok(Bytes::from(text))
    })
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => shielded(text),
        Some(value) => shielded(&value.to_string()),
    }
}

fn csv_line(cells: &[impl AsRef<[u8]>]) -> Result<Bytes, std::io::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map(Bytes::from).map_err(|error| std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        assert_eq!(csv_line(&["a,b", "c\"d"]).unwrap(), "\"a,b\",\"c\"\"d\"\r\n");
    }
}
