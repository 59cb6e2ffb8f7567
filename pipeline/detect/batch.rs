//! Which cameras go through the model together, and whose turn it is. Pure: the engine asks with what is ready.

use super::DetectError;
use super::catalog::Catalog;
use crate::config::plan::Detect;
use crate::types::Size;

/// What two cameras must share to share a batch, and a detector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Catalog id or path, as [`Catalog::resolve`] takes it.
    pub model: String,
    /// Width and height of the model's input.
    pub input: (u32, u32),
    /// The same of further scales.
    pub extra: Vec<(u32, u32)>,
}

impl Key {
    /// Of a camera, with the catalog's defaults filled in. The sizes are checked.
    pub fn of(detect: &Detect, catalog: &Catalog) -> Result<Self, DetectError> {
        let entry = catalog.resolve(detect.model.as_deref())?;
        let input = detect.input.unwrap_or_else(|| entry.default_size());
        for &size in std::iter::once(&input).chain(&detect.extra) {
            entry.check_size(size)?;
        }
        let pair = |size: &Size| (size.width, size.height);
        let model = detect.model.clone().unwrap_or(entry.id);
        Ok(Self { model, input: pair(&input), extra: detect.extra.iter().map(pair).collect() })
    }

    /// The model's input.
    pub fn input(&self) -> Size {
        Size::new(self.input.0, self.input.1)
    }

    /// Further scales.
    pub fn extra(&self) -> Vec<Size> {
        self.extra.iter().map(|&(width, height)| Size::new(width, height)).collect()
    }
}

/// The order of service of the cameras of one site: whoever has waited for the most turns comes first, together with
/// others of the same group that are ready. Cameras with priority come before those without, of which none waits longer
/// than [`PATIENCE`] turns for each camera there is.
#[derive(Clone, Debug, Default)]
pub struct Rota {
    /// Group of each camera.
    groups: Vec<usize>,
    /// Turn at which each camera was last served; 0: never.
    served: Vec<u64>,
    /// Whether it goes before others; empty: none does.
    priority: Vec<bool>,
    turn: u64,
}

/// Turns for each camera after which one without priority is served all the same.
const PATIENCE: u64 = 4;

impl Rota {
    /// For cameras numbered from 0, each with its group (an index of its [`Key`]).
    pub fn new(groups: Vec<usize>) -> Self {
        Self { served: vec![0; groups.len()], groups, priority: Vec::new(), turn: 0 }
    }

    /// Cameras that go before others, by number.
    pub fn with_priority(self, priority: Vec<bool>) -> Self {
        Self { priority, ..self }
    }

    /// A camera comes, by a number that is free: behind all that are there.
    pub fn enter(&mut self, camera: usize, group: usize, priority: bool) {
        let cameras = self.groups.len().max(camera + 1);
        self.groups.resize(cameras, group);
        self.served.resize(cameras, 0);
        self.served[camera] = self.turn;
        self.regroup(camera, group, priority);
    }

    /// A camera goes over to another group, and goes before others or no more.
    pub fn regroup(&mut self, camera: usize, group: usize, priority: bool) {
        self.groups[camera] = group;
        self.priority.resize(self.groups.len(), false);
        self.priority[camera] = priority;
    }

    /// Takes the next cameras to serve, at most `most` of one group, out of those that are ready, longest waiting first;
    /// of equals the one with the smaller number. `out` is replaced; empty if nobody is ready. Never waits for a batch
    /// to fill.
    pub fn next(&mut self, ready: impl Fn(usize) -> bool, most: impl Fn(usize) -> usize, out: &mut Vec<usize>) {
        out.clear();
        let Some(first) = self.longest(&ready, None, out) else { return };
        let group = self.groups[first];
        out.push(first);
        while out.len() < most(group) {
            let Some(camera) = self.longest(&ready, Some(group), out) else { break };
            out.push(camera);
        }
        self.turn += 1;
        out.iter().for_each(|&camera| self.served[camera] = self.turn);
    }

    /// Group of a camera.
    pub fn group(&self, camera: usize) -> usize {
        self.groups[camera]
    }

