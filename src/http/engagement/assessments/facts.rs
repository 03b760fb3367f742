//! What the shell learns of other aggregates for the commands to an assessment.

use engagement::{
    analysis::Material,
    assessment::{Assessment, ClientFacts, ManagerFacts, NewVertical, Pairing},
    benchmark_set::BenchmarkSet,
    project::{Project, Stage},
    proposal::Proposal,
    question_bank::QuestionBank,
    questionnaire::{BenchmarkFact, QuestionSet, VerticalRef},
    solution_costing::SolutionCosting,
};
use identity::{client::Client, user::User};
use kernel::{AssessmentId, QuestionId, Reference, SolutionCostingId, UserId, VerticalId};
use reference::{Lookup, LookupKind, Vertical};
use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{ExecuteError, Unit};

/// The streams of the question bank, the benchmark set and the lever library: each is the only one of its kind.
pub(crate) const LIBRARY: &str = "main";

/// The client of this login; a client has its login's number. It must still be so when the command is recorded.
pub(super) async fn client(unit: &mut Unit<'_>, user: UserId) -> Result<ClientFacts, ExecuteError> {
    let may_sign_in = unit.read::<User, _>(user, |user, _| user.is_active()).await?;
    unit.depend::<Client, _>(user, |client, _| ClientFacts {
        user,
        is_active: may_sign_in && client.is_active(),
        reviewer: client.reviewer(),
        pairs: client
            .pairs()
            .iter()
            .map(|pair| Pairing { vertical: pair.vertical_id, consultant: pair.consultant_id })
            .collect(),
    })
    .await
}

pub(super) async fn manager(unit: &mut Unit<'_>, user: UserId) -> Result<ManagerFacts, ExecuteError> {
    unit.read::<User, _>(user, |account, _| ManagerFacts { user, role: account.role(), is_active: account.is_active() })
        .await
}

/// A look-up and whether it may be newly referred to.
pub(super) async fn lookup<K: LookupKind, I: kernel::Id + ToString + PartialEq>(
    unit: &mut Unit<'_>,
    id: I,
) -> Result<Reference<I>, ExecuteError> {
    Ok(Reference::new(id, unit.read::<Lookup<K>, _>(id, |lookup, _| lookup.is_active()).await?))
}

/// The bank's questions of these verticals, and the shared ones.
pub(super) async fn questions(unit: &mut Unit<'_>, verticals: &[VerticalId]) -> Result<QuestionSet, ExecuteError> {
    unit.read::<QuestionBank, _>(LIBRARY, |bank, _| bank.question_set(verticals)).await
}

/// A vertical that an assessment is to have, with its questions.
pub(super) async fn vertical(unit: &mut Unit<'_>, id: VerticalId) -> Result<NewVertical, ExecuteError> {
    let vertical = lookup::<reference::VerticalKind, _>(unit, id).await?;
    Ok(NewVertical { vertical, questions: questions(unit, &[id]).await? })
}

/// The codes of verticals, as uploaded files name them.
pub(super) async fn vertical_codes(
    unit: &mut Unit<'_>,
    verticals: &[VerticalId],
) -> Result<Vec<VerticalRef>, ExecuteError> {
    let mut known = Vec::with_capacity(verticals.len());
    for id in verticals {
        let code = unit.read::<Vertical, _>(id, |vertical, _| vertical.live().map(|live| live.code.clone())).await?;
        known.extend(code.map(|code| VerticalRef { id: *id, code }));
    }
    Ok(known)
}

/// What validation is to know of the benchmarks, and their version.
pub(super) async fn benchmarks(
    unit: &mut Unit<'_>,
    material: &Material,
) -> Result<(BTreeMap<QuestionId, BenchmarkFact>, u32), ExecuteError> {
    unit.read::<BenchmarkSet, _>(LIBRARY, |set, _| {
        let benchmarks = set.benchmarks();
        (material.benchmark_facts(&benchmarks), benchmarks.set_version)
    })
    .await
}

/// Whether a project that came of the assessment is in progress: over its costings and their proposals.
pub(super) async fn has_active_project(unit: &mut Unit<'_>, id: AssessmentId) -> Result<bool, ExecuteError> {
    let costings: BTreeSet<SolutionCostingId> = unit
        .read::<Assessment, _>(id, |assessment, _| {
            let book = assessment.opportunity_book();
            book.claimed().into_iter().flat_map(|opportunity| book.costings_of(opportunity)).collect()
        })
        .await?;
    for costing in costings {
        let proposal = unit
            .read::<SolutionCosting, _>(costing, |costing, _| costing.known().and_then(|known| known.proposal_id))
            .await?;
        let Some(proposal) = proposal else { continue };
        let project = unit
            .read::<Proposal, _>(proposal, |proposal, _| proposal.known().and_then(|known| known.project_id))
            .await?;
        let Some(project) = project else { continue };
        let stage = |project: &Project| project.known().filter(|known| !known.is_deleted).map(|known| known.stage);
        if unit.read::<Project, _>(project, |project, _| stage(project)).await? == Some(Stage::InProgress) {
            return Ok(true);
        }
    }
    Ok(false)
}
