//! A cluster as bytes, for `pickle`: a line of JSON that says what objects do not, then the objects as a `v1.List`.

use bayplan_api::{ObjectReference, Protocol, Str};
use bayplan_sched::Cycle;
use bayplan_sched::cluster::{Bookkeeping, Cluster, HostPort, Reserved};
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::enter::Interrupt;
use crate::error::{Fault, NativeError};
use crate::input::{Input, read_objects};
use crate::state::{State, cluster_error};

/// Other versions may read this one no more.
const FORMAT: u64 = 1;

/// All that is known of a cluster.
///
/// # Errors
///
/// `NativeError::Internal` if what is in memory cannot be written.
pub(crate) fn dump(state: &State) -> Result<Vec<u8>, NativeError> {
    let Bookkeeping { order, ports, assumed, passed_over, cycle } = state.cluster.bookkeeping();
    let ports: Vec<Value> = ports
        .iter()
        .map(|(node, ports)| {
            let ports: Vec<Value> = ports
                .iter()
                .map(|port| json!([port.ip.as_str(), protocol_name(port.protocol), port.port]))
                .collect();
            json!([node, ports])
        })
        .collect();
    let assumed: Vec<Value> = assumed
        .iter()
        .map(|(pod, undos)| json!([pod, undos.iter().map(reserved).collect::<Vec<_>>()]))
        .collect();
    let skipped: Vec<(&str, u64)> =
        state.skipped.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let head = json!({
        "format": FORMAT,
        "skipped": skipped,
        "warnings": *state.warnings,
        "order": order,
        "ports": ports,
        "assumed": assumed,
        "passedOver": passed_over,
        "cycle": [json!(cycle.next_start_node), json!(cycle.rolls)],
    });
    let mut bytes = head.to_string().into_bytes();
    bytes.push(b'\n');
    let written = state.cluster.to_objects().write_json(&mut bytes);
    written.map_err(|error| NativeError::Internal(error.to_string()))?;
    Ok(bytes)
}

/// The cluster of which that was known.
///
/// # Errors
///
/// `NativeError::Argument` for bytes that [`dump`] did not write.
pub(crate) fn restore(bytes: &[u8], interrupt: &Interrupt) -> Result<State, NativeError> {
    let wrong = || NativeError::argument(Fault::new("not a pickled cluster of this version"));
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(wrong)?;
    let (head, objects) = bytes.split_at(end);
    let head: Value = serde_json::from_slice(head).map_err(|_| wrong())?;
    let head = Head::read(&head).ok_or_else(wrong)?;
    let input = Input::Bytes { name: "<pickle>".to_owned(), bytes: objects.to_vec() };
    let objects = read_objects(&[input], &[], interrupt)?;
    let cluster = Cluster::restore(objects, head.bookkeeping).map_err(cluster_error)?;
    Ok(State::of(cluster, head.skipped, head.warnings))
}

fn reserved(change: &Reserved) -> Value {
    match change {
        Reserved::ClaimRef { volume, claim_ref } => {
            let claim_ref = claim_ref.as_ref().map(|reference| {
                let ObjectReference { kind, namespace, name, uid } = reference;
                [kind, namespace, name, uid].map(Str::as_str)
            });
            json!({"volume": volume.as_str(), "claimRef": claim_ref})
        }
        Reserved::SelectedNode { claim: (namespace, name), node } => {
            let node = node.as_ref().map(Str::as_str);
            json!({"claim": [namespace.as_str(), name.as_str()], "node": node})
        }
    }
}

/// The first line.
struct Head {
    skipped: IndexMap<Str, u64>,
    warnings: Vec<String>,
    bookkeeping: Bookkeeping,
}

impl Head {
    fn read(head: &Value) -> Option<Self> {
        if head.get("format")?.as_u64()? != FORMAT {
            return None;
        }
        Some(Self {
            skipped: all(head.get("skipped")?, |pair| {
                Some((text(pair.get(0)?)?, pair.get(1)?.as_u64()?))
            })?,
            warnings: all(head.get("warnings")?, |warning| Some(warning.as_str()?.to_owned()))?,
            bookkeeping: Bookkeeping {
                order: all(head.get("order")?, |pair| {
                    Some((number(pair.get(0)?)?, all(pair.get(1)?, number)?))
                })?,
                ports: all(head.get("ports")?, |pair| {
                    Some((number(pair.get(0)?)?, all(pair.get(1)?, host_port)?))
                })?,
                assumed: all(head.get("assumed")?, |pair| {
                    Some((number(pair.get(0)?)?, all(pair.get(1)?, read_reserved)?))
                })?,
                passed_over: all(head.get("passedOver")?, number)?,
                cycle: Cycle {
                    next_start_node: number(head.get("cycle")?.get(0)?)?,
                    rolls: head.get("cycle")?.get(1)?.as_u64()?,
                },
            },
        })
    }
}

const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
        Protocol::Sctp => "SCTP",
    }
}

fn host_port(port: &Value) -> Option<HostPort> {
    let protocol = port.get(1)?.as_str()?;
    Some(HostPort {
        ip: text(port.get(0)?)?,
        protocol: [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .find(|known| protocol_name(*known) == protocol)?,
        port: i32::try_from(port.get(2)?.as_i64()?).ok()?,
    })
}

fn read_reserved(change: &Value) -> Option<Reserved> {
    if let Some(volume) = change.get("volume") {
        let claim_ref = match change.get("claimRef")? {
            Value::Null => None,
            reference => Some(ObjectReference {
                kind: text(reference.get(0)?)?,
                namespace: text(reference.get(1)?)?,
                name: text(reference.get(2)?)?,
                uid: text(reference.get(3)?)?,
            }),
        };
        return Some(Reserved::ClaimRef { volume: text(volume)?, claim_ref });
    }
    let claim = change.get("claim")?;
    let node = match change.get("node")? {
        Value::Null => None,
        node => Some(text(node)?),
    };
    Some(Reserved::SelectedNode { claim: (text(claim.get(0)?)?, text(claim.get(1)?)?), node })
}

/// Every value of a list; `None` if one is wrong.
fn all<T, C: FromIterator<T>>(list: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<C> {
    list.as_array()?.iter().map(read).collect()
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn text(value: &Value) -> Option<Str> {
    value.as_str().map(Str::from)
}
