//! `NetConf`: flannel's `net-conf.json`, read and checked as flannel does.
//!
//! Follows `pkg/subnet/config.go` of flannel at cdf76059 (v0.28.9 and eight commits). With
//! `--kube-subnet-mgr` flannel reads the file and checks nothing of it but the types
//! ([`NetConf::parse`]); with leases in etcd it also demands that the ranges make sense, and fills
//! in what is absent ([`NetConf::ranges`]). In both modes a family must be enabled and the backend
//! known ([`NetConf::families`], [`NetConf::backend`]).
//!
//! | key | default | rule, with leases in etcd |
//! |---|---|---|
//! | `Network`, `IPv6Network` | none | required when the family is enabled |
//! | `EnableIPv4`, `EnableIPv6`, `EnableNFTables` | true, false, false | |
//! | `SubnetLen` | 24 if the network's prefix is 22 or shorter, else 2 longer than it | at most 30, 2 longer than the network's prefix |
//! | `IPv6SubnetLen` | 64 if 62 or shorter, else 2 longer | at most 126, 2 longer |
//! | `SubnetMin`, `SubnetMax`, `IPv6SubnetMin`, `IPv6SubnetMax` | second and last subnet | in the network, first address of a subnet |
//! | `Backend` | the backend `udp` (flannel's documentation says `vxlan`) | |

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::error::{ConfigProblem, OverlayError};
use crate::family::{Family, from_bits, to_bits};
use crate::json::{self, Faults, names};
use crate::{Backend, BackendType};

/// The network configuration as written, before defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetConf {
    /// `EnableIPv4`.
    pub enable_ipv4: bool,
    /// `EnableIPv6`.
    pub enable_ipv6: bool,
    /// `EnableNFTables`: masquerade with nftables instead of iptables.
    pub enable_nftables: bool,
    /// `Network`; none also for `0.0.0.0/0`, which flannel takes for absent.
    pub network: Option<Ipv4Net>,
    /// `IPv6Network`; none also for `::/0`.
    pub ipv6_network: Option<Ipv6Net>,
    /// `SubnetMin`; none also for `0.0.0.0`.
    pub subnet_min: Option<Ipv4Addr>,
    /// `SubnetMax`; none also for `0.0.0.0`.
    pub subnet_max: Option<Ipv4Addr>,
    /// `IPv6SubnetMin`; none also for `::`.
    pub ipv6_subnet_min: Option<Ipv6Addr>,
    /// `IPv6SubnetMax`; none also for `::`.
    pub ipv6_subnet_max: Option<Ipv6Addr>,
    /// `SubnetLen`; 0 when absent.
    pub subnet_len: u64,
    /// `IPv6SubnetLen`; 0 when absent.
    pub ipv6_subnet_len: u64,
    /// `Backend.Type` as written; `udp` when there is no `Backend`.
    pub backend_type: String,
    /// `Backend` as written; none when there is none.
    pub backend: Option<String>,
}

impl Default for NetConf {
    /// What flannel makes of `{}`.
    fn default() -> Self {
        Self {
            enable_ipv4: true,
            enable_ipv6: false,
            enable_nftables: false,
            network: None,
            ipv6_network: None,
            subnet_min: None,
            subnet_max: None,
            ipv6_subnet_min: None,
            ipv6_subnet_max: None,
            subnet_len: 0,
            ipv6_subnet_len: 0,
            backend_type: BackendType::Udp.as_str().into(),
            backend: None,
        }
    }
}

/// From where to where subnets of one family are leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnetRange {
    /// The network.
    pub network: IpNet,
    /// Prefix length of a subnet.
    pub subnet_len: u8,
    /// First address of the first subnet.
    pub subnet_min: IpAddr,
    /// First address of the last subnet; below `subnet_min` when the configuration says so, and
    /// then there is none.
    pub subnet_max: IpAddr,
}

impl SubnetRange {
    /// Family of the addresses.
    pub fn family(&self) -> Family {
        Family::of_net(&self.network)
    }

    /// How many subnets there are from the first to the last.
    pub fn subnets(&self) -> u128 {
        let size = Family::of_net(&self.network).block(self.subnet_len);
        match to_bits(self.subnet_max).checked_sub(to_bits(self.subnet_min)) {
            Some(span) => span.checked_div(size).unwrap_or(0).saturating_add(1),
            None => 0,
        }
    }

    /// Whether flannel keeps a lease of `subnet` under this configuration (`isSubnetConfigCompat`):
    /// its length, and an address from the first to the last.
    pub fn is_compatible(&self, subnet: &IpNet) -> bool {
        Family::of_net(subnet) == self.family()
            && subnet.prefix_len() == self.subnet_len
            && (self.subnet_min..=self.subnet_max).contains(&subnet.addr())
    }
}

