//! Optimal assignment of rows (tracks) to columns (detections).
//!
//! Shortest augmenting paths with dual potentials (Jonker and Volgenant, "A shortest augmenting path algorithm for dense
//! and sparse linear assignment problems", Computing 38, 1987), for rectangular tables with gating: every row may also
//! stay alone for free, which is a private column of gain zero that is never stored.

const NONE: usize = usize::MAX;

/// Solves assignments again and again without allocating once it has met its largest table.
#[derive(Debug, Default)]
pub struct Assignment {
    column_of: Vec<usize>,
    row_of: Vec<usize>,
    row_price: Vec<f64>,
    column_price: Vec<f64>,
    distance: Vec<f64>,
    previous: Vec<usize>,
    settled: Vec<bool>,
    order: Vec<usize>,
}

impl Assignment {
    /// Finds the matching with the largest sum of gains. `gain` holds `rows * columns` values, row by row; a pair whose
    /// gain is not above zero is never matched. Equal sums are decided by the order of rows and columns alone.
    ///
    /// O(rows² · columns) at worst; far less when most pairs are gated.
    pub fn solve(&mut self, gain: &[f32], rows: usize, columns: usize) {
        debug_assert_eq!(gain.len(), rows * columns);
        refill(&mut self.column_of, rows, NONE);
        refill(&mut self.row_of, columns, NONE);
        refill(&mut self.row_price, rows, 0.0);
        refill(&mut self.column_price, columns, 0.0);
        refill(&mut self.distance, columns, f64::INFINITY);
        refill(&mut self.previous, columns, NONE);
        refill(&mut self.settled, columns, false);
        for (row, price) in self.row_price.iter_mut().enumerate() {
            let best = gain[row * columns..(row + 1) * columns].iter().fold(0.0_f32, |a, &b| a.max(b));
            *price = -f64::from(best);
        }
        for row in 0..rows {
            // A row without any allowed column is alone from the start.
            if self.row_price[row] < 0.0 {
                self.augment(gain, columns, row);
            }
        }
    }

    /// Column of a row in the last solution.
    pub fn column_of(&self, row: usize) -> Option<usize> {
        self.column_of.get(row).copied().filter(|&c| c != NONE)
    }

    /// Row of a column in the last solution.
    pub fn row_of(&self, column: usize) -> Option<usize> {
        self.row_of.get(column).copied().filter(|&r| r != NONE)
    }

    /// Dijkstra from a free row to the nearest free column or to the first row that is better left alone.
    fn augment(&mut self, gain: &[f32], columns: usize, start: usize) {
        self.distance.fill(f64::INFINITY);
        self.settled.fill(false);
        self.order.clear();
        self.relax(gain, columns, start, 0.0);
        let mut alone = start;
        let mut alone_at = -self.row_price[start];
        let (end, total) = loop {
            let mut nearest = NONE;
            let mut at = alone_at;
            for column in 0..columns {
                if !self.settled[column] && self.distance[column] < at {
                    (nearest, at) = (column, self.distance[column]);
                }
            }
            if nearest == NONE || self.row_of[nearest] == NONE {
                break (nearest, at);
            }
            self.settled[nearest] = true;
            self.order.push(nearest);
            let row = self.row_of[nearest];
            if at - self.row_price[row] < alone_at {
                (alone, alone_at) = (row, at - self.row_price[row]);
            }
            self.relax(gain, columns, row, at);
        };
        for &column in &self.order {
            let slack = total - self.distance[column];
            self.column_price[column] -= slack;
            self.row_price[self.row_of[column]] += slack;
        }
        self.row_price[start] += total;
        let mut column = end;
        if column == NONE {
            column = std::mem::replace(&mut self.column_of[alone], NONE);
            if column == NONE {
                return;
            }
        }
        loop {
            let row = self.previous[column];
            self.row_of[column] = row;
            column = std::mem::replace(&mut self.column_of[row], column);
            if row == start {
                return;
            }
        }
    }

    fn relax(&mut self, gain: &[f32], columns: usize, row: usize, at: f64) {
        let price = self.row_price[row];
        for (column, &value) in gain[row * columns..(row + 1) * columns].iter().enumerate() {
            if value > 0.0 && !self.settled[column] {
                let distance = at - f64::from(value) - price - self.column_price[column];
                if distance < self.distance[column] {
                    self.distance[column] = distance;
                    self.previous[column] = row;
                }
            }
        }
    }
}

fn refill<T: Clone>(list: &mut Vec<T>, length: usize, value: T) {
    list.clear();
    list.resize(length, value);
}

#[cfg(test)]
mod tests {
    use pathfinding::prelude::{Matrix, kuhn_munkres};
    use proptest::prelude::*;

    use super::*;

    fn total(solver: &Assignment, gain: &[f32], rows: usize, columns: usize) -> f64 {
        let mut taken = vec![false; columns];
        let mut sum = 0.0;
        for row in 0..rows {
            if let Some(column) = solver.column_of(row) {
                assert!(gain[row * columns + column] > 0.0, "a gated pair was matched");
                assert_eq!(solver.row_of(column), Some(row));
                assert!(!std::mem::replace(&mut taken[column], true), "a column was given twice");
                sum += f64::from(gain[row * columns + column]);
            }
        }
        sum
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn as_good_as_kuhn_munkres(
            rows in 1_usize..9, columns in 1_usize..9, seed in proptest::collection::vec(-40_i32..60, 64), zeros in 0_usize..64
        ) {
            let mut whole: Vec<i32> = seed[..rows * columns].to_vec();
            for value in whole.iter_mut().step_by(zeros + 1) {
                *value = 0;
            }
            let gain: Vec<f32> = whole.iter().map(|&v| v as f32).collect();
            let mut solver = Assignment::default();
            solver.solve(&gain, rows, columns);
            let ours = total(&solver, &gain, rows, columns);

            // The oracle matches every row, so staying alone is a further column of weight zero for each row.
            let weights = Matrix::from_fn(rows, columns + rows, |(r, c)| {
                if c < columns { i64::from(whole[r * columns + c].max(0)) } else { 0 }
            });
            let (best, _) = kuhn_munkres(&weights);
            prop_assert_eq!(ours as i64, best);
        }
    }

    #[test]
    fn greedy_would_lose() {
        let mut solver = Assignment::default();
        solver.solve(&[0.9, 0.8, 0.85, 0.1], 2, 2);
        assert_eq!((solver.column_of(0), solver.column_of(1)), (Some(1), Some(0)));
    }

    #[test]
    fn empty_tables_have_no_pairs() {
        let mut solver = Assignment::default();
        solver.solve(&[], 3, 0);
        assert_eq!(solver.column_of(2), None);
        solver.solve(&[], 0, 3);
        assert_eq!(solver.row_of(2), None);
        solver.solve(&[-1.0, 0.0], 1, 2);
        assert_eq!(solver.column_of(0), None);
    }
}
