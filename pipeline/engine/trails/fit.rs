//! Straight ways that come nearest to where somebody was.

/// How far across and down the feet were, and the width and the height of the box.
pub type Place = [f64; 4];

/// The places at some of these times, the `knots`, so that the straight ways between them come nearest to all of them:
/// least squares of a linear spline. `at` rises; `knots` are indices that rise, the first and the last among them.
pub fn fitted(at: &[i64], places: &[Place], knots: &[usize]) -> Vec<Place> {
    let count = knots.len();
    if count < 2 || count == places.len() {
        return knots.iter().map(|k| places[*k]).collect();
    }
    // The normal equations: each place has a share in the two knots beside it, so that only neighbours depend on each
    // other. Each knot is a place itself: the diagonal is at least one, and more than what is beside it.
    let (mut own, mut beside, mut sums) = (vec![0.0; count], vec![0.0; count], vec![[0.0; 4]; count]);
    let mut left = 0;
    for (i, place) in places.iter().enumerate() {
        while left + 2 < count && i > knots[left + 1] {
            left += 1;
        }
        let (from, to) = (at[knots[left]], at[knots[left + 1]]);
        let share = (at[i] - from) as f64 / (to - from).max(1) as f64;
        let shares = [1.0 - share, share];
        for (knot, share) in (left..).zip(shares) {
            own[knot] += share * share;
            (0..4).for_each(|c| sums[knot][c] += share * place[c]);
        }
        beside[left] += shares[0] * shares[1];
    }
    for k in 1..count {
        let factor = beside[k - 1] / own[k - 1];
        own[k] -= factor * beside[k - 1];
        let before = sums[k - 1];
        (0..4).for_each(|c| sums[k][c] -= factor * before[c]);
    }
    for k in (0..count).rev() {
        let after = if k + 1 < count { sums[k + 1] } else { [0.0; 4] };
        (0..4).for_each(|c| sums[k][c] = (sums[k][c] - beside[k] * after[c]) / own[k]);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn off(at: &[i64], places: &[Place], knots: &[usize], values: &[Place]) -> f64 {
        let mut sum = 0.0;
        for (i, place) in places.iter().enumerate() {
            let right = knots.partition_point(|k| *k < i).clamp(1, knots.len() - 1);
            let (from, to) = (at[knots[right - 1]], at[knots[right]]);
            let share = (at[i] - from) as f64 / (to - from) as f64;
            for c in 0..4 {
                sum += (place[c] - (1.0 - share) * values[right - 1][c] - share * values[right][c]).powi(2);
            }
        }
        sum
    }

    #[test]
    fn who_walks_straight_is_where_they_were() {
        let at: Vec<i64> = (0..20).map(|i| 100 * i).collect();
        let places: Vec<Place> =
            (0..20).map(|i| [f64::from(i), 3.0 - f64::from(i), 10.0, 20.0 + f64::from(i)]).collect();
        for knots in [&[0, 4, 9, 14, 19][..], &[0, 19], &[0, 1, 2, 19]] {
            for (value, knot) in fitted(&at, &places, knots).iter().zip(knots) {
                (0..4).for_each(|c| assert!((value[c] - places[*knot][c]).abs() < 1e-9, "{knots:?}"));
            }
        }
        assert_eq!(fitted(&at[..1], &places[..1], &[0]), places[..1]);
        let all: Vec<usize> = (0..20).collect();
        assert_eq!(fitted(&at, &places, &all), places);
    }

    proptest! {
        #[test]
        fn nothing_near_it_is_nearer(
            steps in prop::collection::vec((20_i64..200, prop::array::uniform4(-50.0..50.0_f64), prop::bool::ANY), 3..60),
            nudge in (0_usize..60, 0_usize..4, prop_oneof![Just(-0.1), Just(0.1)]),
        ) {
            let at: Vec<i64> = steps.iter().scan(0, |sum, (step, ..)| { *sum += step; Some(*sum) }).collect();
            let places: Vec<Place> = steps.iter().map(|(_, place, _)| *place).collect();
            let last = steps.len() - 1;
            let knots: Vec<usize> = (0..=last).filter(|i| *i == 0 || *i == last || steps[*i].2).collect();
            let values = fitted(&at, &places, &knots);
            prop_assert_eq!(values.len(), knots.len());
            let least = off(&at, &places, &knots, &values);
            let mut other = values.clone();
            other[nudge.0 % knots.len()][nudge.1] += nudge.2;
            prop_assert!(off(&at, &places, &knots, &other) > least);
            let sampled: Vec<Place> = knots.iter().map(|k| places[*k]).collect();
            prop_assert!(least <= off(&at, &places, &knots, &sampled) + 1e-6);
        }
    }
}
