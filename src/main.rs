//! The one binary: `ddc --help` lists what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    ddc::cli::main()
}
