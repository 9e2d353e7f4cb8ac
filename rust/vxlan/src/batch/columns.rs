//! `Columns`: what a batch writes of each packet.

use super::decode::Packet;

/// In a VLAN column: the frame has no tag.
pub const NO_VLAN: u16 = 0xffff;

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $none:expr, $read:expr;)*) => {
        /// What [`decode_batch`](super::decode_batch) writes, a row a packet. A column that is not wanted is empty; one that is
        /// shorter than there are packets gets the first ones.
        ///
        /// Of a packet that is refused, all columns but `code`, `fault_layer` and `fault_offset` say 0, or [`NO_VLAN`].
        /// IP addresses are 16 bytes, those of IPv4 as `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2); the `_ipv4` columns
        /// hold IPv4 addresses alone, as numbers, and 0 for IPv6.
        #[derive(Debug, Default)]
        pub struct Columns<'a> {
            $($(#[$doc])* pub $name: &'a mut [$type],)*
        }

        /// One row, for those that are written field by field.
        #[derive(Debug, Clone, Copy)]
        pub(super) struct Row {
            $(pub(super) $name: $type,)*
        }

        impl Row {
            /// What a packet that is refused leaves.
            pub(super) const NONE: Self = Self { $($name: $none,)* };
        }

        impl Columns<'_> {
            /// Whether a column is wanted for which one must look into the inner frame.
            pub(super) fn want_inner(&self) -> bool {
                !(self.inner_type.is_empty()
                    && self.inner_source_mac.is_empty()
                    && self.inner_destination_mac.is_empty()
                    && self.inner_vlan.is_empty()
                    && self.inner_ip_version.is_empty()
                    && self.inner_source.is_empty()
                    && self.inner_destination.is_empty()
                    && self.inner_source_ipv4.is_empty()
                    && self.inner_destination_ipv4.is_empty()
                    && self.inner_protocol.is_empty()
                    && self.inner_source_port.is_empty()
                    && self.inner_destination_port.is_empty())
            }

            /// Writes a row to the columns that are wanted.
            #[inline]
            pub(super) fn write(&mut self, row: usize, values: &Row) {
                $(if let Some(place) = self.$name.get_mut(row) {
                    *place = values.$name;
                })*
            }

            /// Writes the rows from `first` on, a column after the other, so that it is asked once for all of them which are wanted.
            #[inline]
            pub(super) fn write_all(&mut self, first: usize, packets: &[Packet<'_>]) {
                $(fill(self.$name, first, packets, $read);)*
            }
        }
    };
}

