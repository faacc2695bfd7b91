//! Templates of CloudFormation: those that are built in, how YAML is read, and which resources a
//! template makes for some parameters.

pub(crate) mod built_in;
pub(crate) mod evaluate;
pub(crate) mod expand;
pub(crate) mod yaml;
