//! `Strings`: what repeats in a dump is allocated once.

use crate::Str;

/// A cache of strings that were read lately: label keys and values, namespaces, images, ….
///
/// It is a cache and not a set, so its size and the time of a look-up are bounded whatever the input
/// is: a string that it has lost is allocated once more, which costs memory and changes nothing.
#[derive(Debug)]
pub struct Strings {
    /// Two places for each hash; as many hashes as two to the power of `bits`.
    slots: Vec<[Str; 2]>,
    bits: u32,
    /// How many strings were put in since the slots became so many.
    kept: usize,
}

/// Longer strings seldom repeat.
const LONGEST: usize = 128;

/// Most inputs are small: slots grow in number as strings come.
const FEWEST: u32 = 7;
const MOST: u32 = 14;

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

impl Strings {
    /// An empty cache.
    pub fn new() -> Self {
        Self { slots: empty(FEWEST), bits: FEWEST, kept: 0 }
    }

    /// A cache that keeps nothing and allocates nothing, for a small text that is read on its own.
    pub const fn none() -> Self {
        Self { slots: Vec::new(), bits: MOST, kept: 0 }
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
        let slot = slot(text, self.bits);
        let Some([first, second]) = self.slots.get_mut(slot) else {
            return std::str::from_utf8(text).ok().map(Str::from);
        };
        if first.as_bytes() == text {
            return Some(first.clone());
        }
        let is_new = second.as_bytes() != text;
        if is_new {
            *second = Str::from(std::str::from_utf8(text).ok()?);
        }
        std::mem::swap(first, second);
        let found = first.clone();
        if is_new {
            self.kept += 1;
            if self.kept > self.slots.len() && self.bits < MOST {
                self.grow();
            }
        }
        Some(found)
    }

    /// Gives the strings more slots.
    #[cold]
    fn grow(&mut self) {
        self.bits = MOST.min(self.bits + 2);
        self.kept = 0;
        for string in std::mem::replace(&mut self.slots, empty(self.bits)).into_iter().flatten() {
            let place = self.slots.get_mut(slot(string.as_bytes(), self.bits));
            let Some([first, second]) = place.filter(|_| !string.is_empty()) else { continue };
            *second = std::mem::replace(first, string);
        }
    }
}

fn empty(bits: u32) -> Vec<[Str; 2]> {
    vec![[Str::default(), Str::default()]; 1 << bits]
}

/// FNV-like over words: the cache only needs that different strings mostly differ.
#[inline]
fn slot(text: &[u8], bits: u32) -> usize {
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
    usize::try_from(hash >> (u64::BITS - bits)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_shared_while_slots_grow_in_number() {
        let mut strings = Strings::new();
        let texts: Vec<String> = (0..30_000).map(|number| format!("label-{number}")).collect();
        for text in &texts {
            assert_eq!(strings.get(text.as_bytes()).as_deref(), Some(text.as_str()));
            let (again, once) = (strings.get(text.as_bytes()), strings.get(text.as_bytes()));
            assert_eq!(again.map(|it| it.as_ptr()), once.map(|it| it.as_ptr()));
        }
        assert_eq!(strings.slots.len(), 1 << MOST);
    }

    #[test]
    fn what_was_kept_stays_when_slots_grow_in_number() {
        let mut strings = Strings::new();
        let texts: Vec<String> = (0..=1 << FEWEST).map(|number| format!("v{number}")).collect();
        for text in &texts {
            strings.get(text.as_bytes());
        }
        assert_eq!(strings.bits, FEWEST + 2);
        let slots = strings.slots.iter().flatten().filter(|string| !string.is_empty());
        assert!(slots.count() > texts.len() / 2);
        assert_eq!(strings.get(b"\xff"), None);
    }
}
