//! The one binary: `ddc --help` lists what it does.

use std::process::ExitCode;

// A request makes hundreds of small allocations, on threads that pass them on to each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ddc::cli::main()
}
