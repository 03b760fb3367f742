use std::collections::BTreeMap;

use kernel::{money, percent, rounded};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OutOfRange, Parameters, exact::Figure};

/// What the investment is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Basis {
    /// The opportunities' estimated investment.
    Estimate,
    /// An approved costing.
    Costed,
}

/// Why a figure is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoFigure {
    NoInvestment,
    NoPositiveSavings,
    /// Not paid back within 60 months.
    NotWithinHorizon,
    /// There is no baseline cost to compare with.
    NoBaseline,
}

/// What an investment earns (spec 12.5), as stored: money and percent 2 decimals, months 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Financials {
    pub basis: Basis,
    /// Spent once, at the start.
    pub investment: Decimal,
    /// Gross, a year.
    pub annual_savings: Decimal,
    pub annual_run_cost: Decimal,
    pub net_annual_savings: Decimal,
    pub payback_months: Option<Decimal>,
    /// Like `payback_months`, with the ramp.
    pub payback_months_ramped: Option<Decimal>,
    /// Year 1, 2, … of the horizon, ramped.
    pub cash_flows: Vec<Decimal>,
    pub npv: Decimal,
    /// Over the horizon.
    pub roi_percent: Option<Decimal>,
    pub first_year_roi_percent: Option<Decimal>,
    /// The name of every figure that is null, and why it is.
    pub reasons: BTreeMap<String, NoFigure>,
}

/// Years within which the ramped payback is looked for.
const PAYBACK_YEARS: u8 = 5;
const MONTHS: Decimal = Decimal::from_parts(12, 0, 0, false, 0);

impl Financials {
    /// The formulas of spec 12.5 for `investment` once, `gross` savings and `run` cost a year.
    ///
    /// # Errors
    /// When a figure is out of range.
    pub fn of(
        basis: Basis,
        investment: Decimal,
        gross: Decimal,
        run: Decimal,
        parameters: &Parameters,
    ) -> Result<Self, OutOfRange> {
        let net = Figure("net_annual_savings").sub(gross, run)?;
        let flow = |year| cash_flow(gross, run, year, parameters);
        let flows = (1..=parameters.horizon_years).map(flow).collect::<Result<Vec<_>, _>>()?;
        let payback_flows = (1..=PAYBACK_YEARS).map(flow).collect::<Result<Vec<_>, _>>()?;
        let mut reasons = BTreeMap::new();
        let mut known = |name: &str, figure: Result<Decimal, NoFigure>| match figure {
            Ok(figure) => Some(figure),
            Err(reason) => {
                reasons.insert(name.to_owned(), reason);
                None
            }
        };
        let months = |value: Decimal| rounded(value, 1);
        let payback = payback(investment, net)?.map(months);
        let ramped = payback_ramped(investment, net, &payback_flows)?.map(months);
        let total = Figure("roi_percent").sum(flows.iter().copied())?;
        let roi = return_on("roi_percent", total, investment)?.map(percent);
        let first_year = return_on("first_year_roi_percent", net, investment)?.map(percent);
        Ok(Self {
            basis,
            investment: money(investment),
            annual_savings: money(gross),
            annual_run_cost: money(run),
            net_annual_savings: money(net),
            payback_months: known("payback_months", payback),
            payback_months_ramped: known("payback_months_ramped", ramped),
            npv: money(net_present_value(investment, &flows, parameters.discount_rate_percent)?),
            roi_percent: known("roi_percent", roi),
            first_year_roi_percent: known("first_year_roi_percent", first_year),
            cash_flows: flows.into_iter().map(money).collect(),
            reasons,
        })
    }
}

/// `gross * ramp - run` of a year from 1 on; the ramp repeats its last value.
fn cash_flow(gross: Decimal, run: Decimal, year: u8, parameters: &Parameters) -> Result<Decimal, OutOfRange> {
    let ramp = &parameters.ramp_percent;
    let index = usize::from(year).saturating_sub(1);
    let share = ramp.get(index).or(ramp.last()).copied().unwrap_or(Decimal::ONE_HUNDRED);
    let figure = Figure("cash_flows");
    figure.sub(figure.percent_of(gross, share)?, run)
}

/// `1 + rate/100`.
pub(super) fn growth(rate_percent: Decimal) -> Result<Decimal, OutOfRange> {
    let figure = Figure("discount_rate_percent");
    figure.add(Decimal::ONE, figure.div(rate_percent, Decimal::ONE_HUNDRED)?)
}

fn net_present_value(investment: Decimal, flows: &[Decimal], rate: Decimal) -> Result<Decimal, OutOfRange> {
    let figure = Figure("npv");
    let growth = growth(rate)?;
    let (value, _) = flows.iter().try_fold((-investment, Decimal::ONE), |(value, factor), flow| {
        let factor = figure.mul(factor, growth)?;
        Ok((figure.add(value, figure.div(*flow, factor)?)?, factor))
    })?;
    Ok(value)
}

fn payback(investment: Decimal, net: Decimal) -> Result<Result<Decimal, NoFigure>, OutOfRange> {
    if investment.is_zero() {
        return Ok(Ok(Decimal::ZERO));
    }
    if net <= Decimal::ZERO {
        return Ok(Err(NoFigure::NoPositiveSavings));
    }
    let figure = Figure("payback_months");
    // Multiplied first: it is exact as long as it can be.
    figure.div(figure.mul(investment, MONTHS)?, net).map(Ok)
}

/// The flow is even inside a year, so the point at which the investment is reached lies on a straight line.
fn payback_ramped(
    investment: Decimal,
    net: Decimal,
    flows: &[Decimal],
) -> Result<Result<Decimal, NoFigure>, OutOfRange> {
    if investment.is_zero() {
        return Ok(Ok(Decimal::ZERO));
    }
    if net <= Decimal::ZERO {
        return Ok(Err(NoFigure::NoPositiveSavings));
    }
    let figure = Figure("payback_months_ramped");
    let mut months = Decimal::ZERO;
    let mut missing = investment;
    for flow in flows {
        if *flow >= missing {
            let part = figure.div(figure.mul(missing, MONTHS)?, *flow)?;
            return figure.add(months, part).map(Ok);
        }
        missing = figure.sub(missing, *flow)?;
        months = figure.add(months, MONTHS)?;
    }
    Ok(Err(NoFigure::NotWithinHorizon))
}

/// `(earned - investment) / investment`, in percent.
fn return_on(
    name: &'static str,
    earned: Decimal,
    investment: Decimal,
) -> Result<Result<Decimal, NoFigure>, OutOfRange> {
    let figure = Figure(name);
    Ok(figure.in_percent(figure.sub(earned, investment)?, investment)?.ok_or(NoFigure::NoInvestment))
}
