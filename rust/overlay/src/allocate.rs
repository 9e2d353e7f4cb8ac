//! `LeaseRegistry`: subnets leased as flannel leases them in etcd.
//!
//! Follows `pkg/subnet/etcd/local_manager.go` and `registry.go` of flannel at cdf76059. A node that
//! asks gets, in this order:
//!
//! 1. the lease that has its `PublicIP`, if the configuration still allows it (else that is
//!    deleted);
//! 2. the subnet that its `subnet.env` names, if no lease has that and the configuration allows it;
//! 3. of the first 100 free subnets from `SubnetMin` up one at random, and the same for IPv6.
//!
//! A lease lasts a day and is renewed an hour before; a *reservation* is a key without an end. Time
//! comes in as seconds since 1970, chance as a [`Draw`].
//!
//! # Where this is not flannel
//!
//! - flannel at this commit gives a reservation an end when its node takes it up again: it sees the
//!   missing end as one that has just passed. Its documentation says that a reservation stays one.
//!   [`Reservations`] chooses; the default is the documentation.
//! - Without IPv4 flannel leases `0.0.0.0/0` to the first node and looks for ever for the second;
//!   here that is an error.
//! - flannel crashes where IPv6 is enabled and some lease has none; here such a lease overlaps
//!   nothing of IPv6.
//! - In a network that ends with the address space, flannel's walk begins again at `0.0.0.0` after
//!   the last subnet; here it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::OverlayError;
use crate::family::{from_bits, to_bits};
use crate::occupied::Occupied;
use crate::{Draw, Expiration, Family, Lease, LeaseAttrs, SubnetKey, SubnetRange, SubnetRanges};

/// How long a lease lasts, in seconds.
pub const SUBNET_TTL: u64 = 24 * 60 * 60;

/// How long flannel waits after a renewal that failed, in seconds.
pub const RENEW_RETRY: u64 = 60;

/// Among so many free subnets the choice is made.
const CHOICE: usize = 100;

/// How long before its end a lease is renewed: `--subnet-lease-renew-margin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewMargin(u64);

impl Default for RenewMargin {
    /// An hour.
    fn default() -> Self {
        Self(60)
    }
}

impl RenewMargin {
    /// A margin in minutes.
    ///
    /// # Errors
    /// Not from 1 to 1439.
    pub const fn new(minutes: u64) -> Result<Self, OverlayError> {
        if minutes == 0 || minutes >= 24 * 60 {
            return Err(OverlayError::RenewMargin { minutes });
        }
        Ok(Self(minutes))
    }

    /// When a lease is renewed, in seconds since 1970. A reservation is not.
    pub const fn renew_at(self, expiration: Expiration) -> Option<u64> {
        match expiration {
            Expiration::At(end) => Some(end.saturating_sub(self.0 * 60)),
            Expiration::Never => None,
        }
    }
}

/// What becomes of a reservation that its node takes up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reservations {
    /// It stays a reservation, as documented.
    #[default]
    Stay,
    /// It becomes a lease of a day, as flannel does at this commit.
    BecomeLeases,
}

/// The subnets that a node had before, from its `subnet.env`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Previous {
    /// `FLANNEL_SUBNET`, host bits cleared.
    pub subnet: Option<Ipv4Net>,
    /// `FLANNEL_IPV6_SUBNET`, host bits cleared.
    pub ipv6_subnet: Option<Ipv6Net>,
}

/// Where a lease came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A lease with the node's public address.
    PublicIp,
    /// The subnet that the node had before.
    Previous,
    /// A free subnet.
    Allocated,
}

/// A lease that a node got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquired {
    /// Its key.
    pub key: SubnetKey,
    /// The lease.
    pub lease: Lease,
    /// Where it came from.
    pub origin: Origin,
    /// The node's lease that the configuration no longer allowed, deleted.
    pub deleted: Option<SubnetKey>,
}

/// The leases in etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRegistry {
    /// By key as text, the order in which etcd lists them.
    leases: BTreeMap<String, (SubnetKey, Lease)>,
    by_public_ip: BTreeMap<Ipv4Addr, BTreeSet<String>>,
    /// How many leases have a subnet of IPv4.
    by_subnet: BTreeMap<Ipv4Net, usize>,
    ends: BTreeSet<(u64, String)>,
    ipv4: Occupied,
    ipv6: Occupied,
    reservations: Reservations,
}

impl Default for LeaseRegistry {
    fn default() -> Self {
        Self::new(Reservations::default())
    }
}

