use crate::LookupKind;

/// What can be asked of a look-up. That its unique keys are unique is kept by reservations, outside.
#[derive(Debug, Clone, PartialEq)]
pub enum LookupCommand<K: LookupKind> {
    Create(K::Details),
    /// An import's details instead of the present ones. It brings nothing back: what was deleted or deactivated
    /// stays so.
    Replace(K::Details),
    ChangeDetails(K::Changes),
    /// Something refers to it from now on.
    RecordUse,
    Delete,
    Restore,
}
