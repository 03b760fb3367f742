//! What was said about an assessment? Asked by its participants; whether the caller is one, the assessment itself says.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engagement::assessment::{AssessmentEvent, Comment};
use kernel::UserId;
use runtime::{ApplyError, Codec, Projection, Recorded, write};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use utoipa::ToSchema;

pub const NAME: &str = "assessment_comments";

pub struct AssessmentComments;

/// A comment as the API shows it (spec 8.4).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CommentView {
    pub assessment_id: i64,
    #[serde(flatten)]
    pub comment: Comment,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    assessment_id: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    body: CommentView,
}

type Rows = BTreeMap<i64, Row>;

#[async_trait]
impl Projection for AssessmentComments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> i32 {
        1
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["assessment"]
    }

    fn tables(&self) -> Vec<&'static str> {
        vec![NAME]
    }

    fn schema(&self) -> String {
        "CREATE TABLE assessment_comments (id bigint PRIMARY KEY, assessment_id bigint NOT NULL,
             created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, body json NOT NULL)"
            .to_owned()
    }

    fn indexes(&self) -> String {
        "CREATE INDEX ON assessment_comments (assessment_id, id)".to_owned()
    }

    async fn apply(&self, tx: &mut PgConnection, codec: &Codec, events: &[Recorded]) -> Result<(), ApplyError> {
        let mut rows = Rows::new();
        for recorded in events.iter().filter(|recorded| concerns(recorded)) {
            let event = codec.event(recorded).await.map_err(|error| ApplyError::event(recorded, &error))?;
            match event {
                AssessmentEvent::CommentAdded(comment) => add(&mut rows, recorded, *comment),
                AssessmentEvent::ReworkRequested { comments, .. } => {
                    comments.into_iter().for_each(|comment| add(&mut rows, recorded, comment));
                }
                AssessmentEvent::CommentResolved { comment_id, by, at } => {
                    resolve(tx, &mut rows, comment_id.get(), by, at).await?;
                }
                _ => {}
            }
        }
        write(tx, NAME, &rows.into_values().collect::<Vec<_>>()).await
    }
}

fn concerns(recorded: &Recorded) -> bool {
    matches!(
        recorded.event_type.as_str(),
        "assessment.comment_added" | "assessment.rework_requested" | "assessment.comment_resolved"
    )
}

fn add(rows: &mut Rows, recorded: &Recorded, comment: Comment) {
    let Some(assessment_id) = recorded.number() else { return };
    let row = Row {
        id: comment.id.get(),
        assessment_id,
        created_at: comment.created_at,
        updated_at: comment.created_at,
        body: CommentView { assessment_id, comment },
    };
    rows.insert(row.id, row);
}

/// The comment is of this batch, or stands in the table.
async fn resolve(
    tx: &mut PgConnection,
    rows: &mut Rows,
    id: i64,
    by: Option<UserId>,
    at: DateTime<Utc>,
) -> Result<(), ApplyError> {
    if !rows.contains_key(&id) {
        let known: Option<Json<CommentView>> = sqlx::query_scalar("SELECT body FROM assessment_comments WHERE id = $1")
            .bind(id)
            .fetch_optional(tx)
            .await?;
        let row = known.map(|Json(body)| Row {
            id,
            assessment_id: body.assessment_id,
            created_at: body.comment.created_at,
            updated_at: at,
            body,
        });
        rows.extend(row.map(|row| (id, row)));
    }
    if let Some(row) = rows.get_mut(&id) {
        row.updated_at = at;
        row.body.comment.resolved_at = Some(at);
        row.body.comment.resolved_by = by;
    }
    Ok(())
}
