//! What can be asked about everything: who did what, and how the whole work stands. These read models see every
//! context's events and belong to no aggregate.

pub mod assessment_history;
pub mod audit_log;
pub mod dashboard;

use std::sync::Arc;

use runtime::Projection;

/// All read models of oversight.
#[must_use]
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(audit_log::AuditLog::default()), Arc::new(dashboard::Dashboard::default())]
}
