//! The actions of IAM that the calls of the store ask for, all on its table. A transaction asks
//! for those of its parts.

/// What `get` asks for, and opening the store.
pub const GET: &[&str] = &["dynamodb:GetItem"];
/// What `compare_and_set` asks for besides.
pub const COMPARE_AND_SET: &[&str] = &["dynamodb:PutItem", "dynamodb:UpdateItem"];
/// What `delete` asks for besides.
pub const DELETE: &[&str] = &["dynamodb:DeleteItem", "dynamodb:UpdateItem"];
/// What `list` asks for besides.
pub const LIST: &[&str] = &["dynamodb:Query"];
