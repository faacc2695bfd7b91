//! What is read, and what is refused with file, line and column.

use super::*;

#[test]
fn daily_and_hourly_rows_are_recognised_by_their_headings() {
    let daily =
        observations("d.csv", "year,month,day,tmin_c,tmax_c,precip_mm\n2001,2,28,-1,4.5,\n");
    let day = Day { year: 2001, month: 2, day: 28, tmin_c: -1.0, tmax_c: 4.5, precip_mm: None };
    assert_eq!(daily.unwrap().days, [day]);
    let text = "hour,year,month,day,temp_c,state\n23,2001,2,28,3,fog\n";
    let hourly = observations("h.csv", text).unwrap();
    assert_eq!(hourly.hours[0].state, Some(WeatherState::Fog));
    assert_eq!((hourly.hours[0].hour, hourly.hours[0].temp_c), (23, Some(3.0)));
    assert!(hourly.days.is_empty(), "an hour is no day");
}

#[test]
fn mistakes_name_file_line_column_and_what_was_expected() {
    let heading = "year,month,day,tmin_c,tmax_c,precip_mm\n";
    let cases = [
        ("", "d.csv:1: expected columns among year,month,day"),
        ("year,mouth\n", "d.csv:1: expected columns among year,month,day"),
        ("year,year\n", "d.csv:1: year: expected a column once"),
        (heading, "d.csv:2: expected rows, found none"),
        (&format!("{heading}2001,1,1,0,1\n"), "d.csv:2: expected 6 cells, found 5"),
        (
            &format!("{heading}2001,13,1,0,1,0\n"),
            "d.csv:2: month: expected a whole number from 1 to 12, found 13",
        ),
        (
            &format!("{heading}2001,2,29,0,1,0\n"),
            "d.csv:2: day: expected a whole number from 1 to 28, found 29",
        ),
        (
            &format!("{heading}2001,1,1,0,NaN,0\n"),
            "d.csv:2: tmax_c: expected a number from 0 to 65, found NaN",
        ),
        (
            &format!("{heading}2001,1,1,,1,0\n"),
            "d.csv:2: tmin_c: expected a number from -95 to 65, found nothing",
        ),
        (
            &format!("{heading}2001,1,1,0,1,-1\n"),
            "d.csv:2: precip_mm: expected a number from 0 to 2000, found -1",
        ),
        (&format!("{heading}2001,1,2,0,1,0\n\n2001,1,1,0,1,0\n"), "d.csv:4: expected a time after"),
        (
            "year,month,day,hour,state\n2001,1,1,0,fogg\n",
            "d.csv:2: state: expected a weather state",
        ),
    ];
    for (text, message) in cases {
        let error = observations("d.csv", text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_sampled_line_is_read_back_as_it_was() {
    let text =
        format!("{}\n2001,1,1,1,0,3.5,1.0,84.2,2.0,3.1,0.120,0.950,9000,rain\n", sample_heading());
    let record = observations("s.csv", &text).unwrap();
    let again = sample_line(&record.hours[0], 1);
    assert_eq!(again, text.lines().nth(1).unwrap().to_owned() + "\n");
}