impl LeaseRegistry {
    /// No leases.
    pub const fn new(reservations: Reservations) -> Self {
        Self {
            leases: BTreeMap::new(),
            by_public_ip: BTreeMap::new(),
            by_subnet: BTreeMap::new(),
            ends: BTreeSet::new(),
            ipv4: Occupied::new(Family::Ipv4),
            ipv6: Occupied::new(Family::Ipv6),
            reservations,
        }
    }

    /// How many leases there are.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// The leases in the order in which etcd lists them: by key as text.
    pub fn iter(&self) -> impl Iterator<Item = (&SubnetKey, &Lease)> {
        self.leases.values().map(|(key, lease)| (key, lease))
    }

    /// The lease of a key.
    pub fn get(&self, key: &SubnetKey) -> Option<&Lease> {
        self.leases.get(&key.to_string()).map(|(_, lease)| lease)
    }

    /// Puts a lease under a key, as `etcdctl put` does: whatever stood there is replaced.
    pub fn put(&mut self, key: SubnetKey, attrs: LeaseAttrs, expiration: Expiration) {
        self.take(&key);
        let text = key.to_string();
        self.by_public_ip.entry(attrs.public_ip).or_default().insert(text.clone());
        *self.by_subnet.entry(key.subnet).or_insert(0) += 1;
        if let Expiration::At(end) = expiration {
            self.ends.insert((end, text.clone()));
        }
        self.ipv4.insert(&IpNet::V4(key.subnet));
        if let Some(net) = key.ipv6_subnet {
            self.ipv6.insert(&IpNet::V6(net));
        }
        let lease =
            Lease { subnet: Some(key.subnet), ipv6_subnet: key.ipv6_subnet, attrs, expiration };
        self.leases.insert(text, (key, lease));
    }

    fn take(&mut self, key: &SubnetKey) -> Option<Lease> {
        let text = key.to_string();
        let (_, lease) = self.leases.remove(&text)?;
        if let Some(keys) = self.by_public_ip.get_mut(&lease.attrs.public_ip) {
            keys.remove(&text);
            if keys.is_empty() {
                self.by_public_ip.remove(&lease.attrs.public_ip);
            }
        }
        if let Some(count) = self.by_subnet.get_mut(&key.subnet) {
            *count -= 1;
            if *count == 0 {
                self.by_subnet.remove(&key.subnet);
            }
        }
        if let Expiration::At(end) = lease.expiration {
            self.ends.remove(&(end, text));
        }
        self.ipv4.remove(&IpNet::V4(key.subnet));
        if let Some(net) = key.ipv6_subnet {
            self.ipv6.remove(&IpNet::V6(net));
        }
        Some(lease)
    }

    /// Takes a lease away, as an operator does. Its node's daemon ends ("Lease has been revoked").
    ///
    /// # Errors
    /// There is no such lease.
    pub fn revoke(&mut self, key: &SubnetKey) -> Result<Lease, OverlayError> {
        self.take(key).ok_or_else(|| OverlayError::NoLease { key: key.to_string() })
    }

    /// Makes a reservation of a lease: it no longer ends.
    ///
    /// # Errors
    /// There is no such lease.
    pub fn reserve(&mut self, key: &SubnetKey) -> Result<(), OverlayError> {
        let lease = self.revoke(key)?;
        self.put(*key, lease.attrs, Expiration::Never);
        Ok(())
    }

    /// Takes away the leases that have ended at `now`, the earliest end first.
    pub fn expire(&mut self, now: u64) -> Vec<(SubnetKey, Lease)> {
        let mut ended = Vec::new();
        while let Some((_, text)) = self.ends.first().filter(|(end, _)| *end <= now).cloned() {
            let Some((key, _)) = self.leases.get(&text) else { break };
            let key = *key;
            ended.extend(self.take(&key).map(|lease| (key, lease)));
        }
        ended
    }

    /// Renews a lease for a day, as its node does; one that is gone is made again.
    ///
    /// Returns when it ends, in seconds since 1970.
    pub fn renew(&mut self, key: SubnetKey, attrs: LeaseAttrs, now: u64) -> u64 {
        let end = now.saturating_add(SUBNET_TTL);
        self.put(key, attrs, Expiration::At(end));
        end
    }

