//! JSON, read straight into typed values and written straight from them: no tree of generic values in between.
//!
//! ```
//! use bayplan_api::{Pod, json};
//!
//! let pod: Pod = json::from_slice(br#"{"metadata": {"name": "web-0"}, "spec": {"hostNetwork": true}}"#)?;
//! assert_eq!(pod.metadata.name, "web-0");
//!
//! let fault = json::from_slice::<Pod>(br#"{"spec": {"hostNetwork": "yes"}}"#).unwrap_err();
//! assert_eq!(fault.path(), "spec.hostNetwork");
//! assert_eq!(fault.to_string(), "spec.hostNetwork: expected true or false, found a string: \"yes\"");
//!
//! let text = json::to_vec(&pod.spec);
//! assert_eq!(text, br#"{"hostNetwork":true}"#);
//! # Ok::<(), json::Fault>(())
//! ```

mod decoder;
mod encoder;
mod fault;
pub(crate) mod scan;
mod strings;

pub use decoder::{Decode, Decoder, Items, from_slice, is};
pub use encoder::{Encode, Encoder, Members, to_vec};
pub(crate) use fault::MAX_SHOWN;
pub use fault::{Fault, Problem};
pub use scan::Syntax;
pub use strings::Strings;
