//! Who may do what, as the contract says it (spec 0, 2 and 3): one line an operation, written from the contract and not
//! from the product's own table.

/// `A` ADMIN, `R` REVIEWER, `C` CONSULTANT, `K` CLIENT; `****` is for everybody, without a token; `....` is for nobody.
///
/// Then whose the things are: `own` are those who take part in the engagement (404 for all others), `list` is a list of
/// such (empty for all others), `shared` is seen by every role that may see it, `-` concerns the caller alone or no row.
const OPERATIONS: &str = "
****  -       GET     /health/live/
****  -       GET     /health/ready/
****  -       GET     /metrics/

****  -       POST    /api/auth/login/
****  -       POST    /api/auth/token/refresh/
****  -       POST    /api/auth/set-password/
****  -       POST    /api/auth/password-reset/
****  -       POST    /api/auth/password-reset/confirm/
ARCK  -       GET     /api/auth/me/
ARCK  -       PUT     /api/auth/me/
ARCK  -       POST    /api/auth/logout/
ARCK  -       POST    /api/auth/change-password/

ARC.  shared  GET     /api/accounts/users/
A...  -       POST    /api/accounts/users/
ARC.  shared  GET     /api/accounts/users/{id}/
A...  own     PUT     /api/accounts/users/{id}/
A...  own     DELETE  /api/accounts/users/{id}/
A...  own     POST    /api/accounts/users/{id}/restore/
A...  own     POST    /api/accounts/users/{id}/deactivate/
A...  own     POST    /api/accounts/users/{id}/reactivate/

ARC.  shared  GET     /api/common/companies/
A...  -       POST    /api/common/company/
ARC.  shared  GET     /api/common/company/{id}/
A...  own     PUT     /api/common/company/{id}/update/
A...  own     DELETE  /api/common/company/{id}/delete/

ARC.  list    GET     /api/clients/
A...  -       POST    /api/clients/add/
ARCK  own     GET     /api/clients/{id}/
A...  own     PUT     /api/clients/{id}/update/
A...  own     DELETE  /api/clients/{id}/delete/
A...  own     POST    /api/clients/{id}/restore/
ARCK  own     GET     /api/clients/{user_id}/history/

ARCK  shared  GET     /api/common/regions/
A...  -       POST    /api/common/region/
ARCK  shared  GET     /api/common/region/{id}/
A...  own     PUT     /api/common/region/{id}/update/
A...  own     DELETE  /api/common/region/{id}/delete/
A...  own     POST    /api/common/region/{id}/restore/
ARCK  shared  GET     /api/common/currencies/
A...  -       POST    /api/common/currency/
ARCK  shared  GET     /api/common/currency/{id}/
A...  own     PUT     /api/common/currency/{id}/update/
A...  own     DELETE  /api/common/currency/{id}/delete/
A...  own     POST    /api/common/currency/{id}/restore/
ARC.  shared  GET     /api/common/operations-roles/
A...  -       POST    /api/common/operations-role/
ARC.  shared  GET     /api/common/operations-role/{id}/
A...  own     PUT     /api/common/operations-role/{id}/update/
A...  own     DELETE  /api/common/operations-role/{id}/delete/
A...  own     POST    /api/common/operations-role/{id}/restore/
ARC.  shared  GET     /api/common/consultant-roles/
A...  -       POST    /api/common/consultant-role/
ARC.  shared  GET     /api/common/consultant-role/{id}/
A...  own     PUT     /api/common/consultant-role/{id}/update/
A...  own     DELETE  /api/common/consultant-role/{id}/delete/
A...  own     POST    /api/common/consultant-role/{id}/restore/
ARCK  shared  GET     /api/common/industry-types/
A...  -       POST    /api/common/industry-type/
ARCK  shared  GET     /api/common/industry-type/{id}/
A...  own     PUT     /api/common/industry-type/{id}/update/
A...  own     DELETE  /api/common/industry-type/{id}/delete/
A...  own     POST    /api/common/industry-type/{id}/restore/
ARCK  shared  GET     /api/common/verticals/
A...  -       POST    /api/common/vertical/
ARCK  shared  GET     /api/common/vertical/{id}/
A...  own     PUT     /api/common/vertical/{id}/update/
A...  own     DELETE  /api/common/vertical/{id}/delete/
A...  own     POST    /api/common/vertical/{id}/restore/
ARC.  shared  GET     /api/solution_components/
A...  -       POST    /api/solution_components/
ARC.  shared  GET     /api/solution_components/{id}/
A...  own     PUT     /api/solution_components/{id}/
A...  own     DELETE  /api/solution_components/{id}/
A...  own     POST    /api/solution_components/{id}/restore/

