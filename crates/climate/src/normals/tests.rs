//! Claims about files of normals.

use super::{COLUMNS, Normals};

fn text(change: impl Fn(usize, &mut Vec<String>)) -> String {
    let mut rows = vec![COLUMNS.join(",")];
    for month in 1..=12 {
        let mut row: Vec<String> =
            [month.to_string().as_str(), "0.3", "5", "15", "6", "3", "4", "80"]
                .map(str::to_owned)
                .to_vec();
        change(month, &mut row);
        rows.push(row.join(","));
    }
    rows.join("\n")
}

#[test]
fn an_empty_cell_is_unknown_and_noted() {
    let text = text(|month, row| {
        if month == 2 || month == 5 {
            row[7].clear();
        }
    });
    let normals = Normals::parse("n.csv", &text).unwrap();
    assert_eq!((normals.rh_mean[0], normals.rh_mean[1]), (Some(80.0), None));
    let notes = normals.notes("hof");
    assert_eq!(notes, ["rh_mean: not given for month 2, 5, as in hof."]);
}

#[test]
fn mistakes_name_file_line_and_column() {
    let refused = |change: &dyn Fn(usize, &mut Vec<String>), wanted: &str| {
        let error = Normals::parse("n.csv", &text(change)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    };
    let july = |column: usize, cell: &'static str| {
        move |month: usize, row: &mut Vec<String>| {
            if month == 7 {
                row[column] = cell.to_owned();
            }
        }
    };
    refused(&july(1, "1.5"), "n.csv:8: wet_day_share: expected a number from 0 to 1, found 1.5");
    refused(&july(1, "NaN"), "n.csv:8: wet_day_share: expected a number");
    refused(&july(3, "5"), "n.csv:8: tmax_mean_c: expected a number from 6 to 60, found 5");
    refused(&july(0, "6"), "n.csv:8: month: expected each month once");
    refused(&july(0, "13"), "n.csv:8: month: expected a whole number from 1 to 12");
    let nothing = |_: usize, row: &mut Vec<String>| {
        row[1..].iter_mut().for_each(String::clear);
    };
    refused(&nothing, "expected at least one number");
    let short = text(|_, _| {}).lines().take(12).collect::<Vec<_>>().join("\n");
    let error = Normals::parse("n.csv", &short).unwrap_err().to_string();
    assert!(error.contains("expected twelve months, found no 12"), "{error}");
}
