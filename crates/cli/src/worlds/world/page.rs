//! What a world would be like, for people: tables of text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::outlook::{
    CalendarOutlook, DayOutlook, Outlook, PeopleOutlook, RegionOutlook, SeasonOutlook, SunOutlook,
    side,
};
use worldbus_bus::counted;

/// States that a season's line names at most.
const STATE_COUNT: usize = 6;

/// The page. Writing to a string does not fail.
pub(super) fn text(outlook: &Outlook) -> String {
    let mut page = String::new();
    let regions = outlook.region_count;
    let _ = writeln!(page, "{} ({}): sound, {regions} regions", outlook.name, outlook.world);
    calendar(&mut page, &outlook.calendar);
    let _ = writeln!(
        page,
        "Sun: axis tilted by {} degrees; phases of the day are {}",
        outlook.obliquity_deg,
        match outlook.phases {
            "fixed" => "fixed by the clock",
            _ => "those of the sun",
        }
    );
    for region in &outlook.regions {
        write_region(&mut page, region, outlook.simulated_years);
    }
    if let Some(people) = &outlook.people {
        write_people(&mut page, people);
    }
    page
}

fn calendar(page: &mut String, calendar: &CalendarOutlook) {
    let days = match &calendar.year_days {
        days if days.least == days.most => days.least.to_string(),
        days => format!("{} or {}", days.least, days.most),
    };
    let _ = writeln!(
        page,
        "\nCalendar: {}, {} months, {days} days a year, {} hours of {} minutes a day",
        calendar.name,
        calendar.months.len(),
        calendar.hours_per_day,
        calendar.minutes_per_hour
    );
    let _ = writeln!(
        page,
        "  a day takes {:.1} real minutes, a year {:.1} real hours",
        calendar.real_minutes_per_day, calendar.real_hours_per_year
    );
    let _ = writeln!(page, "  begins    {}: {}", calendar.epoch, calendar.epoch_day);
    for (what, names) in [
        ("months", &calendar.months),
        ("week", &calendar.weekdays),
        ("between", &calendar.intercalary),
        ("seasons", &calendar.seasons),
    ] {
        if !names.is_empty() {
            let _ = writeln!(page, "  {what:9} {}", names.join(", "));
        }
    }
    for moon in &calendar.moons {
        let (name, period, phase) = (&moon.name, moon.period_days, moon.epoch_phase);
        let _ = writeln!(page, "  moon      {name}, every {period:.2} days, at first {phase}");
    }
    for holiday in &calendar.holidays {
        let first = holiday.first.as_deref().unwrap_or("none within ten years");
        let _ = writeln!(page, "  holiday   {} ({}), first {first}", holiday.name, holiday.id);
    }
}

fn write_region(page: &mut String, region: &RegionOutlook, years: u32) {
    let _ = writeln!(
        page,
        "\n{} ({}), {:.2} {}, climate {}",
        region.name,
        region.region,
        region.latitude.abs(),
        side(region.latitude),
        region.climate
    );
    sun(page, &region.sun);
    let years = counted(years, "simulated year", "simulated years");
    let _ = writeln!(page, "  means of {years}");
    let width = region.months.iter().map(|m| m.month.chars().count()).max().unwrap_or(0).max(5);
    let _ = writeln!(page, "  {:width$}  max C  min C  rain mm  wet days  wind m/s", "month");
    for month in &region.months {
        let _ = writeln!(
            page,
            "  {:width$} {:6.1} {:6.1} {:8.1} {:9.1} {:9.1}",
            month.month,
            month.max_c,
            month.min_c,
            month.precipitation_mm,
            month.wet_days,
            month.wind_mps
        );
    }
    let _ = writeln!(page, "  percent of hours");
    let width = region.seasons.iter().map(|s| s.season.chars().count()).max().unwrap_or(0);
    for season in &region.seasons {
        let _ = writeln!(page, "  {:width$}  {}", season.season, states(season));
    }
}

fn sun(page: &mut String, sun: &SunOutlook) {
    let day = |day: &DayOutlook| {
        let times = match (&day.sunrise, &day.sunset) {
            (Some(rise), Some(set)) => format!("{} to {}", spoken(rise), spoken(set)),
            _ if day.hours > 0.0 => "the sun does not set".to_owned(),
            _ => "the sun does not rise".to_owned(),
        };
        let (hours, noon) = (day.hours, day.noon_altitude_deg);
        format!("{hours:5.2} h on {}: {times}, {noon} degrees at noon", day.date)
    };
    let _ = writeln!(page, "  longest day   {}", day(&sun.longest));
    let _ = writeln!(page, "  shortest day  {}", day(&sun.shortest));
    let _ = writeln!(page, "  mean          {:5.2} h", sun.mean_hours);
    if sun.polar_days + sun.polar_nights > 0 {
        let (days, nights) = (sun.polar_days, sun.polar_nights);
        let _ = writeln!(page, "  {days} days without sunset, {nights} without sunrise");
    }
}

/// A time of day for people, without the sign that shows which day.
fn spoken(time: &str) -> String {
    let day = |sign: char, day: &str| Some(format!("{} the day {day}", time.strip_prefix(sign)?));
    day('-', "before").or_else(|| day('+', "after")).unwrap_or_else(|| time.to_owned())
}

fn write_people(page: &mut String, people: &PeopleOutlook) {
    let (count, places) = (people.count, people.place_count);
    let _ = writeln!(page, "\nPeople: {count}, {}", counted(places, "place", "places"));
    let roles: Vec<String> =
        people.roles.iter().map(|role| format!("{} {}", role.count, role.role)).collect();
    let _ = writeln!(page, "  roles     {}", roles.join(", "));
    let _ =
        writeln!(page, "  percent of them by the hour, over the first {} days", people.day_count);
    for hour in &people.hours {
        let _ = writeln!(page, "  {:02}:00     {}", hour.hour, shares(&hour.percent));
    }
    let example = &people.example;
    let _ = writeln!(page, "  a day of {}, {} ({})", example.name, example.role, example.id);
    for span in &example.day {
        let _ = writeln!(page, "  {:9} {} at {}", span.from, span.activity, span.place);
    }
}

fn states(season: &SeasonOutlook) -> String {
    shares(&season.percent)
}

/// The largest shares, and how many others there are.
fn shares(percent: &BTreeMap<&'static str, f64>) -> String {
    let mut states: Vec<_> = percent.iter().collect();
    states.sort_by(|a, b| b.1.total_cmp(a.1));
    let (named, rest) = states.split_at(states.len().min(STATE_COUNT));
    let mut parts: Vec<String> =
        named.iter().map(|(state, percent)| format!("{state} {percent:.1}")).collect();
    if !rest.is_empty() {
        let percent: f64 = rest.iter().map(|(_, percent)| **percent).sum();
        parts.push(format!("{} others {percent:.1}", rest.len()));
    }
    parts.join(", ")
}
