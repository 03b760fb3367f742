use std::collections::BTreeSet;

use kernel::Refusal;
use proptest::prelude::*;
use rust_decimal::Decimal;
use schemars::schema_for;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::*;
use crate::{LookupEvent, LookupView, built_in};

fn details<K: LookupKind>(payload: Value) -> K::Details {
    serde_json::from_value(payload).unwrap()
}

fn checked<K: LookupKind>(payload: Value) -> Result<Value, LookupRefusal> {
    K::check(details::<K>(payload)).map(|details| serde_json::to_value(details).unwrap())
}

fn changed<K: LookupKind>(payload: Value, changes: Value) -> Value {
    let changes: K::Changes = serde_json::from_value(changes).unwrap();
    serde_json::to_value(K::change(&details::<K>(payload), changes)).unwrap()
}

/// `payload` with `others` over it.
fn with(mut payload: Value, others: Value) -> Value {
    payload.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    payload
}

fn region() -> Value {
    json!({"name": "India", "code": "INDIA", "is_active": true})
}

fn currency() -> Value {
    json!({"code": "INR", "name": "Indian Rupee", "symbol": "₹", "country": "India", "minor_units": 2, "is_active": true})
}

fn team_lead() -> Value {
    json!({
        "name": "Order to Cash Team Lead", "code": "O2C_TL", "experience_level": "SENIOR", "day_rate_min": "350.00",
        "day_rate_max": "550.00", "day_rate_current": "450.00", "number_of_days": 20, "is_active": true
    })
}

fn consultant() -> Value {
    let mut role = team_lead();
    role.as_object_mut().unwrap().remove("number_of_days");
    role
}

fn industry() -> Value {
    json!({"name": "Retail", "code": "RETAIL", "is_active": true})
}

fn vertical() -> Value {
    json!({"name": "Procure to Pay", "code": "P2P", "description": "From requisition to payment", "is_active": true})
}

fn component() -> Value {
    json!({
        "name": "Robotic process automation", "code": "RPA", "unit": "bot", "default_rate": "6500.00",
        "default_effort_days": "12.00", "is_active": true
    })
}

/// What holds for every kind: a stored payload comes back as it was, unknown members are refused, one change leaves
/// the rest alone, names are those of the type.
fn behaves<K: LookupKind>(payload: &Value) {
    assert_eq!(checked::<K>(payload.clone()).unwrap(), *payload);
    assert_eq!(changed::<K>(payload.clone(), json!({})), *payload);
    let renamed = json!({"name": "Another", "is_active": false});
    assert_eq!(changed::<K>(payload.clone(), renamed.clone()), with(payload.clone(), renamed));
    assert!(serde_json::from_value::<K::Details>(with(payload.clone(), json!({"colour": "red"}))).is_err());
    assert!(serde_json::from_value::<K::Changes>(json!({"colour": "red"})).is_err());

    let mut shorter = payload.clone();
    shorter.as_object_mut().unwrap().remove("is_active");
    let mut one = details::<K>(shorter);
    assert!(K::is_active(&one));
    assert_eq!(K::name(&one), payload["name"]);
    assert_eq!(K::code(&one), payload["code"].as_str());
    K::set_active(&mut one, false);
    assert!(!K::is_active(&one));

    for (scope, value) in K::unique_keys(&one) {
        let (kind, member) = scope.split_once('.').unwrap();
        assert_eq!(kind, K::TYPE);
        assert_eq!(value, payload[member].as_str().unwrap().to_lowercase());
    }
    assert!(K::unique_keys(&one).iter().any(|(scope, _)| scope.ends_with(".code")));

    let verbs = ["created", "details_changed", "used", "deleted", "restored"];
    let names = verbs.map(|verb| format!("{}.{verb}", K::TYPE));
    assert_eq!(LookupEvent::<K>::TYPES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(), names);
}

