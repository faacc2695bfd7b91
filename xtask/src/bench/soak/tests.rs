//! Samples, the verdict, the page and the plots of figures that are made up.

use std::fs;

use serde_json::{Value, json};

use super::page::{Course, plots, text};
use super::sample::{Reading, files, processor_s, sample, value};
use super::{RETENTION_BYTES_MIN, is_partial, planned, retention_bytes};
use crate::bench::options::Options;

/// What `worldbus bench --every` prints.
fn interval(at_s: f64) -> Value {
    let side = json!({ "events": 1_000_000, "events_per_s": 200_000.0, "p50_ms": 2.00049,
        "p99_ms": 4.0, "p999_ms": 9.0, "max_ms": 12.0 });
    json!({ "at_s": at_s, "interval_s": 5.0, "published": side, "handled": side })
}

fn reading(number: u32) -> Reading {
    let number = f64::from(number);
    Reading {
        memory_bytes: 100.0 * f64::from(1 << 20),
        threads: 7.0,
        open_files: 20.0,
        files: 9.0,
        disk_bytes: 300.0 * f64::from(1 << 20),
        processor_s: 4.0 * number,
        written_bytes: 15.0 * f64::from(1 << 20) * number,
        removed: [1000.0 * number, 0.0],
    }
}

/// A run of so many samples, with the memory that each has.
fn figures(count: u32, memory_mib: impl Fn(u32) -> f64) -> Value {
    let samples = (1..=count).map(|number| {
        let at_s = 5.0 * f64::from(number);
        let mut sample = sample(&interval(at_s), &reading(number - 1), &reading(number));
        sample["memory_mib"] = json!(memory_mib(number));
        sample
    });
    let probe = json!({ "busy": 0.01, "load": "0.1", "sync_p50_ms": 0.2, "sync_p99_ms": 1.0 });
    json!({
        "command": "cargo xtask bench --soak 30",
        "machine": { "commit": "0123abcd", "processor": "a processor", "cores": 2 },
        "worldbus": "worldbus 0.1.0",
        "seeds": "none",
        "before": probe,
        "minutes": 30.0,
        "rate": 200_000.0,
        "topics": 4,
        "subscribers": 2,
        "window": 4000,
        "every_s": 5.0,
        "retention_bytes": 16 << 20,
        "samples": samples.collect::<Vec<_>>(),
        "result": {
            "events_not_handled": 0,
            "interrupted": false,
            "published": { "events": 360_000_000 },
            "handled": { "events": 360_000_000 },
        },
    })
}

#[test]
fn sample_has_what_came_and_what_was_taken_in_its_interval() {
    let sample = sample(&interval(60.0), &reading(3), &reading(4));
    let expected = json!({
        "minute": 1.0, "published_per_s": 200_000.0, "handled_per_s": 200_000.0,
        "ack_p50_ms": 2.0, "ack_p99_ms": 4.0, "ack_p999_ms": 9.0,
        "handler_p50_ms": 2.0, "handler_p99_ms": 4.0, "handler_p999_ms": 9.0,
        "memory_mib": 100.0, "threads": 7.0, "open_files": 20.0, "files": 9.0,
        "disk_mib": 300.0, "cores": 0.8, "written_mib_per_s": 3.0,
        "removed_batches": 4000.0, "removed_unread_batches": 0.0,
    });
    assert_eq!(sample, expected);
}

#[test]
fn numbers_are_found_in_what_linux_and_the_metrics_show() {
    let status = "Name:\tworldbus\nVmRSS:\t  123456 kB\nThreads:\t7\n";
    assert_eq!((value(status, "VmRSS:"), value(status, "Threads:")), (123_456.0, 7.0));
    let metrics = "# TYPE removed_total counter\nremoved_total_of_others 3\nremoved_total 12\n";
    assert_eq!((value(metrics, "removed_total"), value(metrics, "never_total")), (12.0, 0.0));
    let stat = "77 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14";
    assert!((processor_s(stat) - 3.0).abs() < 1e-9, "{}", processor_s(stat));
    assert!(processor_s("").abs() < 1e-9);
}

#[test]
fn files_are_counted_in_all_folders() {
    let folder = std::env::temp_dir().join(format!("soak-files-{}", std::process::id()));
    fs::create_dir_all(folder.join("bus")).unwrap();
    fs::write(folder.join("state.db"), [0; 10]).unwrap();
    fs::write(folder.join("bus/log.seg"), [0; 100]).unwrap();
    let found = files(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found, (2, 110));
    assert!(files(&folder).is_err());
}

