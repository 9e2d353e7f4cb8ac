//! Any bytes in: a value or an error, never a panic.

use bayplan_overlay::{
    Annotations, Backend, BackendType, LeaseAttrs, LeaseRegistry, MacAddr, NetConf, SubnetEnv,
    SubnetKey, VxlanData, WireguardData,
};
use proptest::prelude::*;

fn read_all(bytes: &[u8]) {
    if let Ok(conf) = NetConf::parse(bytes) {
        drop(conf.backend());
        if let Ok(ranges) = conf.ranges() {
            for range in ranges.ipv4.iter().chain(&ranges.ipv6) {
                assert!(range.subnets() > 0 || range.subnet_max < range.subnet_min);
                assert_eq!(LeaseRegistry::default().count_free(range), range.subnets());
            }
        }
    }
    if let Ok(attrs) = LeaseAttrs::parse(bytes) {
        let again = LeaseAttrs::parse(attrs.to_json().as_bytes()).expect("what is written is read");
        assert_eq!(again.to_json(), attrs.to_json());
    }
    if let Ok(data) = VxlanData::parse(bytes)
        && data.vtep_mac.is_some()
    {
        assert_eq!(VxlanData::parse(data.to_json().as_bytes()), Ok(data));
    }
    drop(WireguardData::parse(bytes));
    let text = String::from_utf8_lossy(bytes);
    for kind in BackendType::ALL {
        drop(Backend::parse(kind.as_str(), Some(&text)));
    }
    if let Ok(key) = text.parse::<SubnetKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    if let Ok(env) = text.parse::<SubnetEnv>() {
        assert_eq!(env.to_string().parse(), Ok(env));
    }
    drop(text.parse::<MacAddr>());
    drop(Annotations::new(&text));
}

const SEEDS: [&str; 6] = [
    r#"{"Network": "10.3.0.0/16", "SubnetLen": 24, "SubnetMin": "10.3.1.0", "SubnetMax": "10.3.25.0", "Backend": {"Type": "vxlan", "VNI": 1, "Port": 0}}"#,
    r#"{"EnableIPv6": true, "EnableIPv4": false, "IPv6Network": "fc00::/48", "IPv6SubnetLen": 64, "IPv6SubnetMax": "fc00:0:0:f::"}"#,
    r#"{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}"#,
    "10.12.13.0-24&fd00:12:13::-56",
    "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.52.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
    r#"{"Type": "wireguard", "Mode": "auto", "ListenPort": 51820, "PersistentKeepaliveInterval": 25}"#,
];

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        read_all(&bytes);
    }

    #[test]
    fn mutated_texts(
        seed in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<u8>()), 0_usize..6), 1..5),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, cut) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, byte);
        }
        read_all(&bytes);
    }

    #[test]
    fn numbers_of_any_size(len in any::<u64>(), prefix in 0_u8..=128, v6 in any::<bool>()) {
        let text = if v6 {
            format!(r#"{{"EnableIPv4": false, "EnableIPv6": true, "IPv6Network": "fc00::/{prefix}", "IPv6SubnetLen": {}}}"#, len % 200)
        } else {
            format!(r#"{{"Network": "10.0.0.0/{prefix}", "SubnetLen": {len}}}"#)
        };
        read_all(text.as_bytes());
    }
}