#[test]
fn every_kind_keeps_what_it_is_given_and_changes_only_what_is_named() {
    behaves::<RegionKind>(&region());
    behaves::<CurrencyKind>(&currency());
    behaves::<OperationsRoleKind>(&team_lead());
    behaves::<ConsultantRoleKind>(&consultant());
    behaves::<IndustryTypeKind>(&industry());
    behaves::<VerticalKind>(&vertical());
    behaves::<SolutionComponentKind>(&component());
}

#[test]
fn every_member_of_every_kind_can_be_changed() {
    let members = json!({"name": "UK", "code": "UK", "is_active": false});
    assert_eq!(changed::<RegionKind>(region(), members.clone()), members);
    let members = with(members, json!({"code": "GB"}));
    assert_eq!(changed::<IndustryTypeKind>(industry(), members.clone()), members);
    let members = with(members, json!({"description": "Other"}));
    assert_eq!(changed::<VerticalKind>(vertical(), members.clone()), members);
    let members = json!({
        "name": "Yen", "code": "JPY", "symbol": "¥", "country": "Japan", "minor_units": 0, "is_active": false
    });
    assert_eq!(changed::<CurrencyKind>(currency(), members.clone()), members);
    let members = json!({
        "name": "IDP", "code": "IDP", "unit": "type", "default_rate": "1.00", "default_effort_days": "2.00",
        "is_active": false
    });
    assert_eq!(changed::<SolutionComponentKind>(component(), members.clone()), members);
    let members = json!({
        "name": "Clerk", "code": "CLERK", "experience_level": "JUNIOR", "day_rate_min": "1.00", "day_rate_max": "3.00",
        "day_rate_current": "2.00", "is_active": false
    });
    assert_eq!(changed::<ConsultantRoleKind>(consultant(), members.clone()), members);
    let members = with(members, json!({"number_of_days": 31}));
    assert_eq!(changed::<OperationsRoleKind>(team_lead(), members.clone()), members);
}

#[test]
fn null_clears_what_may_be_absent() {
    assert_eq!(changed::<RegionKind>(region(), json!({"code": null}))["code"], Value::Null);
    assert_eq!(changed::<CurrencyKind>(currency(), json!({"symbol": null}))["symbol"], Value::Null);
    assert_eq!(changed::<CurrencyKind>(currency(), json!({"country": null}))["country"], Value::Null);
    assert_eq!(changed::<VerticalKind>(vertical(), json!({"description": null}))["description"], Value::Null);
    let days = "default_effort_days";
    assert_eq!(changed::<SolutionComponentKind>(component(), json!({days: null}))[days], Value::Null);
}

#[test]
fn names_of_regions_and_industries_are_unique_and_a_region_may_lack_a_code() {
    let keys = RegionKind::unique_keys(&details::<RegionKind>(region()));
    assert_eq!(keys, [("region.name", "india".to_owned()), ("region.code", "india".to_owned())]);
    let keys = RegionKind::unique_keys(&details::<RegionKind>(json!({"name": "Nordics"})));
    assert_eq!(keys, [("region.name", "nordics".to_owned())]);
    let keys = IndustryTypeKind::unique_keys(&details::<IndustryTypeKind>(industry()));
    assert_eq!(keys, [("industry_type.name", "retail".to_owned()), ("industry_type.code", "retail".to_owned())]);
}

#[test]
fn a_currency_code_is_three_letters_in_upper_case() {
    assert_eq!(checked::<CurrencyKind>(with(currency(), json!({"code": " inr"}))).unwrap()["code"], "INR");
    for code in ["IN1", "I-R", "ÄÖÜ"] {
        let refused = checked::<CurrencyKind>(with(currency(), json!({"code": code}))).unwrap_err();
        assert_eq!((refused.code(), refused.field().as_deref()), ("NOT_A_CURRENCY_CODE", Some("code")));
    }
    for code in ["", "IN", "INRS"] {
        let payload = with(currency(), json!({"code": code}));
        assert!(serde_json::from_value::<CurrencyDetails>(payload).is_err(), "{code}");
    }
}

