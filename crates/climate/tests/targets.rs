//! The committed targets are of the records that they name: their annual figures are those that
//! were found independently. Not here: presets (`bands`).
#![allow(clippy::disallowed_methods, reason = "tests touch disk and clock")]

mod support;

use support::targets;
use worldbus_climate::targets::Targets;

/// Figures of a row below, with what half a unit of its last digit is.
const COLUMNS: [(&str, f64); 14] = [
    ("wet_day_share_year", 0.005),
    ("wet_given_wet", 0.005),
    ("wet_given_dry", 0.005),
    ("wet_day_mm_mean", 0.05),
    ("wet_day_mm_sd", 0.05),
    ("wet_day_mm_p95", 0.05),
    ("tmax_year", 0.05),
    ("tmin_year", 0.05),
    ("diurnal_range", 0.05),
    ("temp_residual_sd", 0.005),
    ("temp_lag1", 0.005),
    ("temp_lag2", 0.005),
    ("tmax_wet_minus_dry", 0.05),
    ("diurnal_range_wet_minus_dry", 0.05),
];

type Row = (&'static str, usize, [f64; 14]);
#[rustfmt::skip]
const ROWS: [Row; 10] = [
    ("brussels", 5479, [
        0.38, 0.59, 0.25, 5.8, 5.5, 15.8, 13.7, 6.7, 7.0, 3.52, 0.82, 0.61, -0.6, -1.5
    ]),
    ("cambridge", 11323, [
        0.39, 0.58, 0.27, 4.5, 4.0, 12.4, 14.2, 6.1, 8.1, 2.71, 0.76, 0.54, -0.7, -1.9
    ]),
    ("champion", 6940, [
        0.15, 0.40, 0.10, 7.5, 9.1, 25.3, 17.8, 1.4, 16.4, 5.07, 0.72, 0.45, -3.9, -4.8
    ]),
    ("cordoba", 11323, [
        0.25, 0.52, 0.16, 9.3, 10.7, 29.2, 24.8, 10.3, 14.5, 3.25, 0.70, 0.42, -1.7, -3.0
    ]),
    ("lincolnshire", 11323, [
        0.39, 0.56, 0.28, 4.5, 4.3, 13.2, 13.5, 6.6, 6.9, 2.42, 0.74, 0.51, -0.5, -1.3
    ]),
    ("norfolk", 11323, [
        0.40, 0.58, 0.28, 4.5, 4.3, 12.6, 13.9, 6.3, 7.6, 2.61, 0.74, 0.52, -0.7, -1.6
    ]),
    ("suffolk", 11323, [
        0.39, 0.58, 0.27, 4.5, 4.2, 12.8, 13.5, 7.6, 5.9, 2.28, 0.76, 0.54, -0.4, -1.2
    ]),
    ("tunis", 8552, [
        0.17, 0.43, 0.12, 7.2, 8.4, 23.1, 24.3, 13.7, 10.6, 2.44, 0.70, 0.49, -2.4, -3.1
    ]),
    ("newark", 364, [
        0.24, 0.36, 0.20, 12.7, 13.6, 33.7, 17.2, 8.8, 8.4, 3.87, 0.65, 0.24, 0.0, -1.6
    ]),
    ("laguardia", 364, [
        0.23, 0.35, 0.20, 11.2, 13.1, 31.5, 16.6, 9.9, 6.7, 3.62, 0.65, 0.23, -0.4, -1.2
    ]),
];
/// The ranges of wet and dry days of Brussels were once compared with the season taken off: the
/// wet days of winter have a smaller range because it is winter.
const SEASON_TAKEN_OFF: (&str, &str, f64) = ("brussels", "diurnal_range_wet_minus_dry", -1.81);

#[test]
fn annual_figures_are_those_of_the_records() {
    let mut wrong = Vec::new();
    for (set, days, row) in ROWS {
        let targets = targets(set);
        assert_eq!(targets.days, days, "{set}");
        for ((figure, half), wanted) in COLUMNS.into_iter().zip(row) {
            let found = match figure {
                "tmax_year" | "tmin_year" => year(&targets, &figure.replace("year", "month")),
                _ => targets.figures.year(figure).expect(figure),
            };
            let exception = SEASON_TAKEN_OFF.0 == set && SEASON_TAKEN_OFF.1 == figure;
            let wanted = if exception { SEASON_TAKEN_OFF.2 } else { wanted };
            // The last digit was rounded twice, once there, once here.
            if (found - wanted).abs() > 1.3 * half {
                wrong.push(format!("{set} {figure}: found {found}, wanted {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The mean of the months, each with its days.
fn year(targets: &Targets, figure: &str) -> f64 {
    const DAYS: [f64; 12] =
        [31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0];
    let months = targets.figures.months(figure).expect("twelve months");
    months.iter().zip(DAYS).map(|(value, days)| value * days).sum::<f64>() / 365.25
}

#[test]
fn spell_lengths_are_those_of_the_records() {
    let rows = [
        ("brussels", "wet", 2.43, 1.98, 5.0, 10.0),
        ("brussels", "dry", 4.01, 4.41, 10.0, 20.0),
        ("champion", "wet", 1.67, 1.05, 3.0, 6.0),
        ("champion", "dry", 9.54, 18.35, 21.0, 94.0),
        ("cordoba", "wet", 2.06, 1.42, 4.0, 7.0),
        ("cordoba", "dry", 6.20, 9.16, 13.0, 49.0),
        ("tunis", "wet", 1.75, 1.22, 3.0, 6.0),
        ("tunis", "dry", 8.55, 13.77, 19.0, 80.0),
    ];
    for (set, spell, mean, sd, p90, p99) in rows {
        let targets = targets(set);
        let figure = |name: &str| targets.figures.year(&format!("{spell}_spell_{name}")).unwrap();
        assert!((figure("mean") - mean).abs() < 0.0051, "{set} {spell}: {}", figure("mean"));
        // The other was that of a whole population.
        assert!((figure("sd") - sd).abs() < 0.02, "{set} {spell}: {}", figure("sd"));
        assert!((figure("p90") - p90).abs() < 0.51, "{set} {spell}: {}", figure("p90"));
        assert!((figure("p99") - p99).abs() < 0.51, "{set} {spell}: {}", figure("p99"));
    }
}

#[test]
fn states_of_miami_have_the_published_shares() {
    let wanted = [
        ("partly_cloudy", 39.14),
        ("cloudy", 30.22),
        ("clear", 24.89),
        ("rain", 2.89),
        ("storm", 1.75),
        ("mist", 0.62),
        ("windy", 0.19),
        ("fog", 0.19),
        ("heavy_rain", 0.11),
    ];
    let targets = targets("miami");
    for (state, percent) in wanted {
        let share = targets.figures.year(&format!("state_share_{state}")).unwrap();
        assert!((100.0 * share - percent).abs() < 0.0051, "{state}: {share}");
    }
}
