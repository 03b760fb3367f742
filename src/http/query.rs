//! A signed-in caller's request as a query: when it may be answered, and one page or one row as the answer.

use actix_web::{HttpResponse, web::Bytes};
use runtime::page::{self, Condition, Cursor, List, Page, Shown, Stand};
use serde::Serialize;
use sqlx::PgConnection;

use super::{
    call::{Call, PATIENCE, respond},
    pages::{Kept, Pages},
    params::Params,
    problem::Problem,
};
use crate::{journal::Answer, tenant::Tenant};

impl Call {
    /// Waits until a read model shows what the caller wrote, or the position that the caller names. Answers what it shows.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn shown(&self, projection: &'static str) -> Result<Shown, Problem> {
        let written = self.tenant().journal.last_written(self.user());
        let wanted = self.min_position().max(written).unwrap_or_default();
        let Tenant { pool, progress, .. } = self.tenant();
        let waited = progress.wait(pool, projection, wanted, PATIENCE).await;
        let reached = waited.map_err(|behind| Problem::unavailable(behind.to_string()))?;
        Ok(Shown { wanted, reached })
    }

    /// As [`Call::shown`], the position that the read model has at least reached.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn settled(&self, projection: &'static str) -> Result<i64, Problem> {
        Ok(self.shown(projection).await?.reached)
    }

    /// Waits until a read model shows everything that has been written by now, by whomever.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub async fn caught_up(&self, projection: &'static str) -> Result<i64, Problem> {
        let Tenant { pool, progress, journal, .. } = self.tenant();
        let head = *journal.head().borrow();
        let waited = progress.wait(pool, projection, head, PATIENCE).await;
        waited.map_err(|behind| Problem::unavailable(behind.to_string()))
    }

    /// One page of a list, of the rows that `conditions` let the caller see.
    ///
    /// # Errors
    /// 422 for a bad cursor; 503.
    pub async fn list(
        &self,
        projection: &'static str,
        params: &Params,
        mut list: List,
        conditions: Vec<Condition>,
    ) -> Result<HttpResponse, Problem> {
        let shown = self.shown(projection).await?;
        let Tenant { progress, counts, .. } = self.tenant();
        let reader = progress.reader(projection).ok_or_else(|| Problem::fault("there is no such read model"))?;
        list.conditions.extend(conditions);
        let key = Pages::key(params, self.request().query_string(), &list);
        let known = self.app().pages.get(&key);
        let read = self.ask(list.is_search(), async |connection| {
            if let Some(known) = known
                && page::stand(connection, reader).await? == known.stand
            {
                return Ok(Asked::Same(known.body));
            }
            list.fetch_standing(connection, counts, shown, reader).await.map(|(page, stand)| Asked::Anew(page, stand))
        });
        let body = match read.await? {
            Asked::Same(body) => body,
            Asked::Anew(page, stand) => {
                let body = Bytes::from(Self::body(params, &page)?);
                if let Some(stand) = stand {
                    self.app().pages.keep(key, Kept { stand, body: body.clone() });
                }
                body
            }
        };
        Ok(answer(body, shown.reached))
    }

    /// One page of a list that shows as much.
    ///
    /// # Errors
    /// 422 for a bad cursor; 503.
    pub async fn page_of(
        &self,
        params: &Params,
        mut list: List,
        conditions: Vec<Condition>,
        shown: Shown,
    ) -> Result<HttpResponse, Problem> {
        list.conditions.extend(conditions);
        Self::page(params, &self.fetch(list, shown).await?, shown.reached)
    }

    /// The page that a list asks for.
    ///
    /// # Errors
    /// When the database fails; [`sqlx::Error::Decode`] when the cursor does not fit the order.
    pub async fn fetch(&self, list: List, shown: Shown) -> Result<Page, sqlx::Error> {
        let counts = &self.tenant().counts;
        self.ask(list.is_search(), async |connection| list.fetch(connection, counts, shown).await).await
    }

    /// Asks the database. What may take long keeps no worker's connection from short questions.
    async fn ask<T>(
        &self,
        is_long: bool,
        query: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        if is_long {
            return query(&mut *self.tenant().pool.acquire().await?).await;
        }
        self.read(query).await
    }

    /// Asks the database a short question.
    ///
    /// # Errors
    /// When no connection can be had, and what the query fails with.
    pub async fn read<T>(
        &self,
        query: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.readers().read(query).await
    }

    /// A page as an answer, true as of a position.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn page(params: &Params, page: &Page, position: i64) -> Result<HttpResponse, Problem> {
        Ok(answer(Self::body(params, page)?.into(), position))
    }

    /// Its rows go out as they are stored, unread.
    fn body(params: &Params, page: &Page) -> Result<String, Problem> {
        #[derive(Serialize)]
        struct Head {
            count: i64,
            #[serde(skip_serializing_if = "Clone::clone")]
            count_exact: bool,
            next: Option<String>,
            previous: Option<String>,
        }
        let address = |cursor: &Option<Cursor>| cursor.as_ref().map(|cursor| params.address(cursor));
        let head = Head {
            count: page.count,
            count_exact: page.count_exact,
            next: address(&page.next),
            previous: address(&page.previous),
        };
        let head = serde_json::to_string(&head).map_err(Problem::fault)?;
        let head = head.strip_suffix('}').unwrap_or(&head);
        Ok([head, ",\"results\":[", &page.results, "]}"].concat())
    }

    /// One resource by its id, if `conditions` let the caller see it.
    ///
    /// # Errors
    /// 404; 503.
    pub async fn one(
        &self,
        projection: &'static str,
        table: &'static str,
        id: i64,
        conditions: Vec<Condition>,
    ) -> Result<HttpResponse, Problem> {
        let position = self.settled(projection).await?;
        let found = self.read(async |connection| runtime::page::one(connection, table, id, &conditions).await).await?;
        let (version, body) = found.ok_or_else(Problem::not_found)?;
        Ok(respond(Answer { status: 200, body, version: Some(version) }, position))
    }
}

/// What a list's page turns out to be.
enum Asked {
    /// What was answered before.
    Same(Bytes),
    /// With where the read model stood, if the page holds for as long as that stands there.
    Anew(Page, Option<Stand>),
}

/// A page that is written already.
fn answer(body: Bytes, position: i64) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("DDC-Position", position.to_string())).content_type("application/json").body(body)
}
