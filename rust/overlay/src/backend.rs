//! `Backend`: how packets get from node to node, with the settings of each way.
//!
//! Follows `pkg/backend/*` of flannel at cdf76059. The type is looked up in lower case; settings
//! are read only when the backend is, with Go's rules for JSON.

use std::fmt;

use crate::error::{ConfigProblem, OverlayError};
use crate::json::{self, Faults, names};

/// The backends that flannel is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BackendType {
    /// `vxlan`.
    Vxlan,
    /// `host-gw`.
    HostGw,
    /// `ipip`.
    Ipip,
    /// `wireguard`.
    Wireguard,
    /// `udp`.
    Udp,
    /// `ipsec`.
    Ipsec,
    /// `alloc`.
    Alloc,
    /// `extension`.
    Extension,
    /// `tencent-vpc`.
    TencentVpc,
}

impl BackendType {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Vxlan,
        Self::HostGw,
        Self::Ipip,
        Self::Wireguard,
        Self::Udp,
        Self::Ipsec,
        Self::Alloc,
        Self::Extension,
        Self::TencentVpc,
    ];

    /// The name under which flannel knows it, which is also what nodes announce (but `udp` and
    /// `alloc`, which announce none).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::HostGw => "host-gw",
            Self::Ipip => "ipip",
            Self::Wireguard => "wireguard",
            Self::Udp => "udp",
            Self::Ipsec => "ipsec",
            Self::Alloc => "alloc",
            Self::Extension => "extension",
            Self::TencentVpc => "tencent-vpc",
        }
    }

    /// The `BackendType` of the leases of its nodes.
    pub const fn announced(self) -> &'static str {
        match self {
            Self::Udp | Self::Alloc => "",
            other => other.as_str(),
        }
    }
}

impl fmt::Display for BackendType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A backend with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// VXLAN in the kernel.
    Vxlan(VxlanConfig),
    /// Routes via the other nodes' addresses; needs one segment.
    HostGw,
    /// IP in IP in the kernel.
    Ipip {
        /// `DirectRouting`: plain routes to nodes on the same segment.
        direct_routing: bool,
    },
    /// `WireGuard` in the kernel.
    Wireguard(WireguardConfig),
    /// A process that packs IP packets into UDP.
    Udp {
        /// `Port`: UDP port; 8285 when absent.
        port: u16,
    },
    /// `IPsec` by strongSwan.
    Ipsec {
        /// `UDPEncap`: ESP in UDP.
        udp_encap: bool,
    },
    /// Subnets only, no packets.
    Alloc,
    /// Commands of the operator's.
    Extension(ExtensionConfig),
    /// Routes in a VPC of Tencent Cloud.
    TencentVpc,
}

/// Settings of the backend `vxlan` (`pkg/backend/vxlan/vxlan.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VxlanConfig {
    /// `VNI`, 24 bits; 1 when absent.
    pub vni: u32,
    /// `Port`: UDP destination port; 0, the default, means the kernel's, which is 8472.
    pub port: u16,
    /// `MTU` from which 50 is taken; that of the external interface when absent.
    pub mtu: Option<i64>,
    /// `GBP`: group based policy.
    pub gbp: bool,
    /// `Learning`: the device learns where hardware addresses are.
    pub learning: bool,
    /// `DirectRouting`: plain routes to nodes on the same segment.
    pub direct_routing: bool,
}

impl VxlanConfig {
    /// UDP destination port that is used where `Port` is 0 (Linux,
    /// `drivers/net/vxlan/vxlan_core.c`, `vxlan_port`).
    pub const KERNEL_PORT: u16 = 8472;

    /// The UDP destination port in use.
    pub const fn destination_port(&self) -> u16 {
        if self.port == 0 { Self::KERNEL_PORT } else { self.port }
    }

    /// Name of the device of a family: `flannel.1`, `flannel-v6.1`.
    pub fn device(&self, family: crate::Family) -> String {
        match family {
            crate::Family::Ipv4 => format!("flannel.{}", self.vni),
            crate::Family::Ipv6 => format!("flannel-v6.{}", self.vni),
        }
    }
}

impl Default for VxlanConfig {
    fn default() -> Self {
        Self { vni: 1, port: 0, mtu: None, gbp: false, learning: false, direct_routing: false }
    }
}

/// How many tunnels `WireGuard` has, and over which family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WireguardMode {
    /// `separate`: a tunnel a family, over that family. The default.
    #[default]
    Separate,
    /// `auto`: one tunnel, over the family that is likelier to work.
    Auto,
    /// `ipv4`: one tunnel over IPv4.
    Ipv4,
    /// `ipv6`: one tunnel over IPv6.
    Ipv6,
}

