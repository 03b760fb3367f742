//! What users ask for: any command on anything that they know of, sensible as often as not.

use std::collections::HashMap;

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};

/// In which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Admin,
    Consultant,
    Reviewer,
    Client,
}

/// The kinds of thing that users know the ids of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    Company,
    User,
    Region,
    Industry,
    Vertical,
    Assessment,
    Opportunity,
    Costing,
    LineItem,
    Proposal,
    Project,
    Milestone,
}

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) who: Who,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// An acknowledgement means that something happened.
    pub(crate) eventful: bool,
    makes: Option<Thing>,
    /// Where what was written can be read; `{}` stands for the answer's id.
    read: Option<String>,
}

impl Asked {
    pub(crate) fn read_path(&self, answer: &Value) -> Option<String> {
        let read = self.read.as_ref()?;
        Some(read.replace("{}", &answer["id"].as_i64().map(|id| id.to_string()).unwrap_or_default()))
    }

    fn by(who: Who, method: Method, path: impl Into<String>, body: Value) -> Self {
        Self { who, method, path: path.into(), body, eventful: false, makes: None, read: None }
    }

    fn making(mut self, thing: Thing) -> Self {
        (self.makes, self.eventful) = (Some(thing), true);
        self
    }

    fn read_at(mut self, path: impl Into<String>) -> Self {
        self.read = Some(path.into());
        self
    }
}

/// What a user knows.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    pub(crate) things: HashMap<Thing, Vec<i64>>,
    /// Of the client that the assessments are for: user id, manager, industry, region, verticals.
    pub(crate) assessment: Value,
    pub(crate) rate_card: i64,
    pub(crate) role: i64,
    /// Answers by the question's code, and the questions' ids.
    pub(crate) answers: Vec<Value>,
}

impl Desk {
    pub(crate) fn know(&mut self, thing: Thing, id: i64) {
        let ids = self.things.entry(thing).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }

    /// Takes note of what an answer tells.
    pub(crate) fn learn(&mut self, asked: &Asked, answer: &Value) {
        if let (Some(thing), Some(id)) = (asked.makes, answer["id"].as_i64()) {
            self.know(thing, id);
        }
        if let Some(id) = answer["project"]["id"].as_i64() {
            self.know(Thing::Project, id);
        }
        for (list, thing) in [("milestones", Thing::Milestone), ("line_items", Thing::LineItem)] {
            for item in answer[list].as_array().into_iter().flatten() {
                if let Some(id) = item["id"].as_i64() {
                    self.know(thing, id);
                }
            }
        }
    }

    fn any(&self, thing: Thing, rng: &mut Rng) -> Option<i64> {
        let ids = self.things.get(&thing)?;
        // Rather a late one: the early ones have come to their end.
        let from = if rng.bool() { ids.len().saturating_sub(3) } else { 0 };
        ids.get(rng.usize(from..ids.len().max(from + 1))).copied()
    }

    /// The next thing to ask for; `None` when it needs what the user does not have yet.
    pub(crate) fn think(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        match rng.u32(0..100) {
            0..12 => self.master_data(rng, label),
            12..24 => self.people(rng, label),
            24..54 => self.diagnose(rng, label),
            54..78 => self.price_and_offer(rng, label),
            _ => self.deliver(rng, label),
        }
    }

    fn master_data(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        use Thing::{Industry, Region, Vertical};
        let (thing, name) = *rng.choice(&[(Region, "region"), (Industry, "industry-type"), (Vertical, "vertical")])?;
        let one = format!("/api/common/{name}/");
        let code: String = format!("T{}", label.replace('-', "")).chars().take(10).collect();
        if rng.u32(0..3) > 0 || self.any(thing, rng).is_none() {
            let body = json!({"name": format!("{name} {label}"), "code": code});
            return Some(Asked::by(Who::Admin, Method::POST, &one, body).making(thing).read_at(format!("{one}{{}}/")));
        }
        let id = self.any(thing, rng)?;
        Some(match rng.u32(0..3) {
            0 => Asked::by(
                Who::Admin,
                Method::PUT,
                format!("{one}{id}/update/"),
                json!({"name": format!("{name} {label}")}),
            )
            .read_at(format!("{one}{id}/")),
            1 => Asked::by(Who::Admin, Method::DELETE, format!("{one}{id}/delete/"), json!({})),
            _ => Asked::by(Who::Admin, Method::POST, format!("{one}{id}/restore/"), json!({})),
        })
    }

