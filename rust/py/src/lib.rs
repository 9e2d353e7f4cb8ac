//! The Python face of bayplan: the only crate that knows Python.
//!
//! `python/bayplan` wraps these classes and documents them for users; here each function is three
//! steps: convert in, run with the interpreter released, convert out.

mod cluster;
mod columns;
mod decisions;
mod enter;
mod error;
mod events;
mod family;
mod gaps;
mod input;
mod json;
mod pickled;
mod scheduler;
mod state;
mod vxlan;
mod workloads;

/// The Kubernetes version whose kube-scheduler is followed.
const SEMANTICS: &str = "1.34";

#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::cluster::Cluster;
    #[pymodule_export]
    use crate::decisions::Decisions;
    #[pymodule_export]
    use crate::scheduler::Scheduler;
    #[pymodule_export]
    use crate::vxlan::{
        VxlanCapture, VxlanDecoder, VxlanEncap, vxlan_columns, vxlan_decode, vxlan_decode_headers,
        vxlan_encode, vxlan_encode_headers, vxlan_faults, vxlan_layers,
    };
    #[pymodule_export]
    use crate::workloads::{workload, workload_names, workloads, write_workload};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    const SEMANTICS: &str = crate::SEMANTICS;
}
