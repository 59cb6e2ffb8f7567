//! Which models there are, and what must be known of each to run it: `models/catalog.toml`, read strictly.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{DetectError, heads, runtime};
use crate::types::Size;

/// Name of the catalog within `models/`.
pub const FILE: &str = "catalog.toml";

/// The models of one folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    path: PathBuf,
    default: usize,
    entries: Vec<Entry>,
}

/// All that must be known of a model to run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What configurations name it by.
    pub id: String,
    /// The ONNX file; absolute if the catalog's folder is.
    pub path: PathBuf,
    /// Of the file, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// What the outputs mean.
    pub head: heads::Kind,
    /// Index of `person` among the model's classes.
    pub class: usize,
    /// Pixels to input values.
    pub normalise: Normalise,
    /// How a picture lies in the input.
    pub fit: Fit,
    /// Tried inputs; the first is the default; never empty.
    pub sizes: Vec<Size>,
    /// Further inputs may be multiples of this; `None`: only `sizes`.
    pub multiple: Option<u32>,
    /// The least score that starts a track, unless a camera says otherwise.
    pub score: f32,
    /// IoU above which the worse of two boxes is dropped.
    pub nms: f32,
    /// Of the weights.
    pub licence: String,
    /// Who made the weights, and from what.
    pub origin: String,
    /// Where the file can be had.
    pub url: Option<String>,
}

/// Pixels to input values: `(pixel - mean) / std`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    /// Channels last or first.
    pub layout: Layout,
    /// Order of the channels, also of `mean` and `std`.
    pub order: Order,
    /// Subtracted from pixel values of 0 to 255.
    pub mean: [f32; 3],
    /// Divides the difference; positive.
    pub std: [f32; 3],
    /// Pixel value around the picture.
    pub pad: u8,
}

/// Order of the input's axes after the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channel, row, column.
    Nchw,
    /// Row, column, channel.
    Nhwc,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Blue, green, red.
    Bgr,
    /// Red, green, blue.
    Rgb,
}

/// How a picture lies in the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Aspect kept, padding right and below.
    TopLeft,
    /// Aspect kept, padding on both sides.
    Center,
    /// Fills the input, aspect lost.
    Stretch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    default: String,
    #[serde(default, rename = "model")]
    models: Vec<toml::Spanned<Model>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    id: String,
    file: PathBuf,
    sha256: String,
    head: heads::Kind,
    class: usize,
    layout: Layout,
    order: Order,
    mean: [f32; 3],
    std: [f32; 3],
    pad: u8,
    fit: Fit,
    sizes: Vec<[u32; 2]>,
    multiple: Option<u32>,
    score: f32,
    nms: f32,
    licence: String,
    origin: String,
    url: Option<String>,
}

impl Catalog {
    /// The catalog of the installation; see [`runtime::models_dir`].
    pub fn find() -> Result<Self, DetectError> {
        Self::load(&runtime::models_dir()?)
    }

