//! A scheduling engine that decides as kube-scheduler v1.34 does.

#![forbid(unsafe_code)]

pub mod config;