/// The ranges from which subnets are leased in etcd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnetRanges {
    /// Of IPv4, when enabled.
    pub ipv4: Option<SubnetRange>,
    /// Of IPv6, when enabled.
    pub ipv6: Option<SubnetRange>,
}

/// What the rules of the two families differ in.
struct Rules {
    family: Family,
    network: &'static str,
    too_small: &'static str,
    subnet_len: &'static str,
    subnet_min: &'static str,
    subnet_max: &'static str,
    /// The length that hosts get where the network is large enough.
    usual_len: u8,
}

const IPV4: Rules = Rules {
    family: Family::Ipv4,
    network: "Network",
    too_small: "network",
    subnet_len: "SubnetLen",
    subnet_min: "SubnetMin",
    subnet_max: "SubnetMax",
    usual_len: 24,
};

const IPV6: Rules = Rules {
    family: Family::Ipv6,
    network: "IPv6Network",
    too_small: "IPv6Network",
    subnet_len: "IPv6SubnetLen",
    subnet_min: "IPv6SubnetMin",
    subnet_max: "IPv6SubnetMax",
    usual_len: 64,
};

impl NetConf {
    /// Reads the configuration as `ParseConfig` does; nothing but types is checked.
    ///
    /// # Errors
    /// The text is not JSON, or a field has a value of another type.
    pub fn parse(text: &[u8]) -> Result<Self, OverlayError> {
        let mut conf = Self::default();
        let mut faults = Faults::default();
        for json::Member { name, value } in json::members(text, "net-conf.json")? {
            match () {
                () if names(&name, "EnableIPv4") => {
                    faults.bool("EnableIPv4", value, &mut conf.enable_ipv4);
                }
                () if names(&name, "EnableIPv6") => {
                    faults.bool("EnableIPv6", value, &mut conf.enable_ipv6);
                }
                () if names(&name, "EnableNFTables") => {
                    faults.bool("EnableNFTables", value, &mut conf.enable_nftables);
                }
                () if names(&name, "Network") => {
                    conf.network = Some(json::ipv4_net("Network", value)?);
                }
                () if names(&name, "IPv6Network") => {
                    conf.ipv6_network = Some(json::ipv6_net("IPv6Network", value)?);
                }
                () if names(&name, "SubnetMin") => {
                    conf.subnet_min = Some(json::ipv4("SubnetMin", value)?);
                }
                () if names(&name, "SubnetMax") => {
                    conf.subnet_max = Some(json::ipv4("SubnetMax", value)?);
                }
                () if names(&name, "IPv6SubnetMin") => {
                    conf.ipv6_subnet_min = json::ipv6("IPv6SubnetMin", value)?;
                }
                () if names(&name, "IPv6SubnetMax") => {
                    conf.ipv6_subnet_max = json::ipv6("IPv6SubnetMax", value)?;
                }
                () if names(&name, "SubnetLen") => {
                    faults.uint("SubnetLen", value, &mut conf.subnet_len);
                }
                () if names(&name, "IPv6SubnetLen") => {
                    faults.uint("IPv6SubnetLen", value, &mut conf.ipv6_subnet_len);
                }
                () if names(&name, "Backend") => {
                    conf.backend = Some(String::from_utf8_lossy(value).into_owned());
                }
                () => {}
            }
        }
        faults.done()?;
        conf.network = conf.network.filter(|net| net.prefix_len() > 0);
        conf.ipv6_network = conf.ipv6_network.filter(|net| net.prefix_len() > 0);
        conf.subnet_min = conf.subnet_min.filter(|address| !address.is_unspecified());
        conf.subnet_max = conf.subnet_max.filter(|address| !address.is_unspecified());
        conf.ipv6_subnet_min = conf.ipv6_subnet_min.filter(|address| !address.is_unspecified());
        conf.ipv6_subnet_max = conf.ipv6_subnet_max.filter(|address| !address.is_unspecified());
        if let Some(backend) = &conf.backend {
            // a Backend without a Type, or of null, is one whose type is empty
            let (mut backend_type, mut faults) = (String::new(), Faults::default());
            for member in json::members(backend.as_bytes(), "Backend")? {
                if names(&member.name, "Type") {
                    faults.string("Backend.Type", member.value, &mut backend_type);
                }
            }
            faults.done()?;
            conf.backend_type = backend_type;
        }
        Ok(conf)
    }

