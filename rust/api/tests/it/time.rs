//! Laws of `Time`.

use bayplan_api::Time;
use proptest::prelude::*;

/// From the year 0 to the year 9999, in nanoseconds.
fn time() -> impl Strategy<Value = Time> {
    (-62_167_219_200_i64..253_402_300_800, prop_oneof![Just(0), 0_i128..1_000_000_000]).prop_map(
        |(seconds, nanos)| Time { unix_nanos: i128::from(seconds) * 1_000_000_000 + nanos },
    )
}

proptest! {
    #[test]
    fn a_printed_time_reads_back(time in time()) {
        prop_assert_eq!(Time::parse_rfc3339(&time.to_string()), Ok(time));
    }

    #[test]
    fn printed_times_sort_like_the_times_when_no_fraction_shows(a in time(), b in time()) {
        let whole = |time: Time| Time { unix_nanos: time.unix_nanos / 1_000_000_000 * 1_000_000_000 };
        let (a, b) = (whole(a), whole(b));
        prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
    }

    #[test]
    fn an_offset_moves_the_time_by_itself(time in time(), hours in 0_i128..24, minutes in 0_i128..60) {
        let text = time.to_string();
        let ahead = format!("{}+{hours:02}:{minutes:02}", text.trim_end_matches('Z'));
        let moved = Time::parse_rfc3339(&ahead).unwrap();
        prop_assert_eq!(time.unix_nanos - moved.unix_nanos, (hours * 60 + minutes) * 60_000_000_000);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), near in "[0-9:TZ.,+-]{0,40}") {
        let _ = Time::parse_rfc3339(&text);
        let _ = Time::parse_rfc3339(&near);
    }
}

#[test]
fn any_count_of_nanoseconds_prints() {
    for unix_nanos in [i128::MIN, i128::MAX, -1, 0] {
        assert!(Time { unix_nanos }.to_string().ends_with('Z'));
    }
}