#[test]
fn a_currency_has_two_minor_units_unless_told_and_four_at_most() {
    let short = json!({"code": "USD", "name": "US Dollar"});
    assert_eq!(checked::<CurrencyKind>(short.clone()).unwrap()["minor_units"], 2);
    for units in [0, 4] {
        assert!(checked::<CurrencyKind>(with(short.clone(), json!({"minor_units": units}))).is_ok());
    }
    let refused = checked::<CurrencyKind>(with(short, json!({"minor_units": 5}))).unwrap_err();
    assert_eq!((refused.code(), refused.field().as_deref()), ("MINOR_UNITS_OUT_OF_RANGE", Some("minor_units")));
}

#[test]
fn a_day_rate_stays_within_its_band() {
    for current in ["550.00", "350.00", "550.004", "349.995"] {
        let current = json!({"day_rate_current": current});
        assert!(checked::<OperationsRoleKind>(with(team_lead(), current.clone())).is_ok(), "{current}");
        assert!(checked::<ConsultantRoleKind>(with(consultant(), current)).is_ok());
    }
    for current in ["600.00", "550.005", "349.99"] {
        let current = json!({"day_rate_current": current});
        let refused = checked::<OperationsRoleKind>(with(team_lead(), current.clone())).unwrap_err();
        assert_eq!((refused.code(), refused.field().as_deref()), ("DAY_RATE_OUT_OF_BAND", Some("day_rate_current")));
        assert_eq!(checked::<ConsultantRoleKind>(with(consultant(), current)), Err(refused));
    }
    let reversed = json!({"day_rate_min": 500, "day_rate_max": 400});
    assert_eq!(checked::<OperationsRoleKind>(with(team_lead(), reversed)), Err(LookupRefusal::DayRateOutOfBand));
    let negative = json!({"day_rate_min": "-1"});
    assert_eq!(
        checked::<OperationsRoleKind>(with(team_lead(), negative)),
        Err(LookupRefusal::AmountOutOfRange { field: "day_rate_min" })
    );
}

#[test]
fn amounts_may_be_numbers_and_are_kept_with_two_decimals() {
    let rates = json!({"day_rate_min": 350, "day_rate_max": 550.5, "day_rate_current": "450.125"});
    let stored = checked::<OperationsRoleKind>(with(team_lead(), rates)).unwrap();
    assert_eq!([&stored["day_rate_min"], &stored["day_rate_max"]], ["350.00", "550.50"]);
    assert_eq!(stored["day_rate_current"], "450.13");
    let rates = json!({"default_rate": 6500, "default_effort_days": 12.5});
    let stored = checked::<SolutionComponentKind>(with(component(), rates)).unwrap();
    assert_eq!([&stored["default_rate"], &stored["default_effort_days"]], ["6500.00", "12.50"]);
}

#[test]
fn an_amount_has_ten_digits_at_most_and_is_not_negative() {
    let largest = json!({"default_rate": "9999999999.99"});
    assert!(checked::<SolutionComponentKind>(with(component(), largest)).is_ok());
    for field in ["default_rate", "default_effort_days"] {
        for amount in ["9999999999.995", "10000000000", "79228162514264337593543950335", "-0.01"] {
            let refused = checked::<SolutionComponentKind>(with(component(), json!({field: amount}))).unwrap_err();
            assert_eq!((refused.code(), refused.field().as_deref()), ("AMOUNT_OUT_OF_RANGE", Some(field)));
        }
    }
}

#[test]
fn a_month_has_one_to_thirty_one_working_days() {
    for (days, accepted) in [(0, false), (1, true), (31, true), (32, false)] {
        let result = checked::<OperationsRoleKind>(with(team_lead(), json!({"number_of_days": days})));
        assert_eq!(result.is_ok(), accepted, "{days}");
        if let Err(refused) = result {
            assert_eq!((refused.code(), refused.field().as_deref()), ("DAYS_OUT_OF_RANGE", Some("number_of_days")));
        }
    }
}

