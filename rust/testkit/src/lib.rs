//! What tests of bayplan share: builders of objects, strategies for whole random clusters, and the
//! readable model that says what kube-scheduler v1.34 decides on them.

#![forbid(unsafe_code)]

pub mod builders;
pub mod json;
pub mod model;
pub mod oracle;
pub mod strategies;
