//! Crash injection: a recorded session, every state that a power cut could have left, real recovery on
//! each, and comparison with the model.

mod model;
mod oracle;
mod states;
mod watched;
mod workload;

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn probe() {
        let session = workload::run(1).unwrap();
        eprintln!("{:?} events {}", session.saw, session.events.len());
        let bounds = states::Bounds { exhaustive: 10, samples: 200, tears: true };
        let mut n = 0u64; let mut bad = 0; let mut ran = 0; let mut sessions = watched::Sessions::default();
        let mut seen = std::collections::HashSet::new();
        let started = std::time::Instant::now();
        let mut visit = |state: states::State| {
            n += 1;
            if !seen.insert((state.disk.digest(), state.acked, state.begun)) { return true; }
            let commit = match sessions.find(&state.disk) { Some(c) => *c, None => {
                let session = oracle::examine(&state.disk, &session.digests);
                ran += 1;
                let c = match session.result { Ok(r) => r.commit, Err(v) => { bad += 1; if bad < 10 { eprintln!("at {}: {v}", state.at); } None } };
                sessions.add(&state.disk, session.asked, c); c } };
                let c = commit.unwrap_or(0); if c < state.acked || c > state.begun { bad += 1; if bad < 10 { eprintln!("at {}: {} not in {}..={}", state.at, c, state.acked, state.begun);} } 
            seen.len() < 2000000
        };
        states::Enumerator::new(Default::default(), bounds, 1, &mut visit).run(&session.events);
        eprintln!("{n} states, {} distinct, {bad} bad, {ran} examined, {:?}", seen.len(), started.elapsed());
    }
}