#[test]
fn a_region_code_has_ten_characters_at_most() {
    assert!(serde_json::from_value::<RegionDetails>(with(region(), json!({"code": "ABCDEFGHIJ"}))).is_ok());
    assert!(serde_json::from_value::<RegionDetails>(with(region(), json!({"code": "ABCDEFGHIJK"}))).is_err());
}

fn built_in_codes<K: LookupKind>(all: Vec<K::Details>) -> Vec<String> {
    let of = |one: K::Details| {
        assert_eq!(K::check(one.clone()), Ok(one.clone()));
        assert!(K::is_active(&one));
        K::code(&one).unwrap().to_owned()
    };
    all.into_iter().map(of).collect()
}

#[test]
fn what_is_built_in_is_accepted_as_it_is() {
    assert_eq!(built_in_codes::<VerticalKind>(built_in::verticals().unwrap()), ["P2P", "O2C", "R2R"]);
    let industries = built_in::industry_types().unwrap();
    assert_eq!(built_in_codes::<IndustryTypeKind>(industries), ["MANUFACTURING", "RETAIL", "TECHNOLOGY"]);
    assert_eq!(built_in_codes::<RegionKind>(built_in::regions().unwrap()), ["USA", "UK", "INDIA"]);
    let currencies = built_in::currencies().unwrap();
    let symbols: Vec<_> = currencies.iter().map(|one| one.symbol.as_deref().unwrap().to_owned()).collect();
    assert_eq!(symbols, ["$", "€", "₹"]);
    assert!(currencies.iter().all(|one| one.country.is_some()));
    assert_eq!(built_in_codes::<CurrencyKind>(currencies), ["USD", "EUR", "INR"]);
}

/// The names under which a kind stands in the OpenAPI document and among the published events.
fn schema_names<K: LookupKind>() -> [String; 4] {
    let title = schema_for!(LookupEvent<K>).get("title").unwrap().as_str().unwrap().to_owned();
    let mut nested = Vec::new();
    LookupView::<K::Details>::schemas(&mut nested);
    let details = K::Details::name().into_owned();
    assert!(nested.iter().any(|(name, _)| *name == details), "the view refers to {details}");
    [LookupView::<K::Details>::name().into_owned(), details, K::Changes::name().into_owned(), title]
}

#[test]
fn no_two_kinds_share_the_name_of_a_schema() {
    let all = [
        schema_names::<RegionKind>(),
        schema_names::<CurrencyKind>(),
        schema_names::<OperationsRoleKind>(),
        schema_names::<ConsultantRoleKind>(),
        schema_names::<IndustryTypeKind>(),
        schema_names::<VerticalKind>(),
        schema_names::<SolutionComponentKind>(),
    ];
    assert_eq!(all[0], ["RegionView", "RegionDetails", "RegionChanges", "RegionEvent"]);
    let distinct: BTreeSet<&String> = all.iter().flatten().collect();
    assert_eq!(distinct.len(), 28, "{all:?}");
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_in_order_and_accepted_again(
        min in -1_000_i64..100_000, max in -1_000_i64..100_000, current in -1_000_i64..100_000, scale in 0_u32..5
    ) {
        let rate = |number| Decimal::new(number, scale).to_string();
        let rates =
            json!({"day_rate_min": rate(min), "day_rate_max": rate(max), "day_rate_current": rate(current)});
        if let Ok(role) = OperationsRoleKind::check(details::<OperationsRoleKind>(with(team_lead(), rates))) {
            prop_assert!(Decimal::ZERO <= role.day_rate_min);
            prop_assert!(role.day_rate_min <= role.day_rate_current && role.day_rate_current <= role.day_rate_max);
            prop_assert_eq!(OperationsRoleKind::check(role.clone()), Ok(role));
        }
    }
}