    /// The enabled families, IPv4 first.
    ///
    /// # Errors
    /// There is none (`ipmatch.GetIPFamily`).
    pub fn families(&self) -> Result<&'static [Family], OverlayError> {
        match (self.enable_ipv4, self.enable_ipv6) {
            (true, true) => Ok(&[Family::Ipv4, Family::Ipv6]),
            (true, false) => Ok(&[Family::Ipv4]),
            (false, true) => Ok(&[Family::Ipv6]),
            (false, false) => Err(OverlayError::Config {
                field: "EnableIPv4",
                value: "false".into(),
                problem: ConfigProblem::NoFamily,
            }),
        }
    }

    /// Whether a family is enabled.
    pub const fn enables(&self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.enable_ipv4,
            Family::Ipv6 => self.enable_ipv6,
        }
    }

    /// The network of a family, enabled or not.
    pub fn network_of(&self, family: Family) -> Option<IpNet> {
        match family {
            Family::Ipv4 => self.network.map(IpNet::V4),
            Family::Ipv6 => self.ipv6_network.map(IpNet::V6),
        }
    }

    /// The backend with its settings and their defaults.
    ///
    /// # Errors
    /// flannel has no such backend, or a setting has a value of another type or out of range.
    pub fn backend(&self) -> Result<Backend, OverlayError> {
        Backend::parse(&self.backend_type, self.backend.as_deref())
    }

    /// The ranges from which subnets are leased, as `CheckNetworkConfig` checks and completes them;
    /// for leases in etcd only.
    ///
    /// # Errors
    /// A rule of the table above is broken.
    pub fn ranges(&self) -> Result<SubnetRanges, OverlayError> {
        let ipv4 = self.enable_ipv4.then(|| {
            let (min, max) = (self.subnet_min.map(IpAddr::V4), self.subnet_max.map(IpAddr::V4));
            range(&IPV4, self.network.map(IpNet::V4), self.subnet_len, min, max)
        });
        let ipv4 = ipv4.transpose()?;
        let ipv6 = self.enable_ipv6.then(|| {
            let (min, max) =
                (self.ipv6_subnet_min.map(IpAddr::V6), self.ipv6_subnet_max.map(IpAddr::V6));
            range(&IPV6, self.ipv6_network.map(IpNet::V6), self.ipv6_subnet_len, min, max)
        });
        Ok(SubnetRanges { ipv4, ipv6: ipv6.transpose()? })
    }
}

fn refuse(field: &'static str, value: &dyn ToString, problem: ConfigProblem) -> OverlayError {
    OverlayError::Config { field, value: value.to_string(), problem }
}

