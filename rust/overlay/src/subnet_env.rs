//! `SubnetEnv`: the file by which flannel tells the CNI plugin a node's subnet and MTU,
//! `/run/flannel/subnet.env`.
//!
//! Follows `WriteSubnetFile` of `pkg/subnet/subnet.go` and `ReadCIDRFromSubnetFile` of `main.go` of
//! flannel at cdf76059.
//!
//! ```
//! use bayplan_overlay::SubnetEnv;
//!
//! let text = "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.52.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n";
//! let env: SubnetEnv = text.parse()?;
//! assert_eq!(env.mtu, Some(1450));
//! assert_eq!(env.to_string(), text);
//! # Ok::<(), bayplan_overlay::OverlayError>(())
//! ```

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::error::OverlayError;
use crate::json::{parse_cidr, shown};
use crate::tables::{Overlay, OverlayNode};
use crate::{Family, Previous};

/// What `subnet.env` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubnetEnv {
    /// `FLANNEL_NETWORK`.
    pub network: Option<Ipv4Net>,
    /// `FLANNEL_SUBNET`: the address of the bridge, which is the gateway of the pods, with the
    /// length of the subnet.
    pub subnet: Option<Ipv4Net>,
    /// `FLANNEL_IPV6_NETWORK`.
    pub ipv6_network: Option<Ipv6Net>,
    /// `FLANNEL_IPV6_SUBNET`.
    pub ipv6_subnet: Option<Ipv6Net>,
    /// `FLANNEL_MTU`, in bytes.
    pub mtu: Option<i64>,
    /// `FLANNEL_IPMASQ`: flannel masquerades, so the plugin does not.
    pub ipmasq: Option<bool>,
}

impl SubnetEnv {
    /// What flannel writes on a node: with `--ip-masq` or without.
    pub fn of(overlay: &Overlay, node: &OverlayNode, ipmasq: bool) -> Self {
        let conf = overlay.conf();
        let bridge = |net: Ipv4Net| {
            let first = net.addr().to_bits().wrapping_add(1);
            Ipv4Net::new(first.into(), net.prefix_len()).unwrap_or(net)
        };
        let bridge_v6 = |net: Ipv6Net| {
            let first = net.addr().to_bits().wrapping_add(1);
            Ipv6Net::new(first.into(), net.prefix_len()).unwrap_or(net)
        };
        let (ipv4, ipv6) = (conf.enables(Family::Ipv4), conf.enables(Family::Ipv6));
        Self {
            network: conf.network.filter(|_| ipv4),
            subnet: node.lease.subnet.map(bridge).filter(|_| ipv4),
            ipv6_network: conf.ipv6_network.filter(|_| ipv6),
            ipv6_subnet: node.lease.ipv6_subnet.map(bridge_v6).filter(|_| ipv6),
            mtu: Some(overlay.mtu(node)),
            ipmasq: Some(ipmasq),
        }
    }

    /// The subnets that flannel asks for again when it starts, host bits cleared.
    pub fn previous(&self) -> Previous {
        Previous {
            subnet: self.subnet.map(|net| net.trunc()),
            ipv6_subnet: self.ipv6_subnet.map(|net| net.trunc()),
        }
    }
}

impl fmt::Display for SubnetEnv {
    /// The file, in flannel's order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn line<T: fmt::Display>(
            f: &mut fmt::Formatter<'_>,
            key: &str,
            value: Option<T>,
        ) -> fmt::Result {
            value.map_or(Ok(()), |value| writeln!(f, "{key}={value}"))
        }
        line(f, "FLANNEL_NETWORK", self.network)?;
        line(f, "FLANNEL_SUBNET", self.subnet)?;
        line(f, "FLANNEL_IPV6_NETWORK", self.ipv6_network)?;
        line(f, "FLANNEL_IPV6_SUBNET", self.ipv6_subnet)?;
        line(f, "FLANNEL_MTU", self.mtu)?;
        line(f, "FLANNEL_IPMASQ", self.ipmasq)
    }
}

impl FromStr for SubnetEnv {
    type Err = OverlayError;

