-- From here on each version of a read model has a schema, a claim and a checkpoint of its own, so that nodes of two builds
-- run side by side. What was there before is dropped; it is built anew.
DROP TABLE IF EXISTS
    company_list, user_list, client_list, audit_log, audit_fields, dashboard_assessments, dashboard_costings,
    dashboard_proposals, dashboard_projects, dashboard_clients, dashboard_companies, dashboard_currencies,
    proposal_list, project_list, opportunity_place, rate_card_list, solution_costing_list, solution_rate_card_list,
    question_list, validation_rule_list, opportunity_template_list, benchmark_list, assessment_list,
    assessment_comments, assessment_reports, region_list, currency_list, operations_role_list,
    consultant_role_list, industry_type_list, vertical_list, solution_component_list;

CREATE TEMPORARY TABLE before_versions ON COMMIT DROP AS SELECT unnest(ARRAY[
    'company_list', 'user_list', 'client_list', 'audit_log', 'dashboard', 'proposal_list', 'project_list',
    'opportunity_place', 'rate_card_list', 'solution_costing_list', 'solution_rate_card_list', 'question_list',
    'validation_rule_list', 'opportunity_template_list', 'benchmark_list', 'assessment_list',
    'assessment_comments', 'assessment_reports', 'region_list', 'currency_list', 'operations_role_list',
    'consultant_role_list', 'industry_type_list', 'vertical_list', 'solution_component_list'
]) AS name;
DELETE FROM checkpoints WHERE name IN (SELECT name FROM before_versions);
DELETE FROM parked_events WHERE reader IN (SELECT name FROM before_versions);
DELETE FROM claims WHERE name IN (SELECT name FROM before_versions);
