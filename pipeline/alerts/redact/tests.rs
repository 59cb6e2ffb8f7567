use proptest::prelude::*;

use super::*;

const SIZE: Size = Size::new(64, 48);

fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..SIZE.area() * 3).map(|_| next()).collect()
}

fn pixel(bgr: &[u8], x: u32, y: u32) -> [u8; 3] {
    let at = (y * SIZE.width + x) as usize * 3;
    [bgr[at], bgr[at + 1], bgr[at + 2]]
}

/// Pushes pictures with their boxes and returns all that come out, in order.
fn run(pictures: &[(Vec<u8>, Option<Vec<Rect>>)]) -> Vec<(u64, Vec<u8>)> {
    let mut redactor = Redactor::new();
    let mut out = Vec::new();
    for (k, (picture, boxes)) in (0_u64..).zip(pictures) {
        let mut buffer = picture.clone();
        let given = redactor.push(&mut buffer, SIZE, boxes.as_deref(), SIZE, k, MediaTime::of_frame(k, 10.0)).unwrap();
        out.extend(given.map(|r| (r.index, r.bgr.to_vec())));
    }
    while let Some(rest) = redactor.flush() {
        out.push((rest.index, rest.bgr.to_vec()));
    }
    out
}

fn covered(boxes: &[Rect], x: u32, y: u32) -> bool {
    boxes.iter().any(|b| {
        let p = b.padded(PADDING);
        (x + 1) as f32 > p.left && (x as f32) < p.right() && (y + 1) as f32 > p.top && (y as f32) < p.bottom()
    })
}

#[test]
fn pictures_come_out_in_order_two_late_and_all_of_them() {
    let pictures: Vec<_> = (0..7).map(|k| (noise(k + 1), Some(Vec::new()))).collect();
    let out = run(&pictures);
    assert_eq!(out.iter().map(|o| o.0).collect::<Vec<_>>(), (0..7).collect::<Vec<_>>());
    for (k, (_, bgr)) in out.iter().enumerate() {
        assert_eq!(*bgr, pictures[k].0, "a picture without people stays as it is");
    }
    let mut redactor = Redactor::new();
    let mut push =
        |k| redactor.push(&mut noise(1), SIZE, Some(&[]), SIZE, k, MediaTime::ZERO).unwrap().map(|r| r.index);
    assert_eq!((push(0), push(1), push(2), push(3)), (None, None, Some(0), Some(1)));
}

#[test]
fn a_box_covers_two_pictures_before_and_after_and_no_more() {
    let person = Rect::new(20.0, 10.0, 16.0, 30.0);
    let pictures: Vec<_> =
        (0..9).map(|k| (noise(k + 1), Some(if k == 4 { vec![person] } else { Vec::new() }))).collect();
    for (index, bgr) in run(&pictures) {
        let touched = (2..=6).contains(&index);
        let source = &pictures[index as usize].0;
        assert_eq!(bgr != *source, touched, "picture {index}");
        if touched {
            let same = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y)));
            for (x, y) in same.filter(|&(x, y)| !covered(&[person], x, y)) {
                assert_eq!(pixel(&bgr, x, y), pixel(source, x, y), "outside the box at {x},{y}");
            }
        }
    }
}

#[test]
fn without_detections_the_whole_picture_is_covered() {
    for boxes in [None, Some(vec![Rect::new(f32::NAN, 0.0, 4.0, 4.0)]), Some(vec![Rect::new(0.0, 0.0, 1.0, 1.0); 1025])]
    {
        let out = run(&[(noise(3), boxes)]);
        let mut colours: Vec<[u8; 3]> = (0..SIZE.height)
            .flat_map(|y| (0..SIZE.width).map(move |x| (x, y)))
            .map(|(x, y)| pixel(&out[0].1, x, y))
            .collect();
        colours.sort_unstable();
        colours.dedup();
        assert!(colours.len() <= 48, "{} colours in 8 by 6 cells", colours.len());
    }
}

