//! Configurations and keys as flannel itself reads them (`tests/data/flannel`).

use std::io::Read;
use std::path::Path;

use bayplan_overlay::{ConfigProblem, NetConf, OverlayError, SubnetKey, SubnetRanges};
use flate2::read::GzDecoder;
use serde_json::Value;

fn facts(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/flannel").join(name);
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn problem(error: &OverlayError) -> String {
    match error {
        OverlayError::Syntax { .. } => "syntax".into(),
        OverlayError::Config { problem: ConfigProblem::Type { .. }, .. } => "type".into(),
        OverlayError::Config { problem, .. } => problem.to_string(),
        other => panic!("{other}"),
    }
}

/// Go's words for what depends on its version, ours for the same.
fn of_go(message: &str) -> String {
    match message {
        text if text.contains("cannot unmarshal") => "type".into(),
        text if text.starts_with("invalid CIDR address") => "invalid CIDR address".into(),
        text if text.starts_with("invalid character") || text.starts_with("unexpected end") => {
            "syntax".into()
        }
        text => text.into(),
    }
}

#[test]
fn every_configuration_is_read_and_refused_as_flannel_does() {
    let facts = facts("net-conf.ndjson.gz");
    assert_eq!(facts.len(), 1200);
    let mut checked = 0;
    for fact in facts {
        let text = fact["conf"].as_str().unwrap();
        let conf = match NetConf::parse(text.as_bytes()) {
            Ok(conf) => conf,
            Err(error) => {
                assert_eq!(problem(&error), of_go(fact["parse"].as_str().unwrap()), "{text}");
                continue;
            }
        };
        assert_eq!(fact["parse"], "", "{text}");
        let mut got = format!(
            "{} {} {} {} {}",
            conf.enable_ipv4,
            conf.enable_ipv6,
            conf.subnet_len,
            conf.ipv6_subnet_len,
            conf.backend_type
        );
        match conf.ranges() {
            Err(error) => assert_eq!(problem(&error), fact["check"].as_str().unwrap(), "{text}"),
            Ok(SubnetRanges { ipv4, ipv6 }) => {
                assert_eq!(fact["check"], "", "{text}");
                for range in ipv4.into_iter().chain(ipv6) {
                    let (network, len) = (range.network, range.subnet_len);
                    let text =
                        format!(" {network} {len} {} {}", range.subnet_min, range.subnet_max);
                    got.push_str(&text);
                }
                checked += 1;
            }
        }
        assert_eq!(got, fact["got"].as_str().unwrap(), "{text}");
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn every_key_is_read_as_flannel_does() {
    let facts = facts("keys.ndjson.gz");
    let mut keys = 0;
    for fact in &facts {
        let text = fact["key"].as_str().unwrap();
        let found = text.parse::<SubnetKey>().ok();
        let net = found.map(|key| key.subnet.to_string()).unwrap_or_default();
        let net6 =
            found.and_then(|key| key.ipv6_subnet).map(|net| net.to_string()).unwrap_or_default();
        assert_eq!(
            (net.as_str(), net6.as_str()),
            (fact["net"].as_str().unwrap(), fact["net6"].as_str().unwrap()),
            "{text}"
        );
        keys += usize::from(found.is_some());
    }
    assert!(keys > 200 && keys < facts.len() - 200, "{keys} of {}", facts.len());
}
