//! Leases in etcd against a model that does what flannel does: walk over all subnets, and for each
//! over all leases.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use bayplan_overlay::{
    Draw, Expiration, LeaseAttrs, LeaseRegistry, NetConf, OverlayError, Previous, SUBNET_TTL,
    SubnetKey, SubnetRanges,
};
use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

fn attrs(node: u8) -> LeaseAttrs {
    LeaseAttrs { public_ip: Ipv4Addr::new(192, 0, 2, node), ..LeaseAttrs::default() }
}

/// Leases as a list in the order of their keys as text.
#[derive(Default)]
struct Model(Vec<(SubnetKey, Ipv4Addr, Expiration)>);

impl Model {
    fn put(&mut self, key: SubnetKey, ip: Ipv4Addr, expiration: Expiration) {
        self.0.retain(|(other, ..)| *other != key);
        self.0.push((key, ip, expiration));
        self.0.sort_by_key(|(key, ..)| key.to_string());
    }

    fn free(&self, nets: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
        let free = |net: &IpNet| {
            !self.0.iter().any(|(key, ..)| {
                overlap(&key.subnet.into(), net)
                    || key.ipv6_subnet.is_some_and(|other| overlap(&other.into(), net))
            })
        };
        nets.filter(free).take(100).collect()
    }

    fn acquire(
        &mut self,
        ranges: &SubnetRanges,
        node: u8,
        previous: Previous,
        now: u64,
        draw: &mut Draw,
    ) -> Option<SubnetKey> {
        let ip = attrs(node).public_ip;
        self.0.retain(|(_, _, expiration)| *expiration > Expiration::At(now));
        let (ipv4, ipv6) = (ranges.ipv4.unwrap(), ranges.ipv6);
        let fits = |key: &SubnetKey| {
            let six = match (ipv6, key.ipv6_subnet) {
                (None, None) => true,
                (Some(range), Some(net)) => {
                    net.prefix_len() == range.subnet_len
                        && (range.subnet_min..=range.subnet_max)
                            .contains(&std::net::IpAddr::V6(net.addr()))
                }
                _ => false,
            };
            let four = (ipv4.subnet_min..=ipv4.subnet_max)
                .contains(&std::net::IpAddr::V4(key.subnet.addr()));
            six && four && key.subnet.prefix_len() == ipv4.subnet_len
        };
        let own = self.0.iter().find(|(_, other, _)| *other == ip).copied();
        if let Some((key, _, expiration)) = own.filter(|(key, ..)| fits(key)) {
            let expiration = if expiration == Expiration::Never {
                expiration
            } else {
                Expiration::At(now + SUBNET_TTL)
            };
            self.put(key, ip, expiration);
            return Some(key);
        }
        let before =
            previous.subnet.map(|subnet| SubnetKey { subnet, ipv6_subnet: previous.ipv6_subnet });
        let before = before.filter(|key| {
            fits(key) && !self.0.iter().any(|(other, ..)| other.subnet == key.subnet)
        });
        let key = if let Some(key) = before {
            key
        } else {
            let nets = |range: bayplan_overlay::SubnetRange| {
                let all = range.network.subnets(range.subnet_len).unwrap();
                all.filter(move |net| (range.subnet_min..=range.subnet_max).contains(&net.addr()))
            };
            let free = self.free(nets(ipv4));
            let free_v6 = ipv6.map(|range| self.free(nets(range)));
            if free.is_empty() || free_v6.as_ref().is_some_and(Vec::is_empty) {
                return None;
            }
            let IpNet::V4(subnet) = free[draw.below(free.len())] else { panic!() };
            let ipv6_subnet = free_v6.map(|free| match free[draw.below(free.len())] {
                IpNet::V6(net) => net,
                IpNet::V4(_) => panic!(),
            });
            SubnetKey { subnet, ipv6_subnet }
        };
        if let Some((own, ..)) = own {
            self.0.retain(|(other, ..)| *other != own);
        }
        self.put(key, ip, Expiration::At(now + SUBNET_TTL));
        Some(key)
    }
}

