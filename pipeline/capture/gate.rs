//! The motion gate: leaves out pictures of a scene that is empty and still. Off unless a camera's file sets it.
//!
//! A picture is left out only while nobody is followed, no alert is open, and nothing has moved since the last picture
//! that was analysed, nor for [`AFTER`] before; and never for longer than [`LONGEST`]. So a picture that is left out kills
//! no track and stops no timer; what it can cost is that somebody whom the gate does not see moving is seen later.

use crate::types::{Frame, MediaTime, PixelFormat, Size, Span, Target};

/// Pictures that are analysed are at most so far apart.
pub const LONGEST: Span = Span::from_secs(2);
/// After something moved every picture is analysed for so long: who comes in is seen more than once.
const AFTER: Span = Span::from_secs(2);
/// What is compared.
const TARGET: Target = Target { size: Size::new(160, 120), format: PixelFormat::Gray8 };
/// Side of the tiles in which it is, pixels: somebody of a twentieth of the picture's height fills one.
const TILE: usize = 4;
/// A tile has moved when it differs by so many levels of 255 on average, beyond what the picture's noise explains.
const LEVELS: u32 = 5;
/// Multiples of the median tile's difference that are noise, or another light.
const NOISES: u32 = 3;

/// The gate of one camera.
pub struct MotionGate {
    longest: Span,
    /// The last picture that was analysed, and another.
    reference: Vec<u8>,
    now: Vec<u8>,
    tiles: Vec<u32>,
    taken: Option<MediaTime>,
    before: Option<MediaTime>,
    /// Everything is analysed until then.
    open_until: Option<MediaTime>,
}

impl MotionGate {
    /// For a camera whose open incidents end after `outage` without pictures: half of that is the most that is left out.
    pub fn new(outage: Span) -> Self {
        Self {
            longest: LONGEST.min(Span::from_nanos(outage.nanos() / 2)),
            reference: Vec::new(),
            now: Vec::new(),
            tiles: Vec::new(),
            taken: None,
            before: None,
            open_until: None,
        }
    }

    /// Whether the picture is to be analysed; pictures come in order. `busy`: somebody is followed, or an alert is open.
    pub fn takes(&mut self, frame: &Frame, busy: bool) -> bool {
        let time = frame.time;
        let step = self.before.replace(time).map_or(Span::ZERO, |before| time - before);
        // What cannot be compared is analysed.
        let compared = frame.picture.convert(TARGET, &mut self.now).is_ok();
        let moved = !compared || self.now.len() != self.reference.len() || self.moved();
        if moved {
            self.open_until = Some(time + AFTER);
        }
        let open = self.open_until.is_some_and(|until| time <= until);
        // The next picture would come too late.
        let due = self.taken.is_none_or(|taken| time - taken + step > self.longest);
        let takes = busy || open || due;
        if takes {
            self.taken = Some(time);
            std::mem::swap(&mut self.reference, &mut self.now);
        }
        takes
    }

    /// Whether one tile differs by more than the picture does all over.
    fn moved(&mut self) -> bool {
        let width = TARGET.size.width as usize;
        let columns = width / TILE;
        self.tiles.clear();
        self.tiles.resize(columns * (TARGET.size.height as usize / TILE), 0);
        let rows = self.reference.chunks_exact(width).zip(self.now.chunks_exact(width)).enumerate();
        for (y, (before, now)) in rows {
            let tiles = &mut self.tiles[y / TILE * columns..][..columns];
            for (tile, (before, now)) in tiles.iter_mut().zip(before.chunks_exact(TILE).zip(now.chunks_exact(TILE))) {
                *tile += before.iter().zip(now).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
            }
        }
        let most = self.tiles.iter().copied().max().unwrap_or(0);
        let middle = self.tiles.len() / 2;
        let (_, median, _) = self.tiles.select_nth_unstable(middle);
        most > LEVELS * (TILE * TILE) as u32 + NOISES * *median
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::capture::picture::VideoPicture;

    /// A grey yard with somebody of an eighth of its height at `x`.
    fn yard(tenths: i64, somebody: Option<usize>, light: u8) -> Frame {
        let size = Size::new(320, 240);
        let mut bgr = vec![90 + light; 320 * 240 * 3];
        if let Some(x) = somebody {
            for y in 120..150 {
                bgr[(y * 320 + x) * 3..][..10 * 3].fill(30 + light);
            }
        }
        // Noise that no picture is without.
        for (i, value) in bgr.iter_mut().enumerate() {
            *value = value.wrapping_add(((i as i64 * 7 + tenths * 13) % 3) as u8);
        }
        Frame {
            index: tenths as u64,
            time: MediaTime::ZERO + Span::from_millis(tenths * 100),
            utc: jiff::Timestamp::UNIX_EPOCH,
            arrived: Instant::now(),
            picture: Arc::new(VideoPicture::from_bgr(size, &bgr).unwrap()),
        }
    }

    fn taken(gate: &mut MotionGate, frames: impl IntoIterator<Item = Frame>) -> Vec<u64> {
        frames.into_iter().filter(|frame| gate.takes(frame, false)).map(|frame| frame.index).collect()
    }

    #[test]
    fn an_empty_yard_is_looked_at_every_two_seconds() {
        let mut gate = MotionGate::new(Span::from_secs(10));
        // The first pictures are not known to be still.
        let taken = taken(&mut gate, (0..200).map(|t| yard(t, None, 0)));
        assert_eq!(taken[..21], (0..=20).collect::<Vec<_>>());
        assert_eq!(taken[21..], [40, 60, 80, 100, 120, 140, 160, 180]);
    }

    #[test]
    fn whoever_comes_is_seen_at_once_and_stays_in_view() {
        let mut gate = MotionGate::new(Span::from_secs(10));
        taken(&mut gate, (0..50).map(|t| yard(t, None, 0)));
        let walking = (50..100).map(|t| yard(t, Some(40 + (t as usize - 50) * 2), 0));
        assert_eq!(taken(&mut gate, walking), (50..100).collect::<Vec<_>>());
        // Gone at 10.0 s: that is a motion, then it is still again.
        let after = taken(&mut gate, (100..150).map(|t| yard(t, None, 0)));
        assert_eq!(after, (100..=120).chain([140]).collect::<Vec<_>>());
    }

    #[test]
    fn another_light_all_over_is_no_motion() {
        let mut gate = MotionGate::new(Span::from_secs(10));
        taken(&mut gate, (0..50).map(|t| yard(t, None, 0)));
        let brighter = taken(&mut gate, (50..100).map(|t| yard(t, None, 20)));
        assert_eq!(brighter, [60, 80]);
    }

    #[test]
    fn while_somebody_is_followed_nothing_is_left_out() {
        let mut gate = MotionGate::new(Span::from_secs(10));
        taken(&mut gate, (0..50).map(|t| yard(t, Some(50), 0)));
        assert!((50..90).all(|t| gate.takes(&yard(t, Some(50), 0), true)));
        assert!(!gate.takes(&yard(90, Some(50), 0), false));
    }

    #[test]
    fn a_short_outage_shortens_it() {
        let mut gate = MotionGate::new(Span::from_secs(1));
        let taken = taken(&mut gate, (0..60).map(|t| yard(t, None, 0)));
        assert_eq!(taken[21..], [25, 30, 35, 40, 45, 50, 55]);
    }
}
