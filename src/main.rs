//! golive: may we go live from this network, at this hour, and who says so?

use std::process::ExitCode;

fn main() -> ExitCode {
    golive::cli::main()
}
