//! A scheduling engine that decides as kube-scheduler v1.34 does.

#![forbid(unsafe_code)]

pub mod cluster;
pub mod config;
pub mod framework;
mod go;
pub mod index_vec;
pub mod node_set;
pub mod plugins;
pub mod resource;
