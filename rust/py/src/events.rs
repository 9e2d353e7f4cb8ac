//! Events on their way into the engine.

use bayplan_api::{Event, Events, Kind, Objects};
use bayplan_sched::cluster::{ApplyError, ChangeError, Cluster};
use indexmap::IndexMap;

use crate::error::{Fault, NativeError};

/// Lets events happen, all or none; says how many there were and how many objects of each kind were passed over.
///
/// # Errors
///
/// What is wrong with the first event that cannot happen.
pub(crate) fn apply(
    cluster: &mut Cluster,
    mut events: Events,
) -> Result<(usize, IndexMap<String, u64>), NativeError> {
    let all = std::mem::take(&mut events.events);
    let count = all.len();
    cluster.apply(all).map_err(|error| refused(&events, error))?;
    Ok((count, events.skipped.iter().map(|(kind, count)| (kind.to_string(), *count)).collect()))
}

fn refused(events: &Events, ApplyError { position, error }: ApplyError) -> NativeError {
    let place = events.place(position);
    let path = place.as_ref().map(|(input, _)| (*input).to_owned());
    let at = place.map_or_else(String::new, |(_, place)| place);
    let named =
        |object: String| Some(if at.is_empty() { object } else { format!("{object} ({at})") });
    match error {
        ChangeError::NotFound(key) => {
            let kind = if key.kind == Kind::Node { "node" } else { "object" };
            let message =
                format!("there is no such {}", if key.kind == Kind::Pod { "pod" } else { kind });
            let object = named(key.to_string());
            NativeError::not_found(Fault { path, object, ..Fault::new(message) })
        }
        ChangeError::AlreadyExists(key) => {
            let object = named(key.to_string());
            NativeError::object(Fault { path, object, ..Fault::new("is there already") })
        }
        ChangeError::NotPending { pod, state } => {
            let object = named(pod.to_string());
            NativeError::object(Fault {
                path,
                object,
                ..Fault::new(format!("does not wait: it {state}"))
            })
        }
        ChangeError::NotAssumed(pod) => {
            let object = named(pod.to_string());
            let message = "was not assumed, so it cannot be forgotten";
            NativeError::object(Fault { path, object, ..Fault::new(message) })
        }
        ChangeError::NoTaint { node, taint } => {
            let object = named(format!("Node {node}"));
            NativeError::not_found(Fault {
                path,
                object,
                ..Fault::new(format!("has no taint {taint}"))
            })
        }
        other => NativeError::object(Fault { path, ..Fault::new(other.to_string()) }),
    }
}

/// The events by which the objects come, each kind in its order, pods last.
pub(crate) fn added(objects: Objects) -> Events {
    let mut events = Events::default();
    events.events = objects.into_objects().map(Event::Added).collect();
    events
}
