//! What is published is what the code does.

use std::path::Path;

#[test]
fn the_published_contracts_are_those_of_the_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    let differing = ddc::contracts::differing(&folder).unwrap();
    assert!(differing.is_empty(), "{differing:?} differ from the code: run `make openapi` and look at what changed");
}
