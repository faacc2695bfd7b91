//! Configuration in layers: flags > environment > file > defaults. Each setting is declared once,
//! with [`settings!`](crate::settings); its flag, its environment variable, its key in the file,
//! its line in `--help`, in the reference page and in `--print-config` all follow from that.
//!
//! ```
//! use worldbus_service::config::{self, Common, Flags, Machine};
//!
//! worldbus_service::settings! {
//!     /// Settings of the `time-manager` command.
//!     pub struct TimeManager {
//!         ..common: Common { listen: "127.0.0.1:7071", url: "http://127.0.0.1:7070" },
//!         /// Game minutes from one `time.updated` to the next.
//!         cadence_game_minutes: u32 = "1",
//!     }
//! }
//!
//! // In the binary, `Flags<TimeManager>` is a `#[command(flatten)]` field of the clap command.
//! let loaded = config::load(&Flags::<TimeManager>::default(), &Machine).unwrap();
//! assert_eq!(loaded.settings.common.listen.port(), 7071);
//! ```
//!
//! A setting `data_dir` is the flag `--data-dir`, the variable `WORLDBUS_DATA_DIR` and the key
//! `data_dir` of the file. Secrets have no flag, since flags show in `ps`. Unknown keys of the
//! file are refused. Unknown `WORLDBUS_*` variables are refused when they look like a known one,
//! and reported as [`Loaded::warnings`] when they do not.
//!
//! Not an off-the-shelf layer crate: those lose the origin of a value, and with it `--print-config`
//! and errors that name file, line and key.

mod common;
mod environment;
mod error;
mod file;
mod flags;
mod reference;
mod resolved;
mod setting;
mod value;

use std::collections::BTreeMap;

pub use crate::observe::logging::LogFormat;
pub use common::Common;
pub use environment::{ENV_TOLERATED, Machine, Sources};
pub use error::{Error, Kind};
pub use flags::Flags;
pub use reference::reference;
pub use resolved::{Resolved, Settings};
pub use setting::{ENV_PREFIX, Origin, Setting};
pub use value::{Shape, Value};

/// A configuration, where each of its values came from, and what was odd on the way.
#[derive(Debug)]
pub struct Loaded<S> {
    /// The effective settings.
    pub settings: S,
    /// The same, by name and with origins: for `--print-config`.
    pub resolved: Resolved,
    /// Sentences to log once logging is up, for instance on unknown environment variables.
    pub warnings: Vec<String>,
}

impl<S> Loaded<S> {
    /// The effective configuration as a TOML file whose comments name the origin of each value;
    /// secrets are masked. What `--print-config` prints.
    pub fn print(&self) -> String {
        self.resolved.print()
    }
}

/// Merges the layers into the effective settings.
///
/// # Errors
/// [`Kind::File`] when the file cannot be read or is not TOML, [`Kind::UnknownKey`] and
/// [`Kind::UnknownVariable`] for a name that no setting has, [`Kind::Invalid`] for a value that its
/// setting cannot take. Each names the place to correct; none shows the value of a secret.
pub fn load<S: Settings>(flags: &Flags<S>, sources: &dyn Sources) -> Result<Loaded<S>, Error> {
    load_tolerating(flags, sources, &[])
}

/// The settings where nothing is set: each at its declared default.
///
/// # Errors
/// [`Kind::Invalid`] for one that must be set.
pub fn defaults<S: Settings>() -> Result<S, Error> {
    let nothing = BTreeMap::new();
    S::from_resolved(&resolved::resolve(S::declare(), &nothing, &nothing, &file::Keys::default()))
}

/// Like [`load`], where `elsewhere` are settings of other commands of the same binary: one
/// environment and one file may serve them all, so theirs are ignored here.
///
/// # Errors
/// As [`load`].
pub fn load_tolerating<S: Settings>(
    flags: &Flags<S>,
    sources: &dyn Sources,
    elsewhere: &[Setting],
) -> Result<Loaded<S>, Error> {
    let declared = S::declare();
    let variables = environment::read(sources, &declared, elsewhere)?;
    let path = flags.config_path().or_else(|| variables.config_path());
    let file = match path {
        Some(path) => file::read(sources, &path, &declared, elsewhere)?,
        None => file::Keys::default(),
    };
    let resolved = resolved::resolve(declared, flags.values(), &variables.values, &file);
    let settings = S::from_resolved(&resolved)?;
    Ok(Loaded { settings, resolved, warnings: variables.warnings })
}

/// Declares a struct of settings: each field once, with its type, its default as text and its
/// documentation. A field without a default must be an `Option`, a `Vec` or the like.
///
/// `..field: Type { name: "default", … },` takes in another such struct, with other defaults.
/// In a default, `{data_dir}` stands for the effective value of the setting `data_dir`.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident {
            $( .. $part:ident : $Part:ty { $( $other:ident : $text:literal ),* $(,)? } , )*
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $Field:ty $( = $default:literal )?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        $visibility struct $name {
            $(
                #[doc = concat!("The settings of [`", stringify!($Part), "`].")]
                pub $part: $Part,
            )*
            $(
                $(#[doc = $doc])*
                pub $field: $Field,
            )*
        }

        impl $crate::config::Settings for $name {
            const ABOUT: &'static str = concat!($($about, "\n"),*);

            fn declare() -> ::std::vec::Vec<$crate::config::Setting> {
                let declared: ::std::vec::Vec<::std::vec::Vec<$crate::config::Setting>> = vec![
                    $(
                        <$Part as $crate::config::Settings>::declare_with::<&'static str>(
                            &[ $( (stringify!($other), $text) ),* ],
                        ),
                    )*
                    vec![
                        $( $crate::config::Setting::new::<$Field>(
                            stringify!($field),
                            concat!($($doc, "\n"),*),
                            None$(.or(Some($default)))?,
                        ) ),*
                    ],
                ];
                declared.concat()
            }

            fn from_resolved(
                resolved: &$crate::config::Resolved,
            ) -> ::std::result::Result<Self, $crate::config::Error> {
                Ok(Self {
                    $( $part: <$Part as $crate::config::Settings>::from_resolved(resolved)?, )*
                    $( $field: resolved.value(stringify!($field))?, )*
                })
            }
        }
    };
}

#[cfg(test)]
mod tests;
