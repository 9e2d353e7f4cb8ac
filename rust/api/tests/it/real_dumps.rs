//! What real clusters and tools print (`tests/data/real-dumps/SOURCES.md`) is read, whole and damaged.

use std::fs;
use std::path::PathBuf;

use bayplan_api::{Objects, ReadError, Reader};
use proptest::prelude::*;

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/real-dumps"))
}

/// Every file, by name.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for group in fs::read_dir(directory()).expect("the directory") {
        let group = group.expect("an entry").path();
        if group.is_dir() {
            for file in fs::read_dir(group).expect("the directory") {
                let path = file.expect("an entry").path();
                let name = path.strip_prefix(directory()).expect("inside").display().to_string();
                files.push((name, fs::read(path).expect("the file")));
            }
        }
    }
    files.sort();
    assert_eq!(files.len(), 16);
    files
}

fn read(name: &str, bytes: &[u8]) -> Result<Objects, ReadError> {
    let mut reader = Reader::new();
    reader.read_bytes(name, bytes)?;
    reader.finish()
}

/// Nodes, pods, services, namespaces, priority classes.
fn counts(objects: &Objects) -> [usize; 5] {
    assert!(objects.skipped.is_empty());
    [
        objects.nodes.len(),
        objects.pods.len(),
        objects.services.len(),
        objects.namespaces.len(),
        objects.priority_classes.len(),
    ]
}

#[test]
fn every_real_dump_reads() {
    let expected = [
        ("nri-1_34/kubelet-pods.json", [0, 24, 0, 0, 0]),
        ("nri-1_34/namespaces.yaml", [0, 0, 0, 6, 0]),
        ("nri-1_34/nodes.yaml", [1, 0, 0, 0, 0]),
        ("nri-1_34/pods.yaml", [0, 25, 0, 0, 0]),
        ("nri-1_34/services.yaml", [0, 0, 7, 0, 0]),
        ("openshift/nodes-6.json", [6, 0, 0, 0, 0]),
        ("openshift/pod-prometheus-k8s-0.json", [0, 1, 0, 0, 0]),
        ("sonobuoy-e2e/nodes.json", [1, 0, 0, 0, 0]),
        ("sonobuoy-e2e/pods-kube-system.json", [0, 8, 0, 0, 0]),
        ("sonobuoy-kind-1_20/nodes.json", [3, 0, 0, 0, 0]),
        ("sonobuoy-kind-1_20/pods-kube-system.json", [0, 14, 0, 0, 0]),
        ("troubleshoot-k3s/nodes.json", [1, 0, 0, 0, 0]),
        ("troubleshoot-k3s/pods-default.json", [0, 6, 0, 0, 0]),
        ("troubleshoot-k3s/pods-kube-system.json", [0, 7, 0, 0, 0]),
        ("troubleshoot-k3s/priorityclasses.json", [0, 0, 0, 0, 2]),
        ("troubleshoot-k3s/services-default.json", [0, 0, 4, 0, 0]),
    ];
    let found: Vec<_> = files()
        .iter()
        .map(|(name, bytes)| {
            (name.clone(), counts(&read(name, bytes).unwrap_or_else(|error| panic!("{error}"))))
        })
        .collect();
    let expected: Vec<_> = expected.map(|(name, counts)| (name.to_owned(), counts)).into();
    assert_eq!(found, expected);
}

#[test]
fn a_whole_cluster_is_read_from_its_directory() {
    let mut reader = Reader::new();
    reader.read_path(directory().join("troubleshoot-k3s")).expect("it reads");
    let objects = reader.finish().expect("it is whole");
    assert_eq!(counts(&objects), [1, 13, 4, 0, 2]);
    let pod = &objects.pods[0];
    assert_eq!(pod.metadata.name, "backend-api-75fb46b7bd-xtkrh");
    assert_eq!(pod.spec.node_name, objects.nodes[0].metadata.name);
}

#[test]
fn reading_again_with_other_white_space_gives_the_same() {
    for (name, bytes) in files() {
        if name.contains(".yaml") {
            continue;
        }
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let expected = read(&name, &bytes).expect("it reads");
        let compact = serde_json::to_vec(&value).expect("JSON");
        assert_eq!(read(&name, &compact).expect("it reads"), expected, "{name}");
        let pretty = serde_json::to_vec_pretty(&value).expect("JSON");
        assert_eq!(read(&name, &pretty).expect("it reads"), expected, "{name}");
    }
}

#[test]
fn what_was_read_and_written_is_read_again_as_the_same() {
    for (name, bytes) in files() {
        let objects = read(&name, &bytes).expect("it reads");
        let mut written = Vec::new();
        objects.write_json(&mut written).expect("memory takes it");
        assert_eq!(read(&name, &written).expect("it reads"), objects, "{name}");
    }
}

/// A stream that gives a few bytes a call, as a slow pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn the_way_a_stream_arrives_changes_nothing() {
    for (name, bytes) in files() {
        let expected = read(&name, &bytes).expect("it reads");
        for size in [1, 7, 4096] {
            let mut reader = Reader::new();
            reader.read_stream(&name, Trickle(&bytes, size)).expect("it reads");
            assert_eq!(reader.finish().expect("it is whole"), expected, "{name}");
        }
    }
}

#[test]
fn every_cut_is_an_error() {
    for (name, bytes) in files() {
        if name.contains(".yaml") {
            continue; // may well end after an item
        }
        let end = bytes.trim_ascii_end().len();
        for cut in (1..200).map(|part| part * end / 200).chain([end - 1]) {
            let error = read(&name, &bytes[..cut]).expect_err("cut");
            let invalid = error.invalid().expect("a fault of the input");
            assert_eq!(invalid.input(), name);
            assert!(invalid.line().is_some(), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_never_panics(
        file in 0..16_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            any::<u8>(), prop::sample::select(b"\"\\{}[],:0 \n-.&*<?|>#!%@'\x00\xff".to_vec())
        ], 0..3), 1..6),
        start in any::<prop::sample::Index>(),
    ) {
        let (name, bytes) = files().swap_remove(file);
        // a part is enough, and quicker
        let mut bytes = if start.index(3) == 0 { bytes } else { bytes[..bytes.len().min(20_000)].to_vec() };
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        if let Err(error) = read(&name, &bytes) {
            prop_assert!(error.to_string().starts_with(&name), "{error}");
        }
    }
}
