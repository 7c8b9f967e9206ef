//! Tells the report which compiler built it.

use std::env;
use std::process::Command;

fn main() {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(compiler).arg("--version").output();
    let version = answer.map_or_else(
        |_| "unknown".to_owned(),
        |answer| String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
    );
    println!("cargo::rustc-env=KANBAN_BENCH_RUSTC={version}");
    println!("cargo::rerun-if-changed=build.rs");
}
