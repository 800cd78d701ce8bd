//! Values that many records share, by number: an organization, a set of scopes.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{OnceLock, PoisonError, RwLock},
};

/// How many values get a number: those that come first. Mostly there are few; where there are many, each is of few records.
const WORDS: u16 = 4096;

pub(crate) struct Dictionary<T> {
    words: Box<[OnceLock<T>]>,
    numbers: RwLock<HashMap<T, u16>>,
}

impl<T: Clone + Eq + Hash> Dictionary<T> {
    pub(crate) fn new() -> Self {
        Self {
            words: (0..WORDS).map(|_| OnceLock::new()).collect(),
            numbers: RwLock::default(),
        }
    }

    /// The number of `word`. `None`: there is none left for it.
    pub(crate) fn number(&self, word: &T) -> Option<u16> {
        let known = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = known.get(word) {
            return Some(number);
        }
        let is_full = known.len() >= WORDS.into();
        drop(known);
        if is_full {
            return None;
        }
        let mut numbers = self.numbers.write().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len() as u16;
        let slot = self.words.get(usize::from(next))?;
        let number = *numbers.entry(word.clone()).or_insert(next);
        if number == next {
            let _ = slot.set(word.clone());
        }
        Some(number)
    }

    /// The word with this number.
    pub(crate) fn word(&self, number: u16) -> Option<&T> {
        self.words.get(usize::from(number))?.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_get_numbers_and_keep_them() {
        let dictionary = Dictionary::new();
        for word in 0..u32::from(WORDS) {
            assert_eq!(dictionary.number(&word), Some(word as u16));
        }
        assert_eq!(dictionary.number(&u32::from(WORDS)), None);
        assert_eq!(dictionary.number(&7), Some(7));
        assert_eq!(dictionary.word(7), Some(&7));
        assert_eq!(dictionary.word(WORDS), None);
    }
}
