//! The container file, as far as the rest of `deploy/` relies on it.

use std::collections::BTreeMap;

/// What the image is, by instruction; of one that is there several times all.
#[derive(Debug)]
pub(super) struct Image {
    /// What the stages before run, in one line.
    pub(super) build: String,
    last: BTreeMap<String, Vec<String>>,
}

impl Image {
    /// # Panics
    /// A line is no instruction.
    pub(super) fn read(text: &str) -> Self {
        let lines = text.replace("\\\n", " ");
        let lines = lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (mut build, mut last): (String, BTreeMap<String, Vec<String>>) = (String::new(), BTreeMap::new());
        for line in lines {
            let (instruction, rest) = line.split_once(' ').unwrap_or_else(|| panic!("`{line}` is no instruction"));
            match instruction {
                // A stage begins.
                "FROM" => last.clear(),
                "RUN" => build.extend(rest.split_whitespace().flat_map(|word| [word, " "])),
                _ => {}
            }
            last.entry(instruction.to_owned()).or_default().push(rest.trim().to_owned());
        }
        Self { build, last }
    }

    /// What the last stage says of an instruction that it has once.
    ///
    /// # Panics
    /// It doesn't have it once.
    pub(super) fn only(&self, instruction: &str) -> &str {
        match self.last.get(instruction).map(Vec::as_slice) {
            Some([one]) => one,
            other => panic!("{instruction}: {other:?}"),
        }
    }

    /// The variables that it sets.
    pub(super) fn environment(&self) -> BTreeMap<&str, &str> {
        let all = self.last.get("ENV").into_iter().flatten();
        all.flat_map(|line| line.split_whitespace())
            .filter_map(|pair| pair.split_once('='))
            .collect()
    }

    /// From where in an earlier stage to where something is copied.
    pub(super) fn copies(&self) -> Vec<(&str, &str)> {
        let all = self.last.get("COPY").into_iter().flatten();
        let words = all.map(|line| line.split_whitespace().filter(|word| !word.starts_with("--")).collect::<Vec<_>>());
        words.filter_map(|words| Some((*words.first()?, *words.get(1)?))).collect()
    }
}
