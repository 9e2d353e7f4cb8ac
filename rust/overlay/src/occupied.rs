//! `Occupied`: which addresses are leased, and where the next free subnets are.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::Family;
use crate::family::to_bits;

/// Prefixes of one family, and their union as spans that do not touch.
///
/// Two prefixes are nested or disjoint, so that one can be taken out by looking at those around and
/// inside it only. Spans that touch are one span, so that a walk over free subnets passes over all
/// that are leased between two of them in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occupied {
    family: Family,
    /// How often each prefix is there, by first address and length.
    prefixes: BTreeMap<(u128, u8), usize>,
    /// Last address of each span by its first.
    spans: BTreeMap<u128, u128>,
}

impl Occupied {
    pub(crate) const fn new(family: Family) -> Self {
        Self { family, prefixes: BTreeMap::new(), spans: BTreeMap::new() }
    }

    fn ends(net: &IpNet) -> (u128, u128) {
        (to_bits(net.network()), to_bits(net.broadcast()))
    }

    pub(crate) fn insert(&mut self, net: &IpNet) {
        let (first, last) = Self::ends(net);
        let count = self.prefixes.entry((first, net.prefix_len())).or_insert(0);
        *count += 1;
        if *count == 1 {
            self.join(first, last);
        }
    }

    /// Adds a span and makes it one with those it meets.
    fn join(&mut self, mut first: u128, mut last: u128) {
        if let Some((&start, &end)) = self.spans.range(..=first).next_back()
            && end.checked_add(1).is_none_or(|next| next >= first)
        {
            first = start;
            last = last.max(end);
        }
        while let Some((&start, &end)) = self.spans.range(first..=last.saturating_add(1)).next() {
            self.spans.remove(&start);
            last = last.max(end);
        }
        self.spans.insert(first, last);
    }

    pub(crate) fn remove(&mut self, net: &IpNet) {
        let (first, last) = Self::ends(net);
        let key = (first, net.prefix_len());
        match self.prefixes.get_mut(&key) {
            Some(count) if *count > 1 => {
                *count -= 1;
                return;
            }
            Some(_) => self.prefixes.remove(&key),
            None => return,
        };
        let covered = (0..net.prefix_len()).any(|len| {
            let start = first & !(self.family.block(len) - 1);
            self.prefixes.contains_key(&(start, len))
        });
        if covered {
            return;
        }
        if let Some((&start, &end)) = self.spans.range(..=first).next_back() {
            self.spans.remove(&start);
            if start < first {
                self.spans.insert(start, first - 1);
            }
            if end > last {
                self.spans.insert(last + 1, end);
            }
        }
        let inside: Vec<(u128, u8)> =
            self.prefixes.range((first, 0)..=(last, u8::MAX)).map(|(&prefix, _)| prefix).collect();
        for (start, len) in inside {
            self.join(start, start | (self.family.block(len) - 1));
        }
    }

    /// First addresses of up to `limit` free subnets of length `len` from `min` to `max`,
    /// ascending.
    pub(crate) fn free(&self, min: u128, max: u128, len: u8, limit: usize) -> Vec<u128> {
        let size = self.family.block(len);
        let mut free = Vec::new();
        let mut at = Some(min);
        while let Some(first) = at.filter(|&first| first <= max && free.len() < limit) {
            let last = first.saturating_add(size - 1);
            match self.spans.range(..=last).next_back() {
                Some((_, &end)) if end >= first => {
                    let aligned = end.checked_add(size).map(|next| next & !(size - 1));
                    at = aligned.filter(|&next| next > first);
                }
                _ => {
                    free.push(first);
                    at = first.checked_add(size);
                }
            }
        }
        free
    }

    /// How many subnets of length `len` from `min` to `max` are free, counted by the gaps between
    /// spans.
    pub(crate) fn count_free(&self, min: u128, max: u128, len: u8) -> u128 {
        if max < min {
            return 0;
        }
        let size = self.family.block(len);
        let (mut free, mut at) = (0_u128, min);
        let covering = self.spans.range(..min).next_back();
        for (&start, &end) in
            covering.into_iter().chain(self.spans.range(min..=max.saturating_add(size - 1)))
        {
            // subnets that end before the span starts
            free = free.saturating_add(start.saturating_sub(at) / size);
            let Some(next) = end.checked_add(size).map(|next| next & !(size - 1)) else {
                return free;
            };
            at = at.max(next);
        }
        match max.checked_sub(at) {
            Some(span) => free.saturating_add(span / size).saturating_add(1),
            None => free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(first: u32, len: u8) -> IpNet {
        IpNet::new(std::net::Ipv4Addr::from_bits(first).into(), len).unwrap().trunc()
    }

    proptest! {
        #[test]
        fn says_what_a_list_of_prefixes_says(
            steps in prop::collection::vec((any::<bool>(), 0_u32..256, 23_u8..=32, any::<prop::sample::Index>()), 0..60),
            len in 24_u8..=31,
            limit in 1_usize..20,
        ) {
            let (mut occupied, mut model) = (Occupied::new(Family::Ipv4), Vec::new());
            for (add, low, len, at) in steps {
                if add || model.is_empty() {
                    let net = net(0x0a00_0000 + low, len);
                    occupied.insert(&net);
                    model.push(net);
                } else {
                    let net = model.swap_remove(at.index(model.len()));
                    occupied.remove(&net);
                }
            }
            let size = 1_u128 << (32 - len);
            let (min, max) = (0x0a00_0000_u128 + size, 0x0a00_0100_u128 - size);
            let free: Vec<u128> = (0..256).map(|step| min + step * size).take_while(|&first| first <= max)
                .filter(|&first| {
                    let candidate = net(u32::try_from(first).unwrap(), len);
                    !model.iter().any(|net| net.contains(&candidate) || candidate.contains(net))
                }).collect();
            prop_assert_eq!(occupied.count_free(min, max, len), free.len() as u128);
            let first: Vec<u128> = free.into_iter().take(limit).collect();
            prop_assert_eq!(occupied.free(min, max, len, limit), first);
        }
    }

    #[test]
    fn the_end_of_the_address_space_is_no_edge_to_fall_off() {
        let mut occupied = Occupied::new(Family::Ipv6);
        occupied.insert(&"ffff::/16".parse().unwrap());
        assert_eq!(occupied.free(u128::MAX << 112, u128::MAX - 0xff, 120, 5), Vec::<u128>::new());
        occupied.remove(&"ffff::/16".parse().unwrap());
        assert_eq!(occupied.free(u128::MAX - 0xff, u128::MAX, 121, 5).len(), 2);
        occupied.insert(&"::/0".parse().unwrap());
        assert_eq!(occupied.count_free(0, u128::MAX, 64), 0);
    }
}
