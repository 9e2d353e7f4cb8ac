//! Which pods of a workload talk across nodes, and what the overlay costs them.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::{Encapsulation, Family};

/// The pairs of a workload's pods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pairs {
    /// How many pods it has.
    pub pods: u64,
    /// How many pairs of two different pods, in no order.
    pub pairs: u64,
    /// How many of them are on two nodes.
    pub across_nodes: u64,
}

impl Pairs {
    /// The pairs of pods of which so many are on each node.
    pub fn of_counts(counts: impl IntoIterator<Item = u64>) -> Self {
        let choose = |count: u64| count.saturating_mul(count.saturating_sub(1)) / 2;
        let (pods, same) = counts.into_iter().fold((0_u64, 0_u64), |(pods, same), count| {
            (pods.saturating_add(count), same.saturating_add(choose(count)))
        });
        let pairs = choose(pods);
        Self { pods, pairs, across_nodes: pairs.saturating_sub(same) }
    }
}

/// The pairs of each workload, in the order in which they first come; `placements` are workload and
/// node of each pod.
pub fn pairs<'p>(
    placements: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> IndexMap<&'p str, Pairs> {
    let mut counts: IndexMap<&str, BTreeMap<&str, u64>> = IndexMap::new();
    for (workload, node) in placements {
        *counts.entry(workload).or_default().entry(node).or_insert(0) += 1;
    }
    counts
        .into_iter()
        .map(|(workload, nodes)| (workload, Pairs::of_counts(nodes.into_values())))
        .collect()
}

/// A message between two pods: what is sent, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Payload of the transport protocol, in bytes.
    pub payload: u64,
    /// Length of the transport header, in bytes: TCP 20 without options, UDP 8.
    pub transport_header: u32,
    /// Family of the pods' addresses.
    pub inner: Family,
    /// Family of the nodes' addresses.
    pub underlay: Family,
    /// MTU of the nodes' interfaces, in bytes.
    pub underlay_mtu: u32,
    /// MTU of the pods' interfaces, where it is not the largest that fits.
    pub pod_mtu: Option<u32>,
}

/// What a message costs on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many frames.
    pub frames: u64,
    /// Their bytes, with Ethernet headers and tags, without preamble and FCS.
    pub bytes: u64,
}

impl Cost {
    /// So many times as much.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self { frames: self.frames.saturating_mul(count), bytes: self.bytes.saturating_mul(count) }
    }
}

impl Message {
    /// What one message costs in one direction, without acknowledgements: cut into packets as large
    /// as fit. None when no byte of payload fits into a packet, or the encapsulation does not exist
    /// over the underlay.
    pub fn cost(&self, encapsulation: Encapsulation) -> Option<Cost> {
        let fits = encapsulation.mtu(self.underlay_mtu, self.underlay)?;
        let mtu = self.pod_mtu.map_or(fits, |mtu| mtu.min(fits));
        let headers = self.inner.header().checked_add(self.transport_header)?;
        let segment = u64::from(mtu.checked_sub(headers).filter(|&segment| segment > 0)?);
        let frame = |payload: u64| {
            let packet = headers.checked_add(u32::try_from(payload).ok()?)?;
            encapsulation.frame(packet, self.underlay_mtu, self.underlay).map(u64::from)
        };
        let (full, rest) = (self.payload / segment, self.payload % segment);
        // a message without payload is one packet
        let last = rest > 0 || full == 0;
        let bytes =
            full.checked_mul(frame(segment)?)?.checked_add(if last { frame(rest)? } else { 0 })?;
        Some(Cost { frames: full + u64::from(last), bytes })
    }

    /// What it costs all pairs across nodes, once in each direction: by plain routes over the same
    /// underlay, and in the overlay.
    pub fn overlay_cost(
        &self,
        pairs: &Pairs,
        encapsulation: Encapsulation,
    ) -> Option<(Cost, Cost)> {
        let messages = pairs.across_nodes.saturating_mul(2);
        let plain = Self { pod_mtu: None, ..*self }.cost(Encapsulation::Routed)?;
        Some((plain.times(messages), self.cost(encapsulation)?.times(messages)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pairs_as_a_list_of_them_does() {
        let placements = [
            ("a", "n1"),
            ("b", "n1"),
            ("a", "n2"),
            ("a", "n1"),
            ("a", "n3"),
            ("b", "n1"),
            ("c", "n1"),
        ];
        let found = pairs(placements);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["a", "b", "c"]);
        for (workload, pairs) in &found {
            let nodes: Vec<&str> =
                placements.iter().filter(|(w, _)| w == workload).map(|(_, node)| *node).collect();
            let (mut all, mut across) = (0, 0);
            for (at, first) in nodes.iter().enumerate() {
                for second in &nodes[at + 1..] {
                    all += 1;
                    across += u64::from(first != second);
                }
            }
            assert_eq!((pairs.pairs, pairs.across_nodes), (all, across), "{workload}");
        }
    }

    #[test]
    fn a_message_is_cut_into_packets_that_fit() {
        let message = Message {
            payload: 10_000,
            transport_header: 20,
            inner: Family::Ipv4,
            underlay: Family::Ipv4,
            underlay_mtu: 1500,
            pod_mtu: None,
        };
        // 1460 a packet: six full ones and 1240 bytes
        let plain = message.cost(Encapsulation::Routed).unwrap();
        assert_eq!(plain, Cost { frames: 7, bytes: 10_000 + 7 * 54 });
        // 1410 a packet: seven full ones and 130 bytes
        let vxlan = message.cost(Encapsulation::Vxlan).unwrap();
        assert_eq!(vxlan, Cost { frames: 8, bytes: 10_000 + 8 * 104 });
        let pairs = Pairs::of_counts([2, 1]);
        assert_eq!(
            message.overlay_cost(&pairs, Encapsulation::Vxlan),
            Some((plain.times(4), vxlan.times(4)))
        );
        let none = Message { payload: 0, ..message };
        assert_eq!(none.cost(Encapsulation::Vxlan), Some(Cost { frames: 1, bytes: 104 }));
        let exact = Message { payload: 1410, ..message };
        assert_eq!(exact.cost(Encapsulation::Vxlan), Some(Cost { frames: 1, bytes: 1514 }));
        let narrow = Message { underlay_mtu: 90, ..message };
        assert_eq!(narrow.cost(Encapsulation::Vxlan), None);
    }
}
