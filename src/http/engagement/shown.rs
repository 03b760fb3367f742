//! A project as a single resource: with what depends on the day (spec 16.4).

use actix_web::http::StatusCode;
use chrono::NaiveDate;
use engagement::{
    earned_value::Tracking,
    project::{KnownProject, Project, ProjectView},
};
use engagement_projections::project_list::{self, ProjectList};
use kernel::{ProjectId, Resource, Stamp};
use runtime::{ResourceTable, page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::{
        call::{Call, Reply},
        problem::Problem,
    },
    journal::{ExecuteError, Unit},
};

/// A project with its tracking numbers as of the day of the request.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownProject {
    #[serde(flatten)]
    view: ProjectView,
    tracking: Tracking,
}

/// A part of a project, and how the project stands with it.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownPart<T> {
    #[serde(flatten)]
    pub(super) part: T,
    pub(super) tracking: Tracking,
}

/// A project as its read model has it.
pub(super) struct Found {
    project: Project,
    stamp: Stamp,
    /// The position that the read model has at least reached.
    pub(super) position: i64,
}

impl ShownProject {
    /// The project as this unit leaves it.
    pub(super) async fn of(unit: &mut Unit<'_>, id: ProjectId) -> Result<Self, Problem> {
        let today = unit.issuer().at.date_naive();
        let view = unit.view::<Project>(id).await?.ok_or_else(Problem::not_found)?;
        Ok(Self { view, tracking: of_project(unit, id, |known| known.tracking(today)).await? })
    }

    /// The answer to a command on a project.
    pub(super) async fn reply(unit: &mut Unit<'_>, id: ProjectId) -> Result<Reply, Problem> {
        let version = unit.version::<Project>(id).await?;
        Ok(Reply::json(StatusCode::OK, &Self::of(unit, id).await?)?.at_version(version))
    }
}

/// Something of a project as this unit leaves it; 404 when there is none.
pub(super) async fn of_project<R>(
    unit: &mut Unit<'_>,
    id: ProjectId,
    look: impl FnOnce(&KnownProject) -> R,
) -> Result<R, Problem> {
    let seen = unit.read::<Project, _>(id, |project, _| project.known().map(look)).await?;
    seen.ok_or_else(Problem::not_found)
}

impl Found {
    /// The project, if the caller may see it.
    ///
    /// # Errors
    /// 404; 503.
    pub(super) async fn by(call: &Call, id: ProjectId) -> Result<Self, Problem> {
        let position = call.settled(ProjectList::NAME).await?;
        let conditions = project_list::visible_to(call.actor(), true);
        let row = page::stored(&call.tenant().pool, ProjectList::NAME, id.get(), &conditions).await?;
        let row = row.ok_or_else(Problem::not_found)?;
        let project = call.tenant().journal.codec().decode(&row.state).await.map_err(ExecuteError::from)?;
        let page::Stored { version, created_at, updated_at, .. } = row;
        Ok(Self { project, stamp: Stamp { id: id.to_string(), version, created_at, updated_at }, position })
    }

    pub(super) const fn version(&self) -> i64 {
        self.stamp.version
    }

    pub(super) fn known(&self) -> Result<&KnownProject, Problem> {
        self.project.known().ok_or_else(Problem::not_found)
    }

    /// With the tracking numbers of a day.
    pub(super) fn shown(&self, as_of: NaiveDate) -> Result<ShownProject, Problem> {
        let view = Project::view(&self.project, &self.stamp).ok_or_else(Problem::not_found)?;
        Ok(ShownProject { view, tracking: self.known()?.tracking(as_of) })
    }
}