ARCK  shared  GET     /api/questionnaires/questions/
A...  -       POST    /api/questionnaires/import/
ARC.  shared  GET     /api/questionnaires/rules/
A...  -       POST    /api/questionnaires/rules/import/
ARCK  -       GET     /api/questionnaires/validate-answers/
A.CK  -       POST    /api/questionnaires/validate-answers/
ARCK  shared  GET     /api/benchmarks/
ARCK  shared  GET     /api/benchmarks/match/
ARC.  shared  GET     /api/benchmarks/export/
A...  -       POST    /api/benchmarks/import/
ARC.  shared  GET     /api/opportunity-templates/
A...  -       POST    /api/opportunity-templates/import/
A...  -       GET     /api/prompts/
A...  -       PUT     /api/prompts/

ARCK  list    GET     /api/assessments/
A.C.  -       POST    /api/assessments/
ARCK  own     GET     /api/assessments/{id}/
A.C.  own     PUT     /api/assessments/{id}/
A...  own     DELETE  /api/assessments/{id}/
A...  own     POST    /api/assessments/{id}/restore/
ARCK  own     GET     /api/assessments/{id}/comments/
ARCK  own     POST    /api/assessments/{id}/comments/
ARCK  own     POST    /api/assessments/{id}/comments/{comment}/resolve/
ARCK  own     GET     /api/assessments/{id}/answers/
A.CK  own     POST    /api/assessments/{id}/submit-answers/
A.C.  own     POST    /api/assessments/{id}/upload-questions/
ARCK  own     GET     /api/assessments/{id}/history/
ARCK  own     GET     /api/assessments/{id}/report/
ARCK  own     GET     /api/assessments/{id}/report/pdf/
ARCK  own     GET     /api/assessments/{id}/opportunities/
A.C.  own     POST    /api/assessments/{id}/opportunities/
A.C.  own     PUT     /api/assessments/{id}/opportunities/{opportunity}/
A.C.  own     DELETE  /api/assessments/{id}/opportunities/{opportunity}/
A.C.  own     POST    /api/assessments/{id}/run-analysis/
A.C.  own     POST    /api/assessments/{id}/cancel-analysis/
ARCK  own     GET     /api/assessments/{id}/analysis-runs/
AR.K  own     POST    /api/assessments/{id}/approve/
AR.K  own     POST    /api/assessments/{id}/reject/
A...  own     POST    /api/assessments/{id}/lock/
A...  own     POST    /api/assessments/{id}/reopen/

ARC.  list    GET     /api/rate_card/
A.C.  -       POST    /api/rate_card/
ARC.  own     GET     /api/rate_card/{id}/
A.C.  own     PUT     /api/rate_card/{id}/
ARC.  list    GET     /api/solution_rate_card/
A.C.  -       POST    /api/solution_rate_card/
ARC.  own     GET     /api/solution_rate_card/{id}/
A.C.  own     PUT     /api/solution_rate_card/{id}/
ARCK  list    GET     /api/solution_costing/
A.C.  -       POST    /api/solution_costing/
ARCK  own     GET     /api/solution_costing/{id}/
A.C.  own     PUT     /api/solution_costing/{id}/
A.C.  own     DELETE  /api/solution_costing/{id}/
A.C.  own     POST    /api/solution_costing/{id}/submit/
AR..  own     POST    /api/solution_costing/{id}/approve/
AR..  own     POST    /api/solution_costing/{id}/reject/
A.C.  own     POST    /api/solution_costing/{id}/revise/
A.C.  own     POST    /api/solution_costing/{id}/reprice/
A...  own     POST    /api/solution_costing/{id}/archive/
A.C.  -       POST    /api/solution_costing/line-items/
A.C.  own     PUT     /api/solution_costing/line-items/{id}/
A.C.  own     DELETE  /api/solution_costing/line-items/{id}/

