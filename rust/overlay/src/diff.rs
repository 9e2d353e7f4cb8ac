//! What changes on a node when another one joins, leaves or changes.
//!
//! Follows `pkg/lease/lease.go` (`LeaseWatcher`) and `pkg/backend/*` of flannel at cdf76059. There
//! are two answers:
//!
//! - [`Daemon`] does what flannel does, event by event. A node that changes is *added* once more:
//!   entries under the same key are replaced, others stay behind. After a change of `VtepMAC` the
//!   old forwarding entry stays; after a change of backend all entries stay, and leave not even
//!   with the node. [`Daemon::stale`] lists them.
//! - [`difference`] is what has to be done so that the tables are those of a node that starts now.

use std::sync::Arc;

use crate::error::OverlayError;
use crate::finding::Finding;
use crate::tables::{Entry, Overlay, OverlayNode, Tables};
use crate::{Backend, Lease};

/// What flannel hears of another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseEvent {
    /// It came, or changed.
    Added(Lease),
    /// It went.
    Removed(Lease),
}

/// One step of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An entry is set; what stood under its key is replaced.
    Set(Entry),
    /// An entry is deleted.
    Delete(Entry),
}

impl Step {
    /// The command.
    pub fn command(&self) -> String {
        match self {
            Self::Set(entry) => entry.set_command(),
            Self::Delete(entry) => entry.delete_command(),
        }
    }

    /// Does it to tables.
    pub fn apply(&self, tables: &mut Tables) {
        match self {
            Self::Set(entry) => drop(tables.set(entry.clone())),
            Self::Delete(entry) => drop(tables.delete(entry)),
        }
    }
}

/// The steps that make `new` of `old`: deletions in the order of `old`, then what is set in the
/// order of `new`.
pub fn difference(old: &Tables, new: &Tables) -> Vec<Step> {
    let gone = old.iter().filter(|entry| new.get(&entry.key()).is_none());
    let set = new.iter().filter(|entry| old.get(&entry.key()) != Some(entry));
    gone.map(|entry| Step::Delete(entry.clone()))
        .chain(set.map(|entry| Step::Set(entry.clone())))
        .collect()
}

/// What a node does about an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What it programs, in flannel's order.
    pub steps: Vec<Step>,
    /// Why it does nothing, or not all.
    pub findings: Vec<Finding>,
}

/// flannel on one node: the leases it knows of, and what it has programmed.
///
/// An event costs time proportional to the number of leases, as in flannel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon<'o> {
    overlay: &'o Overlay,
    own: &'o OverlayNode,
    leases: Vec<Lease>,
    tables: Tables,
}

impl<'o> Daemon<'o> {
    /// flannel on a node, knowing of no other. Of `overlay` it takes the configuration and the
    /// segments.
    ///
    /// # Errors
    /// No such node takes part.
    pub fn new(overlay: &'o Overlay, name: &str) -> Result<Self, OverlayError> {
        let own = overlay.node(name)?;
        Ok(Self { overlay, own, leases: Vec::new(), tables: Tables::default() })
    }

    /// What it has programmed.
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The leases it knows of, in the order in which they came; after a whole list, its own too.
    pub fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// Hears an event (`LeaseWatcher.Update`, `handleSubnetEvents`).
    pub fn update(&mut self, event: LeaseEvent) -> Change {
        match event {
            LeaseEvent::Added(lease) | LeaseEvent::Removed(lease)
                if lease.same_subnet(&self.own.lease) =>
            {
                Change::default()
            }
            LeaseEvent::Added(lease) => {
                match self.leases.iter_mut().find(|known| known.same_subnet(&lease)) {
                    Some(known) => *known = lease.clone(),
                    None => self.leases.push(lease.clone()),
                }
                self.added(lease)
            }
            LeaseEvent::Removed(lease) => {
                let at = self.leases.iter().position(|known| known.same_subnet(&lease));
                // what was known of it is removed, not what the event says
                let lease = at.map_or(lease, |at| self.leases.remove(at));
                self.removed(lease)
            }
        }
    }

    /// Hears a whole list, as after a fall-behind in etcd (`LeaseWatcher.Reset`): what is new is
    /// added, what is missing is removed. A lease that is known is passed over, even if it changed.
    /// flannel also keeps the node's own lease of the list, and at the next list deletes what it
    /// would have programmed for itself, which is nothing.
    pub fn reset(&mut self, leases: &[Lease]) -> Change {
        let mut change = Change::default();
        let mut known = std::mem::take(&mut self.leases);
        let mut new = Vec::new();
        for lease in leases.iter().filter(|lease| !lease.same_subnet(&self.own.lease)) {
            match known.iter().position(|known| known.same_subnet(lease)) {
                Some(at) => drop(known.remove(at)),
                None => new.push(lease.clone()),
            }
        }
        for lease in new {
            change.extend(self.added(lease));
        }
        for lease in known {
            change.extend(self.removed(lease));
        }
        self.leases = leases.to_vec();
        change
    }

    /// The entries that flannel would program for a lease.
    fn entries(&self, lease: Lease) -> (Vec<Entry>, Option<Finding>) {
        self.overlay.between(self.own, &self.named(lease))
    }

    /// A lease as a node, named by its subnet: leases carry no names.
    fn named(&self, lease: Lease) -> OverlayNode {
        let name = match (lease.subnet, lease.ipv6_subnet) {
            (Some(net), _) => net.to_string(),
            (None, Some(net)) => net.to_string(),
            (None, None) => String::new(),
        };
        let interface = crate::Interface {
            name: Arc::clone(&self.own.interface.name),
            mtu: self.own.interface.mtu,
        };
        OverlayNode { name, lease, interface, addresses: Vec::new(), max_pods: None }
    }

    fn added(&mut self, lease: Lease) -> Change {
        let (entries, finding) = self.entries(lease);
        let steps: Vec<Step> = entries.into_iter().map(Step::Set).collect();
        self.done(steps, finding)
    }

    fn removed(&mut self, lease: Lease) -> Change {
        let (entries, finding) = self.entries(lease);
        // the routes of WireGuard lead to the whole network and stay
        let whole = matches!(self.overlay.backend(), Backend::Wireguard(_));
        let kept = |entry: &Entry| whole && matches!(entry, Entry::Route { .. });
        let steps = entries.into_iter().filter(|entry| !kept(entry)).map(Step::Delete).collect();
        self.done(steps, finding)
    }

    fn done(&mut self, steps: Vec<Step>, finding: Option<Finding>) -> Change {
        for step in &steps {
            step.apply(&mut self.tables);
        }
        Change { steps, findings: finding.into_iter().collect() }
    }

    /// The entries that no lease it knows of asks for.
    pub fn stale(&self) -> Vec<Entry> {
        let mut wanted = Tables::default();
        for lease in self.leases.iter().filter(|lease| !lease.same_subnet(&self.own.lease)) {
            for entry in self.entries(lease.clone()).0 {
                wanted.set(entry);
            }
        }
        self.tables
            .iter()
            .filter(|entry| wanted.get(&entry.key()) != Some(entry))
            .cloned()
            .collect()
    }
}

impl Change {
    fn extend(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.findings.extend(other.findings);
    }
}
