//! Notes which compiler and profile this binary came from: a measurement names both.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=LAB_RUSTC={}", rustc_version());
    for (name, variable) in [
        ("LAB_TARGET", "TARGET"),
        ("LAB_PROFILE", "PROFILE"),
        ("LAB_OPT_LEVEL", "OPT_LEVEL"),
    ] {
        println!(
            "cargo:rustc-env={name}={}",
            env::var(variable).unwrap_or_else(|_| "unknown".into())
        );
    }
}

fn rustc_version() -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".into(),
    }
}
