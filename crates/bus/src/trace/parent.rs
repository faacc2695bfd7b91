//! The context of a span in a few bytes, and in the text of the W3C's Trace Context, section 3.2.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Bytes of the text in its one version: `00-TRACE-SPAN-FLAGS`.
const TEXT_BYTES: usize = 55;
const SAMPLED: u8 = 1;

/// A span as others refer to it. Neither of its ids is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// In two halves: every event on its way has room for one of these.
    trace_id: (u64, u64),
    span_id: NonZeroU64,
    sampled: bool,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTraceParent;

impl TraceParent {
    /// `None` if one of the ids is 0, which is no id.
    pub fn new(trace_id: u128, span_id: u64, sampled: bool) -> Option<Self> {
        let span_id = NonZeroU64::new(span_id).filter(|_| trace_id != 0)?;
        let trace_id = ((trace_id >> 64) as u64, trace_id as u64);
        Some(Self { trace_id, span_id, sampled })
    }

    /// The trace, shared by all its spans.
    pub fn trace_id(self) -> u128 {
        u128::from(self.trace_id.0) << 64 | u128::from(self.trace_id.1)
    }

    /// The span.
    pub fn span_id(self) -> u64 {
        self.span_id.get()
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (self.trace_id(), self.span_id());
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(self.sampled))
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// A later version may go on behind a dash; `ff` is not a version.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let known = text.get(..TEXT_BYTES).ok_or(NoTraceParent)?;
        let rest = &text[TEXT_BYTES..];
        let mut parts = known.split('-');
        let mut next = |digits| parts.next().and_then(|part| hex(part, digits));
        let fields = (next(2), next(32), next(16), next(2));
        let (Some(version), Some(trace_id), Some(span_id), Some(flags)) = fields else {
            return Err(NoTraceParent);
        };
        let continues = version > 0 && rest.starts_with('-');
        if version == 0xff || !(rest.is_empty() || continues) {
            return Err(NoTraceParent);
        }
        let sampled = flags as u8 & SAMPLED != 0;
        Self::new(trace_id, span_id as u64, sampled).ok_or(NoTraceParent)
    }
}

impl fmt::Display for NoTraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a traceparent, e.g. 00-{32 hex digits}-{16 hex digits}-01")
    }
}

impl std::error::Error for NoTraceParent {}

/// So many lower-case digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(lower))
        .then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_the_one_of_the_standard() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent: TraceParent = text.parse().unwrap();
        assert_eq!(parent.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(parent.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert!(parent.is_sampled());
        assert_eq!(parent.to_string(), text);
        let later = text.replace("00-4bf", "01-4bf") + "-more";
        assert_eq!(later.parse(), Ok(parent));
    }

    #[test]
    fn what_is_no_context_is_refused() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for text in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}-0é"),
            format!("00_{trace}_{span}_01"),
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NoTraceParent), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_context_comes_back(trace in 1u128.., span in 1u64.., sampled: bool) {
            let parent = TraceParent::new(trace, span, sampled).unwrap();
            prop_assert_eq!(parent.to_string().parse(), Ok(parent));
        }

        #[test]
        fn noise_never_panics(text: String) {
            let _ = text.parse::<TraceParent>();
        }
    }
}
