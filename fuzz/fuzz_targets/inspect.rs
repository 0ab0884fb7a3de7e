//! Runs `inspect` of the bodies on what the fuzzer makes up.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vellum_fuzz_bodies::inspect::run(data);
});
