//! Claims about moisture and wind of places beyond the usual.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use super::*;
use crate::build::Builder;
use crate::preset_file;
use crate::targets::Place;

/// Far in the cold and very dry.
fn cold() -> Normals {
    let low =
        std::array::from_fn(|month| Some([-58.0, -20.0][usize::from((4..8).contains(&month))]));
    Normals {
        tmin_mean_c: low,
        tmax_mean_c: low.map(|low| low.map(|low| low + 9.0)),
        rh_mean: [Some(4.0); 12],
        wind_mean_ms: [Some(38.0); 12],
        ..Normals::default()
    }
}

#[test]
fn preset_of_a_cold_and_dry_place_is_one_that_worlds_take() {
    let place = Place {
        name: "cold".to_owned(),
        source: "A test.".to_owned(),
        latitude: 66.0,
        elevation_m: 100.0,
    };
    let base = Preset::built_in("brussels").unwrap();
    let built = Builder::of_years(2).of_normals(&cold(), place, Some(&base));
    let text = preset_file::to_text(&built.preset);
    let read = Preset::parse("cold.toml", &text);
    assert!(read.is_ok(), "{}", read.unwrap_err());
}

#[test]
fn scaling_stops_at_the_most_and_keeps_rows_rising() {
    let table = Table::from_quantiles(|_, _, z| 1_000.0 * (z + 4.0));
    let scaled = scaled(&table, [9.0; 12], DEPRESSION_CK_MAX);
    let row = &scaled.rows()[0];
    assert!(row.is_sorted() && row[16] == 8_000.0 && row[4] == DEPRESSION_CK_MAX, "{row:?}");
}
