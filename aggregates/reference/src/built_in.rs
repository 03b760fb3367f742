//! What every installation begins with (spec 4, 7.1 and 20); loading it again changes nothing.

use kernel::{BadText, Code, Text};

use crate::kinds::{CurrencyDetails, IndustryTypeDetails, RegionDetails, VerticalDetails};

/// Procure to Pay, Order to Cash, Record to Report.
///
/// # Errors
/// Never, as long as the texts below are what their types accept.
pub fn verticals() -> Result<Vec<VerticalDetails>, BadText> {
    [("P2P", "Procure to Pay"), ("O2C", "Order to Cash"), ("R2R", "Record to Report")]
        .into_iter()
        .map(|(code, name)| {
            Ok(VerticalDetails { name: Text::new(name)?, code: Code::new(code)?, description: None, is_active: true })
        })
        .collect()
}

/// Manufacturing, Retail, Technology.
///
/// # Errors
/// Never, as long as the texts below are what their types accept.
pub fn industry_types() -> Result<Vec<IndustryTypeDetails>, BadText> {
    [("MANUFACTURING", "Manufacturing"), ("RETAIL", "Retail"), ("TECHNOLOGY", "Technology")]
        .into_iter()
        .map(|(code, name)| Ok(IndustryTypeDetails { name: Text::new(name)?, code: Code::new(code)?, is_active: true }))
        .collect()
}

/// US Dollar, Euro, Indian Rupee.
///
/// # Errors
/// Never, as long as the texts below are what their types accept.
pub fn currencies() -> Result<Vec<CurrencyDetails>, BadText> {
    [
        ("USD", "US Dollar", "$", "United States"),
        ("EUR", "Euro", "€", "Eurozone"),
        ("INR", "Indian Rupee", "₹", "India"),
    ]
    .into_iter()
    .map(|(code, name, symbol, country)| {
        Ok(CurrencyDetails {
            code: Text::new(code)?,
            name: Text::new(name)?,
            symbol: Some(Text::new(symbol)?),
            country: Some(Text::new(country)?),
            minor_units: 2,
            is_active: true,
        })
    })
    .collect()
}

/// USA, UK, India.
///
/// # Errors
/// Never, as long as the texts below are what their types accept.
pub fn regions() -> Result<Vec<RegionDetails>, BadText> {
    [("USA", "USA"), ("UK", "UK"), ("INDIA", "India")]
        .into_iter()
        .map(|(code, name)| Ok(RegionDetails { name: Text::new(name)?, code: Some(Text::new(code)?), is_active: true }))
        .collect()
}