/// Settings of the backend `wireguard` (`pkg/backend/wireguard/wireguard.go`). The pre-shared key
/// is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireguardConfig {
    /// `ListenPort`; 51820 when absent.
    pub listen_port: u16,
    /// `ListenPortV6`; 51821 when absent.
    pub listen_port_v6: u16,
    /// `MTU` from which 80 is taken; that of the external interface when absent.
    pub mtu: Option<i64>,
    /// `PersistentKeepaliveInterval` in seconds; 0 for none.
    pub persistent_keepalive_interval: i64,
    /// `Mode`.
    pub mode: WireguardMode,
}

impl Default for WireguardConfig {
    fn default() -> Self {
        Self {
            listen_port: 51820,
            listen_port_v6: 51821,
            mtu: None,
            persistent_keepalive_interval: 0,
            mode: WireguardMode::Separate,
        }
    }
}

/// Settings of the backend `extension` (`pkg/backend/extension/extension.go`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionConfig {
    /// `PreStartupCommand`: run before the lease; what it prints is announced.
    pub pre_startup_command: String,
    /// `PostStartupCommand`: run with the lease.
    pub post_startup_command: String,
    /// `SubnetAddCommand`: run for each node that comes.
    pub subnet_add_command: String,
    /// `SubnetRemoveCommand`: run for each node that goes.
    pub subnet_remove_command: String,
}

const MAX_VNI: i64 = 0xff_ffff;
const MAX_PORT: i64 = 0xffff;
/// `ESP` keys need so many characters (`pkg/backend/ipsec/ipsec.go`).
const MIN_PASSWORD: usize = 96;

fn bounded<T: TryFrom<i64>>(field: &'static str, value: i64, high: i64) -> Result<T, OverlayError> {
    let problem = || ConfigProblem::Range { low: 0, high };
    (0..=high)
        .contains(&value)
        .then(|| T::try_from(value).ok())
        .flatten()
        .ok_or_else(|| OverlayError::Config { field, value: value.to_string(), problem: problem() })
}

impl Backend {
    /// Which of flannel's backends it is.
    pub const fn backend_type(&self) -> BackendType {
        match self {
            Self::Vxlan(_) => BackendType::Vxlan,
            Self::HostGw => BackendType::HostGw,
            Self::Ipip { .. } => BackendType::Ipip,
            Self::Wireguard(_) => BackendType::Wireguard,
            Self::Udp { .. } => BackendType::Udp,
            Self::Ipsec { .. } => BackendType::Ipsec,
            Self::Alloc => BackendType::Alloc,
            Self::Extension(_) => BackendType::Extension,
            Self::TencentVpc => BackendType::TencentVpc,
        }
    }

    /// Whether nodes on the same segment get plain routes.
    pub const fn direct_routing(&self) -> bool {
        match self {
            Self::Vxlan(config) => config.direct_routing,
            Self::Ipip { direct_routing } => *direct_routing,
            _ => false,
        }
    }

    /// The backend named `backend_type` with the settings in `text`, the value of `Backend`.
    ///
    /// Numbers beyond what the kernel takes are refused here, where flannel hands them on (a VNI,
    /// cut to 32 bits) and the kernel refuses the device.
    ///
    /// # Errors
    /// There is no such backend; the text is not JSON; a setting has a value of another type or out
    /// of range.
    pub fn parse(backend_type: &str, text: Option<&str>) -> Result<Self, OverlayError> {
        let lower = backend_type.to_lowercase();
        let Some(&kind) = BackendType::ALL.iter().find(|kind| kind.as_str() == lower) else {
            return Err(OverlayError::Config {
                field: "Backend.Type",
                value: backend_type.into(),
                problem: ConfigProblem::UnknownBackend { backend: lower },
            });
        };
        let members = match text {
            Some(text) => json::members(text.as_bytes(), "Backend")?,
            None => Vec::new(),
        };
        match kind {
            BackendType::Vxlan => vxlan(&members).map(Self::Vxlan),
            BackendType::HostGw => Ok(Self::HostGw),
            BackendType::Ipip => {
                let (mut direct_routing, mut faults) = (false, Faults::default());
                for json::Member { name, value } in &members {
                    if names(name, "DirectRouting") {
                        faults.bool("Backend.DirectRouting", value, &mut direct_routing);
                    }
                }
                faults.done()?;
                Ok(Self::Ipip { direct_routing })
            }
            BackendType::Wireguard => wireguard(&members).map(Self::Wireguard),
            BackendType::Udp => {
                let (mut port, mut faults) = (8285, Faults::default());
                for json::Member { name, value } in &members {
                    if names(name, "Port") {
                        faults.int("Backend.Port", value, &mut port);
                    }
                }
                faults.done()?;
                Ok(Self::Udp { port: bounded("Backend.Port", port, MAX_PORT)? })
            }
            BackendType::Ipsec => ipsec(&members),
            BackendType::Alloc => Ok(Self::Alloc),
            BackendType::Extension => extension(&members).map(Self::Extension),
            BackendType::TencentVpc => Ok(Self::TencentVpc),
        }
    }
}

