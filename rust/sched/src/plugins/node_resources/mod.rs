//! `NodeResourcesFit` and `NodeResourcesBalancedAllocation`: does the node have what the pod requests?

mod allocation;
pub mod balanced_allocation;
pub mod fit;
