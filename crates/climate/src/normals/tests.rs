//! Normals are read in any order, and what is wrong in them is told by line and column.

use super::*;

fn text(rows: &[&str]) -> String {
    COLUMNS.join(",") + "\n" + &rows.join("\n") + "\n"
}

fn year() -> Vec<String> {
    (1..=12).map(|month| format!("{month},0.4,5,{},0,,3,80", month + 10)).collect()
}

#[test]
fn twelve_months_are_read_and_an_empty_cell_is_unknown() {
    let mut rows = year();
    rows.reverse();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let normals = Normals::parse("n.csv", &text(&rows)).unwrap();
    assert_eq!(normals.months[0].tmax_mean_c, Some(11.0));
    assert_eq!(normals.months[11].tmax_mean_c, Some(22.0));
    assert_eq!(normals.months[3].temp_residual_sd_k, None);
    let mut dry = year();
    dry[6] = "7,0,0,30,20,,,".to_owned();
    let dry: Vec<&str> = dry.iter().map(String::as_str).collect();
    assert_eq!(Normals::parse("n.csv", &text(&dry)).unwrap().months[6].wet_day_share, Some(0.0));
    let few = "month,tmax_mean_c\n".to_owned()
        + &(1..=12).map(|m| format!("{m},9\n")).collect::<String>();
    assert_eq!(Normals::parse("n.csv", &few).unwrap().months[5].rh_mean, None);
}

#[test]
fn mistakes_name_line_and_column() {
    let whole = year();
    let with = |index: usize, row: &str| {
        let mut rows: Vec<&str> = whole.iter().map(String::as_str).collect();
        rows[index] = row;
        Normals::parse("n.csv", &text(&rows)).unwrap_err().to_string()
    };
    for (error, wanted) in [
        (with(0, "13,,,,,,,"), "n.csv:2: month: expected a whole number from 1 to 12, found 13"),
        (with(1, "1,,,,,,,"), "n.csv:3: month: expected each month once, found 1 twice"),
        (
            with(2, "3,1.2,,,,,,"),
            "n.csv:4: wet_day_share: expected a number from 0 to 1, found 1.2",
        ),
        (with(3, "4,0.2,0.5,,,,,"), "n.csv:5: wet_day_mean_mm: expected a number from 1 to 300"),
        (
            with(4, "5,,,10,11,,,"),
            "n.csv:6: tmin_mean_c: expected a number from -95 to 10, found 11",
        ),
        (
            with(5, "6,,,NaN,,,,"),
            "n.csv:7: tmax_mean_c: expected a number from -95 to 65, found NaN",
        ),
        (with(6, "7,,,,,,0,"), "n.csv:8: wind_mean_ms: expected a number from 0.1 to 40, found 0"),
        (with(7, "8,,,,,,,101"), "n.csv:9: rh_mean: expected a number from 1 to 100, found 101"),
        (with(8, "9,,"), "n.csv:10: expected 8 cells, found 3"),
    ] {
        assert!(error.starts_with(wanted), "{error}");
    }
    let eleven: Vec<&str> = whole.iter().take(11).map(String::as_str).collect();
    let error = Normals::parse("n.csv", &text(&eleven)).unwrap_err().to_string();
    assert_eq!(error, "n.csv:12: month: expected the months 1 to 12, found no 12");
}
