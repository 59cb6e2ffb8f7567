//! Views of the presets of ptz cameras, kept beside the journal: `presets/<camera>.json`. So coarse that no person could be
//! told, and people are left out.

use std::path::Path;

use super::memory::{Memory, MemoryError};
use crate::capture::gaze::Stored;

/// The folder.
#[derive(Clone, Debug)]
pub struct PresetMemory(Memory);

impl PresetMemory {
    /// Below the data folder of a site; nothing is made before something is kept.
    pub fn new(data: &Path) -> Self {
        Self(Memory::new(data.join("presets")))
    }

    /// What is kept of a camera. A file that cannot be read is said, and the views must be taken anew.
    pub fn restore(&self, camera: &str) -> Vec<Stored> {
        match self.0.load(camera) {
            Ok(stored) => stored.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(camera, %error, "views of presets cannot be read: they must be taken anew");
                Vec::new()
            }
        }
    }

    /// Keeps what there is to keep.
    pub fn keep(&self, camera: &str, stored: Option<Vec<Stored>>) {
        let Some(stored) = stored else { return };
        if let Err(error) = self.0.save(camera, &stored) {
            self.complain(camera, &error);
        }
    }

    fn complain(&self, camera: &str, error: &MemoryError) {
        tracing::warn!(camera, %error, "views of presets cannot be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::StoredView;

    #[test]
    fn views_come_back_as_they_were() {
        let data = tempfile::tempdir().unwrap();
        let memory = PresetMemory::new(data.path());
        assert!(memory.restore("dome").is_empty());
        let view = StoredView { width: 2, height: 1, luma: vec![7, 200], seen: vec![true, false] };
        let stored = vec![Stored { preset: "gate".into(), view }];
        memory.keep("dome", Some(stored.clone()));
        memory.keep("dome", None);
        assert_eq!(memory.restore("dome"), stored);
        std::fs::write(data.path().join("presets/dome.json"), "{").unwrap();
        assert!(memory.restore("dome").is_empty());
    }
}
