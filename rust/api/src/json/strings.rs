//! `Strings`: what repeats in a dump is allocated once.

use crate::Str;

/// A cache of strings that were read lately: label keys and values, namespaces, images, ….
///
/// It is a cache and not a set, so its size and the time of a look-up are bounded whatever the input
/// is: a string that it has lost is allocated once more, which costs memory and changes nothing.
#[derive(Debug)]
pub struct Strings {
    /// Two places for each hash.
    slots: Vec<[Str; 2]>,
}

/// Longer strings seldom repeat.
const LONGEST: usize = 128;

const SLOTS: usize = 1 << 14;

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

impl Strings {
    /// An empty cache.
    pub fn new() -> Self {
        Self { slots: vec![[Str::default(), Str::default()]; SLOTS] }
    }

    /// A cache that keeps nothing and allocates nothing, for a small text that is read on its own.
    pub const fn none() -> Self {
        Self { slots: Vec::new() }
    }

    /// The shared string that equals `text`; `None` when `text` is not UTF-8.
    #[inline]
    pub fn get(&mut self, text: &[u8]) -> Option<Str> {
        if text.is_empty() {
            return Some(Str::default());
        }
        if text.len() > LONGEST {
            return std::str::from_utf8(text).ok().map(Str::from);
        }
        let slot = slot(text);
        let Some([first, second]) = self.slots.get_mut(slot) else {
            return std::str::from_utf8(text).ok().map(Str::from);
        };
        if first.as_bytes() == text {
            return Some(first.clone());
        }
        if second.as_bytes() != text {
            *second = Str::from(std::str::from_utf8(text).ok()?);
        }
        std::mem::swap(first, second);
        Some(first.clone())
    }
}

/// FNV-like over words: the cache only needs that different strings mostly differ.
#[inline]
fn slot(text: &[u8]) -> usize {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = text.len() as u64;
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
        hash ^= hash >> 29;
    }
    let mut last = 0;
    for &byte in rest {
        last = last << 8 | u64::from(byte);
    }
    hash = (hash ^ last).wrapping_mul(MIX);
    usize::try_from(hash >> 50).unwrap_or(0)
}
