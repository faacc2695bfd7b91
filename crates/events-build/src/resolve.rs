//! Where imported .proto files come from: the caller's folders, then Worldbus's own files,
//! which are built in, then Google's well-known ones.

use std::path::Path;

use protox::Error;
use protox::file::{
    ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver,
};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../proto/", $name)))),+]
    };
}

const FILES: &[(&str, &str)] = built_in![
    "worldbus/events/v1/catalogue.proto",
    "worldbus/events/v1/envelope.proto",
    "worldbus/events/v1/time.proto",
    "worldbus/events/v1/weather.proto",
    "worldbus/events/v1/world_state.proto",
];

pub(crate) fn resolver(includes: &[impl AsRef<Path>]) -> ChainFileResolver {
    let mut chain = ChainFileResolver::new();
    for include in includes {
        chain.add(IncludeFileResolver::new(include.as_ref().to_owned()));
    }
    chain.add(BuiltIn);
    chain.add(GoogleFileResolver::new());
    chain
}

struct BuiltIn;

impl FileResolver for BuiltIn {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        match FILES.iter().find(|(known, _)| *known == name) {
            Some((_, source)) => File::from_source(name, source),
            None => Err(Error::file_not_found(name)),
        }
    }
}
