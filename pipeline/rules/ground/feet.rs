//! Feet that are not seen: cut off by the picture's lower edge, or behind somebody who stands nearer. They are where a
//! person of the expected height has them, below the head.

use super::Ground;
use crate::rules::people::Person;
use crate::types::{Point, Rect, Size, Track};

/// A box that ends so near the lower edge, a fraction of the picture's height, may be cut.
const EDGE: f64 = 0.01;
/// Who stands nearer reaches lower by this share of the covered box's height.
const LOWER: f64 = 0.05;
/// Feet are moved where this share of the expected height is missing: boxes and bodies differ by less.
const MISSING: f64 = 0.15;
/// Farther below the picture, in picture heights, nobody is believed to stand.
const FARTHEST: f64 = 2.0;

/// Says who stands free of all others, and moves the feet of those whose own are hidden.
pub fn look(people: &mut [Person], tracks: &[Track], size: Size, ground: &Ground) {
    for person in people {
        let others = || tracks.iter().filter(|t| t.id != person.id).map(|t| &t.bbox);
        person.is_free = !others().any(|other| touch(&person.bbox, other));
        let cut = f64::from(person.bbox.bottom()) >= (1.0 - EDGE) * f64::from(size.height);
        if !cut && (person.is_free || !others().any(|other| covers(other, person))) {
            continue;
        }
        if let Some(feet) = below(person, size, ground) {
            let (dx, dy) = (feet.x - person.feet.x, feet.y - person.feet.y);
            // Whoever was born hidden was so from the first.
            person.birth = Point { x: person.birth.x + dx, y: person.birth.y + dy };
            person.stand(feet, size);
        }
    }
}

fn touch(a: &Rect, b: &Rect) -> bool {
    a.left < b.right() && b.left < a.right() && a.top < b.bottom() && b.top < a.bottom()
}

/// Whether somebody with this box, nearer to the camera, may stand before the person's feet.
fn covers(other: &Rect, person: &Person) -> bool {
    let [left, top, right, bottom] = [other.left, other.top, other.right(), other.bottom()].map(f64::from);
    let feet = person.feet;
    bottom > feet.y + LOWER * person.height && top < feet.y && left < feet.x && feet.x < right
}

/// Where a person of the expected height has the feet; `None` where nothing is known of heights, or nothing is missing.
fn below(person: &Person, size: Size, ground: &Ground) -> Option<Point> {
    let head = person.head();
    let (top, tall) = (head.y, f64::from(size.height));
    let at = |y: f64| ground.expected_height(Point { x: head.x, y });
    // The height at a place is all but linear in it: Newton's steps from far below.
    let mut y = top + tall;
    for _ in 0..8 {
        let step = 1e-3 * tall;
        let height = at(y)?;
        let slope = 1.0 - (at(y + step)? - height) / step;
        if slope < 0.1 {
            return None;
        }
        y -= (y - top - height) / slope;
    }
    let height = at(y)?;
    let missing = y - person.feet.y;
    let believed = (y - top - height).abs() < 1e-3 * tall && y < FARTHEST * tall;
    (believed && missing > MISSING * height).then_some(Point { x: head.x, y })
}
