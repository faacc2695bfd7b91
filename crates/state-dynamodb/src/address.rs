//! `dynamodb://REGION/TABLE`.

use worldbus_service::state::{Error, Kind};

const SCHEME: &str = "dynamodb://";
/// Bytes of a table's name, by AWS's rules.
const TABLE_BYTES: std::ops::RangeInclusive<usize> = 3..=255;

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The region, e.g. `eu-west-1`.
    pub region: String,
    /// The table.
    pub table: String,
    /// Whether to create the table if it does not exist: for development.
    pub create: bool,
}

impl Options {
    /// Whether a URL names a table of DynamoDB.
    pub fn matches(url: &str) -> bool {
        url.starts_with(SCHEME)
    }

    /// Reads `dynamodb://REGION/TABLE` and `?create=true`.
    ///
    /// # Errors
    /// [`Kind::Unsupported`], saying what was expected.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let context = format!(
                "{url:.300?} is not the address of a state table: {why}; expected \
                 dynamodb://REGION/TABLE, e.g. dynamodb://us-east-1/gaming-system-state \
                 (WORLDBUS_STATE_URL)"
            );
            Error::new(Kind::Unsupported, context)
        };
        let rest = url.strip_prefix(SCHEME).ok_or_else(|| wrong("no dynamodb://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (region, table) = place.split_once('/').ok_or_else(|| wrong("no /TABLE"))?;
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || !region.bytes().all(lower) {
            return Err(wrong("that is no region"));
        }
        let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !TABLE_BYTES.contains(&table.len()) || !table.bytes().all(letter) {
            return Err(wrong("a table has 3 to 255 of the characters a-z A-Z 0-9 - _ ."));
        }
        let mut options =
            Self { region: region.to_owned(), table: table.to_owned(), create: false };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("create", "true") => options.create = true,
                ("create", "false") => options.create = false,
                _ => return Err(wrong("the one setting is create=true or create=false")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_and_table_are_enough() {
        let options = Options::parse("dynamodb://eu-west-1/gaming-system-state").unwrap();
        let (region, table) = ("eu-west-1".to_owned(), "gaming-system-state".to_owned());
        assert_eq!(options, Options { region, table, create: false });
        assert!(Options::parse("dynamodb://eu-west-1/abc?create=true").unwrap().create);
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for wrong in [
            "dynamodb:",
            "dynamodb://eu-west-1",
            "dynamodb://eu-west-1/",
            "dynamodb:///state",
            "dynamodb://EU/state",
            "dynamodb://eu-west-1/st",
            "dynamodb://eu-west-1/st/ate",
            "dynamodb://eu-west-1/state?creat=true",
            "dynamodb://eu-west-1/state?create=yes",
        ] {
            let error = Options::parse(wrong).expect_err(wrong);
            assert_eq!(error.kind(), Kind::Unsupported);
            assert!(error.to_string().contains("dynamodb://us-east-1/"), "{error}");
        }
    }
}
