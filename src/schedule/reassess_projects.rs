//! The automatic delivery status of projects that nobody touches follows the day (spec 16.4).

use anyhow::Result;
use engagement::project::{Project, ProjectCommand};
use engagement_projections::project_list;

use crate::app::App;

/// How many projects are fetched at a time.
const PAGE: i64 = 500;

pub(super) async fn run(app: &App) -> Result<()> {
    let mut last = 0;
    loop {
        let page = project_list::tracked_after(&app.tenant.pool, last, PAGE).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = *end;
        for id in page {
            super::command(app, "project.reassess", id, async |unit| {
                unit.decide::<Project, _>(id, ProjectCommand::Reassess).await
            })
            .await?;
        }
    }
}
