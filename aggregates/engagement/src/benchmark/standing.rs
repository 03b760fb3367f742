use kernel::percent;
use rust_decimal::Decimal;

use super::{Benchmark, Classification, Direction};
use crate::business_case::{Figure, OutOfRange, TargetQuartile};

impl Direction {
    /// Whether `a` is at least as good as `b`.
    #[must_use]
    pub fn is_as_good(self, a: Decimal, b: Decimal) -> bool {
        match self {
            Self::LowerIsBetter => a <= b,
            Self::HigherIsBetter => a >= b,
        }
    }

    /// How much worse `a` is than `b`; negative when it is better.
    fn shortfall(self, figure: Figure, a: Decimal, b: Decimal) -> Result<Decimal, OutOfRange> {
        match self {
            Self::LowerIsBetter => figure.sub(a, b),
            Self::HigherIsBetter => figure.sub(b, a),
        }
    }
}

/// The gap between a value and a target (spec 10.3), never below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// In the metric's unit, at most 4 decimals.
    pub gap: Decimal,
    /// Of the value, 2 decimals; `None` of a value of 0.
    pub gap_percent: Option<Decimal>,
}

impl Classification {
    /// The name as JSON and formulas (`CLASS`) carry it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopQuartile => "TOP_QUARTILE",
            Self::AboveMedian => "ABOVE_MEDIAN",
            Self::BelowMedian => "BELOW_MEDIAN",
            Self::BottomQuartile => "BOTTOM_QUARTILE",
        }
    }
}

impl Benchmark {
    /// Where `value` stands (spec 10.3). A value on a border belongs to the better class, but the bottom quartile
    /// holds its border.
    #[must_use]
    pub fn classify(&self, value: Decimal) -> Classification {
        let direction = self.direction;
        if direction.is_as_good(value, self.top_quartile) {
            Classification::TopQuartile
        } else if direction.is_as_good(value, self.median) {
            Classification::AboveMedian
        } else if !direction.is_as_good(value, self.bottom_quartile) || value == self.bottom_quartile {
            Classification::BottomQuartile
        } else {
            Classification::BelowMedian
        }
    }

    /// 0 to 100, 2 decimals: on straight lines through (bottom, 25), (median, 50), (top, 75) and beyond.
    ///
    /// # Errors
    /// When value or quartiles are out of range.
    pub fn percentile(&self, value: Decimal) -> Result<Decimal, OutOfRange> {
        let figure = Figure("percentile");
        let upper = self.direction.is_as_good(value, self.median);
        let (from, to, base) = if upper {
            (self.median, self.top_quartile, Decimal::from(50))
        } else {
            (self.bottom_quartile, self.median, Decimal::from(25))
        };
        let length = self.direction.shortfall(figure, from, to)?;
        let way = self.direction.shortfall(figure, from, value)?;
        if length.is_zero() {
            // Two quartiles in one point: there is no line, only a step.
            let step = match (upper, way.is_zero()) {
                (true, true) => 75,
                (true, false) => 100,
                (false, _) => 0,
            };
            return Ok(percent(Decimal::from(step)));
        }
        let exact = figure.add(base, figure.div(figure.mul(way, Decimal::from(25))?, length)?)?;
        Ok(percent(exact.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED)))
    }

    /// The quartile that is aimed at.
    #[must_use]
    pub const fn target(&self, quartile: TargetQuartile) -> Decimal {
        match quartile {
            TargetQuartile::Median => self.median,
            TargetQuartile::Top => self.top_quartile,
        }
    }

    /// How far `value` is from a quartile.
    ///
    /// # Errors
    /// When value or quartile is out of range.
    pub fn gap(&self, value: Decimal, quartile: TargetQuartile) -> Result<Gap, OutOfRange> {
        let figure = Figure("gap");
        let gap = self.direction.shortfall(figure, value, self.target(quartile))?.max(Decimal::ZERO);
        let gap_percent = figure.in_percent(gap, value)?.map(percent);
        let gap = if gap.scale() > 4 { kernel::rounded(gap, 4) } else { gap };
        Ok(Gap { gap, gap_percent })
    }
}

/// 1 to 5: one level for each 20 percentiles.
#[must_use]
pub fn maturity_level(percentile: Decimal) -> u8 {
    [20, 40, 60, 80].into_iter().fold(1, |level, bound| level + u8::from(percentile >= Decimal::from(bound)))
}

/// The maturity of a section: of its metrics' percentiles and its SCORE answers (spec 10.3). `None` without either.
///
/// # Errors
/// When a score is out of range.
pub fn section_maturity(
    percentiles: &[Decimal],
    scores: &[Decimal],
) -> Result<(Option<Decimal>, Option<u8>), OutOfRange> {
    let percentile = mean(percentiles)?;
    let score = mean(scores)?;
    let level = percentile.map(maturity_level);
    let combined = match (level.map(Decimal::from), score) {
        (Some(level), Some(score)) => mean(&[level, score])?,
        (level, score) => level.or(score),
    };
    // Half-up, then to a level: scores are 1 to 5, so a mean is too.
    let combined = combined.map(|mean| {
        let whole = kernel::rounded(mean, 0);
        [2, 3, 4, 5].into_iter().fold(1, |level, bound| level + u8::from(whole >= Decimal::from(bound)))
    });
    Ok((percentile.map(percent), combined))
}

fn mean(values: &[Decimal]) -> Result<Option<Decimal>, OutOfRange> {
    let figure = Figure("maturity_level");
    let count = Decimal::from(values.len());
    (!values.is_empty()).then(|| figure.div(figure.sum(values.iter().copied())?, count)).transpose()
}
