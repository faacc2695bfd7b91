//! Regions of AWS: what one looks like, and which there are, to find a slip of the pen.
//!
//! Not for: deciding that a region does not exist. AWS opens new ones; only its hosts know.

use strsim::levenshtein;

use crate::Error;

/// Those that there were (M, 2026-11-27); one that is missing here works all the same.
const KNOWN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];
/// Letters that may be wrong in a name that was meant.
const SLIPS_MAX: usize = 2;

/// Refuses what is no region by its form, e.g. a zone.
pub(crate) fn check(region: &str) -> Result<(), Error> {
    let parts: Vec<&str> = region.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let well_formed = match parts.split_last() {
        Some((number, words)) => {
            words.len() >= 2
                && words.iter().all(is_word)
                && words[0].len() == 2
                && !number.is_empty()
                && number.chars().all(|c| c.is_ascii_digit())
        }
        None => false,
    };
    if well_formed {
        return Ok(());
    }
    Err(Error::wrong_use(format!(
        "unknown region {region:?}{}: --region names one of AWS's, e.g. us-east-1 or eu-central-1",
        meant(region)
    )))
}

/// What to add to an error when nothing answers: the region may not exist.
pub(crate) fn doubt(region: &str) -> String {
    if KNOWN.contains(&region) {
        return String::new();
    }
    format!("; {region} is no region that this program knows of{}", meant(region))
}

fn meant(region: &str) -> String {
    let nearest = KNOWN.iter().min_by_key(|known| levenshtein(known, region));
    match nearest.filter(|known| levenshtein(known, region) <= SLIPS_MAX) {
        Some(known) => format!(" (did you mean {known}?)"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_region_is_refused_with_what_was_meant() {
        for region in ["", "mars-1", "us-east", "us-east-1a", "US-EAST-1", "useast1", "eu--1"] {
            assert!(check(region).is_err(), "{region}");
        }
        let zone = check("us-east-1a").unwrap_err().to_string();
        assert!(zone.contains("did you mean us-east-1?"), "{zone}");
        for region in KNOWN.iter().chain(&["ap-southeast-9", "xx-new-1"]) {
            check(region).unwrap();
        }
    }

    #[test]
    fn region_that_nobody_knows_is_doubted_when_nobody_answers() {
        assert_eq!(doubt("eu-west-1"), "");
        assert!(doubt("eu-wst-1").contains("did you mean eu-west-1?"));
        assert!(!doubt("xx-new-1").contains("did you mean"));
    }
}
