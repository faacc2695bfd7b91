//! The context of a trace as X-Ray writes it, in the header of a request to SNS and in the system
//! attribute of a message: `Root=1-{8 hex digits}-{24};Parent={16};Sampled=1`.

use worldbus_bus::trace::TraceParent;

/// Of a request.
pub(crate) const HEADER: &str = "x-amzn-trace-id";

/// The context as X-Ray writes it.
pub(crate) fn header(context: TraceParent) -> String {
    let trace_id = format!("{:032x}", context.trace_id());
    let (begun, rest) = trace_id.split_at(8);
    let (span_id, sampled) = (context.span_id(), u8::from(context.is_sampled()));
    format!("Root=1-{begun}-{rest};Parent={span_id:016x};Sampled={sampled}")
}

/// The context that a header names. `None` without a parent, or if it is not to be recorded.
pub(crate) fn context(header: &str) -> Option<TraceParent> {
    let field = |name: &str| {
        let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
        fields.find_map(|(known, value)| (known == name).then_some(value))
    };
    let mut root = field("Root")?.split('-');
    let (version, begun, rest) = (root.next()?, root.next()?, root.next()?);
    let span_id = field("Parent")?;
    let is_hex = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let fits = version == "1" && is_hex(begun, 8) && is_hex(rest, 24) && is_hex(span_id, 16);
    if !fits || root.next().is_some() || field("Sampled") != Some("1") {
        return None;
    }
    let trace_id = u128::from_str_radix(&format!("{begun}{rest}"), 16).ok()?;
    TraceParent::new(trace_id, u64::from_str_radix(span_id, 16).ok()?, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_the_one_of_the_documentation_and_comes_back() {
        let text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let parsed = context(text).unwrap();
        assert_eq!(parsed.to_string(), "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01");
        assert_eq!(header(parsed), text);
        assert_eq!(context(&format!("Self=1-1-1; {text};Lineage=a:1|b:2")), Some(parsed));
    }

    #[test]
    fn header_without_a_span_to_continue_is_none() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        for text in [
            String::new(),
            root.to_owned(),
            format!("{root};Parent=53995c3f42cd8ad8"),
            format!("{root};Parent=53995c3f42cd8ad8;Sampled=0"),
            format!("{root};Parent=53995c3f42cd8ad;Sampled=1"),
            format!("{root};Parent=0000000000000000;Sampled=1"),
            format!("{root}-1;Parent=53995c3f42cd8ad8;Sampled=1"),
            "Root=1-é;Parent=53995c3f42cd8ad8;Sampled=1".to_owned(),
        ] {
            assert_eq!(context(&text), None, "{text}");
        }
    }
}
