//! The options of `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// What to measure, and how long.
pub(super) struct Options {
    /// As they were given.
    pub(super) text: String,
    /// A second for each run, once, and few points: whether it works, not how fast.
    pub(super) quick: bool,
    /// Only what has this in its name.
    only: Option<String>,
    /// Also on a machine that has other work.
    pub(super) noisy: bool,
    /// Only write the page again, of the figures that are there.
    pub(super) render: bool,
    /// How often each run is repeated.
    pub(super) repeats: usize,
    /// How large the log grows for its curve.
    pub(super) log_gib: u64,
    /// Minutes of a steady load, in the place of all else.
    pub(super) soak: Option<f64>,
    /// Its events a second, other than those of the page.
    pub(super) rate: Option<f64>,
    /// Programs that are built, in the place of a build.
    pub(super) built: Option<PathBuf>,
}

impl Options {
    pub(super) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            text: ["cargo xtask bench"].iter().chain(words).copied().collect::<Vec<_>>().join(" "),
            quick: words.contains(&"--quick"),
            only: None,
            noisy: false,
            render: false,
            repeats: if words.contains(&"--quick") { 1 } else { 3 },
            log_gib: 1,
            soak: None,
            rate: None,
            built: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match *word {
                "--quick" => {}
                "--noisy" => options.noisy = true,
                "--render" => options.render = true,
                "--curves" => options.only = Some("curve".to_owned()),
                "--only" => options.only = Some((*value()?).to_owned()),
                "--repeats" => options.repeats = value()?.parse().context("--repeats")?,
                "--log-gib" => options.log_gib = value()?.parse().context("--log-gib")?,
                "--soak" => options.soak = Some(positive(word, value()?)?),
                "--rate" => options.rate = Some(positive(word, value()?)?),
                "--built" => options.built = Some(PathBuf::from(value()?)),
                unknown => bail!(
                    "unknown option: {unknown}; there are --quick, --only TEXT, --curves, \
                     --repeats N, --log-gib N, --soak MINUTES, --rate EVENTS, --noisy, --render \
                     and --built DIR"
                ),
            }
        }
        if options.repeats == 0 {
            bail!("--repeats: expected 1 or more");
        }
        if options.rate.is_some() && options.soak.is_none() {
            bail!("--rate is of a soak: add --soak MINUTES");
        }
        Ok(options)
    }

    /// Whether something of this name is measured.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }

    /// Whether what is measured is no page.
    pub(super) fn is_partial(&self) -> bool {
        self.quick || self.only.is_some()
    }

    /// Seconds of a run.
    pub(super) fn seconds(&self) -> f64 {
        if self.quick { 1.0 } else { 10.0 }
    }
}

/// A number above 0.
fn positive(option: &str, text: &str) -> Result<f64> {
    let number: f64 = text.parse().with_context(|| option.to_owned())?;
    if !(number > 0.0 && number.is_finite()) {
        bail!("{option}: expected more than 0");
    }
    Ok(number)
}
