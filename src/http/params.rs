//! Query parameters, each read by name; a bad one is refused by name.

use std::{collections::HashMap, future::Ready, str::FromStr};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use runtime::page::{Cursor, From, List, Order};
use serde::de::{DeserializeOwned, value::StrDeserializer};

use super::problem::Problem;

/// A page has 20 rows unless asked otherwise …
const PAGE_SIZE: i64 = 20;
/// … and never more than 100.
const PAGE_SIZE_LIMIT: i64 = 100;
/// Pages by number end here; beyond, the cursor goes on.
const PAGE_ROW_LIMIT: i64 = 10_000;

/// The query parameters of a request.
#[derive(Debug, Clone)]
pub struct Params {
    path: String,
    values: HashMap<String, String>,
}

/// A column that a list may be ordered by: its public name, the column, its SQL type.
pub type Sortable = (&'static str, &'static str, &'static str);

impl FromRequest for Params {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let values = web::Query::<HashMap<String, String>>::from_query(request.query_string());
        let path = {
            let info = request.connection_info();
            format!("{}://{}{}", info.scheme(), info.host(), request.path())
        };
        std::future::ready(match values {
            // No text of the database can hold it.
            Ok(values) => match values.iter().find(|(_, value)| value.contains('\0')) {
                Some((name, _)) => Err(Problem::field("INVALID", name, "must not hold a NUL character")),
                None => Ok(Self { path, values: values.into_inner() }),
            },
            Err(error) => Err(Problem::malformed(format!("the query cannot be read: {error}"))),
        })
    }
}

impl Params {
    /// A parameter as text; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A parameter in its form.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let refused = || Problem::field("INVALID", name, "cannot be read");
        self.text(name).map(|text| text.parse().map_err(|_| refused())).transpose()
    }

    /// A parameter that is one of an enum's wire names.
    ///
    /// # Errors
    /// 422 naming the parameter and what it may be.
    pub fn choice<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let read = |text| T::deserialize(StrDeserializer::<serde::de::value::Error>::new(text));
        let refused = |error: serde::de::value::Error| Problem::field("INVALID", name, error.to_string());
        self.text(name).map(|text| read(text).map_err(refused)).transpose()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.text(name).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Problem::field("INVALID", name, "must be true or false")),
        }
    }

    /// An instant, or a day, which stands for its beginning (UTC).
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let refused = || Problem::field("INVALID", name, "must be a day or an instant (RFC 3339)");
        let day = |text: &str| text.parse::<NaiveDate>().ok().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
        let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        // A day's year may have more digits, which neither RFC 3339 knows nor the database.
        let is_known = |at: &DateTime<Utc>| (0..=9999).contains(&at.year());
        let read = |text| instant(text).or_else(|| day(text)).filter(is_known);
        self.text(name).map(|text| read(text).ok_or_else(refused)).transpose()
    }

    /// The page that is asked for, of a list that may be ordered by `sortable`.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn list(&self, table: &'static str, default: Order, sortable: &[Sortable]) -> Result<List, Problem> {
        let changed = ("updated_at", "updated_at", "timestamptz");
        self.log(table, default, &[sortable, &[changed]].concat())
    }

    /// As [`Params::list`], of things that happened once and do not change.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn log(&self, table: &'static str, default: Order, sortable: &[Sortable]) -> Result<List, Problem> {
        let size = self.get::<i64>("page_size")?.unwrap_or(PAGE_SIZE);
        if size < 1 {
            return Err(Problem::field("INVALID", "page_size", "must be at least 1"));
        }
        let size = size.min(PAGE_SIZE_LIMIT);
        let from = match (self.text("cursor"), self.get::<i64>("page")?) {
            (Some(cursor), _) => {
                From::Cursor(Cursor::decode(cursor).ok_or_else(|| Problem::field("INVALID", "cursor", "is no cursor"))?)
            }
            (None, Some(page)) if page < 1 => return Err(Problem::field("INVALID", "page", "must be at least 1")),
            (None, Some(page)) if page.saturating_mul(size) > PAGE_ROW_LIMIT => {
                return Err(Problem::field("PAGE_TOO_DEEP", "page", "ends at row 10,000; follow `next` to go on"));
            }
            (None, Some(page)) => From::Page(page),
            (None, None) => From::Start,
        };
        Ok(List { table, conditions: Vec::new(), order: self.order(default, sortable)?, from, size })
    }

    fn order(&self, default: Order, sortable: &[Sortable]) -> Result<Order, Problem> {
        let Some(text) = self.text("ordering") else { return Ok(default) };
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let known = [("id", "id", "bigint"), ("created_at", "created_at", "timestamptz")];
        known
            .iter()
            .chain(sortable)
            .find(|(public, ..)| *public == name)
            .map(|(_, column, sql_type)| Order { column, sql_type, descending })
            .ok_or_else(|| Problem::field("INVALID", "ordering", "this list cannot be ordered by that"))
    }

    /// This request's address without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// This request's address with another cursor.
    #[must_use]
    pub fn address(&self, cursor: &Cursor) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !matches!(*name, "page" | "cursor"))
            .collect();
        let cursor = cursor.encode();
        pairs.push(("cursor", &cursor));
        pairs.sort_unstable();
        match reqwest::Url::parse_with_params(&self.path, pairs) {
            Ok(url) => url.into(),
            Err(_) => format!("{}?cursor={cursor}", self.path),
        }
    }
}
