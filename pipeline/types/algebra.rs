//! Small dense symmetric systems: what calibration needs of linear algebra, without a matrix on the heap.

/// Solves `m * x = right` by Gaussian elimination with partial pivoting. `None` where the system is singular to within
/// rounding.
pub fn solve<const N: usize>(mut m: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    let largest = m.iter().flatten().fold(0.0_f64, |most, v| most.max(v.abs()));
    for column in 0..N {
        let pivot = (column..N).max_by(|&a, &b| m[a][column].abs().total_cmp(&m[b][column].abs()))?;
        let size = m[pivot][column].abs();
        if size.is_nan() || size <= largest * 1e-14 {
            return None;
        }
        m.swap(column, pivot);
        right.swap(column, pivot);
        let (top, value) = (m[column], right[column]);
        for row in 0..N {
            if row != column {
                let factor = m[row][column] / top[column];
                m[row].iter_mut().zip(top).for_each(|(cell, t)| *cell -= factor * t);
                right[row] -= factor * value;
            }
        }
    }
    Some(std::array::from_fn(|i| right[i] / m[i][i]))
}

/// The inverse of a matrix, column by column.
pub fn invert<const N: usize>(m: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut inverse = [[0.0; N]; N];
    let units = std::array::from_fn::<[f64; N], N, _>(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
    for (column, unit) in units.into_iter().enumerate() {
        let solved = solve(*m, unit)?;
        inverse.iter_mut().zip(solved).for_each(|(row, value)| row[column] = value);
    }
    Some(inverse)
}

/// Eigenvalues of a symmetric matrix, rising, each with its eigenvector (a row of the second value), by Jacobi's
/// rotations.
pub fn eigen<const N: usize>(mut m: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    /// Rotations of every pair; convergence is quadratic and takes fewer than ten.
    const SWEEPS: usize = 50;
    let mut vectors: [[f64; N]; N] = std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }));
    let total: f64 = m.iter().flatten().map(|v| v * v).sum();
    for _ in 0..SWEEPS {
        let beside: f64 = (0..N).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| m[i][j] * m[i][j]).sum();
        if beside <= total * 1e-30 {
            break;
        }
        for p in 0..N {
            for q in p + 1..N {
                if m[p][q] != 0.0 {
                    rotate(&mut m, &mut vectors, p, q);
                }
            }
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_unstable_by(|&a, &b| m[a][a].total_cmp(&m[b][b]));
    (order.map(|i| m[i][i]), order.map(|i| vectors[i]))
}

/// Makes `m[p][q]` zero.
fn rotate<const N: usize>(m: &mut [[f64; N]; N], vectors: &mut [[f64; N]; N], p: usize, q: usize) {
    let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
    let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in m.iter_mut() {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    for k in 0..N {
        (m[p][k], m[q][k]) = (c * m[p][k] - s * m[q][k], s * m[p][k] + c * m[q][k]);
        (vectors[p][k], vectors[q][k]) = (c * vectors[p][k] - s * vectors[q][k], s * vectors[p][k] + c * vectors[q][k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: [[f64; 3]; 3] = [[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 5.0]];

    fn times(m: &[[f64; 3]; 3], x: &[f64; 3]) -> [f64; 3] {
        m.map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum())
    }

    #[test]
    fn solutions_solve() {
        let x = [1.0, -2.0, 3.0];
        let found = solve(M, times(&M, &x)).unwrap();
        assert!(found.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert!(solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0]).is_none());
        let inverse = invert(&M).unwrap();
        let back = times(&inverse, &times(&M, &x));
        assert!(back.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-12), "{back:?}");
    }

    #[test]
    fn eigenvectors_are_scaled_by_their_eigenvalues() {
        let (values, vectors) = eigen(M);
        assert!(values[0] <= values[1] && values[1] <= values[2]);
        for (value, vector) in values.iter().zip(&vectors) {
            let scaled = times(&M, vector);
            assert!(scaled.iter().zip(vector).all(|(a, b)| (a - value * b).abs() < 1e-12), "{values:?} {vectors:?}");
        }
        assert!((values.iter().sum::<f64>() - 12.0).abs() < 1e-12, "the trace stays");
    }
}
