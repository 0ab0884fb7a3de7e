//! Crash injection: a recorded session, every state that a power cut could have left, real recovery on
//! each, and comparison with the model.

mod model;
mod oracle;
mod states;
mod workload;

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn probe() {
        let session = workload::run(1).unwrap();
        eprintln!("{:?} events {}", session.saw, session.events.len());
        let bounds = states::Bounds { exhaustive: 4, samples: 2, tears: false };
        let mut n = 0u64; let mut bad = 0;
        let mut seen = std::collections::HashSet::new();
        let started = std::time::Instant::now();
        let mut visit = |state: states::State| {
            n += 1;
            if !seen.insert((state.disk.digest(), state.acked, state.begun)) { return true; }
            match oracle::examine(&state.disk, &session.digests) {
                Ok(r) => { let c = r.commit.unwrap_or(0); if c < state.acked || c > state.begun { bad += 1; if bad < 10 { eprintln!("at {}: {} not in {}..={}", state.at, c, state.acked, state.begun);} } }
                Err(v) => { bad += 1; if bad < 10 { eprintln!("at {}: {v}", state.at); } }
            }
            seen.len() < 20000
        };
        states::Enumerator::new(Default::default(), bounds, 1, &mut visit).run(&session.events);
        eprintln!("{n} states, {} distinct, {bad} bad, {:?}", seen.len(), started.elapsed());
    }
}
