//! Tables that grow no further than they may.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What is kept of `key`; made by `new` where there is nothing yet. `None` where the table has `most` entries and none of it.
pub fn entry<K: Ord, V>(table: &mut BTreeMap<K, V>, most: usize, key: K, new: impl FnOnce() -> V) -> Option<&mut V> {
    let full = table.len() >= most;
    match table.entry(key) {
        Entry::Vacant(_) if full => None,
        entry => Some(entry.or_insert_with(new)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_takes_nobody_new_and_knows_the_others() {
        let mut table = BTreeMap::new();
        assert_eq!(entry(&mut table, 2, 7, || 1).copied(), Some(1));
        assert_eq!(entry(&mut table, 2, 8, || 2).copied(), Some(2));
        assert_eq!(entry(&mut table, 2, 9, || 3), None);
        assert_eq!(entry(&mut table, 2, 7, || 4).copied(), Some(1), "as it was");
        assert_eq!(table.len(), 2);
    }
}
