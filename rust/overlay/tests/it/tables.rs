//! What nodes program for each other.

use std::collections::BTreeSet;

use bayplan_overlay::{
    Daemon, Entry, EntryKey, Family, LeaseEvent, Overlay, SubnetEnv, Tables, difference,
    vxlan_device_mtu,
};
use proptest::prelude::*;

use crate::cluster::{any_conf, conf, node, overlay, plain, spec};

/// The commands by which a node programs another one, in order.
fn commands(overlay: &Overlay, local: &str) -> Vec<String> {
    overlay
        .table(local)
        .unwrap()
        .flat_map(|programmed| programmed.entries)
        .map(|entry| entry.set_command())
        .collect()
}

#[test]
fn a_vxlan_node_programs_neighbour_fdb_and_route_in_this_order() {
    let overlay = overlay(&conf(0, 3), &[plain(0), plain(1)]);
    assert_eq!(
        commands(&overlay, "node-0"),
        [
            "ip neigh replace 10.244.1.0 lladdr 02:01:00:00:00:02 dev flannel.1 nud permanent",
            "bridge fdb replace 02:01:00:00:00:02 dev flannel.1 dst 192.168.0.8 self permanent",
            "ip route replace 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink",
            "ip -6 neigh replace fd00:10:0:1:: lladdr 02:02:00:00:00:02 dev flannel-v6.1 nud permanent",
            "bridge fdb replace 02:02:00:00:00:02 dev flannel-v6.1 dst fd01::8 self permanent",
            "ip -6 route replace fd00:10:0:1::/64 via fd00:10:0:1:: dev flannel-v6.1 onlink",
        ]
    );
    let links: Vec<String> = overlay
        .links(overlay.node("node-0").unwrap())
        .iter()
        .flat_map(bayplan_overlay::Link::commands)
        .collect();
    assert_eq!(
        links,
        [
            "ip link add flannel.1 mtu 1450 address 02:01:00:00:00:01 type vxlan id 1 local 192.168.0.1 dev eth0 dstport 8472 nolearning",
            "sysctl -w net/ipv6/conf/flannel.1/accept_ra=0",
            "ip addr add 10.244.0.0/32 dev flannel.1",
            "ip link set flannel.1 up",
            "ip link add flannel-v6.1 mtu 1430 address 02:02:00:00:00:01 type vxlan id 1 local fd01::1 dev eth0 dstport 8472 nolearning",
            "sysctl -w net/ipv6/conf/flannel-v6.1/accept_ra=0",
            "ip -6 addr add fd00:10::/128 dev flannel-v6.1",
            "ip link set flannel-v6.1 up",
        ]
    );
    let env = SubnetEnv::of(&overlay, overlay.node("node-1").unwrap(), true);
    assert_eq!(
        env.to_string(),
        "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_IPV6_NETWORK=fd00:10::/48\n\
         FLANNEL_IPV6_SUBNET=fd00:10:0:1::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
    );
}

#[test]
fn other_backends_program_what_theirs_do() {
    // node 1 shares a segment with node 0, node 20 does not
    for (backend, expected) in [
        (
            1,
            vec![
                "ip route replace 10.244.1.0/24 via 192.168.0.8",
                "ip neigh replace 10.244.20.0 lladdr 02:01:00:00:00:15 dev flannel.7 nud permanent",
                "bridge fdb replace 02:01:00:00:00:15 dev flannel.7 dst 192.168.1.41 self permanent",
                "ip route replace 10.244.20.0/24 via 10.244.20.0 dev flannel.7 onlink",
            ],
        ),
        (
            2,
            vec![
                "ip route replace 10.244.1.0/24 via 192.168.0.8 dev eth0",
                "ip route replace 10.244.20.0/24 via 192.168.1.41 dev eth0",
            ],
        ),
        (
            3,
            vec![
                "ip route replace 10.244.1.0/24 via 192.168.0.8 dev eth0 onlink",
                "ip route replace 10.244.20.0/24 via 192.168.1.41 dev flannel.ipip onlink",
            ],
        ),
        (
            4,
            vec![
                "wg set flannel-wg peer key2 endpoint 192.168.0.8:51820 allowed-ips 10.244.1.0/24",
                "ip route replace 10.244.0.0/16 dev flannel-wg scope link",
                "wg set flannel-wg peer key21 endpoint 192.168.1.41:51820 allowed-ips 10.244.20.0/24",
                "ip route replace 10.244.0.0/16 dev flannel-wg scope link",
            ],
        ),
        (
            6,
            vec![
                "# flanneld: 10.244.1.0/24 to 192.168.0.8:8285",
                "# flanneld: 10.244.20.0/24 to 192.168.1.41:8285",
            ],
        ),
    ] {
        let overlay = overlay(&conf(backend, 1), &[plain(0), plain(1), plain(20)]);
        assert_eq!(commands(&overlay, "node-0"), expected, "{backend}");
    }
}