    /// The lease that a node gets which announces `attrs` at `now`. Leases that have ended are
    /// taken away first.
    ///
    /// # Errors
    /// No subnet is free, or the configuration has no IPv4.
    pub fn acquire(
        &mut self,
        ranges: &SubnetRanges,
        attrs: &LeaseAttrs,
        previous: Previous,
        now: u64,
        draw: &mut Draw,
    ) -> Result<Acquired, OverlayError> {
        let ipv4 = ranges.ipv4.as_ref().ok_or(OverlayError::EtcdNeedsIpv4)?;
        self.expire(now);
        let own = self.by_public_ip.get(&attrs.public_ip).and_then(BTreeSet::first);
        let own =
            own.and_then(|text| self.leases.get(text)).map(|(key, lease)| (*key, lease.expiration));
        if let Some((key, expiration)) = own
            && is_compatible(ranges, ipv4, key.subnet, key.ipv6_subnet)
        {
            let expiration = match (expiration, self.reservations) {
                (Expiration::Never, Reservations::Stay) => Expiration::Never,
                _ => Expiration::At(now.saturating_add(SUBNET_TTL)),
            };
            return Ok(self.granted(key, attrs, expiration, Origin::PublicIp, None));
        }
        // flannel chooses by the list that it read before it deleted anything
        let before = previous
            .subnet
            .filter(|net| !self.by_subnet.contains_key(net))
            .filter(|&net| is_compatible(ranges, ipv4, net, previous.ipv6_subnet));
        let (key, origin) = match before {
            Some(subnet) => {
                (SubnetKey { subnet, ipv6_subnet: previous.ipv6_subnet }, Origin::Previous)
            }
            None => (self.allocate(ipv4, ranges.ipv6.as_ref(), draw)?, Origin::Allocated),
        };
        let deleted = own.map(|(key, _)| key);
        if let Some(deleted) = &deleted {
            self.take(deleted);
        }
        let expiration = Expiration::At(now.saturating_add(SUBNET_TTL));
        Ok(self.granted(key, attrs, expiration, origin, deleted))
    }

    fn granted(
        &mut self,
        key: SubnetKey,
        attrs: &LeaseAttrs,
        expiration: Expiration,
        origin: Origin,
        deleted: Option<SubnetKey>,
    ) -> Acquired {
        self.put(key, attrs.clone(), expiration);
        let lease = Lease {
            subnet: Some(key.subnet),
            ipv6_subnet: key.ipv6_subnet,
            attrs: attrs.clone(),
            expiration,
        };
        Acquired { key, lease, origin, deleted }
    }

    fn allocate(
        &self,
        ipv4: &SubnetRange,
        ipv6: Option<&SubnetRange>,
        draw: &mut Draw,
    ) -> Result<SubnetKey, OverlayError> {
        let free = self.free(ipv4)?;
        let free_v6 = ipv6.map(|range| self.free(range)).transpose()?;
        let subnet = pick(ipv4, &free, draw);
        let ipv6_subnet = ipv6.zip(free_v6).and_then(|(range, free)| pick(range, &free, draw));
        match (subnet, ipv6_subnet) {
            (Some(IpNet::V4(subnet)), None) => Ok(SubnetKey { subnet, ipv6_subnet: None }),
            (Some(IpNet::V4(subnet)), Some(IpNet::V6(net))) => {
                Ok(SubnetKey { subnet, ipv6_subnet: Some(net) })
            }
            _ => Err(exhausted(ipv4)),
        }
    }

    fn occupied(&self, family: Family) -> &Occupied {
        match family {
            Family::Ipv4 => &self.ipv4,
            Family::Ipv6 => &self.ipv6,
        }
    }

    /// The free subnets among which the choice is made.
    fn free(&self, range: &SubnetRange) -> Result<Vec<u128>, OverlayError> {
        let (min, max) = (to_bits(range.subnet_min), to_bits(range.subnet_max));
        let free = self.occupied(range.family()).free(min, max, range.subnet_len, CHOICE);
        if free.is_empty() { Err(exhausted(range)) } else { Ok(free) }
    }

    /// How many subnets of a range overlap no lease.
    pub fn count_free(&self, range: &SubnetRange) -> u128 {
        if range.subnets() == 0 {
            return 0;
        }
        let (min, max) = (to_bits(range.subnet_min), to_bits(range.subnet_max));
        self.occupied(range.family()).count_free(min, max, range.subnet_len)
    }
}

fn exhausted(range: &SubnetRange) -> OverlayError {
    let SubnetRange { subnet_min, subnet_max, subnet_len, .. } = *range;
    OverlayError::OutOfSubnets { subnet_min, subnet_max, subnet_len }
}

