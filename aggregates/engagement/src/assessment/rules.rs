//! What may be done with an assessment: the table of commands. What each decides is in `assessment_rules`.

use cqrs_es::{Aggregate, event_sink::EventSink};
use kernel::Issued;

use super::{Assessment, AssessmentCommand, AssessmentEvent, AssessmentRefusal};
use crate::assessment_rules::{Decision, Issue};

impl Aggregate for Assessment {
    const TYPE: &'static str = "assessment";
    type Command = Issued<AssessmentCommand>;
    type Event = AssessmentEvent;
    type Error = AssessmentRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        issued: Self::Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AssessmentRefusal> {
        let issue = Issue { by: issued.by, at: issued.at };
        for event in self.decide(issue, issued.command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AssessmentEvent) {
        self.record(event);
    }
}

impl Assessment {
    fn decide(&self, issue: Issue, command: AssessmentCommand) -> Decision {
        use AssessmentCommand as C;
        match command {
            C::Create(new) => self.create(issue, *new),
            C::UpdateDetails(changes) => self.update_details(issue, *changes),
            C::AddVertical(new) => self.add_vertical(issue, *new),
            C::RemoveVertical { vertical, confirm } => self.remove_vertical(issue, vertical, confirm),
            C::UploadQuestions { questions, answers } => self.upload_questions(issue, questions, &answers),
            C::SubmitAnswers { answers } => self.submit_answers(issue, &answers),
            C::AddComment { comment, parent } => self.add_comment(issue, comment, parent),
            C::ResolveComment { comment } => self.resolve_comment(issue, comment),
            C::RunAnalysis(order) => self.run_analysis(issue, *order),
            C::RecordAnalysisStep { run, step } => self.record_analysis_step(issue, run, step),
            C::CompleteAnalysis { report } => self.complete_analysis(issue, report),
            C::FailAnalysis { run, step, code, message } => self.fail_analysis(issue, run, step, code, message),
            C::TimeOutAnalysis { run } => self.time_out_analysis(issue, run),
            C::CancelAnalysis => self.cancel_analysis(issue),
            C::Approve { comment, allow_admin_self_approval } => {
                self.approve(issue, comment, allow_admin_self_approval)
            }
            C::Reject { comments } => self.reject(issue, comments),
            C::Lock { reason } => self.lock(issue, reason),
            C::Reopen { reason } => self.reopen(issue, reason),
            C::AddOpportunity { id, assessment, input } => self.add_opportunity(issue, id, assessment, *input),
            C::ChangeOpportunity { id, changes } => self.change_opportunity(issue, id, *changes),
            C::RemoveOpportunity { id } => self.remove_opportunity(issue, id),
            C::ClaimOpportunities { costing, opportunities, supersedes } => {
                self.claim_opportunities(issue, costing, opportunities, supersedes)
            }
            C::RecordCostingApproval { costing } => self.record_costing_approval(issue, costing),
            C::ReleaseOpportunities { costing } => self.release_opportunities(issue, costing),
            C::RecordParticipants { reviewer, pairs } => self.record_participants(issue, reviewer, pairs),
            C::Delete { cascade, has_active_project, force } => {
                self.delete(issue, cascade, has_active_project && !force)
            }
            C::Restore { cascade } => self.restore(issue, cascade.as_ref()),
        }
    }
}
