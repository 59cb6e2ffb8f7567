//! Statistics of a small luma picture.

use crate::types::{Change, Size};

/// A contrast below this says nothing about sharpness, levels of 255.
const FLAT: f64 = 8.0;
/// Noise that makes up more of the Laplacian's variance hides what is sharp.
const MOST_NOISE: f64 = 0.5;
/// Variance of the Laplacian of noise of variance one: 4² + 4 · 1².
const LAPLACIAN_OF_NOISE: f64 = 20.0;
/// Side of the tiles in which noise is measured, pixels.
const TILE: usize = 8;
/// Where most of the picture differs by more on average, the scene has changed, levels.
const NOISE: f64 = 8.0;

/// Mean, deviation and bright end of a picture, levels of 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tone {
    pub mean: f64,
    pub spread: f64,
    /// 98 of 100 pixels do not exceed it.
    pub bright: f64,
}

/// Change since another picture, and the deviation of noise that it shows, levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub change: Change,
    /// `None` where the whole scene has changed.
    pub noise: Option<f64>,
}

pub(super) fn tone(pixels: &[u8]) -> Tone {
    let mut counts = [0_u32; 256];
    pixels.iter().for_each(|&p| counts[usize::from(p)] += 1);
    let n = pixels.len().max(1) as f64;
    let levels = || counts.iter().enumerate().map(|(level, &count)| (level as f64, f64::from(count)));
    let mean = levels().map(|(level, count)| level * count).sum::<f64>() / n;
    let variance = levels().map(|(level, count)| (level - mean) * (level - mean) * count).sum::<f64>() / n;
    let mut above = 0.02 * n;
    let bright = levels().rev().find(|(_, count)| {
        above -= count;
        above < 0.0
    });
    Tone { mean, spread: variance.sqrt(), bright: bright.map_or(0.0, |(level, _)| level) }
}

/// Of pictures of the same size. Noise is in most of the picture and motion is not, however faint where the picture is
/// blurred: it is measured tile by tile, and the median tile counts. `tiles` is a buffer.
pub(super) fn difference(before: &[u8], now: &[u8], size: Size, tiles: &mut Vec<u32>) -> Difference {
    let columns = (size.width as usize / TILE).max(1);
    let (mut changed, mut largest) = (0_u32, 0_u8);
    tiles.clear();
    tiles.resize(columns * (size.height as usize / TILE).max(1), 0);
    let rows = before.chunks_exact(size.width as usize).zip(now.chunks_exact(size.width as usize));
    for (row, sums) in rows.enumerate().map(|(y, row)| (row, y / TILE * columns)) {
        for (x, (&a, &b)) in row.0.iter().zip(row.1).enumerate() {
            let d = a.abs_diff(b);
            changed += u32::from(d > 0);
            largest = largest.max(d);
            if let Some(sum) = tiles.get_mut(sums + x / TILE) {
                *sum += u32::from(d);
            }
        }
    }
    let middle = tiles.len() / 2;
    let (_, median, _) = tiles.select_nth_unstable(middle);
    // The mean of |d| is sqrt(2/pi) of its deviation, and a difference has twice the variance of each picture's noise.
    let mean = f64::from(*median) / (TILE * TILE) as f64;
    let deviation = mean * std::f64::consts::FRAC_PI_2.sqrt();
    Difference {
        change: Change {
            changed: f64::from(changed) / before.len().max(1) as f64,
            largest: f64::from(largest) / 255.0,
        },
        noise: (mean <= NOISE).then_some(deviation * std::f64::consts::FRAC_1_SQRT_2),
    }
}

/// Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) over that of luma, both without the part that noise of
/// this deviation has; `None` where the picture is too flat or too noisy. Light that becomes twice as strong changes
/// nothing.
pub(super) fn sharpness(pixels: &[u8], size: Size, tone: &Tone, noise: f64) -> Option<f64> {
    let (width, height) = (size.width as usize, size.height as usize);
    if tone.spread < FLAT || width < 3 || height < 3 {
        return None;
    }
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for y in 1..height - 1 {
        let row = |y: usize| &pixels[y * width..(y + 1) * width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        let (mut row_sum, mut row_squares) = (0_i32, 0_i32);
        for x in 1..width - 1 {
            let around = i32::from(above[x]) + i32::from(below[x]) + i32::from(here[x - 1]) + i32::from(here[x + 1]);
            let value = around - 4 * i32::from(here[x]);
            row_sum += value;
            row_squares += value * value;
        }
        sum += i64::from(row_sum);
        squares += i64::from(row_squares);
    }
    let n = ((width - 2) * (height - 2)) as f64;
    let variance = squares as f64 / n - (sum as f64 / n).powi(2);
    let of_noise = LAPLACIAN_OF_NOISE * noise * noise;
    let contrast = tone.spread * tone.spread - noise * noise;
    (variance > 0.0 && of_noise <= MOST_NOISE * variance && contrast > 0.0).then(|| (variance - of_noise) / contrast)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(64, 48);

    fn picture(of: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..SIZE.area()).map(|i| of(i % 64, i / 64)).collect()
    }

    fn board(x: usize, y: usize) -> u8 {
        if (x / 8 + y / 8).is_multiple_of(2) { 160 } else { 80 }
    }

    #[test]
    fn tone_of_a_board() {
        let tone = tone(&picture(board));
        assert_eq!((tone.mean, tone.spread, tone.bright), (120.0, 40.0, 160.0));
        // A lamp of one hundredth of the picture does not make it bright.
        let night = picture(|x, y| if x < 5 && y < 6 { 255 } else { 10 });
        assert_eq!(super::tone(&night).bright, 10.0);
    }

    #[test]
    fn noise_is_measured_between_two_pictures() {
        let mut state = 1_u32;
        let mut noisy = || {
            picture(board)
                .into_iter()
                .map(|level| {
                    // Twelve uniform numbers: variance one.
                    let sum: f64 = (0..12)
                        .map(|_| {
                            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            f64::from(state >> 8) / f64::from(1 << 24)
                        })
                        .sum();
                    (f64::from(level) + 2.0 * (sum - 6.0)).round() as u8
                })
                .collect::<Vec<u8>>()
        };
        let (a, b) = (noisy(), noisy());
        let between = |a: &[u8], b: &[u8]| difference(a, b, SIZE, &mut Vec::new());
        let found = between(&a, &b);
        let noise = found.noise.unwrap();
        assert!((noise - 2.0).abs() < 0.2, "{found:?}");
        assert!(found.change.changed > 0.8);
        let clean = sharpness(&picture(board), SIZE, &tone(&picture(board)), 0.0).unwrap();
        let dirty = sharpness(&b, SIZE, &tone(&b), noise).unwrap();
        assert!((dirty / clean - 1.0).abs() < 0.1, "{dirty} {clean}");
        assert_eq!(between(&a, &a), Difference { change: Change { changed: 0.0, largest: 0.0 }, noise: Some(0.0) });
        // Something faint that moves through a third of the picture is no noise.
        let moved = |by: usize| picture(|x, y| if y < 16 { 100 + ((x + by) % 16) as u8 } else { 120 });
        assert_eq!(between(&moved(0), &moved(3)).noise, Some(0.0));
        assert_eq!(between(&a, &picture(|x, y| 255 - board(x, y))).noise, None);
    }

    #[test]
    fn sharpness_falls_with_blur_and_not_with_light() {
        let of = |pixels: &[u8]| sharpness(pixels, SIZE, &tone(pixels), 0.0);
        let sharp = picture(board);
        let dim: Vec<u8> = sharp.iter().map(|p| p / 2).collect();
        let blurred = picture(|x, y| {
            let around =
                (0..25).map(|i| u32::from(board((x + i % 5).saturating_sub(2), (y + i / 5).saturating_sub(2))));
            (around.sum::<u32>() / 25) as u8
        });
        let (sharp, dim, blurred) = (of(&sharp).unwrap(), of(&dim).unwrap(), of(&blurred).unwrap());
        assert!((dim / sharp - 1.0).abs() < 0.02 && blurred < sharp / 4.0, "{sharp} {dim} {blurred}");
        assert_eq!(of(&picture(|_, _| 90)), None);
    }
}
