//! The checks on arbitrary bytes, and on packets that are almost right.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::{checks, packets};

/// A good packet with some bytes changed, cut or put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let all = packets::all().into_iter().map(|(_, packet, _)| packet);
    let packet = proptest::sample::select(all.chain(packets::usual()).collect::<Vec<_>>());
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    (packet, vec(change, 0..6)).prop_map(|(mut packet, changes)| {
        for (at, value, kind) in changes {
            if packet.is_empty() {
                break;
            }
            let at = at.index(packet.len());
            match kind {
                0 | 1 => packet[at] = value,
                2 => packet.truncate(at),
                _ => packet.insert(at, value),
            }
        }
        packet
    })
}

fn damaged_capture() -> impl Strategy<Value = Vec<u8>> {
    let capture = proptest::sample::select(crate::capture_files::all());
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    (capture, vec(change, 0..5)).prop_map(|(mut capture, changes)| {
        for (at, value, kind) in changes {
            if capture.is_empty() {
                break;
            }
            let at = at.index(capture.len());
            match kind {
                0 | 1 => capture[at] = value,
                2 => capture.truncate(at),
                _ => capture.insert(at, value),
            }
        }
        capture
    })
}

proptest! {
    #[test]
    fn any_bytes_give_frames_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        checks::decode(&bytes);
    }

    #[test]
    fn damaged_packets_give_frames_or_an_error(packet in damaged()) {
        checks::decode(&packet);
    }

    #[test]
    fn headers_are_written_as_they_were_read(bytes in vec(any::<u8>(), 0..80)) {
        checks::headers_round_trip(&bytes);
    }

    #[test]
    fn headers_inside_packets_are_written_as_they_were_read(packet in damaged(), at in any::<prop::sample::Index>()) {
        checks::headers_round_trip(&packet[at.index(packet.len() + 1)..]);
    }

    #[test]
    fn a_batch_says_what_the_decoder_says(spans in vec(any::<u8>(), 8), packets in vec(damaged(), 1..4)) {
        checks::batch(&[spans, packets.concat()].concat());
        let mut offsets = vec![0];
        let mut buffer = Vec::new();
        for packet in packets {
            buffer.extend(packet);
            offsets.push(u64::try_from(buffer.len()).unwrap());
        }
        checks::batch_agrees(&buffer, bayplan_vxlan::batch::Spans::Offsets(&offsets));
    }

    #[test]
    fn any_bytes_are_a_capture_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        checks::capture(&bytes);
    }

    #[test]
    fn damaged_captures_are_read_up_to_the_damage(capture in damaged_capture()) {
        checks::capture(&capture);
    }

    #[test]
    fn leaving_a_tunnel_changes_ecn_alone(packet in damaged()) {
        checks::merge(&packet);
    }
}
