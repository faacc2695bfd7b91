//! Ticks are round, marks lie where their numbers say, text cannot break the document.

use super::*;

#[test]
fn ticks_are_round_and_hold_all_values() {
    let axis = Axis::over("C", [-3.4, 21.7, f64::NAN], false);
    let texts: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["-5", "0", "5", "10", "15", "20", "25"]);
    let small = Axis::over("share", [0.12], true);
    assert_eq!((small.min, small.ticks[1].1.as_str()), (0.0, "0.02"));
    let flat = Axis::over("nothing", [], false);
    assert!(flat.min < flat.max);
}

#[test]
fn marks_lie_where_their_numbers_say() {
    let (x, y) = (Axis::over("x", [0.0, 10.0], true), Axis::over("y", [0.0, 10.0], true));
    let mut chart = Chart::new("t", x, y, 400.0);
    chart.series("s", "red", Style::Dot, &[(0.0, 0.0), (10.0, 10.0), (f64::NAN, 1.0)]);
    let svg = chart.finish();
    let (left, bottom, right) = (LEFT, 400.0 - BOTTOM, WIDTH - RIGHT);
    assert!(svg.contains(&format!("cx=\"{left:.1}\" cy=\"{bottom:.1}\"")), "{svg}");
    assert!(svg.contains(&format!("cx=\"{right:.1}\" cy=\"{TOP:.1}\"")), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 3, "two points and the legend");
}

#[test]
fn names_cannot_break_the_document() {
    let axis = || Axis::names("a <b> & c", ["<script>".to_owned()]);
    let svg = Chart::new("x < y", axis(), axis(), 300.0).finish();
    assert!(!svg.contains("<script>") && !svg.contains("<b>") && svg.contains("x &lt; y"));
}
