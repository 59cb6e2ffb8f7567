//! A block as bytes: numbers of seven bits a byte, each as the difference from the one before, so that most are one byte.
//!
//! ```text
//! run, highest, width, height
//! pictures; the first time, then for each how much its distance differs from the last one's
//! trails; for each: id, by how much the person's is lower, born, birth x y
//!                   stretches in which it was seen; for each: pictures since the last one, pictures
//!                   places; for each: pictures since the last one, x, y, width, height, score
//! ```

use super::block::{Block, Spot, Trail};
use crate::types::Size;

/// Longest list that is believed.
const MOST: u64 = 65_536;

/// When a block was, and how many people it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// As [`Block::run`].
    pub run: u64,
    /// As [`Block::times`].
    pub times: Vec<i64>,
    /// Length of [`Block::trails`].
    pub people: usize,
}

/// Bytes that are no block. Never worth a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no block of trails")]
pub struct CodecError;

/// Appends a block.
pub fn encode(block: &Block, out: &mut Vec<u8>) {
    for number in [block.run, block.highest, u64::from(block.size.width), u64::from(block.size.height)] {
        put(out, number);
    }
    put(out, block.times.len() as u64);
    let (mut last, mut step) = (0, 0);
    for (k, &time) in block.times.iter().enumerate() {
        let distance = time.wrapping_sub(last);
        put_signed(out, distance.wrapping_sub(step));
        // The first is no distance.
        (last, step) = (time, if k == 0 { 0 } else { distance });
    }
    put(out, block.trails.len() as u64);
    let mut last = 0;
    for trail in &block.trails {
        put(out, trail.id.wrapping_sub(last));
        last = trail.id;
        put(out, trail.id.wrapping_sub(trail.person));
        put_signed(out, trail.born.wrapping_sub(block.begin()));
        trail.birth.iter().for_each(|v| put_signed(out, i64::from(*v)));
        put(out, trail.seen.len() as u64);
        let mut end = 0;
        for run in &trail.seen {
            put(out, u64::from(run.start - end));
            put(out, u64::from(run.end - run.start));
            end = run.end;
        }
        put(out, trail.spots.len() as u64);
        let mut before = Spot { picture: 0, place: [0; 4], score: 0 };
        for spot in &trail.spots {
            put(out, u64::from(spot.picture - before.picture));
            spot.place.iter().zip(before.place).for_each(|(v, last)| put_signed(out, i64::from(*v) - i64::from(last)));
            put_signed(out, i64::from(spot.score) - i64::from(before.score));
            before = *spot;
        }
    }
}

/// The block that these bytes are, all of them.
pub fn decode(bytes: &[u8]) -> Result<Block, CodecError> {
    let mut from = Reader(bytes);
    let mut block = head(&mut from)?;
    let pictures = block.times.len();
    let count = from.count()?;
    block.trails.reserve_exact(count);
    let mut last = 0_u64;
    for _ in 0..count {
        let id = last.checked_add(from.number()?).ok_or(CodecError)?;
        last = id;
        block.trails.push(trail(&mut from, id, block.begin(), pictures)?);
    }
    if from.0.is_empty() { Ok(block) } else { Err(CodecError) }
}

/// The same without its trails.
pub fn decode_head(bytes: &[u8]) -> Result<Head, CodecError> {
    let mut from = Reader(bytes);
    let Block { run, times, .. } = head(&mut from)?;
    if times.is_empty() { Err(CodecError) } else { Ok(Head { run, times, people: from.count()? }) }
}

fn head(from: &mut Reader<'_>) -> Result<Block, CodecError> {
    let (run, highest) = (from.number()?, from.number()?);
    let side = |v: u64| u32::try_from(v).map_err(|_| CodecError);
    let size = Size::new(side(from.number()?)?, side(from.number()?)?);
    let pictures = from.count()?;
    let mut times = Vec::with_capacity(pictures);
    let (mut last, mut step) = (0_i64, 0_i64);
    for k in 0..pictures {
        let distance = step.wrapping_add(from.signed()?);
        let time = last.wrapping_add(distance);
        if k > 0 && time <= last {
            return Err(CodecError);
        }
        times.push(time);
        (last, step) = (time, if k == 0 { 0 } else { distance });
    }
    Ok(Block { run, highest, size, times, trails: Vec::new() })
}

fn trail(from: &mut Reader<'_>, id: u64, begin: i64, pictures: usize) -> Result<Trail, CodecError> {
    let person = id.checked_sub(from.number()?).ok_or(CodecError)?;
    let born = begin.wrapping_add(from.signed()?);
    let birth = [from.step()?, from.step()?];
    let runs = from.count()?;
    let mut seen = Vec::with_capacity(runs);
    let mut end = 0;
    for k in 0..runs {
        let (apart, long) = (from.picture()?, from.picture()?);
        let start = end + apart;
        end = start + long;
        if long == 0 || (k > 0 && apart == 0) || end as usize > pictures {
            return Err(CodecError);
        }
        seen.push(start..end);
    }
    let count = from.count()?;
    let mut spots: Vec<Spot> = Vec::with_capacity(count);
    let mut spot = Spot { picture: 0, place: [0; 4], score: 0 };
    for k in 0..count {
        let apart = from.picture()?;
        spot.picture += apart;
        if (k > 0 && apart == 0) || spot.picture as usize >= pictures {
            return Err(CodecError);
        }
        for v in &mut spot.place {
            *v = v.checked_add(from.step()?).ok_or(CodecError)?;
        }
        spot.score = u8::try_from(i64::from(spot.score) + from.signed()?).map_err(|_| CodecError)?;
        spots.push(spot);
    }
    let ends = |seen: &[std::ops::Range<u32>]| Some((seen.first()?.start, seen.last()?.end - 1));
    let known = |spots: &[Spot]| Some((spots.first()?.picture, spots.last()?.picture));
    if ends(&seen).is_none() || ends(&seen) != known(&spots) {
        return Err(CodecError);
    }
    Ok(Trail { id, person, born, birth, seen, spots })
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Small numbers of either sign are small.
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Result<u64, CodecError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(CodecError)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(CodecError);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CodecError)
    }

    fn signed(&mut self) -> Result<i64, CodecError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Of a list; no longer than what is left could hold.
    fn count(&mut self) -> Result<usize, CodecError> {
        let count = self.number()?;
        if count <= MOST && count <= self.0.len() as u64 { Ok(count as usize) } else { Err(CodecError) }
    }

    fn picture(&mut self) -> Result<u32, CodecError> {
        self.number().and_then(|n| if n <= MOST { Ok(n as u32) } else { Err(CodecError) })
    }

    fn step(&mut self) -> Result<i32, CodecError> {
        self.signed().and_then(|v| i32::try_from(v).map_err(|_| CodecError))
    }
}