#[test]
fn a_mean_is_the_mean_of_the_whole_cell() {
    // One cell: the box is smaller than two cells either way.
    let person = Rect::new(10.0, 10.0, 8.0, 8.0);
    let source = noise(5);
    let out = run(&[(source.clone(), Some(vec![person]))]);
    // Padded by 0.8 on each side: pixels 9 to 19.
    let mut sum = 0_u32;
    for y in 9..19 {
        for x in 9..19 {
            sum += u32::from(pixel(&source, x, y)[0]);
        }
    }
    assert_eq!(pixel(&out[0].1, 12, 12)[0], ((sum + 50) / 100) as u8);
}

#[test]
fn a_wrong_length_is_refused_and_buffers_are_reused() {
    let mut redactor = Redactor::new();
    let mut short = vec![0; 5];
    assert!(redactor.push(&mut short, SIZE, None, SIZE, 0, MediaTime::ZERO).is_err());
    let mut buffer = noise(1);
    for k in 0..20 {
        if buffer.is_empty() {
            buffer = noise(1);
        }
        let _ = redactor.push(&mut buffer, SIZE, None, SIZE, k, MediaTime::ZERO).unwrap();
        assert!(k < SPAN as u64 || buffer.len() == SIZE.area() * 3, "picture {k} got an old buffer back");
    }
}

#[test]
fn pictures_that_nobody_wants_cover_their_neighbours() {
    let person = Rect::new(10.0, 10.0, 8.0, 8.0);
    let mut redactor = Redactor::new();
    let mut given = Vec::new();
    for k in 0..6 {
        let boxes: &[Rect] = if k == 1 { &[person] } else { &[] };
        let released = if k % 3 == 0 {
            redactor.push(&mut noise(k), SIZE, Some(boxes), SIZE, k, MediaTime::ZERO).unwrap()
        } else {
            redactor.pass(Some(boxes), SIZE)
        };
        given.extend(released.map(|r| (r.index, r.bgr.to_vec())));
    }
    assert_eq!(given.iter().map(|g| g.0).collect::<Vec<_>>(), [0, 3], "of six pictures the two that were wanted");
    for (index, bgr) in given {
        assert_ne!(pixel(&bgr, 12, 12), pixel(&noise(index), 12, 12), "picture {index} shows the person of picture 1");
        assert_eq!(pixel(&bgr, 40, 40), pixel(&noise(index), 40, 40));
    }
    assert!(redactor.flush().is_none());
}

fn boxes() -> impl Strategy<Value = Vec<Rect>> {
    let one = (-20.0_f32..70.0, -20.0_f32..60.0, 0.5_f32..60.0, 0.5_f32..60.0);
    proptest::collection::vec(one.prop_map(|(l, t, w, h)| Rect::new(l, t, w, h)), 0..6)
}

proptest! {
    /// Detail inside a cell makes no difference to what comes out: shuffling the pixels of each cell of the last box
    /// changes nothing, and every pixel of it has its cell's one colour.
    #[test]
    fn no_covered_area_keeps_detail(seed in 1_u64..u64::MAX, list in boxes()) {
        let source = noise(seed);
        let out = run(&[(source.clone(), Some(list.clone()))]).remove(0).1;
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                if !covered(&list, x, y) && !list.iter().any(|b| touches(b, x, y)) {
                    prop_assert_eq!(pixel(&out, x, y), pixel(&source, x, y));
                }
            }
        }
        if let Some(last) = list.last() {
            let scaled = last.padded(PADDING);
            if let Some(area) = area_of(scaled, SIZE) {
                // Cells are whole and large: at most 8 across the whole box, none smaller than 6 pixels unless the
                // visible part is.
                let mut columns = vec![area.left];
                for x in area.left + 1..area.right {
                    if (area.top..area.bottom).any(|y| pixel(&out, x, y) != pixel(&out, x - 1, y)) {
                        columns.push(x);
                    }
                }
                prop_assert!(columns.len() <= 8, "{} columns", columns.len());
                let least = MIN_CELL.max((scaled.width / 8.0).floor() as u32);
                for pair in columns.windows(2) {
                    prop_assert!(pair[1] - pair[0] >= least, "a column of {}", pair[1] - pair[0]);
                }
            }
        }
    }

    /// Two pictures that differ only by the order of pixels inside the cells of a box come out the same.
    #[test]
    fn the_order_of_pixels_inside_a_cell_is_lost(seed in 1_u64..u64::MAX, left in 0.0_f32..40.0, width in 4.0_f32..24.0) {
        let person = Rect::new(left, 8.0, width, 30.0);
        let source = noise(seed);
        let scaled = person.padded(PADDING);
        let area = area_of(scaled, SIZE).unwrap();
        let cell = ((scaled.width / 8.0).ceil() as u32).max(MIN_CELL);
        let (columns, rows) = ((area.width() / cell).max(1), (area.height() / cell).max(1));
        let mut turned = source.clone();
        for row in 0..rows {
            for column in 0..columns {
                let edge = |start: u32, length: u32, k: u32, n: u32| start + length * k / n;
                let mut places = Vec::new();
                for y in edge(area.top, area.height(), row, rows)..edge(area.top, area.height(), row + 1, rows) {
                    for x in edge(area.left, area.width(), column, columns)..edge(area.left, area.width(), column + 1, columns) {
                        places.push((y * SIZE.width + x) as usize * 3);
                    }
                }
                for (from, to) in places.iter().zip(places.iter().rev()) {
                    turned[*to..*to + 3].copy_from_slice(&source[*from..*from + 3]);
                }
            }
        }
        prop_assert_ne!(&turned, &source);
        let boxes = Some(vec![person]);
        prop_assert_eq!(run(&[(source, boxes.clone())]).remove(0).1, run(&[(turned, boxes)]).remove(0).1);
    }
}