#[test]
fn the_kernel_cuts_an_mtu_that_does_not_fit() {
    for (requested, interface, family, mtu) in [
        (1450, 1500, Family::Ipv4, 1450),
        (1450, 1500, Family::Ipv6, 1430),
        (1500, 1500, Family::Ipv4, 1450),
        (1300, 1500, Family::Ipv6, 1300),
        (0, 1500, Family::Ipv4, 1450),
        (-30, 1500, Family::Ipv6, 1430),
        (1450, 60, Family::Ipv6, 68),
    ] {
        assert_eq!(vxlan_device_mtu(requested, interface, family), mtu);
    }
}

/// Whether a route through a VXLAN device leads to a neighbour, and that to a forwarding entry.
fn leads_somewhere(tables: &Tables, entry: &Entry) -> bool {
    let Entry::Route { via: Some(via), device: Some(device), .. } = entry else { return true };
    if !device.starts_with("flannel.1")
        && !device.starts_with("flannel.7")
        && !device.starts_with("flannel-v6.")
    {
        return true;
    }
    let neighbour = tables.get(&EntryKey::Neighbour(device.clone(), *via));
    let Some(Entry::Neighbour { mac, .. }) = neighbour else { return false };
    tables.get(&EntryKey::Fdb(device.clone(), *mac)).is_some()
}

proptest! {
    #[test]
    fn tables_are_consistent(conf in any_conf(), specs in prop::collection::vec(any::<u8>(), 2..12).prop_flat_map(|numbers| {
        let numbers: BTreeSet<u8> = numbers.into_iter().collect();
        numbers.into_iter().map(|number| spec(number.into())).collect::<Vec<_>>()
    })) {
        let overlay = overlay(&conf, &specs);
        for local in overlay.nodes() {
            let (tables, findings) = overlay.tables(&local.name).unwrap();
            let mut passed_over = 0;
            for programmed in overlay.table(&local.name).unwrap() {
                passed_over += usize::from(programmed.finding.is_some());
                // each node that is not passed over is reached in every family
                if programmed.finding.is_none() && !matches!(overlay.backend(), bayplan_overlay::Backend::Udp { .. }) {
                    for &family in overlay.families() {
                        let subnet = programmed.node.lease.subnet_of(family).unwrap();
                        prop_assert!(tables.route(subnet.addr()).is_some(), "{subnet}");
                    }
                }
            }
            prop_assert_eq!(findings.len(), passed_over);
            for entry in tables.iter() {
                prop_assert!(leads_somewhere(&tables, entry), "{entry}");
                if let Entry::Fdb { device, mac, .. } = entry {
                    let known = tables.iter().any(|other| matches!(other, Entry::Neighbour { device: on, mac: of, .. } if on == device && of == mac));
                    prop_assert!(known, "{entry}");
                }
            }
            // nothing leads to the node itself
            for &family in overlay.families() {
                let own = local.lease.subnet_of(family).unwrap();
                prop_assert!(tables.get(&EntryKey::Route(own)).is_none());
            }
        }
    }

    #[test]
    fn a_difference_makes_the_new_tables(conf in any_conf(), old in prop::collection::vec(spec(1), 1..2), a in spec(2), b in spec(2), c in spec(3)) {
        let before = overlay(&conf, &[plain(0), old[0], a]);
        let after = overlay(&conf, &[plain(0), b, c]);
        let (mut tables, new) = (before.tables("node-0").unwrap().0, after.tables("node-0").unwrap().0);
        let steps = difference(&tables, &new);
        for step in &steps {
            step.apply(&mut tables);
        }
        prop_assert_eq!(&tables, &new);
        prop_assert_eq!(difference(&tables, &new), Vec::new());
    }

    #[test]
    fn flannels_own_steps_make_its_tables(conf in any_conf(), events in prop::collection::vec((1..5_u16, any::<bool>(), 0..600_u16, 1..40_u16, prop::bool::weighted(0.1)), 1..20)) {
        let overlay = overlay(&conf, &[plain(0)]);
        let mut daemon = Daemon::new(&overlay, "node-0").unwrap();
        let mut present = std::collections::BTreeMap::new();
        let mut tables = Tables::default();
        let mut changed = false;
        for (number, gone, public, mac, other_backend) in events {
            let spec = crate::cluster::Spec { number, public, mac: number * 100 + mac, other_backend };
            let node = node(&conf, spec);
            let event = if gone {
                present.remove(&number);
                LeaseEvent::Removed(node.lease)
            } else {
                changed |= present.insert(number, spec).is_some_and(|before| before != spec);
                LeaseEvent::Added(node.lease)
            };
            for step in daemon.update(event).steps {
                step.apply(&mut tables);
            }
        }
        prop_assert_eq!(&tables, daemon.tables());
        // the tables hold what a node that starts now would program, and what was left behind
        let specs: Vec<_> = [plain(0)].into_iter().chain(present.into_values()).collect();
        let fresh = crate::cluster::overlay(&conf, &specs).tables("node-0").unwrap().0;
        let stale = daemon.stale();
        for entry in fresh.iter() {
            prop_assert_eq!(tables.get(&entry.key()), Some(entry));
        }
        let network_routes = stale.iter().filter(|entry| matches!(entry, Entry::Route { via: None, .. })).count();
        prop_assert_eq!(tables.len(), fresh.len() + stale.len());
        if !changed {
            prop_assert_eq!(stale.len(), network_routes, "{:?}", stale);
        }
    }
}