ARCK  list    GET     /api/proposals/
A.C.  -       POST    /api/proposals/
ARCK  own     GET     /api/proposals/{id}/
A.C.  own     PUT     /api/proposals/{id}/
A...  own     DELETE  /api/proposals/{id}/
A.C.  own     POST    /api/proposals/{id}/submit/
A..K  own     POST    /api/proposals/{id}/approve/
A..K  own     POST    /api/proposals/{id}/reject/
A.C.  own     POST    /api/proposals/{id}/withdraw/
A.C.  own     POST    /api/proposals/{id}/revise/
ARCK  own     GET     /api/proposals/{id}/pdf/

ARCK  list    GET     /api/projects/
....  -       POST    /api/projects/
ARCK  own     GET     /api/projects/{id}/
A.C.  own     PUT     /api/projects/{id}/
A.C.  own     PUT     /api/projects/{id}/status/
A.C.  own     POST    /api/projects/{id}/milestones/
A.C.  own     PUT     /api/projects/{id}/milestones/{mid}/
A.C.  own     POST    /api/projects/{id}/expenses/
A.C.  own     PUT     /api/projects/{id}/opportunities/{poid}/
ARCK  own     GET     /api/projects/{id}/variance/

ARCK  -       GET     /api/dashboards/stats/
ARCK  -       GET     /api/dashboards/details/
ARC.  -       GET     /api/analytics/contributions/
A...  -       GET     /api/audit_logs/
A...  -       GET     /api/audit_logs/export/
A...  -       GET     /api/audit_logs/http-activities/
A...  own     GET     /api/{collection}/{id}/events/
ARCK  list    GET     /api/notifications/
ARCK  -       GET     /api/notifications/unread-count/
ARCK  -       POST    /api/notifications/read-all/
ARCK  own     POST    /api/notifications/{id}/read/
A...  -       GET     /api/emails/logs/
";

/// What the contract names and the product does not serve yet. This list may only shrink.
const NOT_SERVED: &[(&str, &str)] = &[
    ("GET", "/api/prompts/"),
    ("PUT", "/api/prompts/"),
    ("GET", "/api/assessments/{id}/report/pdf/"),
    ("GET", "/api/proposals/{id}/pdf/"),
    ("GET", "/api/analytics/contributions/"),
];

/// Whose things an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    None,
    Own,
    List,
    Shared,
}

/// One line of the contract.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    roles: &'static str,
    pub(crate) rows: Rows,
    pub(crate) method: reqwest::Method,
    pub(crate) path: &'static str,
}

impl Operation {
    fn of(line: &'static str) -> Self {
        let parts: Vec<&'static str> = line.split_whitespace().collect();
        let [roles, rows, method, path] = parts[..] else { panic!("{line} is no operation") };
        let rows = match rows {
            "-" => Rows::None,
            "own" => Rows::Own,
            "list" => Rows::List,
            "shared" => Rows::Shared,
            other => panic!("{other} of {line} is not known"),
        };
        Self { roles, rows, method: method.parse().unwrap(), path }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.roles == "****"
    }

    /// Whether anybody at all may do it.
    pub(crate) fn is_disabled(&self) -> bool {
        self.roles == "...."
    }

    /// Whether a role may ever do it.
    pub(crate) fn is_for(&self, role: &str) -> bool {
        let letter = if role == "CLIENT" { "K" } else { &role[..1] };
        self.roles.contains(letter)
    }
}

/// What is served, each with what the contract says of it. An operation that the contract does not know is refused, and
/// so is a line of the contract that is not served.
pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(ddc::http::document()).unwrap();
    let mut served = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        served.extend(methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    let known: Vec<Operation> = OPERATIONS.lines().filter(|line| !line.trim().is_empty()).map(Operation::of).collect();
    let is =
        |operation: &Operation, method: &str, path: &str| operation.method.as_str() == method && operation.path == path;
    let unknown: Vec<_> =
        served.iter().filter(|(method, path)| !known.iter().any(|operation| is(operation, method, path))).collect();
    assert!(unknown.is_empty(), "served, but who may do it is not in OPERATIONS: {unknown:?}");
    let (there, missing): (Vec<Operation>, Vec<Operation>) =
        known.into_iter().partition(|operation| served.iter().any(|(method, path)| is(operation, method, path)));
    let awaited = |operation: &Operation| NOT_SERVED.iter().any(|(method, path)| is(operation, method, path));
    let lost: Vec<_> = missing.iter().filter(|operation| !awaited(operation)).collect();
    assert!(lost.is_empty(), "in OPERATIONS, but not served: {lost:?}");
    there
}