#[test]
fn flat_is_a_last_quarter_within_a_tenth_of_the_second() {
    let course = |values: &[f64]| Course::of(values).unwrap();
    // What fills in the first quarter, and what stands out once, do not count.
    let flat = course(&[1.0, 2.0, 9.0, 9.0, 99.0, 8.0, 0.0, 9.0, 9.0, 9.5, 9.5, 70.0]);
    assert_eq!((flat.second, flat.last), (9.0, 9.5));
    assert!(flat.is_flat());
    let line = |slope: f64| (0..80).map(|at| 100.0 + slope * f64::from(at)).collect::<Vec<_>>();
    assert!(course(&line(0.0)).is_flat() && course(&line(0.2)).is_flat());
    assert!(!course(&line(0.5)).is_flat() && !course(&line(-0.5)).is_flat());
    assert!(course(&[0.0; 8]).is_flat());
    assert!(!course(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]).is_flat());
    assert_eq!(Course::of(&[1.0; 7]), None);
}

#[test]
fn page_of_a_flat_run_has_its_figures_and_what_retention_removed() {
    // The least bit less at the end.
    let page = text(&figures(40, |number| 100.0 - f64::from(number) / 1000.0));
    assert!(page.contains("**Flat: every series.**\n"), "{page}");
    let published = "360000000 events were published (100.0 % of what the rate asks for), and \
                     360000000 handled by every subscription";
    assert!(page.contains(published), "{page}");
    assert!(page.contains(": none is lost."), "{page}");
    assert!(page.contains("removed 40000 batches, in 39 of 39 intervals, and 0 of them unread"));
    assert!(page.contains("wrote 600 MiB, and its files took 300 MiB at the most"), "{page}");
    assert!(
        page.contains("| memory, MiB | 99.98 | 99.96 | +0 % | 99.96 | 100.00 | flat |"),
        "{page}"
    );
    assert!(page.contains("keeps 16.0 MiB of each"), "{page}");
    for (file, _) in plots(&figures(40, |_| 100.0)) {
        assert!(page.contains(&format!("]({file})")), "{file}");
    }
}

#[test]
fn page_names_what_grew_and_what_was_lost() {
    let mut figures = figures(40, |number| 100.0 + f64::from(number));
    figures["result"]["events_not_handled"] = json!(3);
    let page = text(&figures);
    assert!(page.contains("**Not flat: memory, MiB: +17 %.**"), "{page}");
    assert!(page.contains("| memory, MiB | 115 | 135 | +17 % | 101 | 140 | **not flat** |"));
    assert!(page.contains("**3 are lost**"), "{page}");
    figures["result"]["handled"]["events"] = json!(359_999_990);
    assert!(text(&figures).contains("**10 are lost**"));
}

#[test]
fn page_of_a_run_that_is_broken_off_has_what_there_is() {
    let mut broken_off = figures(20, |_| 100.0);
    broken_off["result"] = Value::Null;
    let page = text(&broken_off);
    assert!(page.contains("**Flat: every series.** Broken off"), "{page}");
    assert!(page.contains("known at the end") && !page.contains("| after |"), "{page}");
    let none = text(&figures(0, |_| 0.0));
    assert!(none.contains("Too short: 0 samples"), "{none}");
    plots(&figures(0, |_| 0.0)).iter().for_each(|(_, svg)| assert!(!svg.contains("NaN")));
}

#[test]
fn plots_are_linear_over_time_and_lines_without_marks_where_points_are_many() {
    let plots = plots(&figures(360, |_| 250.0));
    let [(_, resources), (_, load)] = plots.try_into().unwrap();
    assert_eq!(resources.matches("<polyline").count(), 7);
    assert_eq!(load.matches("<polyline").count(), 8);
    assert!(!resources.contains("<circle") && !resources.contains("NaN"), "{resources}");
    for tick in [">0<", ">10<", ">20<", ">30<", ">100<", ">300<"] {
        assert!(resources.contains(tick), "{tick}: {resources}");
    }
    assert!(load.contains(">200 K<"), "{load}");
}

#[test]
fn evidence_is_a_run_that_is_long_and_fast_enough() {
    let planned = |words: &[&str]| {
        let options = Options::parse(words).unwrap();
        (planned(&options, options.soak.unwrap()), retention_bytes(&options))
    };
    let (mut long, kept) = planned(&["--soak", "30"]);
    assert_eq!((is_partial(&long), kept), (false, 16_000_000));
    long["result"]["interrupted"] = json!(true);
    assert!(is_partial(&long));
    assert!(is_partial(&planned(&["--soak", "1"]).0));
    let (slow, kept) = planned(&["--soak", "30", "--rate", "2000"]);
    assert_eq!((is_partial(&slow), kept), (true, RETENTION_BYTES_MIN));
}
