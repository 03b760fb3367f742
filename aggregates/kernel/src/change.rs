//! One member of a partial update.

use serde::{Deserialize, Deserializer, Serialize};

/// Absent keeps, `null` clears, a value sets. Use with `#[serde(default)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T> Change<T> {
    /// The value after the change.
    pub fn over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }

    /// Changes the type of the value, keeping the kind of change.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(convert(value)),
        }
    }
}

// In the OpenAPI document a change is the value itself, or null. (`ComposeSchema` is what the derive asks of a member
// with a type parameter; `PartialSchema` follows from it.)
impl<T: utoipa::PartialSchema> utoipa::__dev::ComposeSchema for Change<T> {
    fn compose(
        generics: Vec<utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>>,
    ) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
        let value = generics.into_iter().next().unwrap_or_else(T::schema);
        OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(value).into()
    }
}

impl<T: utoipa::ToSchema> utoipa::ToSchema for Change<T> {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        T::schemas(schemas);
    }
}
