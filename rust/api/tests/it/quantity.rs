//! `Quantity` against what `resource.Quantity` of apimachinery v0.34.1 was recorded to say, and laws.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Read;

use bayplan_api::{Quantity, QuantityError};
use proptest::prelude::*;

const RECORDED: &[u8] = include_bytes!("../../../../tests/data/quantity/quantity.tsv.gz");

fn recorded() -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(RECORDED).read_to_string(&mut text).expect("gzipped UTF-8");
    text
}

fn q(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Canonical form, Value and `MilliValue`, as the table has them.
fn facts(quantity: &Quantity) -> [String; 3] {
    [quantity.to_string(), quantity.value().to_string(), quantity.milli_value().to_string()]
}

/// Checks one line of the table and says what kind it was.
fn check(line: &str) -> Result<&str, String> {
    let line_fields: Vec<String> = line.split('\t').map(|f| f.replace("\\0", "\0")).collect();
    let fields: Vec<&str> = line_fields.iter().map(String::as_str).collect();
    let expect = |what: &str, ours: &[String], theirs: &[&str]| {
        if ours == theirs {
            Ok(())
        } else {
            Err(format!("{what} of {line:?}: ours {ours:?}, recorded {theirs:?}"))
        }
    };
    match fields.as_slice() {
        ["bad", text, reason] => {
            let error = match Quantity::parse(text) {
                Ok(quantity) => format!("{quantity:?}"),
                Err(error) => format!("{error:?}"),
            };
            expect("error", &[error], &[reason])?;
        }
        ["one", text, number @ .., sign] => {
            let quantity = Quantity::parse(text).map_err(|error| format!("{line:?}: {error}"))?;
            expect("number", &facts(&quantity), number)?;
            expect("sign", &[quantity.sign().to_string()], &[sign])?;
        }
        ["two", a, b, order, rest @ ..] => {
            let (a, b) = (q(a), q(b));
            expect("order", &[(a.cmp(&b) as i8).to_string()], &[order])?;
            let (mut sum, mut difference) = (a.clone(), a.clone());
            sum.add(&b);
            difference.sub(&b);
            let mut both = difference.clone();
            both.add(&b);
            both.add(&a);
            let ours = [facts(&sum), facts(&difference), facts(&both)].concat();
            expect("sum, difference, both", &ours, rest)?;
        }
        _ => return Err(format!("odd line {line:?}")),
    }
    Ok(if line.starts_with("two") { "two" } else { "one" })
}

#[test]
fn agrees_with_every_recorded_fact() {
    let text = recorded();
    let mut failures = Vec::new();
    let (mut numbers, mut pairs) = (0, 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match check(line) {
            Ok("two") => pairs += 1,
            Ok(_) => numbers += 1,
            Err(failure) => failures.push(failure),
        }
    }
    assert!(failures.is_empty(), "{} differ, the first:\n{}", failures.len(), {
        failures.truncate(20);
        failures.join("\n")
    });
    assert!(numbers > 3000 && pairs > 1500, "{numbers} numbers, {pairs} pairs");
}

#[test]
fn refuses_texts_and_numbers_beyond_what_is_read() {
    let long = "9".repeat(10_000_000);
    assert_eq!(Quantity::parse(&long), Err(QuantityError::TooLong { bytes: 10_000_000 }));
    let kilobyte = "0".repeat(1024);
    assert!(q(&kilobyte).is_zero());
    assert_eq!(Quantity::parse(&"0".repeat(1025)), Err(QuantityError::TooLong { bytes: 1025 }));
    for text in [
        "1e1000",
        "1e999999999",
        "-1e2147483647",
        "1.5e-2147483648",
        "1234567890123456789e999999999",
        "1234567890123456789.5e990",
        &"9".repeat(1001),
    ] {
        assert_eq!(Quantity::parse(text), Err(QuantityError::TooLarge), "{text}");
    }
    for text in ["1e999", "9e999", &"9".repeat(1000), "1234567890123456789e981"] {
        assert_eq!(q(text).sign(), 1, "{text}");
    }
}

#[test]
fn tiny_numbers_become_the_smallest_step() {
    for text in ["1e-999999999", "1234567890123456789e-2147483648", "0.0000000001Ei", "1e-10"] {
        assert!(q(text) > Quantity::default(), "{text}");
    }
    assert_eq!(q("1e-999999999").to_string(), "1e-9");
    assert_eq!(q("-0.00001n").to_string(), "-1n");
}

#[test]
fn zeros_with_absurd_exponents_stay_cheap() {
    let mut sum = q("0e999999999");
    sum.sub(&q("0.0e-2147483648"));
    sum.add(&q("00000000000000000000000.0e2147483647"));
    assert!(sum.is_zero());
    sum.add(&q("1Ei"));
    assert_eq!(sum, q("1152921504606846976"));
    assert!(q("0e999999999") < q("1n") && q("0e-999999999") > q("-1n"));
}

#[test]
fn every_error_says_what_was_expected() {
    let error = |text: &str| Quantity::parse(text).expect_err(text).to_string();
    assert_eq!(
        error("1 Gi"),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
    assert_eq!(error("Pi"), "unable to parse numeric part of quantity");
    assert_eq!(error("1K"), "unable to parse quantity's suffix");
    assert_eq!(error(&"1".repeat(2000)), "quantities must have no more than 1024 bytes, got 2000");
    assert_eq!(error("1e1000"), "quantities must be less than 1e1000");
}

/// Texts of quantities, mostly ones that parse.
fn quantity_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[+-]?[0-9]{1,6}(\\.[0-9]{0,4})?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?",
        2 => "[+-]?[0-9]{14,40}(\\.[0-9]{0,12})?([numkMGTPE]|[KMGTPE]i)?",
        1 => "[+-]?[0-9.]{0,3}[eEinumkKMGTP]{0,2}[+-]?[0-9]{0,12}",
    ]
}

