//! MOT files: comma-separated rows `frame,id,left,top,width,height,score,...` of detections, tracks or ground truth
//! (Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016). Frames count from 1, boxes are pixels.
//!
//! Parsing and formatting only: files are opened and written by the caller.

use std::io::BufRead;

use thiserror::Error;

use super::{Detection, Rect};

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotRow {
    /// From 1.
    pub frame: u64,
    /// Identity; -1 for a detection.
    pub id: i64,
    /// Pixels; finite, of positive size.
    pub bbox: Rect,
    /// Column 7: a detection's score, or in ground truth whether the row counts.
    pub score: f32,
    /// Column 8: in ground truth the class; `None` where there are seven columns.
    pub class: Option<f64>,
}

/// A MOT file that cannot be read. A retry gives the same, unless reading itself failed.
#[derive(Debug, Error)]
pub enum MotError {
    /// A row is not what the format says.
    #[error("line {line}: {what}")]
    Row {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The text could not be read.
    #[error("line {line}: {source}")]
    Read {
        /// From 1.
        line: usize,
        /// Why.
        source: std::io::Error,
    },
}

impl MotError {
    /// Whether the same call may succeed later.
    pub fn retry(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

/// All rows in the order of the file. Blank lines are passed over; a file without rows is no people, not an error.
///
/// # Errors
/// The first row that has fewer than 7 or more than 10 columns, a column that is no number, a frame or id that is not
/// whole or out of range, a coordinate that is not finite, or a size that is not positive.
pub fn read(text: impl BufRead) -> Result<Vec<MotRow>, MotError> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|source| MotError::Read { line: number, source })?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if !line.is_empty() {
            rows.push(row(line).map_err(|what| MotError::Row { line: number, what })?);
        }
    }
    Ok(rows)
}

/// The rows that are people, in the order of the file. In ground truth with classes (column 8 holds only whole numbers
/// from 1 to 13) these are the rows with column 7 = 1 and column 8 = 1, the pedestrians that count; else all rows.
pub fn people(rows: &[MotRow]) -> impl Iterator<Item = &MotRow> {
    let is_class = |class: Option<f64>| class.is_some_and(|c| c.fract() == 0.0 && (1.0..=13.0).contains(&c));
    let classes = !rows.is_empty() && rows.iter().all(|row| is_class(row.class));
    rows.iter().filter(move |row| !classes || (row.score == 1.0 && row.class == Some(1.0)))
}

/// Puts the rows in the order of frames; rows of one frame keep the order of the file.
pub fn sort(rows: &mut [MotRow]) {
    rows.sort_by_key(|row| row.frame);
}

/// Appends `frame,id,left,top,width,height,score,-1,-1,-1` and a line feed; two decimals.
pub fn write_row(out: &mut String, frame: u64, id: u64, bbox: &Rect, score: f32) {
    let Rect { left, top, width, height } = bbox;
    out.push_str(&format!("{frame},{id},{left:.2},{top:.2},{width:.2},{height:.2},{score:.2},-1,-1,-1\n"));
}

impl MotRow {
    /// The row as a detection.
    pub fn detection(&self) -> Detection {
        Detection { bbox: self.bbox, score: self.score }
    }
}

