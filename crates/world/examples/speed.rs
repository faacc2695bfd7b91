//! Speed.
use std::time::Instant;
use worldbus_world::*;
fn main() {
    let world = World::sample();
    let weather = Weather::new(&world);
    let none = Overrides::default();
    let n: i64 = std::env::args().nth(1).map_or(200_000, |h| h.parse().unwrap());
    let t = Instant::now();
    let mut x = 0i64;
    for i in 0..n {
        x += weather
            .conditions((i % 12) as usize, GameTime::from_hours(i * 7919 % 1_000_003), &none)
            .temperature_dc as i64;
    }
    println!("random {:.3} M/s {x}", n as f64 / t.elapsed().as_secs_f64() / 1e6);
    let t = Instant::now();
    let hours = n / 10;
    let mut sweep = weather.sweep(0);
    let mut y = 0i64;
    for h in 0..hours {
        sweep.go_to(h);
        for r in 0..12 {
            y += sweep.conditions(r).temperature_dc as i64;
        }
    }
    println!("sweep 12 {:.3} M/s {y}", (hours * 12) as f64 / t.elapsed().as_secs_f64() / 1e6);
    let mut text = String::from(
        "id = \"g\"\nseed = 1\nepoch = 2024-01-01T00:00:00\nreal_seconds_per_game_hour = 25\nclimate = \"brussels\"\n",
    );
    for i in 0..1000 {
        text += &format!(
            "[[regions]]\nid = \"r{i}\"\nlatitude = {:.3}\nlongitude = {:.3}\nelevation_m = 100\n",
            40.0 + (i / 32) as f64 * 0.5,
            (i % 32) as f64 * 0.6
        );
    }
    let world = World::parse("g", &text).unwrap();
    let weather = Weather::new(&world);
    let t = Instant::now();
    let hours: i64 = std::env::args().nth(2).map_or(8760, |h| h.parse().unwrap());
    let mut sweep = weather.sweep(0);
    for h in 0..hours {
        sweep.go_to(h);
        for r in 0..1000 {
            y += sweep.conditions(r).temperature_dc as i64;
        }
    }
    println!(
        "sweep 1000 x year {:.3} s {:.3} M/s {y}",
        t.elapsed().as_secs_f64(),
        (hours * 1000) as f64 / t.elapsed().as_secs_f64() / 1e6
    );
    let mut sweep = weather.sweep(0);
    for h in (0..n / 10).map(|h| h * 37 % 1999) {
        sweep.go_to(h);
        for r in [0, 500, 999] {
            assert_eq!(sweep.conditions(r), weather.conditions(r, GameTime::from_hours(h), &none));
        }
    }
}
