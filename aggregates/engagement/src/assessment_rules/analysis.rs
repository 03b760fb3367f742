//! The analysis: asked for, followed step by step, ended (spec 8.3, 13).

use kernel::{RunId, Text};

use super::{Decision, Issue};
use crate::{
    assessment::{
        AnalysisOrder, AnalysisRun, Assessment, AssessmentEvent, AssessmentRefusal, STEPS, Status, Verb, digest,
    },
    report::Report,
};

impl Assessment {
    pub(crate) fn run_analysis(&self, issue: Issue, order: AnalysisOrder) -> Decision {
        let profile = self.managed_by(issue.by)?;
        if self.runs.iter().any(|run| run.id == order.run) {
            return Ok(vec![]);
        }
        if profile.status == Status::Running {
            return Err(AssessmentRefusal::AnalysisAlreadyRunning);
        }
        if profile.status == Status::Completed && order.force {
            issue.only_admin()?;
            if !profile.approvals.is_empty() {
                return Err(AssessmentRefusal::ApprovalGiven);
            }
        } else {
            profile.admit(Verb::RunAnalysis)?;
        }
        let open = self.open_rework_comments().count();
        if order.require_comment_resolution && open > 0 {
            return Err(AssessmentRefusal::UnresolvedComments { open });
        }
        let validation = self.validate(order.assessment, &order.benchmarks);
        if !validation.valid {
            return Err(AssessmentRefusal::ValidationFailed(Box::new(validation)));
        }
        Ok(vec![AssessmentEvent::AnalysisRequested {
            run_id: order.run,
            answers_hash: digest(&self.given_answers()),
            pins: order.pins,
            by: issue.user(),
            at: issue.at,
        }])
    }

    /// A step that was recorded before is no news; one that skips another is refused.
    pub(crate) fn record_analysis_step(&self, issue: Issue, run: RunId, step: u8) -> Decision {
        let Some(run) = self.reported_run(issue, run, Verb::RecordAnalysisStep)? else { return Ok(vec![]) };
        if step <= run.step {
            return Ok(vec![]);
        }
        let due = run.step.saturating_add(1);
        let name = STEPS.get(usize::from(run.step));
        match name {
            Some(name) if step == due => Ok(vec![AssessmentEvent::AnalysisStepCompleted {
                run_id: run.id,
                step,
                step_name: (*name).to_owned(),
                progress: step.saturating_mul(20),
            }]),
            _ => Err(AssessmentRefusal::StepOutOfOrder { due }),
        }
    }

    pub(crate) fn complete_analysis(&self, issue: Issue, report: Box<Report>) -> Decision {
        let Some(run) = self.reported_run(issue, report.run_id, Verb::CompleteAnalysis)? else { return Ok(vec![]) };
        Ok(vec![AssessmentEvent::AnalysisCompleted {
            run_id: run.id,
            requested_by: run.requested_by,
            report,
            at: issue.at,
        }])
    }

    pub(crate) fn fail_analysis(
        &self,
        issue: Issue,
        run: RunId,
        step: u8,
        code: Text<1, 100>,
        message: Text<0, 4000>,
    ) -> Decision {
        let Some(run) = self.reported_run(issue, run, Verb::FailAnalysis)? else { return Ok(vec![]) };
        Ok(vec![AssessmentEvent::AnalysisFailed {
            run_id: run.id,
            step,
            code,
            message,
            back_to: run.came_from,
            at: issue.at,
        }])
    }

    pub(crate) fn time_out_analysis(&self, issue: Issue, run: RunId) -> Decision {
        let Some(run) = self.reported_run(issue, run, Verb::FailAnalysis)? else { return Ok(vec![]) };
        let (Ok(code), Ok(message)) = (Text::new("TIMED_OUT"), Text::new("the analysis took longer than 30 minutes"))
        else {
            return Ok(vec![]);
        };
        if issue.at < run.deadline() {
            return Ok(vec![]);
        }
        self.fail_analysis(issue, run.id, run.step.saturating_add(1), code, message)
    }

    pub(crate) fn cancel_analysis(&self, issue: Issue) -> Decision {
        let profile = self.seen_by(issue.by)?;
        issue.only_consulting()?;
        profile.admit(Verb::CancelAnalysis)?;
        let run = self.current_run().ok_or(AssessmentRefusal::RunNotCurrent)?;
        Ok(vec![AssessmentEvent::AnalysisCancelled {
            run_id: run.id,
            back_to: run.came_from,
            by: issue.user(),
            at: issue.at,
        }])
    }

    /// The run that the system reports on; `None` when it is over, so that what it still has to say changes nothing.
    fn reported_run(&self, issue: Issue, id: RunId, verb: Verb) -> Result<Option<&AnalysisRun>, AssessmentRefusal> {
        let profile = self.booked_by(issue.by)?;
        issue.only_system()?;
        if self.runs.iter().any(|run| run.id == id && run.is_over()) {
            return Ok(None);
        }
        profile.admit(verb)?;
        match self.current_run() {
            Some(run) if run.id == id => Ok(Some(run)),
            _ => Err(AssessmentRefusal::RunNotCurrent),
        }
    }
}