    /// Reads the file: `KEY=value` a line, comments and empty lines between; `export` before a key
    /// and quotes around a value are passed over, as are other variables. Of two lines for one
    /// variable the last wins.
    ///
    /// # Errors
    /// A line without `=`; a value that does not fit; more than one prefix for a variable, which
    /// flannel reports and passes over.
    fn from_str(text: &str) -> Result<Self, OverlayError> {
        let mut env = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |key: &str, value: &str, problem| OverlayError::SubnetEnv {
                line: number,
                key: shown(key.as_bytes()),
                value: shown(value.as_bytes()),
                problem,
            };
            let Some((key, value)) = line.split_once('=') else {
                return Err(wrong("", line, "expected KEY=value"));
            };
            let key = key.trim();
            let key = key.strip_prefix("export ").map_or(key, str::trim);
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote));
            let value = quoted.unwrap_or(value);
            let cidr = || match value.split(',').count() {
                1 => parse_cidr(value).ok_or_else(|| wrong(key, value, "invalid CIDR address")),
                _ => Err(wrong(key, value, "more than 1 entry found")),
            };
            let ipv4 = || match cidr()? {
                (IpAddr::V4(address), len) => Ipv4Net::new(address, len)
                    .map(Some)
                    .map_err(|_| wrong(key, value, "invalid CIDR address")),
                (IpAddr::V6(_), _) => Err(wrong(key, value, "invalid IPv4 CIDR format")),
            };
            let ipv6 = || match cidr()? {
                (IpAddr::V6(address), len) => Ipv6Net::new(address, len)
                    .map(Some)
                    .map_err(|_| wrong(key, value, "invalid CIDR address")),
                (IpAddr::V4(_), _) => Err(wrong(key, value, "invalid IPv6 CIDR format")),
            };
            match key {
                "FLANNEL_NETWORK" => env.network = ipv4()?,
                "FLANNEL_SUBNET" => env.subnet = ipv4()?,
                "FLANNEL_IPV6_NETWORK" => env.ipv6_network = ipv6()?,
                "FLANNEL_IPV6_SUBNET" => env.ipv6_subnet = ipv6()?,
                "FLANNEL_MTU" => {
                    let mtu = value
                        .parse()
                        .map_err(|_| wrong(key, value, "expected a number of bytes"))?;
                    env.mtu = Some(mtu);
                }
                "FLANNEL_IPMASQ" => {
                    let ipmasq =
                        value.parse().map_err(|_| wrong(key, value, "expected true or false"))?;
                    env.ipmasq = Some(ipmasq);
                }
                _ => {}
            }
        }
        Ok(env)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dual_stack_example_of_the_documentation_reads_and_prints() {
        let text = "FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.0.1/24\nFLANNEL_IPV6_NETWORK=2001:cafe:42::/56\n\
                    FLANNEL_IPV6_SUBNET=2001:cafe:42::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n";
        let env: SubnetEnv = text.parse().unwrap();
        assert_eq!(env.to_string(), text);
        let previous = env.previous();
        assert_eq!(previous.subnet, Some("10.42.0.0/24".parse().unwrap()));
        assert_eq!(previous.ipv6_subnet, Some("2001:cafe:42::/64".parse().unwrap()));
    }

    #[test]
    fn comments_quotes_and_other_variables_do_not_matter() {
        let text = "# written by hand\n\nexport FLANNEL_SUBNET=\"10.5.52.1/24\"\nOTHER=x\nFLANNEL_MTU='1400'\nFLANNEL_MTU=1450\n";
        let env: SubnetEnv = text.parse().unwrap();
        assert_eq!(env.to_string(), "FLANNEL_SUBNET=10.5.52.1/24\nFLANNEL_MTU=1450\n");
    }

    #[test]
    fn a_fault_names_line_variable_and_value() {
        for (text, message) in [
            ("\nnonsense", r#"line 2 of subnet.env,  "nonsense": expected KEY=value"#),
            (
                "FLANNEL_MTU=x",
                r#"line 1 of subnet.env, FLANNEL_MTU "x": expected a number of bytes"#,
            ),
            (
                "FLANNEL_IPMASQ=1",
                r#"line 1 of subnet.env, FLANNEL_IPMASQ "1": expected true or false"#,
            ),
            (
                "FLANNEL_SUBNET=10.5.52.1",
                r#"line 1 of subnet.env, FLANNEL_SUBNET "10.5.52.1": invalid CIDR address"#,
            ),
            (
                "FLANNEL_SUBNET=fc00::1/64",
                r#"line 1 of subnet.env, FLANNEL_SUBNET "fc00::1/64": invalid IPv4 CIDR format"#,
            ),
            (
                "FLANNEL_SUBNET=10.1.0.1/24,10.2.0.1/24",
                r#"line 1 of subnet.env, FLANNEL_SUBNET "10.1.0.1/24,10.2.0.1/24": more than 1 entry found"#,
            ),
        ] {
            assert_eq!(text.parse::<SubnetEnv>().unwrap_err().to_string(), message);
        }
    }
}
