//! AWS as a deployment needs it: CloudFormation's calls, the account, its regions, and what to do
//! about a refusal.

pub(crate) mod account;
pub(crate) mod advice;
pub(crate) mod cloudformation;
pub(crate) mod region;
