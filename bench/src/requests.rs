//! The requests of one load: one text with two places, and the values that stand there in turn.

use std::{fs, io::Write as _, path::Path};

use anyhow::ensure;

/// Requests that differ in two places at most. Each value is as long as the others in its place, so the length of a body
/// is the same in all.
pub(crate) struct Requests {
    /// The texts before, between and behind the places.
    pub(crate) texts: [String; 3],
    /// What stands in the places, request by request.
    pub(crate) values: Vec<[String; 2]>,
}

impl Requests {
    /// One request, always the same.
    pub(crate) fn constant(text: String) -> Self {
        Self {
            texts: [text, String::new(), String::new()],
            values: vec![[String::new(), String::new()]],
        }
    }

    /// The request with this number.
    pub(crate) fn text(&self, number: usize) -> Vec<u8> {
        let [before, between, behind] = &self.texts;
        let [first, second] = &self.values[number % self.values.len()];
        [before, first, between, second, behind]
            .map(String::as_bytes)
            .concat()
    }

    /// Writes them down for `requests.lua`.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let lengths = |pair: &[String; 2]| pair.each_ref().map(String::len);
        let [first, second] = self.values.first().map(lengths).unwrap_or_default();
        ensure!(
            self.values
                .iter()
                .all(|pair| lengths(pair) == [first, second]),
            "the values of a load have different lengths"
        );
        let [before, between, behind] = self.texts.each_ref().map(String::len);
        let mut file = std::io::BufWriter::new(fs::File::create(path)?);
        let count = self.values.len();
        writeln!(file, "{count} {first} {second} {before} {between} {behind}")?;
        for text in self.texts.iter().chain(self.values.iter().flatten()) {
            file.write_all(text.as_bytes())?;
        }
        Ok(file.flush()?)
    }
}
