#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vellum_fuzz_bodies::wal::run(data);
});
