//! The ground as written: a table, or one word.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Table;
use crate::config::field::Field;
use crate::config::units::Distance;

/// `ground = "learn"`, or `[ground]` with its keys.
#[derive(Debug)]
pub enum GroundRaw {
    /// One word.
    Word(String),
    /// A table.
    Table(Box<GroundTableRaw>),
}

/// The ground by known points, or learnt from the people.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroundTableRaw {
    /// Four or more places, fractions of width and height, y down. More than four show how well they fit.
    pub points: Field<Vec<[f64; 2]>>,
    /// The same places in metres on the ground.
    pub metres: Field<Vec<[f64; 2]>>,
    /// Learn the plane from the people instead: the heights of their boxes against where they stand.
    pub learn: Field<bool>,
    /// learn: the plane stays as it is once it is ready.
    pub freeze: Field<bool>,
    /// learn: height of a person in metres; `"1.7m"` if left out.
    pub height: Field<Distance>,
    /// The lens, where it is known.
    #[schemars(with = "Option<LensRaw>")]
    pub lens: Option<Table<LensRaw>>,
}

/// A calibrated lens, as OpenCV's `calibrateCamera` gives it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LensRaw {
    /// fx / width and fy / height.
    pub focal: Field<[f64; 2]>,
    /// cx / width and cy / height; `[0.5, 0.5]` if left out.
    pub center: Field<[f64; 2]>,
    /// k1, k2, p1, p2, k3; later ones may be left out.
    pub distortion: Field<Vec<f64>>,
}

impl<'de> Deserialize<'de> for GroundRaw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = GroundRaw;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"learn\" or a table")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<GroundRaw, E> {
                Ok(GroundRaw::Word(word.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GroundRaw, A::Error> {
                GroundTableRaw::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| GroundRaw::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for GroundRaw {
    fn schema_name() -> Cow<'static, str> {
        "GroundRaw".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<GroundTableRaw>();
        json_schema!({ "description": "The ground: by known points, or learnt from the people.",
            "anyOf": [{ "const": "learn" }, table] })
    }
}
