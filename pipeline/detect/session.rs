//! One ONNX Runtime session for one model and one input size: providers, fixed shapes, warm-up.

use ort::ep;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session as Runtime, SessionInputValue, SessionOutputs};
use ort::value::{TensorElementType, TensorRef, ValueType};

use super::DetectError;
use super::catalog::{Entry, Layout};
use super::heads::{Element, Head, MAX_OUTPUTS, Shape, Values};
use super::runtime::{environment, one_line};
use crate::config::plan::{Inference, Provider};
use crate::types::Size;

/// A loaded model with its input memory; used by one thread. Outputs stay in the arena of ONNX Runtime, which hands out
/// the same memory at every run because shapes never change.
///
/// Fixing a model's dynamic axes at load (free dimension overrides) was tried and gains nothing on a CPU: 24.4 ms either
/// way for the default model at 640x480.
pub struct Session {
    runtime: Runtime,
    provider: Provider,
    head: Head,
    shape: [usize; 4],
    /// All pictures of the batch.
    tensor: Vec<f32>,
    /// Index of the picture input among the model's inputs, and the value of the other one if there is one.
    picture_input: usize,
    sizes: Option<Vec<i64>>,
}

/// What a run gave.
pub struct Outputs<'a> {
    outputs: SessionOutputs<'a>,
    head: &'a Head,
    batch: usize,
}

/// What a model's inputs allow.
struct Inputs {
    picture: usize,
    /// The model wants the size of the pictures too (`orig_target_sizes` of RT-DETR and D-FINE).
    sizes: bool,
    /// Pictures a batch, if the model fixes it.
    batch: Option<usize>,
}

impl Session {
    /// Loads a model whose file was verified, with the first provider of the list that works, and runs it once. The CPU
    /// is always tried last.
    pub fn load(entry: &Entry, size: Size, inference: &Inference) -> Result<Self, DetectError> {
        entry.check_size(size)?;
        let environment = environment()?;
        let builder = |provider| builder(&environment, provider, inference.threads.max(1));
        let gpus = inference.providers.iter().filter(|provider| **provider != Provider::Cpu);
        for &provider in gpus {
            let opened = builder(provider)
                .and_then(|mut builder| builder.commit_from_file(&entry.path))
                .map_err(|error| one_line(error.message()))
                .and_then(|runtime| {
                    Self::start(runtime, entry, size, provider, inference.batch).map_err(|error| error.to_string())
                });
            match opened {
                Ok(session) => return Ok(session),
                Err(reason) => {
                    tracing::warn!(model = %entry.id, ?provider, %reason, "provider does not work; falling back")
                }
            }
        }
        let runtime = builder(Provider::Cpu)
            .and_then(|mut builder| builder.commit_from_file(&entry.path))
            .map_err(|error| unusable(entry, &error))?;
        Self::start(runtime, entry, size, Provider::Cpu, 1)
    }

    fn start(
        mut runtime: Runtime,
        entry: &Entry,
        size: Size,
        provider: Provider,
        batch: usize,
    ) -> Result<Self, DetectError> {
        let inputs = Inputs::of(&runtime, entry, size)?;
        let batch = inputs.batch.unwrap_or(batch).max(1);
        let (width, height) = (size.width as usize, size.height as usize);
        let shape = match entry.normalise.layout {
            Layout::Nchw => [batch, 3, height, width],
            Layout::Nhwc => [batch, height, width, 3],
        };
        let tensor = vec![0.0; shape.iter().product()];
        let sizes = inputs.sizes.then(|| [i64::from(size.width), i64::from(size.height)].repeat(batch));
        let first = infer(&mut runtime, (shape, &tensor), inputs.picture, sizes.as_deref());
        let shapes = first.map(|outputs| shapes(&outputs)).map_err(|error| unusable(entry, &error))?;
        let bad = |reason| DetectError::Output { id: entry.id.clone(), head: entry.head, reason };
        let head = Head::fit(entry.head, entry.class, size, &shapes).map_err(bad)?;
        if let Some(other) = head.reads().iter().map(|&i| &shapes[i]).find(|shape| shape.dims.first() != Some(&batch)) {
            return Err(bad(format!("`{}` has {:?} for a batch of {batch}", other.name, other.dims)));
        }
        tracing::info!(model = %entry.id, %size, ?provider, batch, "model ready");
        Ok(Self { runtime, provider, head, shape, tensor, picture_input: inputs.picture, sizes })
    }

    /// Where it runs.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Pictures that go through together; unused places are computed all the same.
    pub fn batch(&self) -> usize {
        self.shape[0]
    }

    /// Input values of one place of the batch.
    pub fn input(&mut self, place: usize) -> &mut [f32] {
        let len = self.tensor.len() / self.shape[0];
        &mut self.tensor[place * len..(place + 1) * len]
    }

    /// Runs the model on what the places hold.
    pub fn run(&mut self) -> Result<Outputs<'_>, DetectError> {
        let input = (self.shape, self.tensor.as_slice());
        let outputs = infer(&mut self.runtime, input, self.picture_input, self.sizes.as_deref())
            .map_err(|error| DetectError::Infer(one_line(error.message())))?;
        Ok(Outputs { outputs, head: &self.head, batch: self.shape[0] })
    }
}

