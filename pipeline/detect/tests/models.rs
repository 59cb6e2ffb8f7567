//! Writes small ONNX files: every output is a constant, whatever the picture.

use std::path::PathBuf;

use crate::detect::Catalog;
use crate::types::Size;

/// Values of an output.
pub enum Data {
    F32(Vec<f32>),
    I64(Vec<i64>),
}

/// A model whose outputs are constants.
pub struct Constant {
    pub inputs: Vec<(&'static str, u64, Vec<i64>)>,
    pub outputs: Vec<(&'static str, Vec<i64>, Data)>,
}

const FLOAT: u64 = 1;
const INT64: u64 = 7;

impl Constant {
    /// One picture input `[batch, 3, height, width]`.
    pub fn new(batch: i64, size: Size) -> Self {
        let picture = vec![batch, 3, i64::from(size.height), i64::from(size.width)];
        Self { inputs: vec![("images", FLOAT, picture)], outputs: Vec::new() }
    }

    pub fn with_sizes(mut self, batch: i64) -> Self {
        self.inputs.push(("orig_target_sizes", INT64, vec![batch, 2]));
        self
    }

    pub fn f32(mut self, name: &'static str, dims: &[i64], values: Vec<f32>) -> Self {
        assert_eq!(dims.iter().product::<i64>(), values.len() as i64);
        self.outputs.push((name, dims.to_vec(), Data::F32(values)));
        self
    }

    pub fn i64(mut self, name: &'static str, dims: &[i64], values: Vec<i64>) -> Self {
        assert_eq!(dims.iter().product::<i64>(), values.len() as i64);
        self.outputs.push((name, dims.to_vec(), Data::I64(values)));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut graph = Proto::default();
        for (name, dims, data) in &self.outputs {
            let constant = format!("{name}_constant");
            let node = Proto::default().text(1, &constant).text(2, name).text(4, "Identity");
            graph = graph.message(1, node);
            let (element, raw) = match data {
                Data::F32(v) => (FLOAT, v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()),
                Data::I64(v) => (INT64, v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            };
            let tensor = dims.iter().fold(Proto::default(), |tensor, &dim| tensor.number(1, dim as u64));
            graph = graph.message(5, tensor.number(2, element).text(8, &constant).bytes(9, &raw));
            graph = graph.message(12, value_info(name, element, dims));
        }
        for (name, element, dims) in &self.inputs {
            graph = graph.message(11, value_info(name, *element, dims));
        }
        let opset = Proto::default().number(2, 13);
        Proto::default().number(1, 8).message(7, graph.text(2, "constant")).message(8, opset).0
    }
}

fn value_info(name: &str, element: u64, dims: &[i64]) -> Proto {
    let shape = dims.iter().fold(Proto::default(), |shape, &dim| {
        shape.message(1, if dim < 0 { Proto::default() } else { Proto::default().number(1, dim as u64) })
    });
    let tensor = Proto::default().number(1, element).message(2, shape);
    Proto::default().text(1, name).message(2, Proto::default().message(1, tensor))
}

/// Protocol buffers' wire format, as much as ONNX needs.
#[derive(Default)]
struct Proto(Vec<u8>);

impl Proto {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn number(self, field: u64, value: u64) -> Self {
        self.varint(field << 3).varint(value)
    }

    fn bytes(self, field: u64, value: &[u8]) -> Self {
        let mut out = self.varint(field << 3 | 2).varint(value.len() as u64);
        out.0.extend_from_slice(value);
        out
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }
}

/// A `models/` folder with one model.
pub struct Folder {
    pub dir: tempfile::TempDir,
}

impl Folder {
    pub fn new(head: &str, class: usize, fit: &str, size: Size, file: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path: PathBuf = dir.path().join("model.onnx");
        std::fs::write(&path, file).unwrap();
        let sha256 = crate::detect::catalog::sha256_of(&path).unwrap();
        let text = format!(
            r#"
            default = "test"
            [[model]]
            id = "test"
            file = "model.onnx"
            sha256 = "{sha256}"
            head = "{head}"
            class = {class}
            layout = "nchw"
            order = "rgb"
            mean = [0.0, 0.0, 0.0]
            std = [255.0, 255.0, 255.0]
            pad = 114
            fit = "{fit}"
            sizes = [[{}, {}]]
            score = 0.4
            nms = 0.5
            licence = "none"
            origin = "generated"
            "#,
            size.width, size.height
        );
        std::fs::write(dir.path().join("catalog.toml"), text).unwrap();
        Self { dir }
    }

    pub fn of(head: &str, class: usize, fit: &str, size: Size, model: &Constant) -> Self {
        Self::new(head, class, fit, size, &model.bytes())
    }

    pub fn catalog(&self) -> Catalog {
        Catalog::load(self.dir.path()).unwrap()
    }
}