/// Within a pixel of the padded box: rounding to whole pixels takes the pixels that the edge touches.
fn touches(bbox: &Rect, x: u32, y: u32) -> bool {
    let p = bbox.padded(PADDING);
    let (x, y) = (x as f32, y as f32);
    x + 1.01 > p.left && x - 0.01 < p.right() && y + 1.01 > p.top && y - 0.01 < p.bottom()
}

/// A camera that pans: content goes to the left by a tenth of the picture from one to the next.
#[test]
fn boxes_go_with_the_camera() {
    let step = CameraMotion { matrix: [[1.0, 0.0, -0.1], [0.0, 1.0, 0.0]] };
    let person = |k: usize| Rect::new(40.0 - 6.4 * k as f32, 12.0, 8.0, 24.0);
    let pictures: Vec<Vec<u8>> = (0..7).map(|k| noise(k + 1)).collect();
    // Whoever is seen in every picture but the fourth.
    let redact = |shift: fn(usize, CameraMotion) -> Shift| {
        let (mut redactor, step, mut out) = (Redactor::new(), step, Vec::new());
        for (k, picture) in pictures.iter().enumerate() {
            redactor.shift(shift(k, step));
            let boxes: Vec<Rect> = (k != 3).then(|| person(k)).into_iter().collect();
            let mut buffer = picture.clone();
            let given = redactor.push(&mut buffer, SIZE, Some(&boxes), SIZE, k as u64, MediaTime::ZERO).unwrap();
            out.extend(given.map(|r| r.bgr.to_vec()));
        }
        while let Some(rest) = redactor.flush() {
            out.push(rest.bgr.to_vec());
        }
        out
    };
    let kept = |bgr: &[u8], k: usize, b: Rect| {
        let inside = |x: u32, y: u32| {
            (x as f32) >= b.left && x as f32 + 1.0 <= b.right() && (y as f32) >= b.top && y as f32 + 1.0 <= b.bottom()
        };
        let all = (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| (x, y))).filter(|&(x, y)| inside(x, y));
        all.filter(|&(x, y)| pixel(bgr, x, y) == pixel(&pictures[k], x, y)).count()
    };
    let carried = redact(|_, step| Shift::Moved(step));
    for (k, bgr) in carried.iter().enumerate() {
        assert!(kept(bgr, k, person(k)) <= 2, "picture {k}: {} pixels of the person", kept(bgr, k, person(k)));
    }
    let far = Rect::new(52.0, 0.0, 12.0, 48.0);
    assert!(kept(&carried[6], 6, far) > 500, "what nobody comes near stays");
    // A jump that nobody knows: whatever it may have uncovered is covered.
    let jumped = redact(|k, _| if k == 3 { Shift::Unknown } else { Shift::Stays });
    for (k, bgr) in jumped.iter().enumerate() {
        let whole = kept(bgr, k, Rect::new(0.0, 0.0, 64.0, 48.0)) <= 30;
        assert_eq!(whole, (1..=4).contains(&k), "picture {k}");
    }
}
