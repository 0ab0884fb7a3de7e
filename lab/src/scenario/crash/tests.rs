#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use super::super::parse;
use super::super::plan::{Action, Changes, Scenario};
use crate::crash::{CrashPlan, Workload};
use crate::failure::{Exit, Failure};

const HEAD: &str = "schema = 1\nname = \"power\"\nquestion = \"Does it hold?\"\n";

fn read(sections: &str) -> Result<Scenario, Failure> {
    parse(
        Path::new("power.toml"),
        format!("{HEAD}{sections}"),
        &Changes::default(),
        false,
    )
}

fn plan_of(sections: &str) -> CrashPlan {
    let plan = read(sections).unwrap_or_else(|failure| panic!("{failure}"));
    match &plan.cells[0].phases[0].action {
        Action::Crash(plan) => plan.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(sections: &str, pieces: &[&str]) {
    let failure = read(sections).expect_err("accepted");
    assert_eq!(failure.exit, Exit::Usage, "{failure}");
    for piece in pieces {
        assert!(
            failure.message.contains(piece),
            "no `{piece}` in\n{failure}"
        );
    }
}

#[test]
fn two_lines_are_enough() {
    let plan = plan_of("[crash]\nworkload = \"small\"\n");
    assert_eq!((plan.workload, plan.depth), (Workload::Small, 1));
    assert_eq!(plan.bounds.exhaustive, 12);
    assert!(plan.rules.check && plan.rules.commit && plan.rules.again && !plan.rules.read_only);
}

#[test]
fn what_is_written_is_planned() {
    let plan = plan_of(
        "[crash]\nworkload = \"group-commit\"\nsessions = 3\nrecordings = 2\ndepth = 2\nexhaustive = 4\n\
         samples = 5\ntears = 6\nolder_tears = 7\npage_tears = 11\nfailing_syncs = 8\nthird_of = 9\nmost_states = 10\n\
         threads = 1\n[oracle]\nrules = [\"read-only\"]\n",
    );
    assert_eq!((plan.sessions, plan.recordings, plan.depth), (3, 2, 2));
    assert_eq!((plan.bounds.exhaustive, plan.bounds.samples), (4, 5));
    assert_eq!((plan.bounds.tears, plan.bounds.older_tears), (6, 7));
    assert_eq!(plan.bounds.page_tears, 11);
    assert_eq!((plan.failing_syncs, plan.third_of, plan.most), (8, 9, 10));
    assert!(plan.rules.read_only && !plan.rules.check);
}

#[test]
fn every_workload_has_its_name() {
    for workload in Workload::ALL {
        let plan = plan_of(&format!("[crash]\nworkload = \"{}\"\n", workload.name()));
        assert_eq!(plan.workload, workload);
    }
}

#[test]
fn mistakes_are_drawn_at_their_place() {
    refused(
        "[crash]\nworkload = \"smal\"\n",
        &[
            "unknown variant `smal`",
            "power.toml:5:12",
            "the nearest name is `small`",
        ],
    );
    refused(
        "[crash]\nworkload = \"small\"\ndept = 2\n",
        &[
            "unknown field `dept`",
            "6 | dept",
            "the nearest name is `depth`",
        ],
    );
    refused(
        "[crash]\nworkload = \"small\"\ndepth = 4\n",
        &[
            "`depth` must be from 1 to 3",
            "6 | depth = 4",
            "out of range",
        ],
    );
    refused(
        "[crash]\nworkload = \"small\"\nmost_states = 0\n",
        &["`most_states` must be from 1 to"],
    );
    refused(
        "[crash]\nworkload = \"small\"\n[oracle]\nrules = [\"chekc\"]\n",
        &["unknown variant `chekc`", "the nearest name is `check`"],
    );
    refused("[crash]\n", &["missing field `workload`"]);
    refused(
        "[oracle]\nrules = []\n",
        &[
            "judges what a `[crash]` leaves",
            "there is no `[crash]` section",
        ],
    );
    refused("", &["the scenario does nothing"]);
}

#[test]
fn metrics_and_tables_of_crashes_are_known() {
    let check = |metric: &str| {
        format!(
            "[crash]\nworkload = \"small\"\n[[check]]\nmetric = \"{metric}\"\nexpect = \">= 1\"\n"
        )
    };
    assert!(read(&check("crash.saw.torn_tail")).is_ok());
    assert!(read(&check("crash.distinct")).is_ok());
    refused(
        &check("crash.saw.torn_tial"),
        &["has no metric `saw.torn_tial`", "`saw.torn_tail`"],
    );
    let plot = "[crash]\nworkload = \"small\"\n[[plot]]\ntitle = \"t\"\ntable = \"crash.kinds\"\n\
                x = \"kind\"\ny = [\"distinct\"]\nform = \"bars\"\n";
    assert!(read(plot).is_ok());
}

#[test]
fn sections_without_effect_are_refused() {
    for section in [
        "[engine]\ncache = \"64 KiB\"\n",
        "[dataset]\ngenerator = \"tree\"\n",
    ] {
        refused(
            &format!("[crash]\nworkload = \"small\"\n{section}"),
            &["there is none", "without effect", "power.toml:6:1"],
        );
    }
}

#[test]
fn the_operating_system_crashes_too() {
    for via in ["sigkill", "power-ext4", "power-xfs"] {
        let plan = read(&format!("[crash]\nvia = \"{via}\"\ncycles = 7\n")).unwrap();
        match &plan.cells[0].phases[0].action {
            Action::Real(real) => assert_eq!((real.fault.name(), real.cycles), (via.to_owned(), 7)),
            other => panic!("{other:?}"),
        }
    }
    refused(
        "[crash]\nvia = \"sigkill\"\ndepth = 2\n",
        &["`depth` has no meaning", "6 | depth = 2"],
    );
    refused(
        "[crash]\nworkload = \"small\"\ncycles = 2\n",
        &["`cycles` has no meaning", "6 | cycles = 2"],
    );
    refused(
        "[crash]\nvia = \"sigkil\"\n",
        &["the nearest name is `sigkill`"],
    );
}

#[test]
fn faults_and_damage_are_planned_and_checked() {
    let plan = read("[faults]\n[damage]\n").unwrap();
    let names: Vec<&str> = plan.cells[0]
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    assert_eq!(names, ["faults", "damage"]);
    let plan =
        read("seed = 9\n[damage]\nways = [\"bits\"]\npage_sizes = [\"8 KiB\"]\nstride = 3\n")
            .unwrap();
    match &plan.cells[0].phases[0].action {
        Action::Damage(damage) => {
            let extent = &damage.extent;
            assert_eq!(
                (extent.ways.len(), &extent.page_sizes[..]),
                (1, &[8192][..])
            );
            assert_eq!(
                (extent.stride, extent.stride_of_others, extent.seed),
                (3, 3, 9)
            );
        }
        other => panic!("{other:?}"),
    }
    refused(
        "[damage]\nways = [\"bist\"]\n",
        &["unknown variant `bist`", "the nearest name is `bits`"],
    );
    refused("[damage]\nways = []\n", &["names no way", "5 | ways"]);
    refused("[damage]\nstride = 0\n", &["`stride` must be from 1 to"]);
    refused(
        "[damage]\npage_sizes = [5000]\n",
        &["a power of two", "5 | page_sizes"],
    );
    refused(
        "[faults]\nparts = 1\n",
        &["unknown field `parts`", "the nearest name is `part`"],
    );
    refused(
        "[faults]\npart = \"sync\"\n",
        &["unknown variant `sync`", "`syncs`"],
    );
    refused(
        "[faults]\nvia = \"full-disk\"\nstride = 2\n",
        &["`stride` has no meaning", "6 | stride = 2"],
    );
    refused(
        "[faults]\n[[check]]\nmetric = \"faults.cels\"\nexpect = \"> 1\"\n",
        &["has no metric `cels`", "`cells`"],
    );
}
