//! Writes random cases, one a line, for a second opinion: `generate COUNT SEED [storage] [crowded]`.

#![expect(clippy::print_stdout, reason = "a program that writes cases")]

use bayplan_testkit::json;
use bayplan_testkit::strategies::{ClusterShape, cluster, profile};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    let (count, seed) = (number(), number());
    let words: Vec<String> = arguments.collect();
    let says = |word: &str| words.iter().any(|own| own == word);
    let mut shape = ClusterShape { storage: says("storage"), ..ClusterShape::default() };
    if says("crowded") {
        (shape.nodes, shape.running) = (1..=2, 20..=40);
    }

    let mut bytes = [0; 32];
    for (byte, own) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte = own;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let cases = (cluster(shape), profile());
    for index in 0..count {
        let Ok(tree) = cases.new_tree(&mut runner) else { continue };
        let (objects, profile) = tree.current();
        let case = serde_json::json!({
            "id": format!("random-{seed}-{index}"),
            "tags": [],
            "config": json::configuration(&profile),
            "objects": json::list(&objects),
        });
        println!("{}", serde_json::json!({"case": case}));
    }
}
