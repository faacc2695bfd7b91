//! Bills as a table for people, or as JSON. Not here: any figure.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Bill, LOAD_MESSAGES, Line, Price, bills};
use worldbus_deploy::{Composition, Resource};

/// Both bills as a table, and where the prices are from.
pub fn text(
    region: &str,
    resources: &[Resource],
    composition: &Composition,
    prices: &[Price],
) -> String {
    let mut page = table(region, resources, composition, prices);
    page.push_str(
        "Prices, to check before quoting (D documented, T third parties, M from memory):\n",
    );
    for Price { usd, per, unit, certainty, date, source, .. } in prices {
        let per = if *per == 1 { String::new() } else { format!(" for {per}") };
        // Writing to a String cannot fail.
        let _ = writeln!(page, "  {usd}{per}, {unit} ({certainty:?}, {date}, {source})");
    }
    if prices.is_empty() {
        page.push_str("  none are built in for this region\n");
    }
    page
}

/// Both bills alone.
pub fn table(
    region: &str,
    resources: &[Resource],
    composition: &Composition,
    prices: &[Price],
) -> String {
    let bills = bills(region, resources, composition, prices);
    let lines = || bills.iter().flat_map(|(_, bill)| &bill.lines);
    let what = lines().map(|line| line.what.len()).max().unwrap_or(0);
    let quantity = lines().map(|line| line.quantity.len()).max().unwrap_or(0);
    let mut page = String::new();
    for (name, bill) in &bills {
        let _ = writeln!(page, "{name}");
        for line in &bill.lines {
            let usd = range(line.usd);
            let _ = writeln!(page, "  {:what$}  {:quantity$}  {usd}", line.what, line.quantity);
        }
        let (sum, unpriced) = bill.total();
        let label = format!("together, without {unpriced} items that are not priced");
        let width = what + quantity + 2;
        let _ = writeln!(page, "  {label:width$}  {}\n", range(Some(sum)));
    }
    let _ = writeln!(
        page,
        "USD a month of 30 days in {region}; {} million events. Spot floats, hence the ranges. A \
         model, not a bill.",
        LOAD_MESSAGES / 1e6
    );
    page
}

/// The same as one JSON object.
pub fn json(
    region: &str,
    resources: &[Resource],
    composition: &Composition,
    prices: &[Price],
) -> Value {
    let bill = |(name, bill): &(&str, Bill)| {
        let ((least, most), unpriced) = bill.total();
        let lines = bill.lines.iter().map(|line| {
            let Line { what, quantity, usd } = line;
            let usd = usd.map(|(least, most)| json!({ "least": least, "most": most }));
            json!({ "item": what, "quantity": quantity, "usd_per_month": usd })
        });
        json!({
            "of": name,
            "items": lines.collect::<Vec<_>>(),
            "usd_per_month": { "least": least, "most": most },
            "items_not_priced": unpriced,
        })
    };
    let bills = bills(region, resources, composition, prices);
    let bills: Vec<Value> = bills.iter().map(bill).collect();
    json!({ "region": region, "bills": bills })
}

fn range(usd: Option<(f64, f64)>) -> String {
    match usd {
        None => "not priced".to_owned(),
        Some((least, most)) if most - least < 0.005 => format!("{least:.2}"),
        Some((least, most)) => format!("{least:.2} to {most:.2}"),
    }
}
