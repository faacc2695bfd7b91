//! The climates that are built in. Not here: how they were made (`worldbus-climate`).

use super::Preset;

macro_rules! presets {
    ($($name:literal),+ $(,)?) => {
        /// The climates that are built in, by name.
        pub const NAMES: &[&str] = &[$($name),+];

        fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../presets/", $name, ".toml"))),)+
                _ => None,
            }
        }
    };
}

presets!(
    "brussels",
    "braunlage",
    "cambridge",
    "champion",
    "hof",
    "miami",
    "newark",
    "potsdam",
    "suffolk",
    "tunis",
    "bad-marienberg",
    "bremerhaven",
    "cordoba",
    "laguardia",
    "lincolnshire",
    "norfolk",
    "rostock",
    "stoetten",
);

impl Preset {
    /// A built-in climate by one of [`NAMES`].
    pub fn built_in(name: &str) -> Option<Self> {
        let text = text(name)?;
        #[expect(clippy::expect_used, reason = "a test parses the very same text")]
        Some(Self::parse(name, text).expect("a built-in preset is correct"))
    }
}
