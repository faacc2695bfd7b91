//! gRPC reflection over all parts of a port, for tools that do not know our .proto files: in its
//! version 1, and in v1alpha, which some tools still ask for.
//!
//! Not for: health, which shows more of a service than its name.

use axum::Router;
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};

/// The routes of reflection; `descriptors` are encoded FileDescriptorSets.
///
/// # Errors
/// When they are none or do not fit together.
pub(crate) fn routes(descriptors: &[&'static [u8]]) -> Result<Router, Error> {
    let builder = || {
        let register = |builder: Builder<'static>, set: &&'static [u8]| {
            builder.register_encoded_file_descriptor_set(set)
        };
        descriptors.iter().fold(Builder::configure(), register)
    };
    let routes = Routes::new(builder().build_v1()?).add_service(builder().build_v1alpha()?);
    Ok(routes.prepare().into_axum_router().reset_fallback())
}

/// What to say of a path under which no gRPC method is served.
pub(crate) fn unknown(path: &str) -> String {
    // In a header, where nothing else needs no escape.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    let name = path.trim_start_matches('/');
    let what = match name.len() <= 200 && name.chars().all(plain) && name.contains('/') {
        true => format!("gRPC method {name}"),
        false => "such a gRPC method".to_owned(),
    };
    format!(
        "{what} is not served here; reflection (grpc.reflection.v1) lists the services that are"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_method_is_named_if_a_header_can_hold_it() {
        assert!(unknown("/a.b.Service/Call").starts_with("gRPC method a.b.Service/Call is not"));
        for path in ["/", "/a%20b/c", "/a\u{e9}/c"] {
            assert!(unknown(path).starts_with("such a gRPC method"), "{path}");
        }
    }
}
