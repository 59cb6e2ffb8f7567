//! Faults with their place. A file is refused with all of them at once.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file as the user named it.
    pub file: PathBuf,
    /// From 1; 1 where the file could not be read.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Path of the field, such as `zone[0].rule[1].people`; empty for the file itself.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file.display(), self.line, self.column)?;
        if self.field.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.field, self.message) }
    }
}

/// All faults of a configuration, one a line. Never worth a retry before somebody edits a file.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(fault, f)?;
        }
        Ok(())
    }
}

/// A checked thing with what is allowed but has no effect.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    /// The thing.
    pub plan: T,
    /// Not wrong, but surely not meant.
    pub warnings: Vec<Fault>,
}

/// Collects the faults and warnings of one file.
pub struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl<'a> Report<'a> {
    /// For a file and its text.
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, faults: Vec::new(), warnings: Vec::new() }
    }

    /// The file.
    pub fn file(&self) -> &'a Path {
        self.file
    }

    /// A byte range and a field as others may name it: `file:line:column: field`.
    pub fn place(&self, span: &Range<usize>, field: &str) -> String {
        let (line, column) = position(self.text, span.start);
        format!("{}:{line}:{column}: {field}", self.file.display())
    }

    /// Faults so far.
    pub fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Adds a fault at a byte range.
    pub fn fault(&mut self, span: &Range<usize>, field: impl Into<String>, message: impl Into<String>) {
        let fault = self.at(span, field.into(), message.into());
        self.faults.push(fault);
    }

    /// Adds a warning at a byte range.
    pub fn warn(&mut self, span: &Range<usize>, field: impl Into<String>, message: impl Into<String>) {
        let warning = self.at(span, field.into(), message.into());
        self.warnings.push(warning);
    }

    fn at(&self, span: &Range<usize>, field: String, message: String) -> Fault {
        let (line, column) = position(self.text, span.start);
        Fault { file: self.file.to_owned(), line, column, field, message }
    }

    /// The plan, unless there was a fault. Faults come in the order of their places.
    pub fn finish<T>(mut self, plan: T) -> Result<Checked<T>, ConfigError> {
        let place = |f: &Fault| (f.line, f.column);
        self.faults.sort_by_key(place);
        self.warnings.sort_by_key(place);
        if self.faults.is_empty() {
            Ok(Checked { plan, warnings: self.warnings })
        } else {
            Err(ConfigError { faults: self.faults })
        }
    }
}

impl Fault {
    /// A file that cannot be read at all.
    pub fn unreadable(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 1, column: 1, field: String::new(), message: message.into() }
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("a = 1\n名 = 2", 10), (2, 3));
        assert_eq!(position("", 0), (1, 1));
    }
}