    fn people(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        let company = |id: i64| format!("/api/common/company/{id}/");
        match rng.u32(0..6) {
            0 => Some(
                Asked::by(
                    Who::Admin,
                    Method::POST,
                    "/api/common/company/",
                    json!({"name": format!("Company {label}")}),
                )
                .making(Thing::Company)
                .read_at("/api/common/company/{}/"),
            ),
            1 | 2 => {
                let body = json!({"email": format!("u{label}@torture.test"), "role": "CONSULTANT"});
                Some(
                    Asked::by(Who::Admin, Method::POST, "/api/accounts/users/", body)
                        .making(Thing::User)
                        .read_at("/api/accounts/users/{}/"),
                )
            }
            3 => {
                let id = self.any(Thing::Company, rng)?;
                let body = json!({"website": format!("https://{label}.example")});
                Some(Asked::by(Who::Admin, Method::PUT, company(id) + "update/", body).read_at(company(id)))
            }
            4 => {
                let id = self.any(Thing::User, rng)?;
                let path = format!("/api/accounts/users/{id}/");
                let verb = rng.choice(&["deactivate/", "reactivate/", "restore/"])?;
                Some(Asked::by(Who::Admin, Method::POST, format!("{path}{verb}"), json!({})))
            }
            _ => {
                let id = self.any(Thing::User, rng)?;
                let path = format!("/api/accounts/users/{id}/");
                Some(Asked::by(Who::Admin, Method::PUT, &path, json!({"company_name": label})).read_at(&path))
            }
        }
    }

    fn diagnose(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        if rng.u32(0..8) == 0 || self.any(Thing::Assessment, rng).is_none() {
            let mut body = self.assessment.clone();
            body["name"] = json!(format!("Diagnostic {label}"));
            let asked = Asked::by(Who::Consultant, Method::POST, "/api/assessments/", body);
            return Some(asked.making(Thing::Assessment).read_at("/api/assessments/{}/"));
        }
        let id = self.any(Thing::Assessment, rng)?;
        let path = format!("/api/assessments/{id}/");
        let who = *rng.choice(&[Who::Reviewer, Who::Client, Who::Admin])?;
        Some(match rng.u32(0..12) {
            0..3 => {
                let answers: Vec<&Value> = self.answers.iter().filter(|_| rng.u32(0..10) > 0).collect();
                let body = json!({"assessment_id": id, "answers": answers});
                Asked::by(Who::Consultant, Method::POST, path + "submit-answers/", body)
            }
            3 => {
                let body = json!({"comment_text": format!("Comment {label}")});
                let mut asked = Asked::by(who, Method::POST, path + "comments/", body);
                asked.eventful = true;
                asked
            }
            4 => Asked::by(Who::Consultant, Method::PUT, &path, json!({"name": format!("Renamed {label}")}))
                .read_at(&path),
            5 | 6 => Asked::by(Who::Consultant, Method::POST, path + "run-analysis/", json!({})),
            7 => Asked::by(who, Method::POST, path + "approve/", json!({"comment": format!("Approved {label}")})),
            8 => Asked::by(who, Method::POST, path + "reject/", json!({"comment_text": format!("Look again {label}")})),
            _ => {
                let vertical = self.assessment["vertical_ids"][0].clone();
                let body = json!({
                    "vertical_id": vertical, "title": format!("Lever {label}"), "lever": "AI",
                    "addressable_effort_percent": "8.00", "automation_percent": "50.00", "realization_percent": "80.00",
                    "estimated_investment": "24000.00", "complexity": "LOW", "start_year": 1,
                });
                Asked::by(Who::Consultant, Method::POST, path + "opportunities/", body).making(Thing::Opportunity)
            }
        })
    }

