//! A bitmap font of 16 rows: Latin, Greek, Cyrillic and the Chinese characters of GB 2312, since zones bear Chinese
//! names. GNU Unifont 15.0.01 under the SIL Open Font License 1.1 (`OFL.txt`); packed by `scripts/build-font`.

/// Rows of a letter.
pub(super) const HEIGHT: i32 = 16;

/// Two bytes code point, one byte width, 16 rows of two bytes; sorted by code point.
const RECORD: usize = 35;
const PACKED: &[u8] = include_bytes!("unifont.bin");

/// A letter.
#[derive(Clone, Copy)]
pub(super) struct Glyph {
    record: &'static [u8],
}

/// The letter, or `?` for what the font does not have.
pub(super) fn glyph(letter: char) -> Glyph {
    find(letter).or_else(|| find('?')).unwrap_or(Glyph { record: &[0; RECORD] })
}

fn find(letter: char) -> Option<Glyph> {
    let code = u16::try_from(u32::from(letter)).ok()?;
    let record = |k: usize| &PACKED[k * RECORD..(k + 1) * RECORD];
    let (mut low, mut high) = (0, PACKED.len() / RECORD);
    while low < high {
        let middle = (low + high) / 2;
        let found = record(middle);
        match u16::from_le_bytes([found[0], found[1]]).cmp(&code) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(Glyph { record: found }),
        }
    }
    None
}

impl Glyph {
    /// To the next letter, pixels: 8 or 16.
    pub(super) fn advance(self) -> i32 {
        i32::from(self.record[2])
    }

    /// A row from the top; the highest bit is on the left.
    pub(super) fn row(self, y: usize) -> u16 {
        u16::from_le_bytes([self.record[3 + 2 * y], self.record[4 + 2 * y]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_their_width_and_strangers_become_a_question_mark() {
        assert_eq!(PACKED.len() % RECORD, 0);
        let widths: Vec<i32> = "A~é人馨".chars().map(|c| glyph(c).advance()).collect();
        assert_eq!(widths, [8, 8, 8, 16, 16]);
        for stranger in ['\u{7}', '😀', '\u{ffff}'] {
            assert_eq!(glyph(stranger).record, glyph('?').record);
        }
        // The horizontal stroke of 一, and nothing else.
        let rows: Vec<u16> = (0..16).map(|y| glyph('一').row(y)).filter(|row| *row != 0).collect();
        assert!(rows.len() <= 2 && rows.iter().any(|row| row.count_ones() >= 13), "{rows:x?}");
    }
}
