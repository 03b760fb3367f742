//! The inputs of a target: its corpus, and then what chance makes.

use std::{
    fs,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use super::spoiling;

/// The longest input, in bytes.
pub(super) const LONGEST: usize = 1 << 16;

/// A target's inputs.
pub(super) struct Inputs {
    target: &'static str,
    corpus: Vec<Vec<u8>>,
    /// What is put into inputs as a whole.
    words: Vec<&'static str>,
    replayed: usize,
    left: usize,
    pub(super) chance: fastrand::Rng,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} must be a number")))
}

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/fuzz/corpus", target].iter().collect()
}

impl Inputs {
    /// The corpus of a target, and so many cases more unless FUZZ_TIMES asks for more.
    pub(super) fn of(target: &'static str, cases: usize, words: &[&'static str]) -> Self {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let corpus: Vec<Vec<u8>> = files.into_iter().map(|file| fs::read(file).unwrap()).collect();
        assert!(!corpus.is_empty(), "{target} has no corpus");
        let seed = number("FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
        // Past the test's captured output: a process that dies by a deep recursion prints nothing else.
        let _ = writeln!(std::io::stderr(), "fuzz {target}: FUZZ_SEED={seed}");
        let times = usize::try_from(number("FUZZ_TIMES").unwrap_or(1)).unwrap();
        let chance = fastrand::Rng::with_seed(seed);
        Self { target, corpus, words: words.to_vec(), replayed: 0, left: cases * times, chance }
    }

    /// With an input that cannot be saved.
    pub(super) fn and(mut self, input: &[u8]) -> Self {
        self.corpus.push(input.to_vec());
        self
    }

    /// The next saved input.
    pub(super) fn saved(&mut self) -> Option<Vec<u8>> {
        self.replayed += 1;
        self.corpus.get(self.replayed - 1).cloned()
    }

    /// Whether there is a case to be made by chance, which it counts.
    pub(super) fn another(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    /// Any saved input.
    pub(super) fn any(&mut self) -> Vec<u8> {
        self.chance.choice(&self.corpus).cloned().unwrap_or_default()
    }

    /// The next input: all that are saved, then a saved one with something else about it.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(saved) = self.saved() {
            return Some(saved);
        }
        if !self.another() {
            return None;
        }
        let seed = self.any();
        let json = serde_json::from_slice(&seed).ok().filter(|_| self.chance.bool());
        Some(match json {
            Some(json) => spoiling::spoilt(&json, &mut self.chance).into_bytes(),
            None => self.mutated(seed),
        })
    }

    /// Bytes with something else about them.
    pub(super) fn mutated(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let chance = &mut self.chance;
        for _ in 0..chance.usize(1..=6) {
            let start = chance.usize(..=bytes.len());
            let part = start..bytes.len().min(start + chance.usize(..=20));
            let word = chance.choice(&self.words).map_or(&b""[..], |word| word.as_bytes());
            match chance.u8(..6) {
                0 => bytes.splice(part, []).for_each(drop),
                1 => bytes.insert(start, chance.u8(..)),
                2 => bytes.splice(start..start, word.iter().copied()).for_each(drop),
                3 => bytes.splice(part, word.iter().copied()).for_each(drop),
                4 => {
                    let often = bytes[part].repeat(chance.usize(1..=80));
                    bytes.splice(start..start, often).for_each(drop);
                }
                _ => {
                    let other = chance.choice(&self.corpus).cloned().unwrap_or_default();
                    let rest = other.get(chance.usize(..=other.len())..).unwrap_or_default();
                    bytes.splice(start.., rest.iter().copied()).for_each(drop);
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    /// Checks all inputs.
    pub(super) fn check(mut self, check: impl Fn(&[u8]) -> Result<(), String>) {
        while let Some(input) = self.next() {
            match catch_unwind(AssertUnwindSafe(|| check(&input))) {
                Ok(Ok(())) => {}
                Ok(Err(what)) => self.failed(&input, &what),
                Err(_) => self.failed(&input, "a panic"),
            }
        }
    }

    /// Saves an input that does what none may do, and ends the test.
    pub(super) fn failed(&self, input: &[u8], what: &str) -> ! {
        let print = input
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let file = folder(self.target).join(format!("found-{print:016x}"));
        fs::write(&file, input).unwrap();
        let shown: String = String::from_utf8_lossy(input).chars().take(500).collect();
        panic!("{what}\n{shown}\nsaved as {}", file.display());
    }
}