fn vxlan(members: &[json::Member<'_>]) -> Result<VxlanConfig, OverlayError> {
    let mut config = VxlanConfig::default();
    let (mut vni, mut port, mut mtu, mut faults) = (1, 0, i64::MIN, Faults::default());
    for json::Member { name, value } in members {
        match () {
            () if names(name, "vni") => faults.int("Backend.VNI", value, &mut vni),
            () if names(name, "port") => faults.int("Backend.Port", value, &mut port),
            () if names(name, "mtu") => faults.int("Backend.MTU", value, &mut mtu),
            () if names(name, "gbp") => faults.bool("Backend.GBP", value, &mut config.gbp),
            () if names(name, "learning") => {
                faults.bool("Backend.Learning", value, &mut config.learning);
            }
            () if names(name, "directRouting") => {
                faults.bool("Backend.DirectRouting", value, &mut config.direct_routing);
            }
            () => {}
        }
    }
    faults.done()?;
    config.vni = bounded("Backend.VNI", vni, MAX_VNI)?;
    config.port = bounded("Backend.Port", port, MAX_PORT)?;
    config.mtu = (mtu != i64::MIN).then_some(mtu);
    Ok(config)
}

fn wireguard(members: &[json::Member<'_>]) -> Result<WireguardConfig, OverlayError> {
    let mut config = WireguardConfig::default();
    let (mut port, mut port_v6, mut mtu) = (51820, 51821, i64::MIN);
    let (mut mode, mut psk, mut faults) = ("separate".to_owned(), String::new(), Faults::default());
    for json::Member { name, value } in members {
        match () {
            () if names(name, "ListenPort") => faults.int("Backend.ListenPort", value, &mut port),
            () if names(name, "ListenPortV6") => {
                faults.int("Backend.ListenPortV6", value, &mut port_v6);
            }
            () if names(name, "MTU") => faults.int("Backend.MTU", value, &mut mtu),
            () if names(name, "PSK") => faults.string("Backend.PSK", value, &mut psk),
            () if names(name, "PersistentKeepaliveInterval") => {
                let field = "Backend.PersistentKeepaliveInterval";
                faults.int(field, value, &mut config.persistent_keepalive_interval);
            }
            () if names(name, "Mode") => faults.string("Backend.Mode", value, &mut mode),
            () => {}
        }
    }
    faults.done()?;
    config.listen_port = bounded("Backend.ListenPort", port, MAX_PORT)?;
    config.listen_port_v6 = bounded("Backend.ListenPortV6", port_v6, MAX_PORT)?;
    config.mtu = (mtu != i64::MIN).then_some(mtu);
    config.mode = match mode.as_str() {
        "separate" => WireguardMode::Separate,
        "auto" => WireguardMode::Auto,
        "ipv4" => WireguardMode::Ipv4,
        "ipv6" => WireguardMode::Ipv6,
        _ => {
            let problem = ConfigProblem::WireguardMode;
            return Err(OverlayError::Config { field: "Backend.Mode", value: mode, problem });
        }
    };
    Ok(config)
}

fn ipsec(members: &[json::Member<'_>]) -> Result<Backend, OverlayError> {
    let (mut udp_encap, mut proposal, mut psk) = (false, String::new(), String::new());
    let mut faults = Faults::default();
    for json::Member { name, value } in members {
        match () {
            () if names(name, "UDPEncap") => faults.bool("Backend.UDPEncap", value, &mut udp_encap),
            () if names(name, "ESPProposal") => {
                faults.string("Backend.ESPProposal", value, &mut proposal);
            }
            () if names(name, "PSK") => faults.string("Backend.PSK", value, &mut psk),
            () => {}
        }
    }
    faults.done()?;
    if psk.len() < MIN_PASSWORD {
        // the secret itself is not repeated
        let value = format!("of {} characters", psk.len());
        let problem = ConfigProblem::ShortPassword;
        return Err(OverlayError::Config { field: "Backend.PSK", value, problem });
    }
    Ok(Backend::Ipsec { udp_encap })
}

fn extension(members: &[json::Member<'_>]) -> Result<ExtensionConfig, OverlayError> {
    let (mut config, mut faults) = (ExtensionConfig::default(), Faults::default());
    for json::Member { name, value } in members {
        let (field, into) = match () {
            () if names(name, "PreStartupCommand") => {
                ("Backend.PreStartupCommand", &mut config.pre_startup_command)
            }
            () if names(name, "PostStartupCommand") => {
                ("Backend.PostStartupCommand", &mut config.post_startup_command)
            }
            () if names(name, "SubnetAddCommand") => {
                ("Backend.SubnetAddCommand", &mut config.subnet_add_command)
            }
            () if names(name, "SubnetRemoveCommand") => {
                ("Backend.SubnetRemoveCommand", &mut config.subnet_remove_command)
            }
            () => continue,
        };
        faults.string(field, value, into);
    }
    faults.done()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(text: &str) -> Result<Backend, String> {
        let conf = crate::NetConf::parse(format!(r#"{{"Backend": {text}}}"#).as_bytes());
        conf.and_then(|conf| conf.backend()).map_err(|error| error.to_string())
    }

    #[test]
    fn vxlan_has_flannels_defaults() {
        assert_eq!(backend(r#"{"Type": "VXLAN"}"#), Ok(Backend::Vxlan(VxlanConfig::default())));
        let config = VxlanConfig {
            vni: 4096,
            port: 4789,
            mtu: Some(9000),
            gbp: true,
            learning: true,
            direct_routing: true,
        };
        let text = r#"{"type": "vxlan", "Vni": 4096, "PORT": 4789, "MTU": 9000, "gbp": true, "Learning": true, "DirectRouting": true}"#;
        assert_eq!(backend(text), Ok(Backend::Vxlan(config)));
        assert_eq!(VxlanConfig::default().destination_port(), 8472);
    }

    #[test]
    fn each_backend_reads_its_own_settings() {
        assert_eq!(crate::NetConf::default().backend(), Ok(Backend::Udp { port: 8285 }));
        assert_eq!(backend(r#"{"Type": "host-gw", "VNI": "unread"}"#), Ok(Backend::HostGw));
        assert_eq!(
            backend(r#"{"Type": "ipip", "DirectRouting": true}"#),
            Ok(Backend::Ipip { direct_routing: true })
        );
        assert_eq!(backend(r#"{"Type": "alloc"}"#), Ok(Backend::Alloc));
        assert_eq!(backend(r#"{"Type": "tencent-vpc"}"#), Ok(Backend::TencentVpc));
        let wireguard = WireguardConfig { mode: WireguardMode::Auto, ..WireguardConfig::default() };
        assert_eq!(
            backend(r#"{"Type": "wireguard", "Mode": "auto"}"#),
            Ok(Backend::Wireguard(wireguard))
        );
        let psk = "k".repeat(96);
        assert_eq!(
            backend(&format!(r#"{{"Type": "ipsec", "UDPEncap": true, "PSK": "{psk}"}}"#)),
            Ok(Backend::Ipsec { udp_encap: true })
        );
        let Ok(Backend::Extension(extension)) =
            backend(r#"{"Type": "extension", "SubnetAddCommand": "a"}"#)
        else {
            panic!("no extension");
        };
        assert_eq!(extension.subnet_add_command, "a");
    }

    #[test]
    fn refuses_with_field_and_value() {
        for (text, message) in [
            (r#"{"Type": "Vxlan2"}"#, "Backend.Type Vxlan2: unknown backend type: vxlan2"),
            (
                r#"{"Type": "vxlan", "VNI": 16777216}"#,
                "Backend.VNI 16777216: expected 0 to 16777215",
            ),
            (r#"{"Type": "vxlan", "Port": -1}"#, "Backend.Port -1: expected 0 to 65535"),
            (
                r#"{"Type": "vxlan", "VNI": 1.5}"#,
                "Backend.VNI 1.5: cannot unmarshal number into a field of type int",
            ),
            (
                r#"{"Type": "wireguard", "Mode": "ipv5"}"#,
                "Backend.Mode ipv5: no valid Mode configured",
            ),
            (
                r#"{"Type": "ipsec", "PSK": "short"}"#,
                "Backend.PSK of 5 characters: config error, password is too short",
            ),
        ] {
            assert_eq!(backend(text), Err(message.into()), "{text}");
        }
    }
}