fn quantity() -> impl Strategy<Value = Quantity> {
    quantity_text().prop_filter_map("not a quantity", |text| Quantity::parse(&text).ok())
}

/// Whether the canonical form keeps the number: beyond `E` it does only with an exponent.
fn prints_whole(quantity: &Quantity) -> bool {
    let limit = q("1E");
    let mut lower = Quantity::default();
    lower.sub(&limit);
    *quantity < limit && *quantity > lower
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = Quantity::parse(&text);
    }

    #[test]
    fn texts_of_the_alphabet_never_panic(text in "[-+0-9.eEinumkKMGTP]{0,24}") {
        if let Ok(quantity) = Quantity::parse(&text) {
            let _ = (quantity.value(), quantity.milli_value(), quantity.to_string());
        }
    }

    #[test]
    fn the_canonical_form_reads_back_as_the_same_number(quantity in quantity()) {
        prop_assume!(prints_whole(&quantity));
        let text = quantity.to_string();
        let again = q(&text);
        prop_assert_eq!(&again, &quantity);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn sums_commute(a in quantity(), b in quantity()) {
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.add(&b);
        ba.add(&a);
        prop_assert_eq!(ab, ba);
    }

    #[test]
    fn taking_away_what_was_added_leaves_the_number(a in quantity(), b in quantity()) {
        let mut sum = a.clone();
        sum.add(&b);
        sum.sub(&b);
        prop_assert_eq!(sum, a);
    }

    #[test]
    fn adding_keeps_the_order(a in quantity(), b in quantity(), c in quantity()) {
        let (mut ac, mut bc) = (a.clone(), b.clone());
        ac.add(&c);
        bc.add(&c);
        prop_assert_eq!(ac.cmp(&bc), a.cmp(&b));
    }

    #[test]
    fn equal_numbers_hash_alike(quantity in quantity(), other in quantity()) {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let hash = |q: &Quantity| BuildHasherDefault::<DefaultHasher>::new().hash_one(q);
        let mut again = quantity.clone();
        again.add(&other);
        again.sub(&other);
        prop_assert_eq!(hash(&again), hash(&quantity));
    }

    #[test]
    fn value_and_milli_value_round_up_in_the_order_of_the_numbers(
        a in "[0-9]{1,9}(\\.[0-9]{0,12})?([numkM]|[KM]i)?".prop_map(|text| q(&text)),
        b in "[0-9]{1,9}(\\.[0-9]{0,12})?([numkM]|[KM]i)?".prop_map(|text| q(&text)),
    ) {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        prop_assert!(low.value() <= high.value());
        prop_assert!(low.milli_value() <= high.milli_value());
        prop_assert!(Quantity::from_value(low.value()) >= low);
        prop_assert!(Quantity::from_milli_value(low.milli_value()) >= low);
    }

    #[test]
    fn whole_numbers_and_thousandths_come_back(number in any::<i64>()) {
        prop_assert_eq!(Quantity::from_value(number).value(), number);
        prop_assert_eq!(Quantity::from_milli_value(number).milli_value(), number);
        prop_assert_eq!(&q(&number.to_string()), &Quantity::from_value(number));
        prop_assert_eq!(&q(&format!("{number}m")), &Quantity::from_milli_value(number));
    }
}