    fn longest(&self, ready: &impl Fn(usize) -> bool, group: Option<usize>, taken: &[usize]) -> Option<usize> {
        (0..self.groups.len())
            .filter(|camera| group.is_none_or(|group| self.groups[*camera] == group) && !taken.contains(camera))
            .filter(|camera| ready(*camera))
            .min_by_key(|camera| (!self.goes_first(*camera), self.served[*camera]))
    }

    /// By priority, or because it has waited for long.
    fn goes_first(&self, camera: usize) -> bool {
        let patience = PATIENCE * self.groups.len() as u64;
        self.priority.get(camera).copied().unwrap_or(false) || self.turn.saturating_sub(self.served[camera]) >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(rota: &mut Rota, ready: &[usize], most: usize) -> Vec<usize> {
        let mut out = Vec::new();
        rota.next(|camera| ready.contains(&camera), |_| most, &mut out);
        out
    }

    #[test]
    fn everyone_has_the_same_share_however_fast_a_camera_is() {
        let mut rota = Rota::new(vec![0; 5]);
        let all = [0, 1, 2, 3, 4];
        let served: Vec<_> = (0..10).flat_map(|_| serve(&mut rota, &all, 1)).collect();
        assert_eq!(served, [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
        assert_eq!(serve(&mut rota, &[4], 1), [4]);
        assert_eq!(serve(&mut rota, &[], 1), [0; 0]);
        assert_eq!(serve(&mut rota, &[3, 4], 1), [3]);
    }

    #[test]
    fn priority_goes_first_and_nobody_starves() {
        let mut rota = Rota::new(vec![0; 4]).with_priority(vec![false, true, false, true]);
        // They are not always ready: what they leave is for the others.
        assert_eq!(serve(&mut rota, &[0, 1, 2, 3], 1), [1]);
        assert_eq!(serve(&mut rota, &[0, 2, 3], 1), [3]);
        assert_eq!(serve(&mut rota, &[0, 2], 1), [0]);
        assert_eq!(serve(&mut rota, &[0, 2], 1), [2]);
        // Always ready, they would take everything.
        let served: Vec<usize> = (0..1_000).flat_map(|_| serve(&mut rota, &[0, 1, 2, 3], 1)).collect();
        let share = |camera: usize| served.iter().filter(|c| **c == camera).count();
        assert!(share(0).abs_diff(share(2)) <= 1 && (50..=70).contains(&share(0)), "{} {}", share(0), share(2));
        assert!(share(1).abs_diff(share(3)) <= 2 && share(1) > 430, "{} {}", share(1), share(3));
    }

    #[test]
    fn who_comes_later_is_served_after_those_who_wait_and_has_its_share() {
        let mut rota = Rota::default();
        (0..2).for_each(|camera| rota.enter(camera, 0, false));
        assert_eq!([serve(&mut rota, &[0, 1], 1), serve(&mut rota, &[0, 1], 1)], [[0], [1]]);
        assert_eq!(serve(&mut rota, &[0, 1], 1), [0]);
        rota.enter(2, 0, false);
        let served: Vec<usize> = (0..6).flat_map(|_| serve(&mut rota, &[0, 1, 2], 1)).collect();
        assert_eq!(served, [1, 0, 2, 1, 0, 2]);
        // Somebody else by the number of one that went.
        rota.enter(1, 7, true);
        assert_eq!((serve(&mut rota, &[0, 1, 2], 1), rota.group(1)), (vec![1], 7));
    }

    #[test]
    fn a_batch_is_of_one_group_and_takes_who_is_ready() {
        let mut rota = Rota::new(vec![0, 1, 0, 1, 0]);
        assert_eq!(serve(&mut rota, &[0, 1, 2, 3, 4], 2), [0, 2]);
        assert_eq!(serve(&mut rota, &[0, 1, 2, 3, 4], 2), [1, 3]);
        assert_eq!(serve(&mut rota, &[0, 1, 2, 3, 4], 2), [4, 0]);
        assert_eq!(serve(&mut rota, &[1, 2], 8), [2]);
    }
}