#[test]
fn a_changed_hardware_address_leaves_the_old_forwarding_entry_behind() {
    let overlay = overlay(&conf(0, 1), &[plain(0)]);
    let mut daemon = Daemon::new(&overlay, "node-0").unwrap();
    let (old, new) = (plain(1), crate::cluster::Spec { mac: 99, ..plain(1) });
    let lease = |spec| node(overlay.conf(), spec).lease;
    daemon.update(LeaseEvent::Added(lease(old)));
    assert_eq!(daemon.stale(), []);
    let change = daemon.update(LeaseEvent::Added(lease(new)));
    assert_eq!(change.steps.len(), 3);
    let stale: Vec<String> = daemon.stale().iter().map(Entry::delete_command).collect();
    assert_eq!(stale, ["bridge fdb del 02:01:00:00:00:02 dev flannel.1 dst 192.168.0.8 self"]);
    // a change of backend is not acted on, and then the node does not go away either
    let other = crate::cluster::Spec { other_backend: true, ..new };
    let change = daemon.update(LeaseEvent::Added(lease(other)));
    assert_eq!((change.steps.len(), change.findings.len()), (0, 1));
    let change = daemon.update(LeaseEvent::Removed(lease(new)));
    assert_eq!((change.steps.len(), change.findings.len()), (0, 1));
    assert_eq!(daemon.stale().len(), 4);
}

#[test]
fn a_node_that_leaves_is_removed_as_it_was_known() {
    let overlay = overlay(&conf(0, 1), &[plain(0)]);
    let mut daemon = Daemon::new(&overlay, "node-0").unwrap();
    let lease = |spec| node(overlay.conf(), spec).lease;
    daemon.update(LeaseEvent::Added(lease(plain(1))));
    let unheard = crate::cluster::Spec { mac: 77, ..plain(1) };
    let steps: Vec<String> = daemon
        .update(LeaseEvent::Removed(lease(unheard)))
        .steps
        .iter()
        .map(bayplan_overlay::Step::command)
        .collect();
    assert_eq!(
        steps,
        [
            "ip neigh del 10.244.1.0 lladdr 02:01:00:00:00:02 dev flannel.1",
            "bridge fdb del 02:01:00:00:00:02 dev flannel.1 dst 192.168.0.8 self",
            "ip route del 10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink",
        ]
    );
    assert!(daemon.tables().is_empty());
}

#[test]
fn a_whole_list_adds_what_is_new_and_removes_what_is_missing() {
    let overlay = overlay(&conf(0, 1), &[plain(0)]);
    let mut daemon = Daemon::new(&overlay, "node-0").unwrap();
    let lease = |spec| node(overlay.conf(), spec).lease;
    daemon.reset(&[lease(plain(0)), lease(plain(1)), lease(plain(2))]);
    assert_eq!(daemon.tables().len(), 6);
    // node 2 changed meanwhile, which a list does not bring to light
    let change = daemon.reset(&[
        lease(plain(0)),
        lease(crate::cluster::Spec { mac: 50, ..plain(2) }),
        lease(plain(3)),
    ]);
    // node 3 comes, the node itself and node 1 go: of itself there is nothing to delete
    assert_eq!(change.steps.len(), 9);
    assert_eq!(daemon.tables().len(), 6);
    assert!(
        daemon
            .tables()
            .get(&EntryKey::Fdb("flannel.1".into(), "02:01:00:00:00:03".parse().unwrap()))
            .is_some()
    );
}
