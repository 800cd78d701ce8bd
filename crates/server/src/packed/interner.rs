//! Numbers for values that many records share, such as an organization or a set of scopes.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{OnceLock, PoisonError, RwLock},
};

/// How many values get a number: the first ones. Usually there are few; where there are many, few records share each of them.
const CAPACITY: u16 = 4096;

/// Gives values numbers. A value keeps its number, and its memory, as long as the interner exists.
pub(crate) struct Interner<T> {
    values: Box<[OnceLock<T>]>,
    numbers: RwLock<HashMap<T, u16>>,
}

impl<T: Clone + Eq + Hash> Interner<T> {
    pub(crate) fn new() -> Self {
        Self {
            values: (0..CAPACITY).map(|_| OnceLock::new()).collect(),
            numbers: RwLock::default(),
        }
    }

    /// The number of `value`, which gets one if it has none. `None`: every number is taken.
    pub(crate) fn intern(&self, value: &T) -> Option<u16> {
        let known = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = known.get(value) {
            return Some(number);
        }
        let is_full = known.len() >= CAPACITY.into();
        drop(known);
        if is_full {
            return None;
        }
        let mut numbers = self.numbers.write().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len() as u16;
        let slot = self.values.get(usize::from(next))?;
        let number = *numbers.entry(value.clone()).or_insert(next);
        if number == next {
            let _ = slot.set(value.clone());
        }
        Some(number)
    }

    /// The value with this number.
    pub(crate) fn get(&self, number: u16) -> Option<&T> {
        self.values.get(usize::from(number))?.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_get_numbers_and_keep_them() {
        let interner = Interner::new();
        for value in 0..u32::from(CAPACITY) {
            assert_eq!(interner.intern(&value), Some(value as u16));
        }
        assert_eq!(interner.intern(&u32::from(CAPACITY)), None);
        assert_eq!(interner.intern(&7), Some(7));
        assert_eq!(interner.get(7), Some(&7));
        assert_eq!(interner.get(CAPACITY), None);
    }
}
