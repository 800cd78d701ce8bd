//! The encoding of records: integers with seven bits per byte (LEB128), strings with their length in front.

/// Writes the bytes of a record.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A signed integer (zigzag): small numbers of either sign take few bytes.
    pub(crate) fn integer(&mut self, value: i64) -> &mut Self {
        self.unsigned((value as u64) << 1 ^ (value >> 63) as u64)
    }

    /// Up to eight optional integers. One byte says which are present.
    pub(crate) fn optional<const N: usize>(&mut self, values: [Option<i64>; N]) -> &mut Self {
        const { assert!(N <= 8) };
        let present = |bits, value: &Option<_>| bits << 1 | u8::from(value.is_some());
        self.bytes(&[values.iter().rev().fold(0, present)]);
        for value in values.into_iter().flatten() {
            self.integer(value);
        }
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.unsigned(text.len() as u64).bytes(text.as_bytes())
    }

    pub(crate) fn unsigned(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }
}

/// Reads the bytes of a record in the order in which a [`Writer`] wrote them. A method returns `None` if the bytes do not hold
/// what it reads.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn optional<const N: usize>(&mut self) -> Option<[Option<i64>; N]> {
        let [present] = self.array()?;
        let mut values = [None; N];
        for (at, value) in values.iter_mut().enumerate() {
            if present >> at & 1 == 1 {
                *value = Some(self.integer()?);
            }
        }
        Some(values)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.unsigned()?;
        std::str::from_utf8(self.bytes(usize::try_from(length).ok()?)?).ok()
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reader_returns_what_a_writer_wrote(number: i64, unsigned: u64, optional: [Option<i64>; 3], text in ".{0,200}") {
            let mut writer = Writer::default();
            writer.integer(number).unsigned(unsigned).optional(optional).text(&text).bytes(&[1, 2]);
            let mut reader = Reader(&writer.0);
            prop_assert_eq!(reader.integer(), Some(number));
            prop_assert_eq!(reader.unsigned(), Some(unsigned));
            prop_assert_eq!(reader.optional(), Some(optional));
            prop_assert_eq!(reader.text(), Some(&*text));
            prop_assert_eq!(reader.array(), Some([1, 2]));
            prop_assert_eq!(reader.array::<1>(), None);
        }
    }
}