#[inline]
fn fill<'a, T>(
    column: &mut [T],
    first: usize,
    packets: &[Packet<'a>],
    read: impl Fn(&Packet<'a>) -> T,
) {
    if let Some(places) = column.get_mut(first..) {
        for (place, packet) in places.iter_mut().zip(packets) {
            *place = read(packet);
        }
    }
}

columns! {
    /// [`Fault::code`](crate::Fault::code); 0 when the packet was decoded.
    code: u8 = 0, |_| 0;
    /// The header at fault: [`Layer::number`](crate::Layer::number); 0xff when there is none.
    fault_layer: u8 = 0xff, |_| 0xff;
    /// Where that header starts, in bytes from the start of the packet.
    fault_offset: u32 = 0, |_| 0;
    /// Outer Ethernet source.
    outer_source_mac: [u8; 6] = [0; 6], |packet| mac(packet.outer.ethernet).1;
    /// Outer Ethernet destination.
    outer_destination_mac: [u8; 6] = [0; 6], |packet| mac(packet.outer.ethernet).0;
    /// Outermost VLAN outside.
    outer_vlan: u16 = NO_VLAN, |packet| packet.outer.vlan;
    /// Outer IP version, 4 or 6.
    outer_ip_version: u8 = 0, |packet| packet.outer.network.version();
    /// Outer IP source: the sending VTEP.
    outer_source: [u8; 16] = [0; 16], |packet| packet.outer.network.addresses().0;
    /// Outer IP destination: the receiving VTEP.
    outer_destination: [u8; 16] = [0; 16], |packet| packet.outer.network.addresses().1;
    /// Outer IPv4 source.
    outer_source_ipv4: u32 = 0, |packet| packet.outer.network.ipv4().0;
    /// Outer IPv4 destination.
    outer_destination_ipv4: u32 = 0, |packet| packet.outer.network.ipv4().1;
    /// Outer TTL or hop limit.
    outer_ttl: u8 = 0, |packet| packet.outer.network.ttl().unwrap_or_default();
    /// Outer type of service or traffic class.
    outer_traffic_class: u8 = 0, |packet| packet.outer.network.traffic_class();
    /// UDP source port.
    source_port: u16 = 0, |packet| packet.udp(0);
    /// UDP destination port.
    destination_port: u16 = 0, |packet| packet.udp(1);
    /// UDP checksum.
    udp_checksum: u16 = 0, |packet| packet.udp(3);
    /// VNI.
    vni: u32 = 0, |packet| packet.vxlan().vni().get();
    /// First byte of the VXLAN header.
    flags: u8 = 0, |packet| packet.vxlan().flags();
    /// The whole VXLAN header.
    vxlan_header: [u8; 8] = [0; 8], |packet| packet.vxlan().to_bytes();
    /// Where the VXLAN header starts, in bytes from the start of the packet.
    vxlan_offset: u32 = 0, Packet::vxlan_offset;
    /// Where the inner frame starts, in bytes from the start of the **buffer**.
    inner_offset: u64 = 0, Packet::inner_offset;
    /// Length of the inner frame as the headers around it say, in bytes.
    inner_length: u32 = 0, |packet| packet.inner_length;
    /// How much of it is in the buffer, in bytes.
    inner_captured: u32 = 0, |packet| packet.inner_captured;
    /// `EtherType` of what the inner frame carries, behind its VLAN tags.
    inner_type: u16 = 0, |packet| packet.inner.ether_type.0;
    /// Inner Ethernet source.
    inner_source_mac: [u8; 6] = [0; 6], |packet| mac(packet.inner.ethernet).1;
    /// Inner Ethernet destination.
    inner_destination_mac: [u8; 6] = [0; 6], |packet| mac(packet.inner.ethernet).0;
    /// Outermost VLAN inside.
    inner_vlan: u16 = NO_VLAN, |packet| packet.inner.vlan;
    /// Inner IP version, 4 or 6; 0 when there is no IP, or its header is not all there.
    inner_ip_version: u8 = 0, |packet| packet.inner.network.version();
    /// Inner IP source.
    inner_source: [u8; 16] = [0; 16], |packet| packet.inner.network.addresses().0;
    /// Inner IP destination.
    inner_destination: [u8; 16] = [0; 16], |packet| packet.inner.network.addresses().1;
    /// Inner IPv4 source.
    inner_source_ipv4: u32 = 0, |packet| packet.inner.network.ipv4().0;
    /// Inner IPv4 destination.
    inner_destination_ipv4: u32 = 0, |packet| packet.inner.network.ipv4().1;
    /// Inner IP protocol, behind extension headers.
    inner_protocol: u8 = 0, |packet| packet.inner.network.protocol().0;
    /// Inner source port of TCP, UDP and SCTP.
    inner_source_port: u16 = 0, |packet| packet.inner.ports()[0];
    /// Inner destination port of TCP, UDP and SCTP.
    inner_destination_port: u16 = 0, |packet| packet.inner.ports()[1];
}

/// Destination and source.
#[inline]
fn mac(ethernet: &[u8; 14]) -> ([u8; 6], [u8; 6]) {
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = *ethernet;
    ([d0, d1, d2, d3, d4, d5], [s0, s1, s2, s3, s4, s5])
}
