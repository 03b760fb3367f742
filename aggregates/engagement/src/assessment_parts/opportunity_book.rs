use std::collections::{BTreeMap, BTreeSet};

use kernel::{OpportunityId, SolutionCostingId, VerticalId};
use serde::{Deserialize, Serialize};

use crate::business_case::{Opportunity, OpportunityStatus};

/// The opportunities of an assessment, and the costings that are built on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpportunityBook {
    /// Removed ones included.
    all: BTreeMap<OpportunityId, Opportunity>,
    /// The live costings that price an opportunity: one, or one and those that are to supersede it. Never empty.
    claims: BTreeMap<OpportunityId, BTreeSet<SolutionCostingId>>,
    approved_costings: BTreeSet<SolutionCostingId>,
}

impl OpportunityBook {
    /// An opportunity that was not removed.
    #[must_use]
    pub fn get(&self, id: OpportunityId) -> Option<&Opportunity> {
        self.all.get(&id).filter(|opportunity| opportunity.status != OpportunityStatus::Removed)
    }

    /// All that were not removed, in order of id.
    pub fn shown(&self) -> impl Iterator<Item = &Opportunity> {
        self.all.values().filter(|opportunity| opportunity.status != OpportunityStatus::Removed)
    }

    /// All, removed ones included: what an analysis matches its findings with.
    pub fn all(&self) -> impl Iterator<Item = &Opportunity> {
        self.all.values()
    }

    /// Whether the id was ever used here.
    #[must_use]
    pub fn knows(&self, id: OpportunityId) -> bool {
        self.all.contains_key(&id)
    }

    /// The (first) live costing that prices the opportunity.
    #[must_use]
    pub fn costing_of(&self, id: OpportunityId) -> Option<SolutionCostingId> {
        self.costings_of(id).next()
    }

    /// All live costings that price the opportunity.
    pub fn costings_of(&self, id: OpportunityId) -> impl Iterator<Item = SolutionCostingId> {
        self.claims.get(&id).into_iter().flatten().copied()
    }

    /// The opportunities that some live costing prices.
    #[must_use]
    pub fn claimed(&self) -> BTreeSet<OpportunityId> {
        self.claims.keys().copied().collect()
    }

    /// What the costing has claimed.
    #[must_use]
    pub fn claimed_by(&self, costing: SolutionCostingId) -> BTreeSet<OpportunityId> {
        self.claims.iter().filter(|(_, claimants)| claimants.contains(&costing)).map(|(id, _)| *id).collect()
    }

    #[must_use]
    pub fn is_approved(&self, costing: SolutionCostingId) -> bool {
        self.approved_costings.contains(&costing)
    }

    #[must_use]
    pub fn has_approved_costing(&self) -> bool {
        !self.approved_costings.is_empty()
    }

    pub(crate) fn put(&mut self, opportunities: impl IntoIterator<Item = Opportunity>) {
        self.all.extend(opportunities.into_iter().map(|opportunity| (opportunity.id, opportunity)));
    }

    /// Takes the findings of an analysis: what it does not name is gone, except what was removed by hand (it must not
    /// come back) and what a costing uses (it is stale).
    pub(crate) fn renew(&mut self, found: Vec<Opportunity>) {
        let claims = &self.claims;
        self.all.retain(|id, opportunity| opportunity.status == OpportunityStatus::Removed || claims.contains_key(id));
        for (id, opportunity) in &mut self.all {
            if self.claims.contains_key(id) {
                opportunity.status = OpportunityStatus::Stale;
            }
        }
        self.put(found);
    }

    pub(crate) fn remove(&mut self, id: OpportunityId) {
        if let Some(opportunity) = self.all.get_mut(&id) {
            opportunity.status = OpportunityStatus::Removed;
        }
    }

    pub(crate) fn drop_vertical(&mut self, vertical: VerticalId) {
        self.all.retain(|_, opportunity| opportunity.vertical_id != vertical);
    }

    pub(crate) fn claim(&mut self, costing: SolutionCostingId, ids: impl IntoIterator<Item = OpportunityId>) {
        self.drop_claims(costing);
        for id in ids {
            self.claims.entry(id).or_default().insert(costing);
        }
    }

    pub(crate) fn approve(&mut self, costing: SolutionCostingId) {
        self.approved_costings.insert(costing);
    }

    pub(crate) fn release(&mut self, costing: SolutionCostingId) {
        self.drop_claims(costing);
        self.approved_costings.remove(&costing);
    }

    fn drop_claims(&mut self, costing: SolutionCostingId) {
        self.claims.retain(|_, claimants| {
            claimants.remove(&costing);
            !claimants.is_empty()
        });
    }
}
