//! Random clusters are valid, and survive being written and read.

use bayplan_api::{Objects, Reader};
use bayplan_testkit::strategies::{ClusterShape, cluster, profile};
use bayplan_testkit::{json, oracle};
use proptest::prelude::*;

fn any_cluster() -> impl Strategy<Value = Objects> {
    any::<bool>()
        .prop_flat_map(|storage| cluster(ClusterShape { storage, ..ClusterShape::default() }))
}

proptest! {
    #[test]
    fn the_api_server_would_take_every_random_cluster(objects in any_cluster()) {
        let again = oracle::read_objects(&json::list(&objects));
        prop_assert_eq!(again.unwrap(), objects);
    }

    #[test]
    fn every_random_cluster_survives_being_written(objects in any_cluster()) {
        let mut written = Vec::new();
        objects.write_json(&mut written).unwrap();
        let mut reader = Reader::new();
        reader.read_bytes("written", &written).unwrap();
        prop_assert_eq!(reader.finish().unwrap(), objects);
    }

    #[test]
    fn a_profile_survives_being_written_as_a_configuration(profile in profile()) {
        let configuration = json::configuration(&profile);
        prop_assert_eq!(oracle::read_profile(&configuration).unwrap(), profile);
    }
}
