//! A field that remembers its place and keeps its own fault, so that one wrong value does not hide the others.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::fault::Report;

/// A value of a TOML key: absent, good, or wrong with the reason.
#[derive(Clone, Debug)]
pub struct Field<T> {
    span: Range<usize>,
    value: Option<Result<T, String>>,
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { span: 0..0, value: None }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Spanned::<toml::Value>::deserialize(deserializer)?;
        let span = raw.span();
        let value = T::deserialize(raw.into_inner()).map_err(|e| e.to_string().trim().replace('\n', " "));
        Ok(Self { span, value: Some(value) })
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T> Field<T> {
    /// Whether the key is there.
    pub fn is_set(&self) -> bool {
        self.value.is_some()
    }

    /// Where the value stands, if it is there.
    pub fn place(&self) -> Option<Range<usize>> {
        self.is_set().then(|| self.span.clone())
    }

    /// Where the value stands; meaningless when absent.
    pub fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value; a wrong one is reported as a fault of `path`.
    pub fn get(self, report: &mut Report<'_>, path: &str) -> Option<T> {
        match self.value {
            Some(Ok(value)) => Some(value),
            Some(Err(message)) => {
                report.fault(&self.span, path, message);
                None
            }
            None => None,
        }
    }

    /// The value; a missing one is reported at `owner`, with what it means.
    pub fn require(self, report: &mut Report<'_>, path: &str, owner: &Range<usize>, meaning: &str) -> Option<T> {
        if self.value.is_none() {
            report.fault(owner, path, format!("missing: {meaning}"));
        }
        self.get(report, path)
    }

    /// Reports the key as out of place if it is there.
    pub fn refuse(&self, report: &mut Report<'_>, path: &str, why: &str) {
        if self.value.is_some() {
            report.fault(&self.span, path, why);
        }
    }

    /// The value where it passes `check`, which says what would be right.
    pub fn checked(
        self,
        report: &mut Report<'_>,
        path: &str,
        check: impl FnOnce(&T) -> Result<(), String>,
    ) -> Option<T> {
        let span = self.span.clone();
        let value = self.get(report, path)?;
        match check(&value) {
            Ok(()) => Some(value),
            Err(message) => {
                report.fault(&span, path, message);
                None
            }
        }
    }
}
