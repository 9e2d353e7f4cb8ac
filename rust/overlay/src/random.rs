//! `Draw`: numbers from a seed.

/// A source of numbers that says the same for the same seed: `SplitMix64` (Steele, Lea, Flood
/// 2014).
///
/// flannel seeds Go's `math/rand` with the time (`pkg/subnet/etcd/rand.go`), so which of the free
/// subnets it takes cannot be told; what holds is that each of them is as likely as any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw(u64);

impl Draw {
    /// The source that starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// An index below `bound`, each as likely as any other; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let Some(bound) = u64::try_from(bound).ok().filter(|&bound| bound > 0) else { return 0 };
        let whole = u64::MAX - u64::MAX % bound;
        loop {
            let drawn = self.next();
            if drawn < whole {
                return usize::try_from(drawn % bound).unwrap_or(0);
            }
        }
    }
}

/// Spreads each bit of `value` over all bits.
pub(crate) const fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_the_published_vectors_say() {
        // the first outputs for the seed 1234567, as in the reference implementation
        let mut draw = Draw::new(1_234_567);
        assert_eq!(draw.next(), 6_457_827_717_110_365_317);
        assert_eq!(draw.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn draws_each_index_about_as_often() {
        let mut draw = Draw::new(7);
        let mut counts = [0_u32; 7];
        for _ in 0..7000 {
            counts[draw.below(7)] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
        assert_eq!(draw.below(0), 0);
    }
}