    fn price_and_offer(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        let costing = |id: i64| format!("/api/solution_costing/{id}/");
        let proposal = |id: i64| format!("/api/proposals/{id}/");
        match rng.u32(0..14) {
            0..3 => {
                let opportunity = self.any(Thing::Opportunity, rng)?;
                let body = json!({
                    "name": format!("Costing {label}"), "assessment_opportunities": [opportunity],
                    "rate_card": self.rate_card,
                });
                let asked = Asked::by(Who::Consultant, Method::POST, "/api/solution_costing/", body);
                Some(asked.making(Thing::Costing).read_at("/api/solution_costing/{}/"))
            }
            3..6 => {
                let id = self.any(Thing::Costing, rng)?;
                let body = json!({
                    "solution_costing": id, "role": self.role, "role_type": "OPERATIONS", "category": "BUILD",
                    "headcount": "1.5", "duration_months": rng.u32(1..12),
                });
                let asked = Asked::by(Who::Consultant, Method::POST, "/api/solution_costing/line-items/", body);
                Some(asked.making(Thing::LineItem))
            }
            6 => {
                let id = self.any(Thing::LineItem, rng)?;
                let path = format!("/api/solution_costing/line-items/{id}/");
                Some(match rng.bool() {
                    true => Asked::by(Who::Consultant, Method::DELETE, path, json!({})),
                    false => Asked::by(Who::Consultant, Method::PUT, path, json!({"headcount": "2"})),
                })
            }
            7 | 8 => {
                let path = costing(self.any(Thing::Costing, rng)?);
                let (who, verb) = *rng.choice(&[
                    (Who::Consultant, "submit/"),
                    (Who::Reviewer, "approve/"),
                    (Who::Reviewer, "reject/"),
                    (Who::Consultant, "revise/"),
                ])?;
                let body = if verb == "reject/" { json!({"reason": label}) } else { json!({}) };
                Some(Asked::by(who, Method::POST, path.clone() + verb, body).read_at(path))
            }
            9 | 10 => {
                let body = json!({
                    "solution_costing_id": self.any(Thing::Costing, rng)?, "title": format!("Proposal {label}"),
                    "executive_summary": "Summary", "scope_of_work": "Scope", "timeline_weeks": 26, "status": "DRAFT",
                    "validity_days": 30, "deliverables": ["Blueprint", "Rollout"],
                });
                let asked = Asked::by(Who::Consultant, Method::POST, "/api/proposals/", body);
                Some(asked.making(Thing::Proposal).read_at("/api/proposals/{}/"))
            }
            _ => {
                let path = proposal(self.any(Thing::Proposal, rng)?);
                let (who, verb) = *rng.choice(&[
                    (Who::Consultant, "submit/"),
                    (Who::Consultant, "submit/"),
                    (Who::Client, "approve/"),
                    (Who::Client, "approve/"),
                    (Who::Client, "reject/"),
                    (Who::Consultant, "withdraw/"),
                ])?;
                let body = match verb {
                    "approve/" => json!({"comment": label}),
                    "reject/" | "withdraw/" => json!({"reason": label}),
                    _ => json!({}),
                };
                Some(Asked::by(who, Method::POST, path + verb, body))
            }
        }
    }

    fn deliver(&self, rng: &mut Rng, label: &str) -> Option<Asked> {
        let path = format!("/api/projects/{}/", self.any(Thing::Project, rng)?);
        Some(match rng.u32(0..8) {
            0 => {
                let stage = rng.choice(&["IN_PROGRESS", "ON_HOLD", "IN_PROGRESS"])?;
                Asked::by(
                    Who::Consultant,
                    Method::PUT,
                    path.clone() + "status/",
                    json!({"stage": stage, "reason": label}),
                )
                .read_at(path)
            }
            1 | 2 => {
                let body = json!({"name": format!("Milestone {label}"), "weight": "1"});
                Asked::by(Who::Consultant, Method::POST, path + "milestones/", body).making(Thing::Milestone)
            }
            3 | 4 => {
                let milestone = self.any(Thing::Milestone, rng)?;
                let body = json!({"percent": rng.u32(0..100).to_string(), "status": "IN_PROGRESS"});
                Asked::by(Who::Consultant, Method::PUT, format!("{path}milestones/{milestone}/"), body)
            }
            5 | 6 => {
                let date = chrono::Utc::now().date_naive();
                let body = json!({"date": date, "category": "TRAVEL", "amount": "18.50", "description": label});
                let mut asked = Asked::by(Who::Consultant, Method::POST, path + "expenses/", body);
                asked.eventful = true;
                asked
            }
            _ => Asked::by(Who::Consultant, Method::PUT, &path, json!({"notes": label})).read_at(&path),
        })
    }
}