fn row(line: &str) -> Result<MotRow, String> {
    const NAMES: [&str; 10] =
        ["frame", "id", "left", "top", "width", "height", "column 7", "column 8", "column 9", "column 10"];
    let mut values = [f64::NAN; 10];
    let mut count = 0;
    for field in line.split(',') {
        let slot = values.get_mut(count).ok_or("more than 10 columns")?;
        let field = field.trim();
        *slot = field.parse().map_err(|_| format!("{} is `{field}`, not a number", NAMES[count]))?;
        if slot.is_nan() {
            return Err(format!("{} is NaN", NAMES[count]));
        }
        count += 1;
    }
    if count < 7 {
        return Err(format!("{count} columns, at least 7 are needed"));
    }
    let whole = |at: usize, least: f64| {
        let value = values[at];
        if value.fract() == 0.0 && value >= least && value <= 9_007_199_254_740_992.0 {
            Ok(value)
        } else {
            Err(format!("{} is {value}, not a whole number from {least} up", NAMES[at]))
        }
    };
    let frame = whole(0, 1.0)? as u64;
    let id = whole(1, -1.0)? as i64;
    for at in 2..7 {
        if !(values[at] as f32).is_finite() {
            return Err(format!("{} is {}, out of range", NAMES[at], values[at]));
        }
    }
    for at in 4..6 {
        if values[at] as f32 <= 0.0 {
            return Err(format!("{} is {}, not positive", NAMES[at], values[at]));
        }
    }
    Ok(MotRow {
        frame,
        id,
        bbox: Rect::new(values[2] as f32, values[3] as f32, values[4] as f32, values[5] as f32),
        score: values[6] as f32,
        class: (count > 7).then_some(values[7]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn seven_to_ten_columns_in_any_order_of_frames() {
        let text = "3,-1,1.5,2,30,80,0.9\n\n1, 7, -4, 5, 30, 80, 1, 1, 0.5\r\n2,-1,1,2,3,4,0.5,-1,-1,-1\n";
        let mut rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|r| r.frame).collect::<Vec<_>>(), [3, 1, 2]);
        sort(&mut rows);
        assert_eq!(rows[0].id, 7);
        assert_eq!(rows[0].class, Some(1.0));
        assert_eq!(rows[2].class, None);
        assert_eq!(rows[2].detection(), Detection { bbox: Rect::new(1.5, 2.0, 30.0, 80.0), score: 0.9 });
    }

    #[test]
    fn an_empty_file_is_no_people() {
        assert!(read("".as_bytes()).unwrap().is_empty());
        assert!(read("\n \n".as_bytes()).unwrap().is_empty());
        assert_eq!(people(&[]).count(), 0);
    }

    #[test]
    fn faults_name_their_line() {
        assert_eq!(fault("1,-1,1,2,3,4,1\n2,-1,1,nan,3,4,1\n"), "line 2: top is NaN");
        assert_eq!(fault("1,-1,1,2,0,4,1"), "line 1: width is 0, not positive");
        assert_eq!(fault("1,-1,1,2,3,-4,1"), "line 1: height is -4, not positive");
        assert_eq!(fault("1,-1,inf,2,3,4,1"), "line 1: left is inf, out of range");
        assert_eq!(fault("1,-1,1,2,1e-60,4,1"), "line 1: width is 0.".to_owned() + &"0".repeat(59) + "1, not positive");
        assert_eq!(fault("0,-1,1,2,3,4,1"), "line 1: frame is 0, not a whole number from 1 up");
        assert_eq!(fault("1,-1,1,2,3,4"), "line 1: 6 columns, at least 7 are needed");
        assert_eq!(fault("1,-1,1,2,3,4,1,1,1,1,1"), "line 1: more than 10 columns");
        assert_eq!(fault("\nhello"), "line 2: frame is `hello`, not a number");
    }

    #[test]
    fn classes_count_only_where_every_row_has_one() {
        let kinds = "1,1,0,0,9,9,1,1,1\n1,2,0,0,9,9,0,1,1\n1,3,0,0,9,9,1,7,1\n";
        let rows = read(kinds.as_bytes()).unwrap();
        assert_eq!(people(&rows).map(|r| r.id).collect::<Vec<_>>(), [1]);
        for other in ["1,4,0,0,9,9,1,-4.15,0.2\n", "1,4,0,0,9,9,1\n", "1,4,0,0,9,9,1,14,1\n"] {
            let rows = read(format!("{kinds}{other}").as_bytes()).unwrap();
            assert_eq!(people(&rows).count(), 4, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            frame in 1_u64..100_000, id in 1_u64..100_000, left in -900_f32..9000.0, top in -900_f32..9000.0,
            width in 1_f32..4000.0, height in 1_f32..4000.0, score in 0_f32..1.0
        ) {
            let mut text = String::new();
            write_row(&mut text, frame, id, &Rect::new(left, top, width, height), score);
            prop_assert_eq!(text.matches(',').count(), 9);
            let rows = read(text.as_bytes()).unwrap();
            prop_assert_eq!(rows.len(), 1);
            prop_assert_eq!((rows[0].frame, rows[0].id), (frame, id as i64));
            prop_assert!((rows[0].bbox.left - left).abs() < 0.0056 && (rows[0].bbox.height - height).abs() < 0.0056);
            prop_assert_eq!(people(&rows).count(), 1);
        }

        #[test]
        fn no_text_panics(text in "[-0-9.,eNainf\n]{0,80}") {
            if let Ok(rows) = read(text.as_bytes()) {
                prop_assert!(rows.iter().all(|row| row.bbox.is_valid()));
            }
        }
    }
}