impl Outputs<'_> {
    /// The head that reads them, and its values for one place of the batch.
    pub fn place(&self, place: usize) -> Result<(&Head, [Values<'_>; MAX_OUTPUTS]), DetectError> {
        let mut values = [Values::None; MAX_OUTPUTS];
        for (slot, &i) in values.iter_mut().zip(self.head.reads()) {
            let output = &self.outputs[i];
            let bad = |error: ort::Error| DetectError::Infer(one_line(error.message()));
            *slot = match output.dtype().tensor_type() {
                Some(TensorElementType::Int64) => {
                    Values::I64(part(output.try_extract_tensor::<i64>().map_err(bad)?.1, place, self.batch))
                }
                _ => Values::F32(part(output.try_extract_tensor::<f32>().map_err(bad)?.1, place, self.batch)),
            };
        }
        Ok((self.head, values))
    }
}

fn part<T>(values: &[T], place: usize, batch: usize) -> &[T] {
    let len = values.len() / batch;
    values.get(place * len..(place + 1) * len).unwrap_or_default()
}

fn infer<'s>(
    runtime: &'s mut Runtime,
    (shape, tensor): ([usize; 4], &[f32]),
    picture_input: usize,
    sizes: Option<&[i64]>,
) -> ort::Result<SessionOutputs<'s>> {
    let picture: SessionInputValue<'_> = TensorRef::from_array_view((shape, tensor))?.into();
    match sizes {
        None => runtime.run([picture]),
        Some(sizes) => {
            let sizes: SessionInputValue<'_> = TensorRef::from_array_view(([shape[0], 2], sizes))?.into();
            runtime.run(if picture_input == 0 { [picture, sizes] } else { [sizes, picture] })
        }
    }
}

fn builder(
    environment: &ort::environment::Environment,
    provider: Provider,
    threads: usize,
) -> ort::Result<SessionBuilder> {
    let cuda = || ep::CUDA::default().build().error_on_failure();
    let providers = match provider {
        // What TensorRT cannot run falls to CUDA, else to the CPU.
        Provider::Tensorrt => vec![ep::TensorRT::default().build().error_on_failure(), cuda()],
        Provider::Cuda => vec![cuda()],
        Provider::Cpu => vec![],
    };
    // Threads that spin between pictures would burn the cores that decoding needs.
    let builder = Runtime::builder(environment)?
        .with_execution_providers(providers)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_log_level(ort::logging::LogLevel::Warning)?;
    Ok(builder)
}

impl Inputs {
    fn of(runtime: &Runtime, entry: &Entry, size: Size) -> Result<Self, DetectError> {
        let bad = |reason: String| DetectError::Input { id: entry.id.clone(), reason };
        let (mut picture, mut sizes) = (None, false);
        for (i, input) in runtime.inputs().iter().enumerate() {
            match input.dtype() {
                ValueType::Tensor { ty: TensorElementType::Float32, shape, .. }
                    if shape.len() == 4 && picture.is_none() =>
                {
                    picture = Some((i, shape));
                }
                ValueType::Tensor { ty: TensorElementType::Int64, shape, .. } if shape.len() == 2 && !sizes => {
                    sizes = true
                }
                other => {
                    return Err(bad(format!("`{}` is {other}; a picture is float32 with four axes", input.name())));
                }
            }
        }
        let Some((picture, shape)) = picture else { return Err(bad("it takes no picture".to_owned())) };
        let (c, h, w) = match entry.normalise.layout {
            Layout::Nchw => (shape[1], shape[2], shape[3]),
            Layout::Nhwc => (shape[3], shape[1], shape[2]),
        };
        let fits = |found: i64, wanted: u32| found < 0 || found == i64::from(wanted);
        if !fits(c, 3) {
            return Err(bad(format!(
                "the picture is {shape}, without three channels where the catalog's layout has them"
            )));
        }
        if !fits(h, size.height) || !fits(w, size.width) {
            let reason = format!("its file fixes {w}x{h}");
            return Err(DetectError::Size { id: entry.id.clone(), size, reason });
        }
        Ok(Self { picture, sizes, batch: usize::try_from(shape[0]).ok() })
    }
}

fn unusable(entry: &Entry, error: &ort::Error) -> DetectError {
    DetectError::Model { id: entry.id.clone(), path: entry.path.clone(), reason: one_line(error.message()) }
}

fn shapes(outputs: &SessionOutputs<'_>) -> Vec<Shape> {
    let shape = |(name, value): (&str, ort::value::ValueRef<'_>)| {
        let (dims, element) = match value.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                let element = match ty {
                    TensorElementType::Float32 => Element::F32,
                    TensorElementType::Int64 => Element::I64,
                    _ => Element::Other,
                };
                (shape.iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect(), element)
            }
            _ => (Vec::new(), Element::Other),
        };
        Shape { name: name.to_owned(), dims, element }
    };
    outputs.iter().map(shape).collect()
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("provider", &self.provider).field("shape", &self.shape).finish_non_exhaustive()
    }
}
