use std::cmp::Reverse;

use kernel::{IndustryTypeId, RegionId, VerticalId};

use super::{Benchmark, Benchmarks, MatchMethod, MatchScope};

/// What a benchmark is sought for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    pub vertical: VerticalId,
    /// The question's linked code (`benchmark_code`, else its own), if any.
    pub code: Option<&'a str>,
    /// The question's text, if any.
    pub text: Option<&'a str>,
    /// The value is an amount of money, whatever the benchmark's unit says.
    pub is_money: bool,
    pub place: Place,
}

/// Where the client is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub industry: Option<IndustryTypeId>,
    pub region: Option<RegionId>,
}

/// The benchmark that fits best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match<'a> {
    pub benchmark: &'a Benchmark,
    pub method: MatchMethod,
    pub scope: MatchScope,
}

impl Benchmarks {
    /// The most specific benchmark of the subject (spec 10.2): by code, else by text; industry and region, region,
    /// industry, global; then the newest, then the lowest id. `None`: there is none, and none is guessed.
    #[must_use]
    pub fn find(&self, subject: &Subject<'_>) -> Option<Match<'_>> {
        self.best(subject, MatchMethod::Code).or_else(|| self.best(subject, MatchMethod::Text))
    }

    fn best(&self, subject: &Subject<'_>, method: MatchMethod) -> Option<Match<'_>> {
        let named = |row: &Benchmark| match method {
            MatchMethod::Code => same(subject.code, row.question_code.as_deref()),
            MatchMethod::Text => same(subject.text, row.question_text.as_deref()),
        };
        self.rows
            .iter()
            .filter(|row| row.is_active && row.vertical_id == subject.vertical && named(row))
            .filter_map(|benchmark| Some((scope(benchmark, subject)?, benchmark)))
            .min_by_key(|(scope, row)| (*scope, Reverse(row.year), row.id))
            .map(|(scope, benchmark)| Match { benchmark, method, scope })
    }
}

/// Equal without regard to case and outer blanks; inner blanks count.
fn same(asked: Option<&str>, found: Option<&str>) -> bool {
    let plain = |text: &str| text.trim().to_lowercase();
    matches!((asked, found), (Some(asked), Some(found)) if !asked.trim().is_empty() && plain(asked) == plain(found))
}

/// How specific the row is for the subject; `None` when it is for others.
fn scope(row: &Benchmark, subject: &Subject<'_>) -> Option<MatchScope> {
    let fits_industry = row.industry_id.is_none() || row.industry_id == subject.place.industry;
    let fits_region = row.region_id.is_none() || row.region_id == subject.place.region;
    if !fits_industry || !fits_region {
        return None;
    }
    // Salaries and currencies differ: money is compared within the region only.
    if row.region_id.is_none() && (subject.is_money || row.unit.as_deref().is_some_and(is_money)) {
        return None;
    }
    Some(match (row.industry_id.is_some(), row.region_id.is_some()) {
        (true, true) => MatchScope::IndustryAndRegion,
        (false, true) => MatchScope::Region,
        (true, false) => MatchScope::Industry,
        (false, false) => MatchScope::Global,
    })
}

/// Whether a unit is money: it holds a currency sign, a currency's code (ISO 4217), or says so.
#[must_use]
pub fn is_money(unit: &str) -> bool {
    let is_sign = |c: char| matches!(c, '$' | '£' | '¤' | '¥' | '\u{20A0}'..='\u{20CF}');
    let mut words = unit.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    unit.contains(is_sign)
        || words.any(|word| {
            let word = word.to_uppercase();
            matches!(word.as_str(), "CURRENCY" | "MONEY") || CURRENCIES.split(' ').any(|code| code == word)
        })
}

const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF \
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD \
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR \
    PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
    TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";
