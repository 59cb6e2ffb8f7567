//! V4L2 devices, and AVI files that libav refuses, by OpenCV's `VideoCapture`.
//!
//! OpenCV's FFmpeg and GStreamer backends are never asked: they would open playlists and addresses that
//! [`super::address`] forbids, and write to stderr.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Instant;

use opencv::core::{CV_8UC3, LogLevel, Mat, set_log_level};
use opencv::prelude::{MatTraitConst, MatTraitConstManual, VideoCaptureTrait, VideoCaptureTraitConst};
use opencv::videoio::{self, VideoCapture};

use super::SourceError;
use super::clock::Stop;
use super::picture::{VideoPicture, is_sane};
use super::source::{Damage, Decoded, Source, StreamInfo};
use crate::types::{Size, Span};

/// Pictures in a row that a device may spoil before it is opened again.
const GARBLED: u32 = 300;

/// A device or file opened by OpenCV.
pub struct OpencvSource {
    capture: VideoCapture,
    picture: Mat,
    info: StreamInfo,
    stop: Stop,
    at: String,
    damage: Damage,
    /// Pictures taken from the device or file, decoded or not.
    grabbed: u64,
}

impl OpencvSource {
    /// Opens a V4L2 device such as `/dev/video0`. A device that gives nothing is noticed after OpenCV's own ten
    /// seconds, which cannot be set for each device.
    pub fn open_device(path: &Path, stop: &Stop) -> Result<Self, SourceError> {
        let at = path.display().to_string();
        match std::fs::metadata(path) {
            Ok(_) => Self::open(path, videoio::CAP_V4L2, true, stop),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(SourceError::Denied { at }),
            Err(_) => Err(SourceError::NotFound { at }),
        }
    }

    /// Opens an AVI file of JPEG pictures by OpenCV's own reader, which needs no index and no intact header.
    pub fn open_file(path: &Path, stop: &Stop) -> Result<Self, SourceError> {
        Self::open(path, videoio::CAP_OPENCV_MJPEG, false, stop)
    }

    fn open(path: &Path, backend: i32, live: bool, stop: &Stop) -> Result<Self, SourceError> {
        let at = path.display().to_string();
        let name = path
            .to_str()
            .ok_or_else(|| SourceError::NotAFile { at: at.clone(), why: "the name is not UTF-8".to_owned() })?;
        let refused = |why: String| match live {
            true => SourceError::Refused { at: at.clone(), why },
            false => SourceError::Undecodable { at: at.clone(), why },
        };
        quiet();
        let capture = VideoCapture::from_file(name, backend).map_err(|error| refused(error.message))?;
        if !capture.is_opened().unwrap_or(false) {
            return Err(refused("OpenCV does not take it".into()));
        }
        let get = |property: i32| capture.get(property).unwrap_or(0.0);
        let size = Size::new(get(videoio::CAP_PROP_FRAME_WIDTH) as u32, get(videoio::CAP_PROP_FRAME_HEIGHT) as u32);
        if !is_sane(size) {
            return Err(SourceError::TooLarge { at, size });
        }
        let fps = Some(get(videoio::CAP_PROP_FPS)).filter(|fps| fps.is_finite() && (0.001..=1000.0).contains(fps));
        let frames = Some(get(videoio::CAP_PROP_FRAME_COUNT)).filter(|frames| !live && *frames >= 1.0);
        let info = StreamInfo {
            size,
            codec: fourcc(get(videoio::CAP_PROP_FOURCC)),
            fps,
            frames: frames.map(|frames| frames as u64),
            duration: frames.zip(fps).map(|(frames, fps)| Span::from_secs_f64(frames / fps)),
            created: None,
            sample_aspect: None,
            live,
        };
        let damage = Damage::default();
        Ok(Self { capture, picture: Mat::default(), info, stop: stop.clone(), at, damage, grabbed: 0 })
    }
}

impl OpencvSource {
    /// The grabbed picture; `None` where it does not decode to colours.
    fn retrieve(&mut self) -> Option<VideoPicture> {
        if !self.capture.retrieve(&mut self.picture, 0).unwrap_or(false) || self.picture.typ() != CV_8UC3 {
            return None;
        }
        let size = Size::new(self.picture.cols().unsigned_abs(), self.picture.rows().unsigned_abs());
        VideoPicture::from_bgr(size, self.picture.data_bytes().ok()?)
    }
}

impl Source for OpencvSource {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Decoded, SourceError> {
        let mut wasted = 0;
        loop {
            if self.stop.is_set() {
                return Err(SourceError::Stopped);
            }
            // What OpenCV throws and what it answers `false` to are the same here: no more pictures.
            if !self.capture.grab().unwrap_or(false) {
                return Err(match self.info.live {
                    true => SourceError::Lost { at: self.at.clone(), why: "the device gives no more pictures".into() },
                    false => SourceError::End { truncated: self.info.frames.is_some_and(|n| self.grabbed < n) },
                });
            }
            self.grabbed += 1;
            let arrived = Instant::now();
            if let Some(picture) = self.retrieve() {
                // The reader of files gives no time stamps; a camera's pictures are timed by their arrival.
                return Ok(Decoded { pts: None, arrived, took: arrived.elapsed(), picture: Arc::new(picture) });
            }
            self.damage.packets += 1;
            wasted += 1;
            if self.info.live && wasted >= GARBLED {
                return Err(SourceError::Garbled { at: self.at.clone(), packets: wasted });
            }
        }
    }

    fn damage(&self) -> Damage {
        self.damage
    }
}

/// Once a process: OpenCV writes its warnings to stderr, beside our log.
fn quiet() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // Should it fail, stderr is noisier and nothing else.
        set_log_level(LogLevel::LOG_LEVEL_SILENT).unwrap_or(LogLevel::LOG_LEVEL_SILENT);
    });
}

fn fourcc(value: f64) -> String {
    let code = (value as u32).to_le_bytes();
    code.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|&byte| char::from(byte).to_ascii_lowercase()).collect()
}