fn range(
    rules: &Rules,
    network: Option<IpNet>,
    subnet_len: u64,
    min: Option<IpAddr>,
    max: Option<IpAddr>,
) -> Result<SubnetRange, OverlayError> {
    let bits = rules.family.bits();
    let Some(network) = network else {
        let problem = ConfigProblem::MissingNetwork { key: rules.network };
        return Err(refuse(rules.network, &"", problem));
    };
    let prefix_len = network.prefix_len();
    let subnet_len = match u8::try_from(subnet_len) {
        Ok(0) if prefix_len > bits - 4 => {
            let problem =
                ConfigProblem::NetworkTooSmall { network: rules.too_small, minimum: bits - 4 };
            return Err(refuse(rules.network, &network, problem));
        }
        // a host gets the usual length where at least four of them fit, else a quarter of the
        // network
        Ok(0) => rules.usual_len.max(prefix_len.saturating_add(2)),
        Ok(len) if len <= bits - 2 && len >= prefix_len.saturating_add(2) => len,
        Ok(len) if len <= bits - 2 => {
            return Err(refuse(rules.subnet_len, &len, ConfigProblem::FewerThanFourSubnets));
        }
        _ => {
            let problem = ConfigProblem::SubnetLen { limit: bits - 1 };
            return Err(refuse(rules.subnet_len, &subnet_len, problem));
        }
    };
    let size = rules.family.block(subnet_len);
    let address = |bits: u128| from_bits(rules.family, bits);
    let end = |key: &'static str, given: Option<IpAddr>, default: u128| match given {
        None => Ok(address(default)),
        Some(given) if network.contains(&given) => Ok(given),
        Some(given) => {
            Err(refuse(key, &given, ConfigProblem::OutsideNetwork { key, network: rules.network }))
        }
    };
    // the first subnet is left out: an interface with the network's own address causes problems
    let subnet_min = end(rules.subnet_min, min, to_bits(network.network()).wrapping_add(size))?;
    let subnet_max = end(rules.subnet_max, max, to_bits(network.broadcast()) & !(size - 1))?;
    for (key, address) in [(rules.subnet_min, subnet_min), (rules.subnet_max, subnet_max)] {
        if to_bits(address) & (size - 1) != 0 {
            return Err(refuse(key, &address, ConfigProblem::OffBoundary { key, address }));
        }
    }
    Ok(SubnetRange { network, subnet_len, subnet_min, subnet_max })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> NetConf {
        NetConf::parse(text.as_bytes()).unwrap()
    }

    fn ranges(text: &str) -> String {
        match parsed(text).ranges() {
            Err(error) => error.to_string(),
            Ok(SubnetRanges { ipv4, ipv6 }) => ipv4
                .into_iter()
                .chain(ipv6)
                .map(|range| {
                    format!(
                        "{} /{} {} {}",
                        range.network, range.subnet_len, range.subnet_min, range.subnet_max
                    )
                })
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    #[test]
    fn fills_in_what_is_absent() {
        assert_eq!(ranges(r#"{"network": "10.3.0.0/16"}"#), "10.3.0.0/16 /24 10.3.1.0 10.3.255.0");
        assert_eq!(
            ranges(r#"{"enableIPv6": true, "ipv6Network": "fc00::/48", "enableIPv4": false}"#),
            "fc00::/48 /64 fc00:0:0:1:: fc00:0:0:ffff::"
        );
        assert_eq!(
            ranges(r#"{"Network": "10.3.0.0/23"}"#),
            "10.3.0.0/23 /25 10.3.0.128 10.3.1.128"
        );
        assert_eq!(
            ranges(r#"{"Network": "255.0.0.0/8"}"#),
            "255.0.0.0/8 /24 255.0.1.0 255.255.255.0"
        );
    }

    #[test]
    fn refuses_in_flannels_words_with_field_and_value() {
        for (text, message) in [
            ("{}", "Network: please define a correct Network parameter in the flannel config"),
            (
                r#"{"Network": "0.0.0.0/0"}"#,
                "Network: please define a correct Network parameter in the flannel config",
            ),
            (
                r#"{"Network": "10.3.0.0/29"}"#,
                "Network 10.3.0.0/29: network is too small. Minimum useful network prefix is /28",
            ),
            (
                r#"{"Network": "10.3.0.0/16", "SubnetLen": 31}"#,
                "SubnetLen 31: SubnetLen must be less than /31",
            ),
            (
                r#"{"Network": "10.3.0.0/16", "SubnetLen": 4294967296}"#,
                "SubnetLen 4294967296: SubnetLen must be less than /31",
            ),
            (
                r#"{"Network": "10.3.0.0/16", "SubnetLen": 17}"#,
                "SubnetLen 17: network must be able to accommodate at least four subnets",
            ),
            (
                r#"{"Network": "10.3.0.0/16", "SubnetMin": "10.4.0.0"}"#,
                "SubnetMin 10.4.0.0: SubnetMin is not in the range of the Network",
            ),
            (
                r#"{"Network": "10.3.0.0/16", "SubnetMax": "10.3.1.1"}"#,
                "SubnetMax 10.3.1.1: SubnetMax is not on a SubnetLen boundary: 10.3.1.1",
            ),
            (
                r#"{"EnableIPv4": false, "EnableIPv6": true, "IPv6Network": "fc00::/125"}"#,
                "IPv6Network fc00::/125: IPv6Network is too small. Minimum useful network prefix is /124",
            ),
        ] {
            assert_eq!(ranges(text), message, "{text}");
        }
    }

    #[test]
    fn a_fault_names_field_and_value() {
        for (text, message) in [
            (r#"{"Network": "10.3.0.0"}"#, r#"Network "10.3.0.0": invalid CIDR address"#),
            (
                r#"{"SubnetLen": "24"}"#,
                r#"SubnetLen "24": cannot unmarshal string into a field of type uint"#,
            ),
            (
                r#"{"SubnetLen": -1, "SubnetMin": null}"#,
                "SubnetMin null: invalid IP address format",
            ),
            (
                r#"{"Backend": {"Type": 1}}"#,
                "Backend.Type 1: cannot unmarshal number into a field of type string",
            ),
            (
                r#"{"Backend": []}"#,
                "Backend []: cannot unmarshal array into a field of type object",
            ),
        ] {
            assert_eq!(NetConf::parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn null_leaves_a_field_and_a_backend_of_null_has_no_type() {
        let conf = parsed(r#"{"SubnetLen": 25, "subnetlen": null, "Backend": null}"#);
        assert_eq!((conf.subnet_len, conf.backend_type.as_str()), (25, ""));
        assert_eq!(parsed("null"), NetConf::default());
        assert_eq!(conf.backend().unwrap_err().to_string(), "Backend.Type: unknown backend type: ");
    }

    #[test]
    fn a_range_that_runs_backwards_holds_no_subnet() {
        let conf = parsed(
            r#"{"Network": "10.3.0.0/16", "SubnetMin": "10.3.9.0", "SubnetMax": "10.3.5.0"}"#,
        );
        assert_eq!(conf.ranges().unwrap().ipv4.unwrap().subnets(), 0);
    }
}
