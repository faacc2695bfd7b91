//! All automation of the repository: `cargo xtask COMMAND`.
//!
//! For people and for CI alike, so that both run the same thing. Not for anything that a user of
//! Worldbus needs at run time. Plain Rust instead of shell or make: it is typed, tested, and runs
//! wherever the project builds.
#![expect(clippy::disallowed_methods, reason = "a build tool lives on disk and clock")]
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "images are built on Linux"))]

mod bench;
mod ci;
mod repo;
mod tidy;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  tidy                   check the invariants of the architecture (a second or two)
  tidy --fix             put right what a program can: the order of imports
  tidy --tighten         lower the figures of xtask/ratchet.txt to what there is
  ci                     install what the tests need and run all of them, in CI's order
  ci --fast              what to run before a commit: no engines, no emulators
  ci --long              what to run before a release: many more rounds and cases
  ci --list              name the steps of ci and of its lanes
  ci --only STEP[,STEP]  run these steps only
  bench                  measure us and our peers on a quiet machine; write the page about it
  bench --quick          the same in minutes, to see whether it works; writes to target/bench
  bench --only TEXT      only what has this in its name (stream, curve topics); to target/bench
  bench --soak MINUTES   a steady load for so long, with retention at work; write the page about it
  rest-reference [URL]   write docs/reference/rest.md, from what `worldbus up` describes
  archive                build a release for this system, and pack it with all that belongs to it
  image                  build the image of a release, check it, measure it (as root, on Linux)
  image --evidence       the same, and write the figures to docs/evidence/image
  image-files DIR        lay out what the image holds; the Dockerfile's build stage does this
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy", options @ ..] => tidy::command(options),
        ["bench", options @ ..] => bench::command(options),
        ["ci", options @ ..] => ci::run(options),
        ["image", options @ ..] => ci::image::command(options),
        ["rest-reference", options @ ..] => ci::openapi::write_reference(options),
        ["archive"] => ci::archive::command(),
        ["image-files", folder] => ci::image::files(folder),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        unknown => Err(anyhow::anyhow!("unknown command: {}\n\n{USAGE}", unknown.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