    /// Reads `catalog.toml` of a folder. Files are looked at when a model is used, not here.
    pub fn load(dir: &Path) -> Result<Self, DetectError> {
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| DetectError::Catalog { path: path.clone(), reason: error.to_string() })?;
        Self::parse(&text, dir).map_err(|reason| DetectError::Catalog { path, reason })
    }

    fn parse(text: &str, dir: &Path) -> Result<Self, String> {
        let line = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        let raw: Text = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(String::new(), |span| format!("line {}: ", line(span.start)));
            format!("{place}{}", runtime::one_line(error.message()))
        })?;
        let mut entries = Vec::with_capacity(raw.models.len());
        let mut ids = BTreeSet::new();
        for model in raw.models {
            let line = line(model.span().start);
            let model = model.into_inner();
            if !ids.insert(model.id.clone()) {
                return Err(format!("line {line}: model `{}` stands there twice", model.id));
            }
            let id = model.id.clone();
            entries.push(model.check(dir).map_err(|reason| format!("line {line}: model `{id}`: {reason}"))?);
        }
        let default = entries
            .iter()
            .position(|entry| entry.id == raw.default)
            .ok_or_else(|| format!("the default `{}` has no [[model]]", raw.default))?;
        Ok(Self { path: dir.join(FILE), default, entries })
    }

    /// All models in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The model of cameras that name none.
    pub fn default_entry(&self) -> &Entry {
        &self.entries[self.default]
    }

    /// A model by its id.
    pub fn get(&self, id: &str) -> Result<&Entry, DetectError> {
        self.entries.iter().find(|entry| entry.id == id).ok_or_else(|| DetectError::UnknownModel {
            id: id.to_owned(),
            catalog: self.path.clone(),
            known: self.entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// What `--model` and `[detect] model` name: nothing (the default), an id, or the path of an ONNX file that has an
    /// entry here or in a catalog beside it, by its place or its hash. Nothing is guessed about a file without an entry.
    pub fn resolve(&self, model: Option<&str>) -> Result<Entry, DetectError> {
        let Some(name) = model else { return Ok(self.default_entry().clone()) };
        let path = Path::new(name);
        match self.get(name) {
            Ok(entry) => Ok(entry.clone()),
            Err(_) if path.is_file() => self.by_path(path),
            Err(error) => Err(error),
        }
    }

    fn by_path(&self, path: &Path) -> Result<Entry, DetectError> {
        let real = path.canonicalize().ok();
        let of = |catalog: &Self| {
            catalog.entries.iter().find(|entry| real.is_some() && entry.path.canonicalize().ok() == real).cloned()
        };
        if let Some(entry) = of(self) {
            return Ok(entry);
        }
        let beside = real.as_deref().and_then(Path::parent).filter(|dir| dir.join(FILE).is_file());
        let beside = beside.map(Self::load).transpose()?;
        if let Some(entry) = beside.as_ref().and_then(of) {
            return Ok(entry);
        }
        let sha256 = sha256_of(path).map_err(|source| DetectError::Unreadable {
            id: path.display().to_string(),
            path: path.to_owned(),
            source,
            fetchable: false,
        })?;
        // A copy elsewhere is the same model.
        let same = |catalog: &Self| catalog.entries.iter().find(|entry| entry.sha256 == sha256).cloned();
        if let Some(entry) = same(self).or_else(|| beside.as_ref().and_then(same)) {
            return Ok(Entry { path: path.to_owned(), ..entry });
        }
        Err(DetectError::NoEntry {
            path: path.to_owned(),
            catalog: beside.unwrap_or_else(|| self.clone()).path,
            sha256,
        })
    }
}

impl Model {
    fn check(self, dir: &Path) -> Result<Entry, String> {
        if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err("an id has letters, digits, `-`, `_` and `.` only".to_owned());
        }
        if self.file.as_os_str().is_empty() {
            return Err("file is empty".to_owned());
        }
        let sha256 = self.sha256.to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("sha256 has not 64 hexadecimal digits".to_owned());
        }
        if self.mean.iter().any(|v| !v.is_finite()) || self.std.iter().any(|v| !v.is_finite() || *v <= 0.0) {
            return Err("mean must be finite and std positive".to_owned());
        }
        for (name, value) in [("score", self.score), ("nms", self.nms)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(format!("{name} is {value}, not above 0 and at most 1"));
            }
        }
        if self.multiple == Some(0) {
            return Err("multiple is 0".to_owned());
        }
        if self.sizes.is_empty() {
            return Err("sizes is empty".to_owned());
        }
        let entry = Entry {
            path: dir.join(self.file),
            sha256,
            normalise: Normalise {
                layout: self.layout,
                order: self.order,
                mean: self.mean,
                std: self.std,
                pad: self.pad,
            },
            sizes: self.sizes.iter().map(|&[width, height]| Size { width, height }).collect(),
            id: self.id,
            head: self.head,
            class: self.class,
            fit: self.fit,
            multiple: self.multiple,
            score: self.score,
            nms: self.nms,
            licence: self.licence,
            origin: self.origin,
            url: self.url,
        };
        for &[width, height] in &self.sizes {
            let range = 16..=4096;
            let fits = entry.multiple.is_none_or(|m| width.is_multiple_of(m) && height.is_multiple_of(m));
            if !range.contains(&width) || !range.contains(&height) || !fits {
                return Err(format!("size [{width}, {height}] is not from 16 to 4096 or not of `multiple`"));
            }
        }
        Ok(entry)
    }
}

impl Entry {
    /// The input of cameras that name none.
    pub fn default_size(&self) -> Size {
        self.sizes[0]
    }

    /// Whether the model takes this input, as far as the catalog tells.
    pub fn check_size(&self, size: Size) -> Result<(), DetectError> {
        let multiple = self.multiple.is_some_and(|m| {
            let fits = |v: u32| v > 0 && v <= 4096 && v.is_multiple_of(m);
            fits(size.width) && fits(size.height)
        });
        if multiple || self.sizes.contains(&size) {
            return Ok(());
        }
        let sizes = self.sizes.iter().map(Size::to_string).collect::<Vec<_>>().join(", ");
        let reason = match self.multiple {
            Some(m) => format!("it takes {sizes} and other multiples of {m} up to 4096"),
            None => format!("it takes {sizes}"),
        };
        Err(DetectError::Size { id: self.id.clone(), size, reason })
    }

    /// Reads the file through and compares its SHA-256. Weights that an ONNX file keeps in further files are not
    /// covered.
    pub fn verify(&self) -> Result<(), DetectError> {
        let found = sha256_of(&self.path).map_err(|source| DetectError::Unreadable {
            id: self.id.clone(),
            path: self.path.clone(),
            source,
            fetchable: self.url.is_some(),
        })?;
        if found == self.sha256 {
            return Ok(());
        }
        let (id, path, wanted) = (self.id.clone(), self.path.clone(), self.sha256.clone());
        Err(DetectError::Hash { id, path, found, wanted })
    }
}

/// SHA-256 of a file, in lower-case hexadecimal digits.
pub fn sha256_of(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&chunk[..n]),
        }
    }
}

#[cfg(test)]
mod tests;
