use std::borrow::Cow;

use chrono::{DateTime, Utc};
use kernel::{Resource, Stamp};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{AllOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

use super::LookupEvent;
use crate::LookupKind;

/// A look-up as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Lookup<K: LookupKind> {
    #[default]
    NotYet,
    Known {
        details: K::Details,
        /// Something refers to it, or once did.
        is_used: bool,
        is_deleted: bool,
    },
}

/// A look-up as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookupView<D> {
    pub id: i64,
    #[serde(flatten)]
    pub details: D,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

fn instant() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

// By hand, because the derived name would be the same for every kind.
impl<D: ToSchema> PartialSchema for LookupView<D> {
    fn schema() -> RefOr<Schema> {
        let own = ObjectBuilder::new()
            .property("id", i64::schema())
            .property("is_deleted", bool::schema())
            .property("created_at", instant())
            .property("updated_at", instant())
            .property("version", i64::schema());
        let own = ["id", "is_deleted", "created_at", "updated_at", "version"]
            .into_iter()
            .fold(own, |object, member| object.required(member));
        AllOfBuilder::new().item(Ref::from_schema_name(D::name())).item(own).into()
    }
}

impl<D: ToSchema> ToSchema for LookupView<D> {
    /// `RegionView` of `RegionDetails`.
    fn name() -> Cow<'static, str> {
        let details = D::name();
        Cow::Owned(format!("{}View", details.strip_suffix("Details").unwrap_or(&details)))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((D::name().into_owned(), D::schema()));
        D::schemas(schemas);
    }
}

impl<K: LookupKind> Lookup<K> {
    pub(super) fn fold(&mut self, event: LookupEvent<K>) {
        match (event, self) {
            (LookupEvent::Created(details), new) => {
                *new = Self::Known { details, is_used: false, is_deleted: false };
            }
            (LookupEvent::DetailsChanged(new), Self::Known { details, .. }) => *details = new,
            (LookupEvent::Used, Self::Known { is_used, .. }) => *is_used = true,
            (LookupEvent::Deleted, Self::Known { is_deleted, .. }) => *is_deleted = true,
            (LookupEvent::Restored, Self::Known { is_deleted, .. }) => *is_deleted = false,
            (_, Self::NotYet) => {}
        }
    }

    /// The details, if it exists and is not deleted.
    #[must_use]
    pub fn live(&self) -> Option<&K::Details> {
        match self {
            Self::Known { details, is_deleted: false, .. } => Some(details),
            _ => None,
        }
    }

    /// It exists and is neither deactivated nor deleted: it may be newly referred to.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.live().is_some_and(K::is_active)
    }
}

impl<K: LookupKind> Resource for Lookup<K> {
    type State = Self;
    type View = LookupView<K::Details>;

    fn state(&self) -> &Self {
        self
    }

    fn record(state: &mut Self, event: LookupEvent<K>) {
        state.fold(event);
    }

    fn view(state: &Self, stamp: &Stamp) -> Option<LookupView<K::Details>> {
        let Self::Known { details, is_deleted, .. } = state else { return None };
        let mut details = details.clone();
        if *is_deleted {
            // What refers to it still shows it, as one that nothing may newly refer to (spec 4).
            K::set_active(&mut details, false);
        }
        Some(LookupView {
            id: stamp.number(),
            details,
            is_deleted: *is_deleted,
            created_at: stamp.created_at,
            updated_at: stamp.updated_at,
            version: stamp.version,
        })
    }
}