fn pick(range: &SubnetRange, free: &[u128], draw: &mut Draw) -> Option<IpNet> {
    let first = free.get(draw.below(free.len()))?;
    IpNet::new(from_bits(range.family(), *first), range.subnet_len).ok()
}

/// Whether the configuration allows both subnets; one of IPv6 exactly when that is enabled.
fn is_compatible(
    ranges: &SubnetRanges,
    ipv4: &SubnetRange,
    subnet: Ipv4Net,
    ipv6_subnet: Option<Ipv6Net>,
) -> bool {
    let ipv6 = match (&ranges.ipv6, ipv6_subnet) {
        (None, None) => true,
        (Some(range), Some(net)) => range.is_compatible(&IpNet::V6(net)),
        _ => false,
    };
    ipv6 && ipv4.is_compatible(&IpNet::V4(subnet))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn ranges(text: &str) -> SubnetRanges {
        crate::NetConf::parse(text.as_bytes()).unwrap().ranges().unwrap()
    }

    fn attrs(ip: &str) -> LeaseAttrs {
        LeaseAttrs { public_ip: ip.parse().unwrap(), ..LeaseAttrs::default() }
    }

    fn key(text: &str) -> SubnetKey {
        text.parse().unwrap()
    }

    /// The leases of flannel's own tests.
    fn registry() -> LeaseRegistry {
        let mut registry = LeaseRegistry::default();
        for (subnet, ip) in [
            ("10.3.1.0-24", "1.1.1.1"),
            ("10.3.2.0-24", "1.1.1.1"),
            ("10.3.4.0-24", "1.1.1.1"),
            ("10.3.5.0-24", "1.1.1.1"),
            ("10.3.31.0-24", "1.1.1.1"),
        ] {
            registry.put(key(subnet), attrs(ip), Expiration::At(NOW + SUBNET_TTL));
        }
        registry
    }

    const CONF: &str =
        r#"{ "Network": "10.3.0.0/16", "SubnetMin": "10.3.1.0", "SubnetMax": "10.3.25.0" }"#;

    #[test]
    fn a_node_keeps_its_subnet_by_public_address() {
        let (mut registry, mut draw) = (registry(), Draw::new(1));
        let first = registry
            .acquire(&ranges(CONF), &attrs("1.2.3.4"), Previous::default(), NOW, &mut draw)
            .unwrap();
        assert_eq!(first.origin, Origin::Allocated);
        let again = registry
            .acquire(&ranges(CONF), &attrs("1.2.3.4"), Previous::default(), NOW + 60, &mut draw)
            .unwrap();
        assert_eq!((again.key, again.origin), (first.key, Origin::PublicIp));
        assert_eq!(again.lease.expiration, Expiration::At(NOW + 60 + SUBNET_TTL));
    }

    #[test]
    fn a_node_gets_the_subnet_it_had_before_where_the_configuration_allows_it() {
        let (mut registry, mut draw) = (registry(), Draw::new(1));
        let before = |net: &str| Previous { subnet: Some(net.parse().unwrap()), ipv6_subnet: None };
        let got = registry
            .acquire(&ranges(CONF), &attrs("1.2.3.4"), before("10.3.6.0/24"), NOW, &mut draw)
            .unwrap();
        assert_eq!((got.key, got.origin), (key("10.3.6.0-24"), Origin::Previous));
        for net in ["10.4.1.0/24", "10.3.26.0/24", "10.3.7.0/25", "10.3.6.0/24"] {
            let mut registry = registry.clone();
            let got = registry
                .acquire(&ranges(CONF), &attrs("1.2.3.5"), before(net), NOW, &mut draw)
                .unwrap();
            assert_eq!(got.origin, Origin::Allocated, "{net}");
        }
    }

    #[test]
    fn a_changed_configuration_deletes_the_lease_and_allocates_anew() {
        let (mut registry, mut draw) = (registry(), Draw::new(3));
        let old = registry
            .acquire(&ranges(CONF), &attrs("1.2.3.4"), Previous::default(), NOW, &mut draw)
            .unwrap();
        let new = ranges(r#"{ "Network": "10.4.0.0/16" }"#);
        let got =
            registry.acquire(&new, &attrs("1.2.3.4"), Previous::default(), NOW, &mut draw).unwrap();
        assert_eq!(got.deleted, Some(old.key));
        assert!(registry.get(&old.key).is_none());
        assert!("10.4.0.0/16".parse::<Ipv4Net>().unwrap().contains(&got.key.subnet));
    }

    #[test]
    fn the_choice_is_among_the_first_hundred_that_are_free() {
        let conf = ranges(r#"{"Network": "10.0.0.0/8"}"#);
        let mut seen = BTreeSet::new();
        for seed in 0..2000 {
            let mut registry = LeaseRegistry::default();
            registry.put(key("10.0.50.0-24"), attrs("1.1.1.1"), Expiration::Never);
            let got = registry
                .acquire(&conf, &attrs("1.2.3.4"), Previous::default(), NOW, &mut Draw::new(seed))
                .unwrap();
            seen.insert(got.key.subnet);
        }
        let expected: BTreeSet<Ipv4Net> = (1..=101)
            .filter(|third| *third != 50)
            .map(|third| format!("10.0.{third}.0/24").parse().unwrap())
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn leases_end_renew_and_reservations_stay() {
        let (mut registry, mut draw) = (LeaseRegistry::default(), Draw::new(1));
        let conf = ranges(CONF);
        let a = registry
            .acquire(&conf, &attrs("1.0.0.1"), Previous::default(), NOW, &mut draw)
            .unwrap();
        let b = registry
            .acquire(&conf, &attrs("1.0.0.2"), Previous::default(), NOW, &mut draw)
            .unwrap();
        let c = registry
            .acquire(&conf, &attrs("1.0.0.3"), Previous::default(), NOW, &mut draw)
            .unwrap();
        let margin = RenewMargin::default();
        assert_eq!(margin.renew_at(a.lease.expiration), Some(NOW + 23 * 3600));
        registry.renew(b.key, b.lease.attrs, NOW + 23 * 3600);
        registry.reserve(&c.key).unwrap();
        assert_eq!(registry.expire(NOW + SUBNET_TTL - 1), []);
        let ended: Vec<SubnetKey> =
            registry.expire(NOW + SUBNET_TTL).into_iter().map(|(key, _)| key).collect();
        assert_eq!(ended, [a.key]);
        let again = registry
            .acquire(
                &conf,
                &attrs("1.0.0.3"),
                Previous::default(),
                NOW + 10 * SUBNET_TTL,
                &mut draw,
            )
            .unwrap();
        assert_eq!((again.key, again.lease.expiration), (c.key, Expiration::Never));
        assert_eq!(registry.len(), 1);
        assert_eq!(registry.revoke(&b.key), Err(OverlayError::NoLease { key: b.key.to_string() }));
    }

    #[test]
    fn as_coded_a_reservation_gets_an_end() {
        let mut registry = LeaseRegistry::new(Reservations::BecomeLeases);
        registry.put(key("10.3.3.0-24"), attrs("1.0.0.1"), Expiration::Never);
        let got = registry
            .acquire(&ranges(CONF), &attrs("1.0.0.1"), Previous::default(), NOW, &mut Draw::new(1))
            .unwrap();
        assert_eq!(got.lease.expiration, Expiration::At(NOW + SUBNET_TTL));
    }

    #[test]
    fn exhaustion_names_the_range() {
        let conf = ranges(r#"{"Network": "10.3.0.0/28"}"#);
        let (mut registry, mut draw) = (LeaseRegistry::default(), Draw::new(1));
        for node in 1..=3 {
            registry
                .acquire(
                    &conf,
                    &attrs(&format!("1.0.0.{node}")),
                    Previous::default(),
                    NOW,
                    &mut draw,
                )
                .unwrap();
        }
        let error = registry
            .acquire(&conf, &attrs("1.0.0.4"), Previous::default(), NOW, &mut draw)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "out of subnets: no subnet of length 30 is free from 10.3.0.4 to 10.3.0.12"
        );
        assert_eq!(registry.count_free(&conf.ipv4.unwrap()), 0);
    }

    #[test]
    fn without_ipv4_there_is_no_lease() {
        let conf =
            ranges(r#"{"EnableIPv4": false, "EnableIPv6": true, "IPv6Network": "fc00::/48"}"#);
        let got = LeaseRegistry::default().acquire(
            &conf,
            &attrs("1.0.0.4"),
            Previous::default(),
            NOW,
            &mut Draw::new(1),
        );
        assert_eq!(got, Err(OverlayError::EtcdNeedsIpv4));
    }

    #[test]
    fn a_margin_is_from_a_minute_to_a_day() {
        for minutes in [0, 1440] {
            assert_eq!(RenewMargin::new(minutes), Err(OverlayError::RenewMargin { minutes }));
        }
        assert_eq!(
            RenewMargin::new(1439).unwrap().renew_at(Expiration::At(NOW)),
            Some(NOW - 1439 * 60)
        );
    }
}
