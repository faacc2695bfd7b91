//! What clients may hold open here at once, in number and in bytes. Beyond it they come again
//! later, or take the place of a client that does not read (see `places`).

/// Open subscriptions over gRPC.
pub const SUBSCRIBE_COUNT_MAX: usize = 512;
/// Open readers over gRPC.
pub const READ_COUNT_MAX: usize = 512;
/// Open event streams over SSE.
pub const SSE_COUNT_MAX: usize = 512;
/// Answers of history and lists of dead letters that are under way, each.
pub const LIST_COUNT_MAX: usize = 8;
/// Bytes that the clients of one kind of stream were given and have not taken yet, together.
pub const UNREAD_BYTES_MAX: usize = 64 << 20;
/// Streams of a kind that may hold what they have read from the past while they wait until their
/// clients may be given it.
pub const TURN_COUNT_MAX: usize = 8;
/// How long a client may leave what it was given before its connection is cut, in milliseconds.
pub const STALL_MS_MAX: u64 = 30_000;
/// After this long such a client is cut if another needs its place or its bytes, in milliseconds.
pub const STALL_CONTENDED_MS_MAX: u64 = 2_000;
/// Subscriptions whose deliveries can be settled. They are remembered beyond their streams.
pub const SUBSCRIPTION_COUNT_MAX: usize = 4096;
