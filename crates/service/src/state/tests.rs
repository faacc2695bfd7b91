//! What goes for every store: the loop of `update`, and URLs. The contract of a store is in
//! `worldbus-testkit`.

use super::*;

#[derive(Debug, Default)]
struct AlwaysLate;

#[async_trait]
impl StateStore for AlwaysLate {
    async fn get(&self, _key: &str) -> Result<Option<Entry>, Error> {
        Ok(None)
    }

    async fn compare_and_set(
        &self,
        _key: &str,
        _expected: Option<u64>,
        _value: Vec<u8>,
    ) -> Result<Result<u64, Conflict>, Error> {
        Ok(Err(Conflict { current: None }))
    }

    async fn list(&self, _prefix: &str) -> Result<Vec<(String, Entry)>, Error> {
        Ok(Vec::new())
    }

    async fn delete(&self, _key: &str, _expected: u64) -> Result<Result<(), Conflict>, Error> {
        Ok(Err(Conflict { current: None }))
    }
}

#[tokio::test]
async fn update_gives_up_after_its_limit() {
    let mut tries = 0;
    let error = update::<Error>(&AlwaysLate, "key", |_| {
        tries += 1;
        Ok(Vec::new())
    });
    assert_eq!(error.await.unwrap_err().kind(), Kind::Busy);
    assert_eq!(tries, UPDATE_COUNT_MAX);
}

#[tokio::test]
async fn unknown_scheme_is_refused_with_what_is_supported() {
    for url in ["dynamodb://eu-west-1/table", "state.db", "sqlite:", "", "SQLITE:x", "my://u:pw@h"]
    {
        let error = open(url).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("sqlite:PATH"), "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}

#[tokio::test]
async fn url_with_slashes_names_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/er/state.db");
    let one = open(&format!("sqlite:{}", path.display())).await.unwrap();
    let two = open(&format!("sqlite://{}", path.display())).await.unwrap();
    one.compare_and_set("key", None, vec![1]).await.unwrap().unwrap();
    assert!(two.get("key").await.unwrap().is_some());
}

#[test]
fn value_without_a_stored_form_is_an_error_and_no_empty_value() {
    // A map whose keys are no texts has no JSON.
    let value = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = encode("the clock", &value).unwrap_err();
    assert_eq!((error.kind(), error.fate()), (Kind::Unencodable, Fate::Refused));
    assert!(error.to_string().contains("the clock"), "{error}");
    assert_eq!(encode("the clock", &[1, 2]).unwrap(), b"[1,2]");
}