#[derive(Debug, Clone)]
enum Op {
    Acquire { node: u8, previous: Option<u8>, conf: bool },
    Put { third: u8, len: u8, node: u8, reserved: bool },
    Reserve(prop::sample::Index),
    Revoke(prop::sample::Index),
    Renew(prop::sample::Index),
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..30_u8, prop::option::of(0..20_u8), prop::bool::weighted(0.9)).prop_map(|(node, previous, conf)| Op::Acquire { node, previous, conf }),
        2 => (0..20_u8, 20..30_u8, 0..30_u8, any::<bool>()).prop_map(|(third, len, node, reserved)| Op::Put { third, len, node, reserved }),
        1 => any::<prop::sample::Index>().prop_map(Op::Reserve),
        1 => any::<prop::sample::Index>().prop_map(Op::Revoke),
        1 => any::<prop::sample::Index>().prop_map(Op::Renew),
        1 => (0..2 * SUBNET_TTL).prop_map(Op::Wait),
    ]
}

fn ranges(text: &str) -> SubnetRanges {
    NetConf::parse(text.as_bytes()).unwrap().ranges().unwrap()
}

proptest! {
    #[test]
    fn grants_what_the_model_grants(ops in prop::collection::vec(op(), 1..60), seed in any::<u64>(), dual in any::<bool>()) {
        let v6 = if dual { r#", "EnableIPv6": true, "IPv6Network": "fc00::/60""# } else { "" };
        let confs = [
            ranges(&format!(r#"{{"Network": "10.3.0.0/16", "SubnetMax": "10.3.15.0"{v6}}}"#)),
            ranges(&format!(r#"{{"Network": "10.3.0.0/20", "SubnetLen": 25{v6}}}"#)),
        ];
        let (mut registry, mut model, mut now) = (LeaseRegistry::default(), Model::default(), 1_700_000_000);
        let (mut draw, mut model_draw) = (Draw::new(seed), Draw::new(seed));
        for op in ops {
            let at = |index: prop::sample::Index, model: &Model| (!model.0.is_empty()).then(|| model.0[index.index(model.0.len())]);
            match op {
                Op::Acquire { node, previous, conf } => {
                    let previous = Previous {
                        subnet: previous.map(|third| Ipv4Net::new(Ipv4Addr::new(10, 3, third, 0), 24).unwrap()),
                        ipv6_subnet: previous.filter(|_| dual).map(|third| format!("fc00:0:0:{third:x}::/64").parse().unwrap()),
                    };
                    let conf = &confs[usize::from(!conf)];
                    let got = registry.acquire(conf, &attrs(node), previous, now, &mut draw);
                    let expected = model.acquire(conf, node, previous, now, &mut model_draw);
                    if let (Ok(got), Some(before)) = (&got, previous.subnet)
                        && got.key.subnet == before
                    {
                        // flannel looks for a lease of just that subnet: the one before may overlap
                        // another
                        prop_assert_eq!(Some(got.key), expected);
                    } else if let Ok(got) = &got && got.origin == bayplan_overlay::Origin::Allocated {
                        let others = registry.iter().filter(|(key, _)| **key != got.key);
                        let net = IpNet::V4(got.key.subnet);
                        for (other, _) in others {
                            prop_assert!(!overlap(&net, &other.subnet.into()), "{} {}", got.key, other);
                        }
                    }
                    match got {
                        Ok(got) => prop_assert_eq!(Some(got.key), expected),
                        Err(error) => {
                            prop_assert_eq!(expected, None);
                            let exhausted = matches!(error, OverlayError::OutOfSubnets { .. });
                            prop_assert!(exhausted, "{}", error);
                        }
                    }
                }
                Op::Put { third, len, node, reserved } => {
                    let subnet = Ipv4Net::new(Ipv4Addr::new(10, 3, third, 0), len).unwrap();
                    let ipv6_subnet = Some(third).filter(|third| dual && third % 3 > 0).map(|third| format!("fc00:0:0:{third:x}::/{}", 40 + len).parse().unwrap());
                    let key = SubnetKey { subnet, ipv6_subnet };
                    let expiration = if reserved { Expiration::Never } else { Expiration::At(now + 1000) };
                    registry.put(key, attrs(node), expiration);
                    model.put(key, attrs(node).public_ip, expiration);
                }
                Op::Reserve(index) => if let Some((key, ip, _)) = at(index, &model) {
                    registry.reserve(&key).unwrap();
                    model.put(key, ip, Expiration::Never);
                },
                Op::Revoke(index) => if let Some((key, ..)) = at(index, &model) {
                    registry.revoke(&key).unwrap();
                    model.0.retain(|(other, ..)| *other != key);
                },
                Op::Renew(index) => if let Some((key, ip, _)) = at(index, &model) {
                    let lease = registry.get(&key).unwrap().clone();
                    let end = registry.renew(key, lease.attrs, now);
                    prop_assert_eq!(end, now + SUBNET_TTL);
                    model.put(key, ip, Expiration::At(end));
                },
                Op::Wait(seconds) => {
                    now += seconds;
                    let ended = registry.expire(now).len();
                    let before = model.0.len();
                    model.0.retain(|(_, _, expiration)| *expiration > Expiration::At(now));
                    prop_assert_eq!(ended, before - model.0.len());
                }
            }
            let held: Vec<_> = registry.iter().map(|(key, lease)| (*key, lease.attrs.public_ip, lease.expiration)).collect();
            prop_assert_eq!(&held, &model.0);
            for conf in &confs {
                let range = conf.ipv4.unwrap();
                let all = range.network.subnets(range.subnet_len).unwrap().filter(|net| (range.subnet_min..=range.subnet_max).contains(&net.addr()));
                let free = all.filter(|net| !model.0.iter().any(|(key, ..)| overlap(&key.subnet.into(), net))).count();
                prop_assert_eq!(registry.count_free(&range), free as u128);
            }
        }
    }

    #[test]
    fn values_go_there_and_back(vni in any::<u32>(), mac in any::<[u8; 6]>(), ip in any::<u32>(), v6 in prop::option::of(any::<u128>())) {
        let mac = bayplan_overlay::MacAddr::new(mac);
        let v6 = v6.map(|bits| (bits.into(), mac));
        let attrs = LeaseAttrs::vxlan(vni, Some((ip.into(), mac)), v6);
        prop_assert_eq!(LeaseAttrs::parse(attrs.to_json().as_bytes()), Ok(attrs));
    }

    #[test]
    fn keys_go_there_and_back(ip in any::<u32>(), len in 0..32_u8, v6 in prop::option::of((any::<u128>(), 0..128_u8))) {
        let key = SubnetKey {
            subnet: Ipv4Net::new(ip.into(), len).unwrap(),
            ipv6_subnet: v6.map(|(bits, len)| ipnet::Ipv6Net::new(bits.into(), len).unwrap()),
        };
        prop_assert_eq!(key.to_string().parse(), Ok(key));
        prop_assert_eq!(format!("/coreos.com/network/subnets/{key}").parse(), Ok(key));
    }
}

#[test]
fn a_hundred_thousand_nodes_get_subnets_in_a_moment() {
    let conf = ranges(r#"{"Network": "10.0.0.0/8", "SubnetLen": 25}"#);
    let (mut registry, mut draw) = (LeaseRegistry::default(), Draw::new(1));
    let mut subnets = BTreeSet::new();
    for node in 0..100_000_u32 {
        let attrs = LeaseAttrs { public_ip: (0xc000_0000 + node).into(), ..LeaseAttrs::default() };
        let got = registry.acquire(&conf, &attrs, Previous::default(), 0, &mut draw).unwrap();
        subnets.insert(got.key.subnet);
    }
    assert_eq!(subnets.len(), 100_000);
    assert_eq!(registry.count_free(&conf.ipv4.unwrap()), conf.ipv4.unwrap().subnets() - 100_000);
    let highest = u32::from(subnets.last().unwrap().addr()) - 0x0a00_0000;
    assert!(highest < (100_000 + 101) * 128, "the choice is among the first that are free");
}
