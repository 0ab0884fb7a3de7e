//! What a phase that brings databases of its own really used: the values of its sections, defaults included,
//! under the names that a scenario gives them.

use crate::crash::{CrashPlan, Rules};
use crate::results::Setting;
use crate::scenario::plan::{Action, DamagePlan, FaultPlan};
use crate::units::{self, grouped};

/// Nothing for a phase whose database says itself what it uses.
pub(super) fn of(action: &Action) -> Vec<Setting> {
    match action {
        Action::Crash(crash) => of_crash(crash),
        Action::Faults(faults) => of_faults(faults),
        Action::Damage(damage) => of_damage(damage),
        Action::Real(real) => vec![
            Setting::new("fault", real.fault.name()),
            Setting::new("cycles", grouped(real.cycles)),
        ],
        _ => Vec::new(),
    }
}

fn of_crash(crash: &CrashPlan) -> Vec<Setting> {
    let bounds = &crash.bounds;
    let numbers = [
        ("sessions", u64::from(crash.sessions)),
        ("recordings", u64::from(crash.recordings)),
        ("depth", crash.depth as u64),
        ("exhaustive", bounds.exhaustive as u64),
        ("samples", u64::from(bounds.samples)),
        ("tears", bounds.tears as u64),
        ("page_tears", bounds.page_tears as u64),
        ("older_tears", bounds.older_tears as u64),
        ("failing_syncs", u64::from(crash.failing_syncs)),
        ("third_of", crash.third_of),
        ("most_states", crash.most),
        ("threads", crash.threads as u64),
    ];
    let numbers = numbers.map(|(name, value)| number("crash", name, value));
    let mut settings = vec![Setting::new("crash.workload", crash.workload.name())];
    settings.extend(numbers);
    settings.push(Setting::new("oracle.rules", rules(crash.rules)));
    settings
}

fn rules(rules: Rules) -> String {
    let all = [
        (rules.check, "check"),
        (rules.commit, "commit"),
        (rules.again, "again"),
        (rules.read_only, "read-only"),
    ];
    let on: Vec<&str> = all
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    match on.is_empty() {
        true => "none beyond those that always hold".to_owned(),
        false => on.join(", "),
    }
}

fn of_faults(faults: &FaultPlan) -> Vec<Setting> {
    vec![
        Setting::new("faults.part", faults.extent.part.what()),
        number("faults", "stride", faults.extent.stride as u64),
        number("faults", "threads", faults.threads as u64),
    ]
}

fn of_damage(damage: &DamagePlan) -> Vec<Setting> {
    let extent = &damage.extent;
    let ways: Vec<&str> = extent.ways.iter().map(|way| way.name()).collect();
    let sizes = extent.page_sizes.iter();
    let sizes: Vec<String> = sizes.map(|size| units::binary(*size as u64)).collect();
    vec![
        Setting::new("damage.ways", ways.join(", ")),
        Setting::new("damage.page_sizes", sizes.join(", ")),
        number("damage", "stride", extent.stride as u64),
        number("damage", "stride_of_others", extent.stride_of_others as u64),
        number("damage", "threads", damage.threads as u64),
    ]
}

fn number(section: &str, name: &str, value: u64) -> Setting {
    Setting::new(format!("{section}.{name}"), grouped(value))
}
