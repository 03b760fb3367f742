//! The names of events, said once.

/// Implements `DomainEvent` for an enum of events: `domain_event!(CompanyEvent: Created => "company.created", …)`.
///
/// The version is "1.0" unless one is given (`Created => "company.created" @ "2.0"`). `TYPES` lists all of them for
/// the published contracts and the golden samples. A released event is never edited: a new version and an upcaster.
#[macro_export]
macro_rules! domain_event {
    ($event:ident: $($variant:ident => $name:literal $(@ $version:literal)?),+ $(,)?) => {
        impl $event {
            /// Stored type and version of every event of this aggregate.
            pub const TYPES: &'static [(&'static str, &'static str)] =
                &[$(($name, $crate::domain_event!(@version $($version)?))),+];
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => $name),+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $crate::domain_event!(@version $($version)?)),+ }.to_owned()
            }
        }
    };
    (@version) => { "1.0" };
    (@version $version:literal) => { $version };
}
